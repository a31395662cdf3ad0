"""What one algorithm can say to the server through its node, and nothing else.

The node adds encryption: inputs of sub-tasks are encrypted for the organizations that receive
them, and results are decrypted. Algorithms see plain base64 only.
"""

import hmac
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import falcon

from vantage6.client.body import Body
from vantage6.common.encoding import LazyText, base64_text
from vantage6.common.encryption import CryptorBase
from vantage6.common.errors import Forbidden, Invalid, Unavailable
from vantage6.common.known_keys import KeyRefused, KnownKeys
from vantage6.node.outcomes import Reason
from vantage6.node.proxy.bodies import REQUEST_VALUES, TooComplex, read, value_of
from vantage6.node.proxy.memory import REQUEST_COST, SMALL_BYTES
from vantage6.node.proxy.outgoing import MOST_ID, SubTask, parameters_of
from vantage6.node.proxy.own_results import OwnResults
from vantage6.node.proxy.refusals import Refusals
from vantage6.node.proxy.subtasks import SubTasks
from vantage6.node.proxy.tokens import ServerToken, Tokens
from vantage6.node.proxy.upstream import Reply, Upstream
from vantage6.node.rules.audit import hash_of
from vantage6.node.rules.encryption import check_all
from vantage6.node.rules.quota import Quota
from vantage6.node.rules.result_audit import ResultAudit

_KEY_SECONDS = 60.0
#: What the server says to those who ask for what is not theirs, or not there for them.
_REFUSED = (401, 403, 404)
#: An id in a path.
_ID = f"{{id_:int(min=1, max={MOST_ID})}}"

_App = falcon.App[falcon.Request, falcon.Response]


