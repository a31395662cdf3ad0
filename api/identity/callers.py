"""From the Authorization header to a caller."""

from collections.abc import Callable
from typing import Any

from falcon import Request

from vantage6.api.identity.permissions import Caller
from vantage6.api.identity.tokens import BadToken, Tokens
from vantage6.common.enums import IdentityKind
from vantage6.common.errors import Forbidden, Unauthenticated, V6Error
from vantage6.common.identity import NODE_AUTHORIZATION, WRONG_NODE_TOKEN
from vantage6.models.store import last_seen, nodes, tasks, users
from vantage6.models.tables import Node, User


def bearer(req: Request) -> str:
    """Return the token that a request carries."""
    header = req.get_header("Authorization")
    if header is None:
        raise Unauthenticated("Log in first: the request has no Authorization header.")
    scheme, _, token = header.partition(" ")
    if scheme != "Bearer":
        raise Unauthenticated("The Authorization header must start with Bearer.")
    if not token or " " in token:
        raise BadToken
    return token


def identify(req: Request, tokens: Tokens, kinds: tuple[IdentityKind, ...]) -> Caller:
    """Return who sends a request, with an access token.

    Raises
    ------
    Unauthenticated, BadToken
        If the token is not of a known caller.
    Forbidden
        If the route is not for that kind of caller.
    """
    return caller_of(req, tokens, tokens.read(bearer(req)), kinds)


def caller_of(
    req: Request, tokens: Tokens, claims: dict[str, Any], kinds: tuple[IdentityKind, ...]
) -> Caller:
    """Return the caller that the claims of a genuine token name.

    The raised errors are those of `identify`.
    """
    kind = claims.get("client_type")
    if kind == IdentityKind.CONTAINER:
        caller = _container(claims, _host(req, tokens))
    else:
        caller = _CALLERS[kind](claims) if kind in _CALLERS else None
    if caller is None:
        raise Unauthenticated("The owner of this token was removed.", code="identity_gone")
    if caller.kind not in kinds:
        raise Forbidden(f"This is not for a {caller.kind}, only for: {', '.join(kinds)}.")
    return caller


def _user(claims: dict[str, Any]) -> Caller | None:
    subject, session = claims["sub"], _session_of(claims)
    found = users.acting(subject, session) if isinstance(subject, int) else None
    if found is None:
        return None
    user, is_logged_in = found
    _check(claims, user, is_logged_in=is_logged_in)
    last_seen.note(user)
    return Caller.of_user(user, session)


def _node(claims: dict[str, Any]) -> Caller | None:
    subject, session = claims["sub"], _session_of(claims)
    found = nodes.acting(subject, session) if isinstance(subject, int) else None
    if found is None:
        return None
    node, is_logged_in = found
    _check(claims, node, is_logged_in=is_logged_in)
    # A login that only looks, such as the doctor's, keeps no other station out.
    if node.working_session in (None, session):
        last_seen.note(node)
    return Caller.of_node(node, session)


def _host(req: Request, tokens: Tokens) -> Node:
    """Return the node that sends a request in the name of one of its algorithms.

    SECURITY: an algorithm never holds the token of its node. So a token of an algorithm that got
    out of the station opens nothing.
    """
    scheme, _, token = (req.get_header(NODE_AUTHORIZATION) or "").partition(" ")
    try:
        claims = tokens.read(token) if scheme == "Bearer" else {}
        is_node = claims.get("client_type") == IdentityKind.NODE
        caller = _node(claims) if is_node else None
    except V6Error as error:
        raise Unauthenticated(error.message, code=WRONG_NODE_TOKEN) from error
    if caller is None:
        raise Unauthenticated(
            f"Send the token of the node in {NODE_AUTHORIZATION}: an algorithm asks through its "
            "node only.",
            code=WRONG_NODE_TOKEN,
        )
    return caller.calling_node


def _container(claims: dict[str, Any], node: Node) -> Caller | None:
    subject = claims["sub"]
    if not isinstance(subject, dict):
        return None
    if subject["node_id"] != node.id:
        raise Unauthenticated("This algorithm runs at another node.", code=WRONG_NODE_TOKEN)
    if (node.organization_id, node.collaboration_id) != (
        subject["organization_id"],
        subject["collaboration_id"],
    ):
        return None
    _check(claims, node, is_logged_in=True)
    # SECURITY: the token of an algorithm ends with its task.
    if not tasks.is_open(subject["task_id"]):
        raise Unauthenticated("The task of this algorithm has ended.", code="task_ended")
    return Caller.of_container(node, subject["task_id"], subject["image"])


def _session_of(claims: dict[str, Any]) -> int:
    """Return the session that a token is of."""
    session = claims.get("sid")
    if not isinstance(session, int):
        # An earlier version signed it. Nodes log in again where a token has expired.
        raise Unauthenticated("The token is of an earlier version.", code="token_expired")
    return session


def _check(claims: dict[str, Any], holder: User | Node, *, is_logged_in: bool) -> None:
    """Refuse a token that was good once.

    SECURITY: the moment counts beside the session. Who logs in while a password or a key is being
    replaced may get a session after all sessions were ended.
    """
    valid_from = holder.tokens_valid_from
    if valid_from is not None and claims["iat"] < valid_from.timestamp():
        raise Unauthenticated(
            "Password, second factor or key were replaced; log in again.", code="token_revoked"
        )
    if not is_logged_in:
        raise Unauthenticated("This session was ended; log in again.", code="session_ended")


_CALLERS: dict[Any, Callable[[dict[str, Any]], Caller | None]] = {
    IdentityKind.USER: _user,
    IdentityKind.NODE: _node,
}
