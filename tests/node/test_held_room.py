"""How many requests wait: each user and organization has a share, and others have room."""

from pathlib import Path
from typing import Any

import pytest

from tests.node.test_approval import ALWAYS, is_held
from tests.node.test_approval import ask as ask
from tests.node.test_approval import held as held
from tests.node.test_grants import make_grant
from tests.node.test_held_requests import make_request
from tests.node.threads import wait_for_threads_of
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.common.durable_files import read_json
from vantage6.common.errors import Invalid
from vantage6.node.requests import folder, room
from vantage6.node.requests.gate import Gate
from vantage6.node.requests.grants import Grants
from vantage6.node.requests.held import HeldRequests, State
from vantage6.node.requests.held_request import HeldRequest, Requester
from vantage6.node.requests.pause import Pause
from vantage6.node.requests.room import Most


@pytest.fixture
def requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HeldRequests:
    """Give a station that keeps two requests of a user, three of an organization, five in all."""
    monkeypatch.setattr(room, "OF_USER", Most(2, 2**20))
    monkeypatch.setattr(room, "OF_ORGANIZATION", Most(3, 2**20))
    monkeypatch.setattr(room, "OF_ALL", Most(5, 2**20))
    return HeldRequests(tmp_path / "data")


def by(id_: int, user: int, organization: int = 1, **values: Any) -> HeldRequest:
    """Return a request of a user."""
    return make_request(id_, requester=Requester(organization, "org", user, "name"), **values)


def test_a_user_that_fills_the_own_share_keeps_no_place_of_others(requests: HeldRequests):
    requests.hold(by(1, 7))
    requests.hold(by(2, 7))
    with pytest.raises(Invalid, match="2 requests of this user") as refused:
        requests.hold(by(3, 7))
    assert refused.value.error_code == "too_many_held"
    requests.hold(by(3, 8))
    with pytest.raises(Invalid, match="3 requests of this organization"):
        requests.hold(by(4, 9))
    requests.hold(by(4, 10, organization=2))
    requests.hold(by(5, 11, organization=3))
    with pytest.raises(Invalid, match="5 requests wait"):
        requests.hold(by(6, 12, organization=4))
    # What waits already stays, whatever else does.
    requests.hold(by(1, 7))
    requests.forget(2)
    requests.hold(by(6, 12, organization=4))


def test_the_share_is_that_of_the_user_who_asked_first(requests: HeldRequests):
    first = (Requester(1, "org", 7, "name"),)
    requests.hold(by(1, 20, organization=2, above=first))
    requests.hold(by(2, 20, organization=3, above=first))
    with pytest.raises(Invalid, match="of this user"):
        requests.hold(by(3, 20, organization=4, above=first))


