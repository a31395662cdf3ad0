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
        ("get_task", 1): a(TASK, id=1, complete=True),
        ("get_task", NOWHERE): _RAISES,
        # Only bare pickles are read by this client; one other makes it give up on all.
        ("get_results", 1): [],
        ("get_results", 4): [],
        # The sub-task of the algorithm of old, which was encrypted for this node.
        ("get_results", 7): [{"sum": 253, "count": 4}, {"sum": 173, "count": 4}],
        ("get_organizations_in_my_collaboration",): AllOf(Each(ORGANIZATION), ids(ALPHA, BETA)),
        ("get_algorithm_addresses", 1): [],
        ("get_algorithm_address_by_label", 1, "door"): None,
        ("request", "task/1/result"): [a(PART, id=1), a(PART, id=2)],
    },
    "AlgorithmClient": {
        ("task.get", 1): a(TASK, id=1),
        ("task.get", NOWHERE): {"msg": str},
        ("result.get", 1): [],
        ("result.get", 7): [{"sum": 253, "count": 4}, {"sum": 173, "count": 4}],
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
