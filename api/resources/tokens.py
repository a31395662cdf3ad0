"""Logging in."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from falcon import Request, Response

from vantage6.api.endpoint import NODE, USER, Read, endpoint
from vantage6.api.identity.callers import bearer, caller_of
from vantage6.api.identity.permissions import Caller
from vantage6.api.identity.tokens import Login
from vantage6.api.logins import Logins
from vantage6.api.resources.base import Resource
from vantage6.api.schemas.tokens import (
    BrokerReply,
    ContainerTokenReply,
    ContainerTokenRequest,
    LoginReply,
    NodeLogin,
    TokenReply,
    UserLogin,
)
from vantage6.api.service import Service
from vantage6.broker.queues import inbox
from vantage6.common.clock import now
from vantage6.common.enums import IdentityKind
from vantage6.common.errors import Forbidden, Invalid, NotFound, Unauthenticated
from vantage6.models.store import (
    last_seen,
    node_sessions,
    nodes,
    results,
    sessions,
    tasks,
    users,
)
from vantage6.models.store.node_sessions import NodeProcess
from vantage6.models.tables import Node, User


class Tokens(Resource):
    """Tokens for users, nodes and algorithms."""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._logins = Logins(service)

    def _begin(
        self,
        holder: User | Node,
        moment: datetime,
        req: Request,
        process: NodeProcess | None = None,
    ) -> dict[str, str]:
        """Begin a session, and return its first tokens."""
        kind, tokens = (USER if isinstance(holder, User) else NODE), self.service.tokens
        until = tokens.renewable_until(kind, Login(0, moment), moment)
        address, agent = self._logins.address(req), req.user_agent
        if isinstance(holder, User):
            row = sessions.begin(holder, until=until, address=address, agent=agent)
        else:
            row = node_sessions.begin(holder, process, until=until, address=address, agent=agent)
        return self._pair(kind, holder.id, Login(row.id, moment), moment)

    def _pair(
        self, kind: IdentityKind, identity: int, session: Login, moment: datetime
    ) -> dict[str, str]:
        # SECURITY: the tokens say when the holder was looked up. Those of somebody who logs in
        # while the password is being reset are void with all others from before.
        roles = users.role_names(identity) if kind is USER else []
        access, refresh = self.service.tokens.pair(kind, identity, session, roles, moment)
        return {
            "access_token": access,
            "refresh_token": refresh,
            "refresh_url": self.service.path("token", "refresh"),
            f"{kind}_url": self.service.path(kind, identity),
        }

    @endpoint(body=UserLogin, problems=(401, 429), reply=LoginReply)
    def on_post_user(self, req: Request, resp: Response, read: Read[UserLogin]) -> dict[str, Any]:
        """Log a user in.

        Where two-factor authentication is on, the answer to a right password without a code holds
        no tokens but says what to do. The first right code is answered with recovery codes too.
        """
        body = read()
        self._logins.check_failures(req)
        moment = now()
        found = users.find_by_name(body.username)
        password = body.password.get_secret_value()
        user = self._logins.check_password(found, password, req, body.username)
        self._logins.refuse_first_password(password, req)
        first = self._logins.second_factor(user, body.mfa_code, req)
        if first is not None:
            return first
        self._logins.record_success(user, req)
        reply: dict[str, Any] = self._begin(user, moment, req)
        reply |= self._logins.complete_enrolment(user, req)
        resp.set_header("jwt-token", reply["access_token"])
        return reply

    @endpoint(body=NodeLogin, problems=(401, 429), reply=TokenReply)
    def on_post_node(self, req: Request, resp: Response, read: Read[NodeLogin]) -> dict[str, str]:
        """Log a node in with its API key.

        One process computes for a node. Another one is refused with code `key_in_use` until the
        first logs out, or is not heard of for 150 seconds.
        """
        body = read()
        moment = now()
        try:
            node = nodes.with_key(body.api_key.get_secret_value())
        except Unauthenticated:
            # Not before: a key cannot be guessed, and one wrong node must not keep others out.
            self._logins.count_node_failure(req)
            raise
        process = None
        if body.instance and body.process:
            process = NodeProcess(body.instance, body.process, frozenset(body.previous))
        elif node.working_session is None:
            last_seen.note(node)
        reply = self._begin(node, moment, req, process)
        resp.set_header("jwt-token", reply["access_token"])
        return reply

    @endpoint(NODE, reply=None, status=204)
    def on_delete_node(self, caller: Caller) -> None:
        """Log a node out: another process may compute for it at once."""
        node_sessions.end(caller.calling_node, caller.session_id or 0)

    @endpoint(NODE, body=ContainerTokenRequest, reply=ContainerTokenReply)
    def on_post_container(
        self, caller: Caller, read: Read[ContainerTokenRequest]
    ) -> dict[str, str]:
        """Give a node the token of an algorithm that it runs.

        The node must be one of those that the task was sent to.
        """
        body = read()
        try:
            task = tasks.get(body.task_id)
        except NotFound as error:
            raise Invalid(error.message, code="not_found") from error
        # SECURITY: first, or the answer would tell which image a foreign task has.
        if not results.is_target(task.id, caller.calling_node):
            raise Forbidden("The task was not sent to this node.")
        if task.image != body.image:
            raise Forbidden("The task has another image.")
        if not tasks.is_open(task.id):
            raise Invalid("The task has ended.", code="task_ended")
        return {"container_token": self.service.tokens.for_container(caller.calling_node, task)}

    @endpoint(NODE, reply=BrokerReply)
    def on_post_broker(self, caller: Caller) -> dict[str, str]:
        """Give a node the address and a new password of its queue; the old password dies."""
        return {"url": self.service.broker_url_for(caller.calling_node), "queue": inbox(caller.id)}

    @endpoint(reply=TokenReply, problems=(401, 422))
    def on_post_refresh(self, req: Request) -> dict[str, str]:
        """Exchange a refresh token, sent as bearer, for new tokens; take both from then on.

        The token is good for a minute longer, for clients whose answer was lost. Who sends it
        later ends the session, since one of two holders must have copied it.
        """
        moment, tokens = now(), self.service.tokens
        claims = tokens.read(bearer(req), "refresh")
        caller = caller_of(req, tokens, claims, (USER, NODE))
        began_at = datetime.fromtimestamp(claims["auth_time"], UTC)
        session = Login(claims["sid"], began_at, claims["generation"])
        until = tokens.renewable_until(caller.kind, session, moment)
        if until <= moment:
            raise Unauthenticated("This session has lasted long enough.", code="session_ended")
        generation = sessions.renew(session.id, session.generation, until=until)
        return self._pair(caller.kind, caller.id, replace(session, generation=generation), moment)
