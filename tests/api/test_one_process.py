"""One process computes for a node, however many know its key."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.api.client import Answer, Api
from tests.models.factories import World, make_task, side_by_side
from vantage6.api.endpoint import NODE
from vantage6.api.routes import ROUTES, Route
from vantage6.common.clock import now
from vantage6.common.enums import IdentityKind
from vantage6.common.errors import Unauthenticated
from vantage6.common.identity import KEY_IN_USE
from vantage6.models.store import node_sessions, nodes
from vantage6.models.store.node_sessions import NodeProcess
from vantage6.models.tables import Node, NodeConfig, Session

REFUSED = (401, KEY_IN_USE)
HERE, ELSEWHERE = "instance-of-here-", "instance-elsewhere"


@pytest.fixture
def uri(database_uri: str) -> str:
    """Run with both databases: that one of two comes first depends on them."""
    return database_uri


@pytest.fixture
def key(world: World) -> str:
    """Give the key of a node."""
    return nodes.replace_key(world.amsterdam_north)


LogIn = Callable[..., Answer]


def _callers(route: Route, method: str) -> tuple[IdentityKind, ...]:
    name = f"on_{method.lower()}" + (f"_{route.suffix}" if route.suffix else "")
    responder = getattr(route.resource, name, None)
    return responder.endpoint.callers if responder is not None else ()


@pytest.fixture
def log_in(api: Api, key: str) -> LogIn:
    """Give a function that logs a process in, with the numbers of those before it."""

    def send(instance: str, process: str, previous: str = "") -> Answer:
        told = {"instance": instance, "process": f"process-number-{process}"}
        before = {"previous": [f"process-number-{number}" for number in previous]}
        return api.post("/token/node", body={"api_key": key, **told, **before})

    return send


def token(answer: Answer) -> str:
    assert answer.status == 200, answer.text
    return str(answer.json["access_token"])


def grow_silent(world: World) -> None:
    silent = now() - node_sessions.SILENCE - timedelta(seconds=1)
    Node.update(last_seen=silent).where(Node.id == world.amsterdam_north.id).execute()


def problems(api: Api, world: World, token: str, result_id: int) -> set[Any]:
    """Return how everything is refused that a node does for its results."""
    node = world.amsterdam_north.id
    answers = (
        api.post(f"/result/{result_id}/claim", token),
        api.patch(f"/result/{result_id}", token, {"status": "active"}),
        api.post("/node/reconcile", token, {"running": [result_id]}),
        api.get(f"/node/{node}/inbox", token, "wait=0"),
        api.post("/token/broker", token),
        api.post("/port", token, {"result_id": result_id, "port": 50_000}),
    )
    return {answer.problem for answer in answers}


def test_a_second_station_with_the_same_key_is_refused(api: Api, world: World, log_in: LogIn):
    first = token(log_in(HERE, "1"))
    refused = log_in(ELSEWHERE, "2")
    assert refused.problem == REFUSED
    for words in ("127.0.0.1", "seconds ago", "stop one of the two", "register a node of its own"):
        assert words in refused.json["msg"]
    assert api.post("/node/reconcile", first, {}).status == 200


def test_the_first_station_learns_of_the_second(api: Api, log_in: LogIn):
    first = token(log_in(HERE, "1"))
    assert api.post("/node/reconcile", first, {}).json["refused_login"] is None
    log_in(ELSEWHERE, "2")
    told = api.post("/node/reconcile", first, {}).json["refused_login"]
    assert told["address"] == "127.0.0.1"
    again = token(log_in(HERE, "3", previous="1"))
    assert api.post("/node/reconcile", again, {}).json["refused_login"] is None


def test_a_restarted_station_takes_the_place_of_its_earlier_process(
    api: Api, world: World, log_in: LogIn
):
    mine = make_task(world.north, [world.amsterdam]).results[0]
    killed = token(log_in(HERE, "1"))
    assert api.post(f"/result/{mine.id}/claim", killed).status == 200
    fresh = token(log_in(HERE, "2", previous="01"))
    assert api.post(f"/result/{mine.id}/claim", fresh).status == 200
    assert problems(api, world, killed, mine.id) == {(401, "session_ended")}
    # It may be alive: a station that was copied with its data folder.
    assert log_in(HERE, "1").problem == REFUSED
    report = {"status": "completed", "result": "", "finished_at": now().isoformat()}
    assert api.patch(f"/result/{mine.id}", fresh, report).status == 200


WRITES = [
    (method, route.path)
    for route in ROUTES
    for method in ("POST", "PATCH", "PUT", "DELETE")
    if NODE in _callers(route, method)
]


@pytest.mark.parametrize(("method", "path"), [*WRITES, ("GET", "/vpn")])
def test_a_login_that_only_looks_changes_nothing(
    api: Api, world: World, key: str, log_in: LogIn, method: str, path: str
):
    """Its user has the API key: the station would turn users away, or move to another address."""
    looking = token(api.post("/token/node", body={"api_key": key}))
    token(log_in(HERE, "1"))
    place = f"/node/{world.amsterdam_north.id}"
    assert api.get(place, looking).status == 200
    body = {"name": "renamed", "config": [{"key": "allowed_users", "value": "999999"}]}
    asked = re.sub(r"{tag[^}]*}", str(uuid4()), path)
    asked = re.sub(r"{id[^}]*}", str(world.amsterdam_north.id), asked)
    assert "{" not in asked
    answer = api.send(method, asked, looking, body=None if method == "GET" else body)
    assert answer.problem == REFUSED
    assert api.get(place, looking).json["name"] != "renamed"
    assert not NodeConfig.select().exists()


def test_the_routes_that_a_node_writes_to_are_found():
    found = {re.sub("{[^}]*}", "?", f"{method} {path}") for method, path in WRITES}
    assert {"PATCH /node/?", "PATCH /organization/?", "POST /vpn/update"} <= found


def test_a_copied_station_does_not_take_the_place_back_when_it_is_started_again(
    api: Api, log_in: LogIn
):
    token(log_in(HERE, "1"))
    copy = token(log_in(HERE, "2", previous="1"))
    for number in "345":
        refused = log_in(HERE, number, previous="1")
        assert refused.problem == REFUSED
        assert "same data folder, as a copy does" in refused.json["msg"]
    assert api.post("/node/reconcile", copy, {}).status == 200


def test_the_data_folder_alone_takes_nothing_over(api: Api, log_in: LogIn):
    first = token(log_in(HERE, "1"))
    assert log_in(HERE, "2").problem == REFUSED
    assert log_in(HERE, "2", previous="3").problem == REFUSED
    assert api.post("/node/reconcile", first, {}).status == 200


def test_a_process_that_logs_in_again_stays(api: Api, log_in: LogIn):
    token(log_in(HERE, "1"))
    again = token(log_in(HERE, "1"))
    assert api.post("/node/reconcile", again, {}).status == 200


def test_a_silent_station_gives_its_place_away_and_is_fenced_off(
    api: Api, world: World, log_in: LogIn
):
    mine = make_task(world.north, [world.amsterdam]).results[0]
    first = token(log_in(HERE, "1"))
    grow_silent(world)
    second = token(log_in(ELSEWHERE, "2"))
    assert problems(api, world, first, mine.id) == {(401, "session_ended")}
    assert log_in(HERE, "1").problem == REFUSED
    assert log_in(HERE, "3").problem == REFUSED
    assert api.post(f"/result/{mine.id}/claim", second).status == 200


def test_a_silent_station_that_comes_back_first_keeps_its_session(
    api: Api, world: World, log_in: LogIn
):
    first = token(log_in(HERE, "1"))
    grow_silent(world)
    assert api.post("/node/reconcile", first, {}).status == 200
    assert log_in(ELSEWHERE, "2").problem == REFUSED


def test_each_comparison_is_noted_as_it_comes(api: Api, world: World, log_in: LogIn):
    """A note that is a minute old leaves too little time for the next comparison."""
    first = token(log_in(HERE, "1"))
    ago = now() - timedelta(seconds=45)
    Node.update(last_seen=ago).where(Node.id == world.amsterdam_north.id).execute()
    assert api.get(f"/node/{world.amsterdam_north.id}", first).status == 200
    assert Node.get_by_id(world.amsterdam_north.id).last_seen == ago
    assert api.post("/node/reconcile", first, {}).status == 200
    assert Node.get_by_id(world.amsterdam_north.id).last_seen > ago + timedelta(seconds=40)


def test_a_station_that_logs_out_gives_its_place_at_once(api: Api, log_in: LogIn):
    first = token(log_in(HERE, "1"))
    assert api.delete("/token/node", first).status == 204
    assert api.post("/node/reconcile", first, {}).problem == (401, "session_ended")
    assert log_in(ELSEWHERE, "2").status == 200


def test_a_login_that_only_looks_takes_nothing_from_the_station(
    api: Api, world: World, key: str, log_in: LogIn
):
    mine = make_task(world.north, [world.amsterdam]).results[0]
    first = token(log_in(HERE, "1"))
    grow_silent(world)
    assert api.post("/node/reconcile", first, {}).status == 200
    looking = token(api.post("/token/node", body={"api_key": key}))
    assert api.get(f"/node/{world.amsterdam_north.id}", looking).status == 200
    assert problems(api, world, looking, mine.id) == {REFUSED}
    assert api.post("/node/reconcile", first, {}).status == 200


def test_a_login_that_only_looks_keeps_no_other_station_out(
    api: Api, world: World, key: str, log_in: LogIn
):
    token(log_in(HERE, "1"))
    looking = token(api.post("/token/node", body={"api_key": key}))
    grow_silent(world)
    assert api.get(f"/node/{world.amsterdam_north.id}", looking).status == 200
    assert log_in(ELSEWHERE, "2").status == 200


def test_a_new_key_frees_the_place(api: Api, world: World, log_in: LogIn):
    token(log_in(HERE, "1"))
    fresh = nodes.replace_key(world.amsterdam_north)
    body = {"api_key": fresh, "instance": ELSEWHERE, "process": "process-number-2"}
    assert api.post("/token/node", body=body).status == 200


def test_of_two_that_log_in_at_once_one_is_refused(world: World, key: str):
    node = nodes.with_key(key)

    def log_in(number: int) -> Session:
        process = NodeProcess(f"instance-{number}", f"process-{number}")
        until = now() + timedelta(hours=1)
        return node_sessions.begin(node, process, until=until, address="192.0.2.1", agent=None)

    outcomes = side_by_side(*[lambda number=number: log_in(number) for number in range(4)])
    refused = [one for one in outcomes if isinstance(one, Unauthenticated)]
    assert [one.error_code for one in refused] == [KEY_IN_USE] * 3, outcomes
    (session,) = Session.select().where(Session.node == node.id)
    assert Node.get_by_id(node.id).working_session == session.id
