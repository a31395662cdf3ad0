"""Logging in."""

from falcon import Request, Response

from vantage6.api import passwords
from vantage6.api.endpoint import NODE, USER, Read, endpoint
from vantage6.api.identity import identify
from vantage6.api.permissions import Caller
from vantage6.api.resources.base import Resource
from vantage6.broker.queues import inbox
from vantage6.common.enums import IdentityKind
from vantage6.common.errors import Forbidden, Invalid, NotFound
from vantage6.common.schemas.tokens import (
    BrokerReply,
    ContainerTokenReply,
    ContainerTokenRequest,
    NodeLogin,
    TokenReply,
    UserLogin,
)
from vantage6.models.store import last_seen, nodes, results, tasks


class Tokens(Resource):
    """Tokens for users, nodes and algorithms."""

    def _pair(self, kind: IdentityKind, identity: int) -> dict[str, str]:
        access, refresh = self.service.tokens.pair(kind, identity)
        return {
            "access_token": access,
            "refresh_token": refresh,
            "refresh_url": self.service.path("token", "refresh"),
            f"{kind}_url": self.service.path(kind, identity),
        }

    @endpoint(body=UserLogin, reply=TokenReply)
    def on_post_user(self, _: Request, resp: Response, read: Read[UserLogin]) -> dict[str, str]:
        """Log a user in."""
        body = read()
        user = passwords.log_in(
            body.username, body.password.get_secret_value(), self.service.config.password_policy
        )
        reply = self._pair(USER, user.id)
        resp.set_header("jwt-token", reply["access_token"])
        return reply

    @endpoint(body=NodeLogin, reply=TokenReply)
    def on_post_node(self, _: Request, resp: Response, read: Read[NodeLogin]) -> dict[str, str]:
        """Log a node in with its API key."""
        node = nodes.with_key(read().api_key.get_secret_value())
        last_seen.note(node)
        reply = self._pair(NODE, node.id)
        resp.set_header("jwt-token", reply["access_token"])
        return reply

    @endpoint(NODE, body=ContainerTokenRequest, reply=ContainerTokenReply)
    def on_post_container(
        self, _: Request, __: Response, caller: Caller, read: Read[ContainerTokenRequest]
    ) -> dict[str, str]:
        """Give a node the token of an algorithm that it runs.

        The node must be one of those that the task was sent to.
        """
        body = read()
        try:
            task = tasks.get(body.task_id)
        except NotFound as error:
            raise Invalid(error.message, code="not_found") from error
        if task.image != body.image:
            raise Forbidden("The task has another image.")
        if not results.is_target(task.id, caller.calling_node):
            raise Forbidden("The task was not sent to this node.")
        if not tasks.is_open(task.id):
            raise Invalid("The task has ended.", code="task_ended")
        return {"container_token": self.service.tokens.for_container(caller.calling_node, task)}

    @endpoint(NODE, reply=BrokerReply)
    def on_post_broker(self, _: Request, __: Response, caller: Caller) -> dict[str, str]:
        """Give a node the address and a new password of its queue; the old password dies."""
        return {"url": self.service.broker_url_for(caller.calling_node), "queue": inbox(caller.id)}

    @endpoint(reply=TokenReply)
    def on_post_refresh(self, req: Request, _: Response) -> dict[str, str]:
        """Exchange a refresh token, sent as bearer, for new tokens."""
        caller = identify(req, self.service.tokens, (USER, NODE), "refresh")
        return self._pair(caller.kind, caller.id)