class PublicKeys:
    """Public keys of organizations, kept for a moment: a master asks for the same ones again.

    Parameters
    ----------
    upstream
        Connection to the server.
    known
        The keys that the node knows.
    """

    def __init__(self, upstream: Upstream, known: KnownKeys) -> None:
        self._upstream = upstream
        self._known = known
        self._kept: dict[int, tuple[float, str]] = {}

    def of(self, organization_ids: Iterable[int], token: ServerToken) -> dict[int, str]:
        """Return the public keys of organizations.

        Raises
        ------
        Invalid
            If an organization has none, or another one than the node knows.
        Unavailable
            If a key that is met for the first time cannot be remembered.
        """
        keys, fresh = {}, {}
        for id_ in organization_ids:
            kept_at, key = self._kept.get(id_, (0.0, ""))
            if not key or time.monotonic() - kept_at > _KEY_SECONDS:
                key = fresh[id_] = self._ask(id_, token)
            keys[id_] = key
        # SECURITY: the server may not choose who reads the input of a sub-task.
        check_all(self._known, fresh)
        now = time.monotonic()
        self._kept |= {id_: (now, key) for id_, key in fresh.items()}
        return keys

    def _ask(self, organization_id: int, token: ServerToken) -> str:
        reply = self._upstream.request("GET", f"/organization/{organization_id}", token)
        key = reply.body.get("public_key") if reply.ok else None
        if not key:
            raise Invalid(
                f"Organization {organization_id} has no public key, so that nothing can be "
                "encrypted for it. Its node uploads the key when it starts."
            )
        return str(key)


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One algorithm, as its proxy knows it."""

    #: The task that it computes, and where.
    task_id: int
    organization_id: int
    node_id: int
    #: What it has to show here, the only token that is accepted, and what is shown to the server
    #: for it.
    tokens: Tokens
    #: Where sub-tasks, opened results and refusals are written down.
    result_audit: ResultAudit
    #: How many sub-tasks it may create.
    quota: Quota
    #: Those that it has created.
    made: SubTasks
    #: Asks the server for another token for it, where the first one is refused.
    ask_token: Callable[[], str] | None = None


class Proxy:
    """The HTTP interface of one running algorithm: a WSGI application.

    Parameters
    ----------
    upstream
        Connection to the server.
    keys
        Public keys of the receivers; None if the collaboration is not encrypted.
    cryptor
        Encrypts and decrypts for the node's organization.
    collaboration_id
        The only collaboration that may be asked for.
    algorithm
        Who asks.
    allows_pickle
        Whether results in other formats than JSON may go into the algorithm.
    may_leave
        Says why so many bytes of such a thing may not leave the station; None if they may.
    reply_bytes
        Largest reply that is passed on.
    """

    def __init__(
        self,
        upstream: Upstream,
        keys: PublicKeys | None,
        cryptor: CryptorBase,
        collaboration_id: int,
        algorithm: Algorithm,
        *,
        allows_pickle: bool,
        may_leave: Callable[[int, str], Reason | None],
        reply_bytes: int,
    ) -> None:
        self._may_leave = may_leave
        self._reply_bytes = reply_bytes
        self._algorithm = algorithm
        self._result_audit = algorithm.result_audit
        self._quota = algorithm.quota
        self._made = algorithm.made
        self._own_results = OwnResults(
            cryptor,
            algorithm.result_audit,
            algorithm.made,
            algorithm.task_id,
            allows_pickle=allows_pickle,
        )
        self._upstream = upstream
        self._keys = keys
        self._cryptor = cryptor
        self._token = ServerToken(algorithm.tokens.server, algorithm.ask_token)
        self._proxy_token = algorithm.tokens.proxy
        self.app = self._application(collaboration_id)

    def _application(self, collaboration_id: int) -> _App:
        app: _App = falcon.App(middleware=[_OwnTokenOnly(self._proxy_token)])
        Refusals(self._result_audit).handle_those_of(app)
        # SECURITY: the list of what may pass. A path or method that is not here is refused.
        app.add_route("/task", _Tasks(self._create_task))
        plain = _Passage(self._forward)
        for path, passage in (
            (f"/task/{_ID}", plain),
            (f"/task/{_ID}/result", _Passage(self._results)),
            (f"/result/{_ID}", _Passage(self._result)),
            ("/organization", plain),
            (f"/organization/{_ID}", plain),
            (f"/collaboration/{collaboration_id}", plain),
            (f"/collaboration/{collaboration_id}/organization", plain),
            (f"/node/{_ID}", plain),
            ("/vpn/algorithm/addresses", _Passage(self._addresses)),
            ("/version", plain),
            ("/health", plain),
        ):
            app.add_route(path, passage)
        return app

    def _forward(self, req: falcon.Request, id_: int | None = None) -> Reply:
        reply = self._upstream.request(
            req.method,
            # SECURITY: as the route has it; what was asked for can be spelled in many ways.
            str(req.uri_template).replace(_ID, str(id_)),
            self._token,
            params=parameters_of(req.params),
            most=self._reply_bytes,
            held=req.context.held,
        )
        return self._note(req, reply)

    def _addresses(self, req: falcon.Request) -> Reply:
        reply = self._forward(req)
        # SECURITY: a label is a text, which stays here.
        label = req.get_param("label")
        found = reply.body.get("addresses") if isinstance(reply.body, dict) else None
        if label and isinstance(found, list):
            reply.body["addresses"] = [
                one for one in found if isinstance(one, dict) and one.get("label") == label
            ]
        return reply

    def _note(self, req: falcon.Request, reply: Reply) -> Reply:
        if reply.status in _REFUSED:
            self._result_audit.record_denied(
                "refused_by_server", req.method, req.path, reply.status
            )
        return reply

    def _results(self, req: falcon.Request, id_: int) -> Reply:
        if self._made.is_any_lost and not self._own_results.is_own(id_):
            self._find(id_)
        self._own_results.check_task(id_)
        # One station that answers wrongly need not keep those of the others from the algorithm.
        is_each = req.get_param_as_bool("each", default=False)
        return self._open(self._forward(req, id_), id_, is_each=is_each)

    def _result(self, req: falcon.Request, id_: int) -> Reply:
        self._own_results.check_result(id_)
        return self._open(self._forward(req, id_))

    def _open(self, reply: Reply, task_id: int | None = None, *, is_each: bool = False) -> Reply:
        if reply.ok:
            found = reply.body
            if isinstance(found, dict) and isinstance(found.get("data"), list):
                found = found["data"]
            results = found if isinstance(found, list) else [found]
            self._own_results.open(results, task_id, is_each=is_each)
        return reply

    def _create_task(self, req: falcon.Request) -> Reply:
        # SECURITY: whatever is wrong is found before anything is written down, or leaves.
        sub_task = SubTask.of(
            self._body(req), self._algorithm.node_id, encrypted=self._keys is not None
        )
        # SECURITY: an input can carry as much of the data out as an output.
        if reason := self._may_leave(sub_task.bytes, "input of the sub-task"):
            raise Forbidden(reason.message, code=reason.code)
        self._quota.take()
        inputs = sub_task.inputs
        ids = [id_ for id_, _ in inputs]
        keys = None if self._keys is None else self._keys_of(ids, self._keys)
        try:
            self._result_audit.record_subtask(sub_task.body, inputs)
        except OSError as error:
            raise Unavailable("The node cannot write its audit file; try again later.") from error
        own = next((plain for id_, plain in inputs if id_ == self._algorithm.organization_id), None)
        own_hash = None if own is None else hash_of(own)
        del own
        if own_hash is not None:
            self._made.send(own_hash)
        receivers: list[dict[str, Any]] = []
        # Taken out, so that no input is in memory in more forms than it must.
        while inputs:
            id_, plain = inputs.pop(0)
            # SECURITY: without keys as well, what leaves is made of what was written down.
            sealed: str | LazyText = (
                base64_text(plain) if keys is None else self._seal(id_, plain, keys[id_])
            )
            receivers.append({"id": id_, "input": sealed})
        del plain
        body = {**sub_task.body, "organizations": receivers}
        try:
            reply = self._upstream.request("POST", "/task", self._token, body=body)
        except Unavailable:
            # It may have been created all the same; then the algorithm finds it among the children
            # of its own task.
            self._made.lose()
            raise
        reply = self._note(req, reply)
        if not reply.ok:
            return reply
        self._remember(reply.body, own_hash)
        # Algorithm clients know 200 from this proxy; the server says 201.
        return Reply(200, reply.body)

    def _body(self, req: falcon.Request) -> Any:
        """Return what an algorithm sends, if it is JSON of a sensible form."""
        length = req.content_length or 0
        if length > SMALL_BYTES:
            req.context.held.enter_context(self._upstream.memory.of(REQUEST_COST * length))
        try:
            return value_of(read(req.bounded_stream, length), REQUEST_VALUES)
        except TooComplex as error:
            raise falcon.HTTPContentTooLarge(description=str(error)) from error
        except ValueError as error:
            raise falcon.HTTPBadRequest(description="The request is no JSON.") from error

    def _remember(self, task: Any, own_hash: str | None) -> None:
        """Remember a sub-task, so that its results may be opened, and what it asks for here."""
        try:
            self._made.add(int(task["id"]), _results_of(task), own_hash)
        except (KeyError, TypeError, ValueError) as error:
            raise Unavailable("The server gave no task for an answer.") from error

    def _find(self, task_id: int) -> None:
        """Look whether a task is a sub-task of which the answer was lost.

        SECURITY: only this proxy creates sub-tasks of the own task at the own organization.
        """
        reply = self._upstream.request("GET", f"/task/{task_id}", self._token)
        try:
            origin = int(reply.body["parent"]["id"]), int(reply.body["initiator"])
            results = _results_of(reply.body)
        except (KeyError, TypeError, ValueError):
            return
        if reply.ok and origin == (self._algorithm.task_id, self._algorithm.organization_id):
            self._made.find(task_id, results)

    def _keys_of(self, organization_ids: list[int], keys: PublicKeys) -> dict[int, str]:
        try:
            return keys.of(organization_ids, self._token)
        except KeyRefused:
            self._result_audit.record_denied("key_refused", "POST", "/task", 400)
            raise

    def _seal(self, organization_id: int, plain: bytes, key: str) -> str:
        try:
            return self._cryptor.encrypt_bytes_to_str(plain, key)
        except ValueError as error:
            raise Invalid(f"The public key of organization {organization_id} is broken.") from error


def _results_of(task: Any) -> frozenset[int]:
    """Return the ids of the results of a task."""
    return frozenset(int(link["id"]) for link in task["results"] or ())


class _OwnTokenOnly:
    """Refuses requests that do not come from this container's algorithm."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode()

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:  # noqa: ARG002
        given = (req.auth or "").encode("utf-8", "replace")
        # SECURITY: a token of another algorithm must not be usable here, nor guessed by timing.
        if not hmac.compare_digest(given, self._expected):
            raise falcon.HTTPUnauthorized(
                description="Send the token in TOKEN_FILE as `Authorization: Bearer`."
            )


class _Passage:
    """GET requests that pass."""

    def __init__(self, forward: Callable[..., Reply]) -> None:
        self._forward = forward

    def on_get(self, req: falcon.Request, resp: falcon.Response, **path: int) -> None:
        with _hold(req):
            _write(resp, self._forward(req, **path))


class _Tasks:
    """The one thing that an algorithm may create."""

    def __init__(self, create: Callable[[falcon.Request], Reply]) -> None:
        self._create = create

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        with _hold(req):
            _write(resp, self._create(req))


def _hold(req: falcon.Request) -> ExitStack:
    """Return what holds the room for a large request or reply until its answer is written."""
    req.context.held = ExitStack()
    held: ExitStack = req.context.held
    return held


def _write(resp: falcon.Response, reply: Reply) -> None:
    resp.status = reply.status
    resp.data = b"".join(Body(reply.body))
    resp.content_type = falcon.MEDIA_JSON
