"""Which algorithms an algorithm may reach in the VPN, by what the server says."""

import time
from typing import Any

from vantage6.common.errors import Unavailable
from vantage6.node.services import peers as module
from vantage6.node.services.peers import Peers


def test_only_what_the_server_shows_is_reached() -> None:
    peers = Peers(lambda: [{"ip": "10.76.0.2", "port": 50000}])
    assert peers.has("10.76.0.2", 50000)
    assert not peers.has("10.76.0.2", 50001)
    assert not peers.has("10.76.0.3", 50000)


def test_nothing_is_reached_while_the_server_is_away() -> None:
    def ask() -> list[Any]:
        raise Unavailable("away")

    assert not Peers(ask).has("10.76.0.2", 50000)


def test_server_is_not_asked_more_often_than_once_a_pause(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.1)
    asked = []

    def ask() -> list[dict[str, Any]]:
        asked.append(time.monotonic())
        return [{"ip": "10.76.0.2", "port": 50000}]

    peers = Peers(ask)
    begun = time.monotonic()
    for _ in range(5):
        assert not peers.has("10.76.0.9", 1)
        assert peers.has("10.76.0.2", 50000)
    assert len(asked) == 5
    assert time.monotonic() - begun >= 0.4


def test_one_that_has_ended_is_not_reached_any_more(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.0)
    shown = [{"ip": "10.76.0.2", "port": 50000}]
    peers = Peers(lambda: list(shown))
    assert peers.has("10.76.0.2", 50000)
    shown.clear()
    assert not peers.has("10.76.0.2", 50000)
