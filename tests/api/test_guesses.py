"""Who guesses keeps himself waiting and nobody else out, and side by side guesses no more."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.client import Answer, Api
from tests.api.conftest import Server, configured
from tests.models.factories import World, make_user
from tests.services import NO_BROKER
from vantage6.api.http.limits import Attempt, Limits
from vantage6.api.http.request_slots import RequestSlots
from vantage6.api.identity import guesses, passwords
from vantage6.api.identity.guesses import Guess, Guesses
from vantage6.broker.wakeups import Wakeups
from vantage6.common.config import Instance
from vantage6.common.config.server import PasswordPolicy, RateLimits
from vantage6.common.errors import TooMany
from vantage6.models import database
from vantage6.models.tables import User

PASSWORD = "Right-horse-1"
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.1"


@pytest.fixture
def instance(instance: Instance) -> Instance:
    """Stand behind a proxy, which says where requests come from."""
    return configured(instance, trusted_proxies=1, rate_limits={"failed_logins": 1000})


@pytest.fixture
def ada(world: World, light_passwords: None) -> User:
    """Give a user who can log in."""
    return make_user(world.amsterdam, username="ada", password=passwords.hash_password(PASSWORD))


def log_in(api: Api, password: str, address: str = HERE, name: str = "ada") -> Answer:
    api.headers["X-Forwarded-For"] = address
    return api.post("/token/user", body={"username": name, "password": password})


def guess(api: Api, number: int, address: str = HERE) -> list[int]:
    return [log_in(api, "wrong", address).status for _ in range(number)]


def test_five_wrong_passwords_keep_their_network_waiting(
    api: Api, ada: User, monkeypatch: pytest.MonkeyPatch
):
    assert guess(api, 4) == [401] * 4
    # A right one forgets the wrong ones.
    assert log_in(api, PASSWORD).status == 200
    assert guess(api, 7) == [401] * 5 + [429] * 2
    refused = log_in(api, PASSWORD)
    assert refused.problem == (429, "rate_limited")
    assert 880 < int(refused.headers["retry-after"]) <= 900
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 895)
    assert log_in(api, PASSWORD).status == 429
    monkeypatch.setattr(time, "time", lambda: real() + 905)
    assert log_in(api, PASSWORD).status == 200


def test_anonymous_guesses_keep_nobody_out(api: Api, ada: User):
    """Neither out of a session nor from another network."""
    token = log_in(api, PASSWORD, ELSEWHERE).json["access_token"]
    guess(api, 10)
    assert api.get(f"/user/{ada.id}", token).status == 200
    assert log_in(api, PASSWORD, ELSEWHERE).status == 200
    assert log_in(api, PASSWORD, "203.0.113.9").status == 200
    assert log_in(api, PASSWORD, HERE).status == 429


def test_many_networks_guess_no_more_than_twenty(api: Api, ada: User):
    assert log_in(api, PASSWORD, ELSEWHERE).status == 200
    # That one came from a network that was unknown then.
    answers = [guess(api, 5, f"10.0.{number}.1") for number in range(20)]
    assert sum(one.count(401) for one in answers) == 99
    assert guess(api, 1, "10.1.0.1") == [429]
    # They keep new places out, and nobody where he was before.
    assert log_in(api, PASSWORD, "203.0.113.9").status == 429
    assert log_in(api, PASSWORD, ELSEWHERE).status == 200
    assert log_in(api, PASSWORD, ELSEWHERE, "nobody").status == 401


def test_one_network_of_ipv6_counts_as_one(api: Api, ada: User):
    addresses = [f"2001:db8:0:1::{number:x}" for number in range(1, 7)]
    assert [guess(api, 1, address)[0] for address in addresses] == [401] * 5 + [429]


@pytest.fixture
def no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait shortly, and without the slot and the connection of a request: there is none."""
    monkeypatch.setattr(guesses, "_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(guesses, "without_slot_or_connection", lambda _: guesses.suppress())


def test_the_policy_says_how_many(instance: Instance, no_request: None):
    policy = PasswordPolicy(max_failed_attempts=2, inactivation_minutes=1)
    assert checks(Guesses(Limits(NO_BROKER, RateLimits(), policy)), 10) == 2


def test_a_right_password_opens_an_account_so_often_in_a_minute(
    api: Api, ada: User, monkeypatch: pytest.MonkeyPatch
):
    """It costs the server as much as a wrong one."""
    checked: list[str] = []
    matches = passwords.matches
    monkeypatch.setattr(
        passwords, "matches", lambda *given: (checked.append("") or True) and matches(*given)
    )
    assert [log_in(api, PASSWORD).status for _ in range(120)] == [200] * 120
    refused = log_in(api, PASSWORD)
    assert refused.problem == (429, "rate_limited")
    assert int(refused.headers["retry-after"]) <= 60
    assert len(checked) == 120
    # Other networks, and sessions, go on.
    assert log_in(api, PASSWORD, ELSEWHERE).status == 200


# Side by side


def attempt(kind: Attempt = Attempt.PASSWORD, network: str = HERE) -> Guess:
    return Guess(kind, "opaque", 1, network)


def checks(*counters: Any, right: bool = False) -> int:
    """Let many guess at once, and return how many guesses were checked."""
    *processes, number = counters
    checked: list[int] = []
    start = threading.Barrier(number)

    def check() -> bool:
        checked.append(1)
        time.sleep(0.005)
        return right

    def one(index: int) -> bool | None:
        start.wait()
        try:
            return processes[index % len(processes)].is_right(attempt(), {}, check)
        except TooMany:
            return None

    with ThreadPoolExecutor(number) as pool:
        answers = list(pool.map(one, range(number)))
    if right:
        assert answers == [True] * number
    return len(checked)


@pytest.fixture(params=["process", "Redis"])
def processes(request: pytest.FixtureRequest, no_request: None) -> Callable[[int], list[Guesses]]:
    """Give a function that makes what several processes count with."""
    if request.param == "process":
        return lambda number: [Guesses(Limits(NO_BROKER, RateLimits()))] * number
    url = request.getfixturevalue("redis_url")
    return lambda number: [Guesses(Limits(url, RateLimits())) for _ in range(number)]


def test_guesses_side_by_side_are_no_more_than_one_after_the_other(
    processes: Callable[[int], list[Guesses]],
):
    assert checks(*processes(4), 40) == 5


def test_right_passwords_side_by_side_all_open(
    processes: Callable[[int], list[Guesses]], monkeypatch: pytest.MonkeyPatch
):
    """More of them than guesses, in more processes than guesses, as when a study starts."""
    monkeypatch.setattr(guesses, "_WAIT_SECONDS", 0.05)
    assert checks(*processes(8), 30, right=True) == 30


def test_codes_of_unknown_networks_count_together(processes: Callable[[int], list[Guesses]]):
    (counter,) = processes(1)
    counter.remember(1, HERE)
    for number in range(5):
        assert not counter.is_right(attempt(Attempt.CODE, f"10.0.0.{number}"), {}, lambda: False)
    with pytest.raises(TooMany):
        counter.is_right(attempt(Attempt.CODE, "10.0.0.9"), {}, lambda: True)
    assert counter.is_right(attempt(Attempt.CODE, HERE), {}, lambda: True)


def test_guesses_that_wait_for_each_other_keep_no_request_waiting(server: Server):
    """One is being checked and others wait for it, more than there are slots."""
    counter = Guesses(Limits(NO_BROKER, RateLimits()))
    begun, go_on = threading.Event(), threading.Event()

    def check() -> bool:
        begun.set()
        assert go_on.wait(20)
        return True

    def app(environ: dict[str, Any], _: Any) -> list[bytes]:
        if environ["PATH_INFO"] != "/login":
            return [b"answered"]
        with database.session():
            right = counter.is_right(attempt(network=environ["REMOTE_ADDR"]), environ, check)
        return [str(right).encode()]

    slots = RequestSlots(app, Wakeups(NO_BROKER), 3)

    def call(path: str, number: int) -> list[bytes]:
        return list(slots({"PATH_INFO": path, "REMOTE_ADDR": f"192.0.2.{number}"}, None))

    with ThreadPoolExecutor(10) as pool:
        logins = [pool.submit(call, "/login", number) for number in range(4)]
        try:
            assert begun.wait(20)
            others = [pool.submit(call, "/health", number) for number in range(5)]
            assert [one.result(5) for one in others] == [[b"answered"]] * 5
            assert not any(login.done() for login in logins)
        finally:
            go_on.set()
        assert [login.result(20) for login in logins] == [[b"True"]] * 4


def test_requests_that_wait_for_a_hash_keep_no_request_waiting(server: Server):
    """One lane hashes, and more wait for it than there are slots."""
    go_on = threading.Event()

    def app(environ: dict[str, Any], _: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/health":
            return [b"answered"]
        with database.session():
            return [passwords.hash_password("x", environ).encode()]

    slots = RequestSlots(app, Wakeups(NO_BROKER), 3)

    def call(path: str) -> list[bytes]:
        return list(slots({"PATH_INFO": path}, None))

    busy = passwords._lane().submit(go_on.wait, 20)
    with ThreadPoolExecutor(10) as pool:
        hashes = [pool.submit(call, "/hash") for _ in range(4)]
        try:
            others = [pool.submit(call, "/health") for _ in range(5)]
            assert [one.result(5) for one in others] == [[b"answered"]] * 5
            assert not any(one.done() for one in hashes)
        finally:
            go_on.set()
        assert all(b"argon2" in one.result(20)[0] for one in hashes)
    assert busy.result()