def test_long_requests_fill_a_share_as_well(
    requests: HeldRequests, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(room, "OF_USER", Most(100, 50_000))
    requests.hold(by(1, 7, arguments='{"a": "' + "x" * 40_000 + '"}'))
    with pytest.raises(Invalid, match="of this user"):
        requests.hold(by(2, 7, arguments='{"a": "' + "x" * 40_000 + '"}'))
    requests.hold(by(3, 7))
    # A server that swaps the input of a held request finds no more room by that.
    with pytest.raises(Invalid, match="of this user"):
        requests.hold(by(3, 7, input_hash="1" * 64, arguments='{"a": "' + "x" * 40_000 + '"}'))
    assert requests.get(3).arguments == make_request(3).arguments


def test_a_station_sees_what_another_process_held_or_forgot(requests: HeldRequests, tmp_path: Path):
    other = HeldRequests(tmp_path / "data")
    requests.hold(by(1, 7))
    other.hold(by(2, 7))
    with pytest.raises(Invalid, match="of this user"):
        requests.hold(by(3, 7))
    other.forget(1)
    requests.hold(by(3, 7))
    # A damaged request takes a place, and of nobody in particular.
    (tmp_path / "data/requests/held/000000002.json").write_text("{")
    requests.hold(by(4, 7))


def test_requests_of_one_user_are_refused_with_a_reason_and_others_wait(
    wire: Wire,
    make_scheduler: Any,
    ask: Any,
    requests: HeldRequests,
):
    scheduler = make_scheduler(**ALWAYS)
    for id_ in (5, 6):
        ask(id_)
        scheduler.accept(id_)
        assert eventually(lambda id_=id_: is_held(wire, id_))
    ask(7)
    scheduler.accept(7)
    assert eventually(lambda: wire.results[7]["status"] == "not allowed")
    reason = wire.results[7]["reason"]
    assert reason["code"] == "too_many_held"
    assert "2 requests of this user" in reason["msg"]
    ask(8, init_user=99, init_username="honest", initiator=2, initiator_name="org 2")
    scheduler.accept(8)
    assert eventually(lambda: is_held(wire, 8))
    assert requests.ids() == [5, 6, 8]
    scheduler.leave()


def test_what_waits_is_read_again_after_a_change_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    gate, read = Gate(tmp_path), []

    def count(path: Path, most: int) -> Any:
        read.append(path.name)
        return read_json(path, most)

    for id_ in range(1, 6):
        gate.held.hold(by(id_, id_))
    gate.grants.add(make_grant(user_id=99))
    monkeypatch.setattr(folder, "read_json", count)

    def ready() -> list[int]:
        read.clear()
        return [id_ for id_ in range(1, 6) if gate.is_ready(id_)]

    assert ready() == []
    assert read.count("grants.json") == 1
    assert ready() == []
    assert read == []
    gate.held.deny(3, "bob", "No.")
    assert ready() == [3]
    assert read == ["000000003.json"]
    # A command is another process.
    HeldRequests(tmp_path).approve(4, "bob", gate.held.get(4).code)
    Grants(tmp_path).add(make_grant(user_id=98))
    assert ready() == [3, 4]
    assert read.count("grants.json") == 1
    Pause(tmp_path).set("bob")
    assert ready() == [3]
    Pause(tmp_path).clear("bob")
    assert ready() == [3, 4]


def test_a_request_ends_in_time_although_nothing_changed(tmp_path: Path):
    gate = Gate(tmp_path)
    gate.held.hold(by(1, 7, seconds=0.2))
    assert not gate.is_ready(1) or gate.held.get(1).state() is not State.WAITING
    assert eventually(lambda: gate.is_ready(1))


def test_a_request_whose_result_is_gone_is_forgotten_at_the_start(
    wire: Wire, make_scheduler: Any, ask: Any, held: HeldRequests
):
    ask()
    first = make_scheduler(**ALWAYS)
    first.accept(5)
    assert eventually(lambda: is_held(wire))
    first.leave()
    held.hold(make_request(6))
    second = make_scheduler(**ALWAYS)
    second.adopt()
    # The server shows it as held from the first life on.
    wait_for_threads_of(second)
    assert held.ids() == [5]
    second.leave()


def test_what_was_taken_up_goes_on_although_another_one_cannot_be_looked_at(
    wire: Wire, make_scheduler: Any, ask: Any, held: HeldRequests, monkeypatch: pytest.MonkeyPatch
):
    scheduler = make_scheduler(**ALWAYS)
    for id_ in (5, 6, 7):
        ask(id_)
        scheduler.accept(id_)
        assert eventually(lambda id_=id_: is_held(wire, id_))
        held.approve(id_, "bob", held.get(id_).code)
    find = HeldRequests.find

    def fail(self: HeldRequests, result_id: int) -> HeldRequest | None:
        if result_id == 6:
            raise MemoryError
        return find(self, result_id)

    with monkeypatch.context() as failing:
        failing.setattr(HeldRequests, "find", fail)
        scheduler.take_up()
        assert eventually(lambda: wire.ids("completed") == [5, 7])
    scheduler.take_up()
    assert eventually(lambda: wire.ids("completed") == [5, 6, 7])
