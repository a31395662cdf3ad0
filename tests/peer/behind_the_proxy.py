"""What the clients of an algorithm are told by the proxy of its node, call by call."""

from typing import Any

from tests.peer.expect import AllOf, Each, ids
from tests.peer.shapes import COLLABORATION, NODE, ORGANIZATION, PART, TASK, a
from tests.peer.worlds import ALPHA, BETA, NOWHERE
from tests.peer.worlds import COLLABORATION as EXAMPLE

_RAISES = {"raised": "Exception"}
#: By client: method and arguments, and what comes of it.
CALLS: dict[str, dict[tuple[Any, ...], Any]] = {
    "ContainerClient": {
        ("authenticate",): None,
        ("refresh_token",): _RAISES,
        # Its own task, which has no results yet.
        ("get_task", 10): a(TASK, id=10, complete=False),
        ("get_results", 10): [],
        ("get_task", NOWHERE): _RAISES,
        # Unlike in 3.11, tasks of others are none of its business; nor is the sub-task that an
        # algorithm of another task made at this very node, whose key opens it.
        ("get_task", 1): _RAISES,
        ("get_results", 1): _RAISES,
        ("get_results", 7): _RAISES,
        ("get_organizations_in_my_collaboration",): AllOf(Each(ORGANIZATION), ids(ALPHA, BETA)),
        ("get_algorithm_addresses", 10): [],
        ("get_algorithm_address_by_label", 10, "door"): None,
        ("request", "task/10/result"): [a(PART, id=14, task=10)],
    },
    "AlgorithmClient": {
        ("task.get", 11): a(TASK, id=11),
        ("task.get", NOWHERE): {"msg": str},
        ("result.get", 11): [],
        ("task.get", 1): {"msg": str},
        # It does not look at what it is refused with.
        ("result.get", 1): [],
        ("result.get", 7): [],
        ("organization.get", BETA): a(ORGANIZATION, id=BETA),
        ("organization.get", NOWHERE): {"msg": str},
        ("organization.list",): AllOf(Each(ORGANIZATION), ids(ALPHA, BETA)),
        ("collaboration.get",): a(COLLABORATION, id=EXAMPLE, encrypted=True),
        # 3.11 refuses an algorithm its own node.
        ("node.get",): a(NODE, name="alpha - example_collab1 Node"),
        ("vpn.get_addresses",): [],
        ("vpn.get_parent_address",): [],
        ("vpn.get_child_addresses",): [],
    },
}


def report(client: str) -> dict[str, Any]:
    """Return the input of a task that makes the calls of a client."""
    calls = [[name, arguments] for name, *arguments in CALLS[client]]
    return {"method": "report", "kwargs": {"calls": calls}, "master": True}
