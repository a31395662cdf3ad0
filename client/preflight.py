"""Whether organizations can compute a task, asked before anything is encrypted and sent."""

from collections.abc import Sequence

from vantage6.client.protocols import Requests
from vantage6.client.session import Document
from vantage6.common import clock
from vantage6.common.errors import Forbidden, Invalid, NotFound


class CannotCompute(Invalid):
    """An organization cannot compute the task, as the server would say, too."""


def check(client: Requests, collaboration_id: int, receivers: Sequence[int]) -> None:
    """Refuse organizations that cannot compute, and warn of those whose node is away.

    One request. A user who may not see the nodes is not stopped: the server has the last word.

    Parameters
    ----------
    client
        Who asks, and whose log the warnings go to.
    collaboration_id
        Id of the collaboration.
    receivers
        Ids of the organizations.

    Raises
    ------
    CannotCompute
        If there is no organization, or one is not in the collaboration, or has no node there.
    """
    if not receivers:
        raise CannotCompute(
            "organizations is empty: name at least one that computes, such as organizations=[2].",
            code="no_organization",
        )
    try:
        found = client.call("get", f"collaboration/{collaboration_id}/node")
    except (Forbidden, NotFound):
        return
    if any("organization" not in node for node in found):
        return  # the original server does not say whose node it is
    nodes = {node["organization"]["id"]: node for node in found}
    if missing := [id_ for id_ in receivers if id_ not in nodes]:
        members = client.call("get", f"collaboration/{collaboration_id}/organization")
        raise _refusal(collaboration_id, missing, {each["id"]: each["name"] for each in members})
    for id_ in receivers:
        if nodes[id_]["status"] != "online":
            client.log.warning(
                "%s, the node of organization %s, %s. What it has to compute waits until it is "
                "back.",
                nodes[id_]["name"],
                id_,
                _absence(nodes[id_]),
            )


def _refusal(collaboration_id: int, missing: list[int], members: dict[int, str]) -> Invalid:
    """Return why organizations without a node cannot compute, and what to do."""
    if strangers := [str(id_) for id_ in missing if id_ not in members]:
        return CannotCompute(
            f"Organization {', '.join(strangers)} is not in collaboration {collaboration_id}. "
            f"These are: {_name(members)}.",
            code="no_member",
        )
    nodeless = {id_: members[id_] for id_ in missing}
    return CannotCompute(
        f"No node is registered in collaboration {collaboration_id} for {_name(nodeless)}. "
        f"Register one with client.node.create(collaboration={collaboration_id}, "
        f"organization={missing[0]}), or leave the organization out.",
        code="no_node",
    )


def _name(organizations: dict[int, str]) -> str:
    return ", ".join(f"{name} (id {id_})" for id_, name in organizations.items())


def _absence(node: Document) -> str:
    if not node["last_seen"]:
        return "has never been online"
    return f"is offline and was last seen {clock.parse(node['last_seen']):%Y-%m-%d %H:%M} UTC"
