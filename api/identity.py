"""From the Authorization header to a caller."""

from collections.abc import Callable
from typing import Any

from falcon import Request

from vantage6.api.permissions import Caller
from vantage6.api.tokens import BadToken, Tokens
from vantage6.common.enums import IdentityKind
from vantage6.common.errors import Forbidden, Unauthenticated, V6Error
from vantage6.common.identity import NODE_AUTHORIZATION, WRONG_NODE_TOKEN
from vantage6.models.store import last_seen, nodes, tasks, users
from vantage6.models.tables import Node


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


def identify(
    req: Request, tokens: Tokens, kinds: tuple[IdentityKind, ...], type_: str = "access"
) -> Caller:
    """Return who sends a request.

    Raises
    ------
    Unauthenticated, BadToken
        If nobody we know does.
    Forbidden
        If the route is not for that kind of caller.
    """
    claims = tokens.read(bearer(req), type_)
    kind = claims.get("client_type")
    if kind == IdentityKind.CONTAINER:
        caller = _container(claims, _host(req, tokens))
    else:
        caller = _CALLERS[kind](claims) if kind in _CALLERS else None
    if caller is None:
        raise Unauthenticated("The token belongs to nobody any more.", code="identity_gone")
    if caller.kind not in kinds:
        raise Forbidden(f"This is not for a {caller.kind}, only for: {', '.join(kinds)}.")
    return caller


def _user(claims: dict[str, Any]) -> Caller | None:
    subject = claims["sub"]
    user = users.find(subject) if isinstance(subject, int) else None
    if user is None:
        return None
    valid_from = user.tokens_valid_from
    if valid_from is not None and claims["iat"] < valid_from.timestamp():
        raise Unauthenticated("The password was reset; log in again.", code="token_revoked")
    last_seen.note(user)
    return Caller.of_user(user)


def _node(claims: dict[str, Any]) -> Caller | None:
    subject = claims["sub"]
    node = nodes.acting(subject) if isinstance(subject, int) else None
    if node is None:
        return None
    last_seen.note(node)
    return Caller.of_node(node)


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
    # SECURITY: the token of an algorithm ends with its task.
    if not tasks.is_open(subject["task_id"]):
        raise Unauthenticated("The task of this algorithm has ended.", code="task_ended")
    return Caller.of_container(node, subject["task_id"], subject["image"])


_CALLERS: dict[Any, Callable[[dict[str, Any]], Caller | None]] = {
    IdentityKind.USER: _user,
    IdentityKind.NODE: _node,
}
