"""People log in with a password; tests/api/test_guesses.py is about too many wrong ones."""

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import jwt
import pytest

from tests.api.client import Answer, Api
from tests.models.factories import World, again, make_user, side_by_side
from vantage6.api.identity import passwords, two_factor
from vantage6.common.clock import now
from vantage6.common.config.server import PasswordPolicy
from vantage6.common.errors import Invalid
from vantage6.models.store import users
from vantage6.models.tables import User

PASSWORD = "Right-horse-1"


@pytest.fixture
def uri(database_uri: str) -> str:
    """Run with both databases: wrong passwords are counted by the database."""
    return database_uri


@pytest.fixture
def ada(world: World, light_passwords: None) -> User:
    """Give a user who can log in."""
    return make_user(world.amsterdam, username="ada", password=passwords.hash_password(PASSWORD))


def log_in(api: Api, password: str, username: str = "ada") -> Answer:
    return api.post("/token/user", body={"username": username, "password": password})


def fails(api: Api, password: str = "wrong") -> None:
    assert log_in(api, password).problem == (401, "wrong_password")


def test_a_login_gives_tokens(api: Api, ada: User):
    answer = log_in(api, PASSWORD)
    assert set(answer.json) == {"access_token", "refresh_token", "refresh_url", "user_url"}
    assert answer.json["user_url"] == f"/api/user/{ada.id}"
    assert answer.headers["jwt-token"] == answer.json["access_token"]
    assert api.get(f"/user/{ada.id}", answer.json["access_token"]).json["username"] == "ada"


def test_without_two_factor_authentication_secrets_are_ignored(api: Api, ada: User):
    assert again(ada).otp_secret is None
    User.update(otp_secret=two_factor.new_secret(), otp_last_step=1).execute()
    for code in (None, "000000"):
        body = {"username": "ada", "password": PASSWORD, "mfa_code": code}
        assert api.post("/token/user", body=body).json["access_token"]
    assert again(ada).otp_last_step == 1


def test_a_token_names_the_roles_of_its_user(api: Api, world: World, light_passwords: None):
    make_user(
        world.amsterdam,
        "Viewer",
        "Researcher",
        username="bob",
        password=passwords.hash_password(PASSWORD),
    )
    tokens = log_in(api, PASSWORD, "bob").json
    tokens = [*tokens.values(), *api.post("/token/refresh", tokens["refresh_token"]).json.values()]
    for token in filter(lambda text: text.count(".") == 2, tokens):
        said = jwt.decode(token, options={"verify_signature": False})
        assert said["roles"] == ["Viewer", "Researcher"]


def test_unknown_and_wrong_answer_the_same(api: Api, ada: User):
    for code in ["wrong_password"] * 5 + ["rate_limited"]:
        wrong, unknown = log_in(api, "wrong"), log_in(api, PASSWORD, "nobody")
        assert wrong.status == unknown.status
        assert wrong.json["code"] == unknown.json["code"] == code
        if code == "wrong_password":
            assert wrong.json["msg"] == unknown.json["msg"]


@pytest.mark.parametrize(
    "body", [{}, {"username": "ada"}, {"password": "x"}, {"username": "", "password": "x"}]
)
def test_an_incomplete_login_is_refused(api: Api, ada: User, body: dict[str, str]):
    assert api.post("/token/user", body=body).problem == (400, "invalid")


def test_wrong_passwords_side_by_side_count_one_each(ada: User):
    """What each attempt read before it checked the password is old by then."""
    stale = again(ada)
    side_by_side(*[lambda: users.login_failed(stale, 50, 15)] * 8)
    assert again(ada).failed_login_attempts == 8


def test_a_late_attempt_does_not_begin_the_count_anew(ada: User):
    stale = again(ada)
    for _ in range(5):
        users.login_failed(stale, 5, 15)
    users.login_failed(stale, 5, 15)
    policy = PasswordPolicy()
    assert users.failures_until(
        again(ada), policy.max_failed_attempts, policy.inactivation_minutes
    ) > now() + timedelta(minutes=14)


def test_too_many_failures_say_until_when(ada: User):
    assert users.failures_until(ada, 5, 15) is None
    for _ in range(5):
        users.login_failed(ada, 5, 15)
    until = users.failures_until(again(ada), 5, 15)
    assert timedelta(minutes=14) < until - now() <= timedelta(minutes=15)


# The hash itself


def test_an_unknown_account_costs_one_hash_as_well(
    api: Api, ada: User, monkeypatch: pytest.MonkeyPatch
):
    compared = []

    class Noting(passwords.PasswordHasher):
        def verify(self, kept: str, password: str) -> bool:
            compared.append(kept)
            return super().verify(kept, password)

    hasher = Noting(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", hasher)
    fails(api)
    log_in(api, PASSWORD, "nobody")
    assert compared == [again(ada).password, passwords._nobody(hasher)]


def test_one_password_is_hashed_at_a_time_and_steps_back():
    running, most, priorities = 0, 0, set()

    def work() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        priorities.add(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        time.sleep(0.005)
        running -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: passwords._alone(work), range(16)))
    assert most == 1
    if sys.platform == "linux":
        own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        assert min(priorities) > own


def test_passwords_are_kept_as_argon2_of_full_strength():
    kept = passwords.hash_password(PASSWORD)
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.matches(kept, PASSWORD)
    assert not passwords.matches(kept, PASSWORD.lower())
    assert kept != passwords.hash_password(PASSWORD)


@pytest.mark.parametrize("kept", ["!", "", "$2b$12$not-argon2"])
def test_what_is_no_hash_matches_nothing(kept: str):
    assert not passwords.matches(kept, "")
    assert not passwords.matches(kept, kept)


def test_a_login_renews_a_weak_hash(api: Api, ada: User, monkeypatch: pytest.MonkeyPatch):
    weak = again(ada).password
    monkeypatch.setattr(
        passwords, "_hasher", passwords.PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    )
    assert log_in(api, PASSWORD).status == 200
    renewed = again(ada).password
    assert "m=16,t=2" in renewed != weak
    assert log_in(api, PASSWORD).status == 200
    assert again(ada).password == renewed


@pytest.mark.parametrize(
    ("password", "demand"),
    [
        ("Aa1!aaa", "at least 8 characters"),
        ("Aa1!" + "a" * 125, "at most 128 characters"),
        ("Aa!aaaaa", "a digit"),
        ("aa1!aaaa", "an upper-case letter"),
        ("AA1!AAAA", "a lower-case letter"),
        ("Aa1aaaaé", "no letter and no digit"),
    ],
)
def test_a_new_password_must_meet_each_demand(password: str, demand: str):
    with pytest.raises(Invalid, match=demand) as caught:
        passwords.check_policy(password)
    assert caught.value.error_code == "weak_password"


def test_all_demands_are_told_at_once():
    with pytest.raises(Invalid) as caught:
        passwords.check_policy("abc")
    assert caught.value.message == (
        "The password needs at least 8 characters, a digit, an upper-case letter and "
        "a character that is no letter and no digit."
    )


@pytest.mark.parametrize("password", ["Aa1 aaaa", "Aa1!" + "a" * 124, PASSWORD])
def test_a_good_password_is_accepted(password: str):
    passwords.check_policy(password)
