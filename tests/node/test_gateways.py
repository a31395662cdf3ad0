"""What a station does when a gateway on the way answers in place of the server, and in JSON."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.node.conftest import MakeScheduler
from tests.node.wire import Wire, make_token
from tests.waiting import eventually
from vantage6.client.node_client import NodeClient
from vantage6.client.session import NotTheServer
from vantage6.common.errors import Invalid, NotFound, Unavailable
from vantage6.node.proxy.upstream import Upstream

DONE = "open(os.environ['OUTPUT_FILE'], 'w').write('patient 7')"
TAKEN = (200, {"id": 5})

REFUSALS: dict[str, tuple[int, Any]] = {
    "no route": (404, {"message": "no Route matched with those values"}),
    "firewall": (403, {"message": "Forbidden"}),
    "no login": (401, {"msg": "Missing Authorization Header"}),
    "malformed": (400, {"error": "Bad Request"}),
    "conflict": (409, {"code": 409, "msg": "Conflict"}),
    "number as code": (404, {"code": "404", "msg": "no such service", "request_id": None}),
    "list": (404, [{"message": "not found"}]),
    "busy": (429, {"message": "API rate limit exceeded"}),
}
WELCOMES: dict[str, tuple[int, Any]] = {
    "maintenance": (200, {"status": "maintenance"}),
    "nothing": (204, None),
    "another result": (200, {"id": 4}),
}
ANSWERS = REFUSALS | WELCOMES


@pytest.fixture
def node(wire: Wire) -> Iterator[NodeClient]:
    """Give a node that is logged in."""
    with closing(NodeClient(f"http://127.0.0.1:{wire.port}")) as node:
        node.authenticate("key")
        yield node


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_a_result_outlives_the_answers_of_a_gateway(
    wire: Wire, make_scheduler: MakeScheduler, answer: tuple[int, Any]
) -> None:
    wire.add(5, DONE)
    wire.queued["PATCH /result/5"] = [TAKEN, answer]
    make_scheduler().accept(5)
    eventually(lambda: wire.ids("completed") == [5])
    assert wire.results[5]["result"]


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_a_gateway_neither_grants_nor_refuses_a_claim(
    wire: Wire, node: NodeClient, answer: tuple[int, Any]
) -> None:
    wire.queued["POST /result/5/claim"] = [answer]
    with pytest.raises(NotTheServer):
        node.claim(5)


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_a_gateway_says_nothing_of_what_a_station_is_to_forget(
    wire: Wire, node: NodeClient, answer: tuple[int, Any]
) -> None:
    wire.queued["POST /node/reconcile"] = [answer]
    with pytest.raises(NotTheServer):
        node.reconcile([], [5])


@pytest.mark.parametrize("answer", WELCOMES.values(), ids=WELCOMES)
@pytest.mark.parametrize("request_", ["POST /token/node", "GET /node/7", "GET /organization/1"])
def test_a_node_does_not_log_in_at_a_gateway(
    wire: Wire, node: NodeClient, request_: str, answer: tuple[int, Any]
) -> None:
    """Such an answer ended the process of the node."""
    wire.queued[request_] = [answer]
    with pytest.raises(NotTheServer):
        node.authenticate("key")


@pytest.mark.parametrize("answer", WELCOMES.values(), ids=WELCOMES)
def test_a_result_outlives_a_gateway_that_renews_no_token(
    wire: Wire, make_scheduler: MakeScheduler, answer: tuple[int, Any]
) -> None:
    wire.add(5, DONE)
    expired = (401, {"msg": "Token has expired", "code": "token_expired"})
    wire.queued["PATCH /result/5"] = [TAKEN, expired]
    wire.queued["POST /token/refresh"] = [answer]
    wire.answers["POST /token/refresh"] = (200, {"access_token": make_token(7)})
    make_scheduler().accept(5)
    eventually(lambda: wire.ids("completed") == [5])


@pytest.mark.parametrize("answer", REFUSALS.values(), ids=REFUSALS)
def test_an_algorithm_takes_a_gateway_for_a_server_that_is_away(
    wire: Wire, node: NodeClient, answer: tuple[int, Any]
) -> None:
    """It asks again then, where a refusal would end the whole analysis."""
    wire.queued["GET /task/3"] = [answer]
    address = f"http://127.0.0.1:{wire.port}/api"
    with closing(Upstream(address, node=node)) as upstream, pytest.raises(Unavailable):
        upstream.request("GET", "/task/3", make_token(1))


def test_what_the_server_itself_refuses_stays_refused(wire: Wire, node: NodeClient) -> None:
    with pytest.raises(NotFound, match="No such result"):
        node.claim(6)
    wire.queued["PATCH /result/5"] = [(413, {"message": "Payload Too Large"})]
    # SECURITY: the gateway decides on that, and the same body would be too large for ever.
    with pytest.raises(Invalid):
        node.patch_result(5, status="completed")
