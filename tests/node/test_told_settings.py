"""The server shows of a node what the node told, whoever else changed it."""

from collections.abc import Callable

import pytest

from tests.node.conftest import MakeContext
from tests.node.wire import Wire
from vantage6.client.node_client import NodeClient
from vantage6.common.errors import Unavailable, V6Error
from vantage6.common.told_settings import digest_settings
from vantage6.node.work.reconciler import Reconciler
from vantage6.node.work.scheduler import Scheduler

ITEMS = [{"key": "allowed_users", "value": "7"}, {"key": "encryption", "value": "1"}]
PAIRS = [(one["key"], one["value"]) for one in ITEMS]
ADDRESS = "10.76.0.2"
AWAY = (503, {"msg": "Away.", "code": "unavailable"})

Compare = Callable[[str | None], None]


@pytest.fixture
def server(make_context: MakeContext) -> NodeClient:
    """Give the client of a node that is logged in."""
    return make_context().server


@pytest.fixture
def compare(wire: Wire, make_context: MakeContext) -> Compare:
    """Give a function that compares once, with a server that shows what the hash stands for."""
    context = make_context()
    reconciler = Reconciler(
        context.server,
        Scheduler(context),
        context.spool,
        context.runtime,
        0,
        pytest.fail,
        pytest.fail,
    )
    context.server.tell_config(ITEMS)
    context.server.tell_address(ADDRESS)
    wire.told.clear()

    def compare(shown: str | None) -> None:
        wire.shown = shown
        reconciler.reconcile()

    return compare


@pytest.mark.parametrize(
    "shown",
    [
        digest_settings([*PAIRS, ("allowed_users", "9")], ADDRESS),
        digest_settings(PAIRS, "10.76.0.9"),
        digest_settings(PAIRS, None),
        digest_settings([], ADDRESS),
    ],
    ids=["another user", "another address", "no address", "nothing"],
)
def test_what_somebody_else_changed_is_told_again(wire: Wire, compare: Compare, shown: str) -> None:
    compare(shown)
    assert wire.told == {"config": ITEMS, "ip": ADDRESS}


@pytest.mark.parametrize("shown", [digest_settings(PAIRS[::-1], ADDRESS), None])
def test_what_is_shown_as_told_is_not_told_again(
    wire: Wire, compare: Compare, shown: str | None
) -> None:
    """Servers of earlier versions say nothing of it."""
    compare(shown)
    assert wire.told == {}


def test_a_server_that_refuses_it_still_gets_its_comparison(wire: Wire, compare: Compare) -> None:
    wire.queued["PATCH /node/7"] = [(400, {"msg": "No.", "code": "invalid"})]
    compare(digest_settings([], None))
    assert wire.told == {}
    compare(digest_settings([], None))
    assert wire.told == {"config": ITEMS, "ip": ADDRESS}


def test_an_address_that_could_not_be_told_is_told_at_the_next_comparison(
    wire: Wire, server: NodeClient
) -> None:
    server.tell_config(ITEMS)
    wire.queued["PATCH /node/7"] = [AWAY]
    with pytest.raises(Unavailable):
        server.tell_address(ADDRESS)
    assert server.tell_again(digest_settings(PAIRS, None))
    assert wire.told["ip"] == ADDRESS


def test_a_configuration_that_was_refused_is_not_told_again(wire: Wire, server: NodeClient) -> None:
    wire.queued["PATCH /node/7"] = [(400, {"msg": "No.", "code": "invalid"})]
    with pytest.raises(V6Error):
        server.tell_config(ITEMS)
    assert not server.tell_again(digest_settings([], None))
