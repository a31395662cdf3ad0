"""Guessing and mails have limits, which hold for all processes, and without Redis for each."""

import itertools
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from falcon import Request
from falcon.testing import create_environ

from tests.api.client import Answer, Api
from tests.api.conftest import configured
from tests.models.factories import World, make_user, messages
from tests.services import NO_BROKER
from tests.services.redis import RedisServer
from vantage6.api.app import create_app
from vantage6.api.http import limits
from vantage6.api.http.limits import Attempt, Limits, client_address, network_of
from vantage6.api.identity import passwords
from vantage6.broker.connection import HASTY_SECONDS, client
from vantage6.common.config import Instance
from vantage6.common.config.server import RateLimits
from vantage6.common.errors import TooMany
from vantage6.models import database
from vantage6.models.tables import User

PASSWORD = "Right-horse-1"


@pytest.fixture
def instance(instance: Instance) -> Instance:
    """Allow little."""
    small = {"failed_logins": 3, "recoveries": 4, "mails": 2}
    return configured(instance, rate_limits=small, trusted_proxies=1)


@pytest.fixture
def ada(world: World, light_passwords: None) -> User:
    """Give a user who can log in."""
    return make_user(world.amsterdam, username="ada", password=passwords.hash_password(PASSWORD))


def post(api: Api, path: str, body: dict[str, Any], address: str = "192.0.2.1") -> Answer:
    api.headers["X-Forwarded-For"] = address
    return api.post(path, body=body)


def log_in(api: Api, password: str, address: str = "192.0.2.1", name: str = "ada") -> Answer:
    return post(api, "/token/user", {"username": name, "password": password}, address)


def test_too_many_failed_logins_close_an_address_for_a_while(api: Api, ada: User):
    for name in ("a", "b", "c"):
        assert log_in(api, "wrong", name=name).status == 401
    refused = log_in(api, PASSWORD)
    assert refused.problem == (429, "rate_limited")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.headers["retry-after"] in refused.json["msg"]
    assert log_in(api, PASSWORD, "192.0.2.2").status == 200


def test_successes_never_count(api: Api, ada: User):
    for _ in range(8):
        assert log_in(api, PASSWORD).status == 200


def test_wrong_keys_of_nodes_are_limited_and_right_ones_are_not(api: Api, world: World, root: User):
    key = api.post("/recover/node", root, {"id": world.amsterdam_north.id}).json["api_key"]
    statuses = [post(api, "/token/node", {"api_key": "x"}).status for _ in range(5)]
    assert statuses == [401, 401, 401, 429, 429]
    # One misconfigured node does not keep out those beside it, nor people.
    assert post(api, "/token/node", {"api_key": key}).status == 200
    assert log_in(api, "wrong").status == 401


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/recover/lost", {"username": "nobody"}),
        ("/recover/reset", {"reset_token": "x", "password": "y"}),
        ("/recover/2fa/lost", {"username": "nobody", "password": "x"}),
        ("/recover/2fa/reset", {"reset_token": "x"}),
    ],
)
def test_every_request_for_recovery_counts(api: Api, ada: User, path: str, body: dict[str, str]):
    # What cannot be understood costs nothing and counts for nothing.
    assert [post(api, path, {}).status for _ in range(6)] == [400] * 6
    statuses = [post(api, path, body).status for _ in range(5)]
    assert 429 not in statuses[:3]
    assert statuses[4] == 429
    assert post(api, path, body, "192.0.2.2").status == statuses[0]


def test_mails_of_one_account_are_limited_without_a_word(api: Api, world: World, ada: User):
    other = make_user(world.amsterdam)
    bodies = ({"username": name} for name in ("ada", "ada", "ada", other.username))
    answers = [
        post(api, "/recover/lost", body, f"192.0.2.{number}") for number, body in enumerate(bodies)
    ]
    assert {answer.status for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert len(messages()) == 3
    # Mails of another kind count by themselves.
    body = {"username": "ada", "password": PASSWORD}
    assert post(api, "/recover/2fa/lost", body, "192.0.2.9").status == 200
    assert len(messages()) == 4


# With and without Redis


def make_limits(url: str, **rates: int) -> Limits:
    return Limits(url, RateLimits(**rates))


def used_up(counter: Limits, times: int) -> bool:
    return [counter.allows(Attempt.USER_LOGIN, "x") for _ in range(times + 1)] == [
        *[True] * times,
        False,
    ]


def test_processes_count_together_in_redis(redis_url: str):
    one, other = make_limits(redis_url, failed_logins=2), make_limits(redis_url, failed_logins=2)
    assert one.allows(Attempt.USER_LOGIN, "x")
    assert other.allows(Attempt.USER_LOGIN, "x")
    for counter in (one, other):
        with pytest.raises(TooMany) as caught:
            counter.check(Attempt.USER_LOGIN, "x")
        assert 1 <= caught.value.retry_after <= 60
    one.check(Attempt.NODE_LOGIN, "x")
    with client(redis_url) as broker:
        keys = broker.keys("*")
        assert len(keys) == 1
        assert keys[0].startswith(b"v6:limits:")
        assert 0 < broker.ttl(keys[0]) <= 60


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path) as server:
        yield server


