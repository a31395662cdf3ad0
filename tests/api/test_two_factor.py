"""The second factor: set up once, asked for at each login, and no code works twice."""

import time
from collections.abc import Callable
from typing import Any

import pyotp
import pytest

from tests.api.client import Answer, Api
from tests.api.conftest import configured
from tests.models.factories import World, again, make_user, side_by_side
from vantage6.api.identity import passwords, two_factor
from vantage6.common.config import Instance
from vantage6.models import seals
from vantage6.models.store import recovery, second_factors
from vantage6.models.store.recovery import Purpose
from vantage6.models.tables import User

PASSWORD = "Right-horse-1"
STEP = 30


@pytest.fixture
def uri(database_uri: str) -> str:
    """Run with both databases: that a code is used once depends on them."""
    return database_uri


@pytest.fixture
def instance(instance: Instance) -> Instance:
    """Ask for the second factor."""
    return configured(instance, two_factor_auth=True)


@pytest.fixture
def ada(world: World, light_passwords: None) -> User:
    """Give a user who never logged in."""
    return make_user(world.amsterdam, username="ada", password=passwords.hash_password(PASSWORD))


def log_in(api: Api, code: Any = None, password: str = PASSWORD) -> Answer:
    body = {"username": "ada", "password": password, "mfa_code": code}
    return api.post("/token/user", body=body)


@pytest.fixture
def code(api: Api, ada: User) -> Callable[[int], str]:
    """Set an app up; give a function that says what it shows, some steps from now."""
    app = pyotp.TOTP(log_in(api).json["otp_secret"])
    # Not at the end of a step: what is read now is sent within the same one.
    if time.time() % STEP > STEP - 5:
        time.sleep(6)

    def shown(steps: int = 0) -> str:
        return app.at(int(time.time()) + steps * STEP)

    return shown


def test_the_first_login_sets_an_app_up(api: Api, ada: User):
    answer = log_in(api)
    assert set(answer.json) == {"qr_uri", "otp_secret", "msg"}
    assert "jwt-token" not in answer.headers
    app = pyotp.parse_uri(answer.json["qr_uri"])
    assert (app.name, app.issuer) == ("ada", "vantage6 (server)")
    assert (app.digits, app.interval, app.secret) == (6, STEP, answer.json["otp_secret"])
    assert len(app.secret) == 32
    assert log_in(api, app.now()).json["access_token"]


def test_until_a_code_was_right_the_same_secret_is_shown_again(api: Api, ada: User, code: Any):
    first = log_in(api).json
    assert log_in(api, "").json == first
    assert log_in(api, "000000").problem == (401, "wrong_code")
    assert log_in(api).json == first
    assert log_in(api, code()).status == 200
    assert set(log_in(api).json) == {"msg"}


def test_of_first_logins_side_by_side_all_get_the_same_secret(ada: User):
    secrets = [two_factor.new_secret() for _ in range(4)]
    shown = side_by_side(*[lambda s=s: second_factors.propose(ada, s) for s in secrets])
    assert len(set(shown)) == 1
    assert second_factors.secret_of(again(ada)) == shown[0]


def test_the_secret_is_not_shown_without_the_password(api: Api, ada: User, code: Any):
    answer = log_in(api, password="wrong")
    assert answer.problem == (401, "wrong_password")
    assert (second_factors.secret_of(again(ada)) or "?") not in answer.text
    assert log_in(api, code(), "wrong").problem == (401, "wrong_password")
    assert api.get(f"/user/{ada.id}", ada).json["otp_secret"] is None


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_code_counts_one_step_earlier_and_later(api: Api, ada: User, code: Any, steps: int):
    assert log_in(api, code(steps)).json["access_token"]


@pytest.mark.parametrize("steps", [-3, 3])
def test_a_code_of_another_time_is_wrong(api: Api, ada: User, code: Any, steps: int):
    assert log_in(api, code(steps)).problem == (401, "wrong_code")


def test_no_code_works_twice_nor_one_before_it(api: Api, ada: User, code: Any):
    current = code()
    assert log_in(api, current).status == 200
    assert log_in(api, current).problem == (401, "wrong_code")
    assert log_in(api, code(-1)).problem == (401, "wrong_code")
    assert log_in(api, code(1)).json["access_token"]


def test_a_code_that_is_sent_twice_at_once_works_once(ada: User):
    User.update(otp_secret=seals.seal(two_factor.new_secret())).execute()
    user = again(ada)
    assert sorted(side_by_side(*[lambda: second_factors.use_step(user, 7)] * 6)) == [False] * 5 + [
        True
    ]


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (42, "000042"),
        (0, "000000"),
        (123456, "123456"),
        ("123 456", "123456"),
        (" 012345\n", "012345"),
        (None, ""),
        ("", ""),
    ],
)
def test_a_code_is_read_as_people_write_it(given: Any, written: str):
    assert two_factor.normalize(given) == written


def test_a_number_that_lost_its_zeros_is_right(monkeypatch: pytest.MonkeyPatch):
    secret = pyotp.random_base32()
    codes = pyotp.TOTP(secret).generate_otp
    step = next(step for step in range(10, 10_000) if codes(step).startswith("0"))
    moment = two_factor.now().fromtimestamp(step * STEP, two_factor.now().tzinfo)
    monkeypatch.setattr(two_factor, "now", lambda: moment)
    number = int(codes(step))
    assert two_factor.step_of(secret, two_factor.normalize(number)) == step


@pytest.mark.parametrize("given", ["12345", "1234567", "é23456", "-12345", -1, 10**9, "x"])
def test_nonsense_is_a_wrong_code(api: Api, ada: User, code: Any, given: Any):
    assert log_in(api, given).problem == (401, "wrong_code")


def test_after_five_wrong_codes_a_network_waits(api: Api, ada: User, code: Any):
    for _ in range(5):
        # A right password alone forgets nothing.
        assert log_in(api).status == 200
        assert log_in(api, "000000").problem == (401, "wrong_code")
    assert log_in(api, code()).problem == (429, "rate_limited")
    # The password is asked for by itself.
    assert log_in(api).status == 200


def test_a_right_code_forgets_wrong_ones(api: Api, ada: User, code: Any):
    for _ in range(3):
        log_in(api, "000000")
    log_in(api, password="wrong")
    assert again(ada).failed_login_attempts == 4
    assert log_in(api, code()).status == 200
    assert again(ada).failed_login_attempts == 0


def test_a_reset_replaces_the_secret_which_the_next_code_confirms(api: Api, ada: User, code: Any):
    (help_, *_) = log_in(api, code()).json["recovery_codes"]
    old = code(1)
    token = recovery.issue(ada, Purpose.TWO_FACTOR, 60)
    body = {"reset_token": token, "recovery_code": help_}
    answer = api.post("/recover/2fa/reset", body=body)
    assert log_in(api, old).problem == (401, "wrong_code")
    assert log_in(api).json["otp_secret"] == answer.json["otp_secret"]
    app = pyotp.parse_uri(answer.json["qr_uri"])
    assert log_in(api, app.now()).json["access_token"]
    again_ = api.post("/recover/2fa/reset", body={"reset_token": token})
    assert again_.problem == (400, "wrong_token")


def test_a_refresh_asks_for_no_code(api: Api, ada: User, code: Any):
    token = log_in(api, code()).json["refresh_token"]
    assert api.post("/token/refresh", token).json["access_token"]


def test_nodes_need_no_second_factor(api: Api, world: World, root: User):
    key = api.post("/recover/node", root, {"id": world.amsterdam_north.id}).json["api_key"]
    assert api.post("/token/node", body={"api_key": key}).status == 200