@pytest.mark.slow
def test_while_redis_is_away_each_process_counts(
    own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
):
    counter = make_limits(own_redis.url, failed_logins=3)
    counter.count(Attempt.USER_LOGIN, "x")
    own_redis.stop()
    assert used_up(counter, 3)
    own_redis.start()
    # It is asked again after a rest.
    assert not counter.allows(Attempt.USER_LOGIN, "x")
    counter._cooldown.end()
    assert used_up(counter, 3)


@pytest.mark.slow
@pytest.mark.parametrize("connected", [True, False])
def test_a_silent_redis_costs_one_login_little_and_the_next_ones_nothing(
    own_redis: RedisServer,
    instance: Instance,
    world: World,
    ada: User,
    connected: bool,
):
    changed = configured(instance, broker=own_redis.url)
    database.close()
    app = Api(create_app(changed), None)  # type: ignore[arg-type]
    database.connect()
    if connected:
        log_in(app, PASSWORD)
    own_redis.process._process.send_signal(signal.SIGSTOP)
    try:
        before = time.monotonic()
        assert log_in(app, PASSWORD).status == 200
        first = time.monotonic() - before
        others = []
        for _ in range(3):
            before = time.monotonic()
            assert log_in(app, PASSWORD).status == 200
            others.append(time.monotonic() - before)
    finally:
        own_redis.process._process.send_signal(signal.SIGCONT)
    assert first < 8
    # Less than one wait; this machine may do something else during one of them.
    assert min(others) < HASTY_SECONDS


def test_an_address_where_nobody_answers_costs_little(monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        counter = make_limits(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", failed_logins=1)
        before = time.monotonic()
        assert used_up(counter, 1)
        assert time.monotonic() - before < 8


def test_a_limit_ends(monkeypatch: pytest.MonkeyPatch):
    counter = make_limits(NO_BROKER, failed_logins=1)
    assert used_up(counter, 1)
    real = time.time
    monkeypatch.setattr(limits.time, "time", lambda: real() + 61)
    assert counter.allows(Attempt.USER_LOGIN, "x")


# Who calls


def request(forwarded: str | None, address: str = "192.0.2.1") -> Request:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return Request(create_environ(headers=headers, remote_addr=address))


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, None, "192.0.2.1"),
        (0, "198.51.100.1", "192.0.2.1"),
        (1, "198.51.100.1", "198.51.100.1"),
        # What the client itself wrote stands on the left and counts for nothing.
        (1, "10.0.0.1, 198.51.100.1", "198.51.100.1"),
        (2, "10.0.0.1, 198.51.100.1, 203.0.113.1", "198.51.100.1"),
        (1, "2001:DB8::1", "2001:db8::1"),
        # Somebody came past the proxies.
        (2, "198.51.100.1", "192.0.2.1"),
        (1, None, "192.0.2.1"),
        (1, "", "192.0.2.1"),
        (1, "nonsense", "192.0.2.1"),
        (1, "198.51.100.1\r\nX: y", "192.0.2.1"),
    ],
)
def test_the_address_of_a_client(proxies: int, forwarded: str | None, expected: str):
    assert client_address(request(forwarded), proxies) == expected


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:0:1::7", "2001:db8:0:1::/64"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("", ""),
    ],
)
def test_one_client_has_a_whole_network_of_ipv6(address: str, network: str):
    assert network_of(address) == network


def test_forged_addresses_do_not_help(api: Api, ada: User):
    numbers: Callable[[], int] = itertools.count(1).__next__
    statuses = [
        log_in(api, "wrong", f"10.0.0.{numbers()}, 192.0.2.1", name="nobody").status
        for _ in range(4)
    ]
    assert statuses == [401, 401, 401, 429]
