"""A mailbox alone never gets past a second factor; a recovery code or an administrator does."""

import re
import time
from dataclasses import dataclass
from typing import Any

import pyotp
import pytest

from tests.api.client import Answer, Api, logged_in
from tests.api.conftest import configured
from tests.api.test_recovery import mails
from tests.models.factories import World, again, make_user, side_by_side
from vantage6.api.identity import passwords
from vantage6.common.config import Instance
from vantage6.models.store import recovery, second_factors
from vantage6.models.store.recovery import Purpose
from vantage6.models.tables import Outbox, RecoveryCode, RecoveryToken, User

PASSWORD, NEW = "Right-horse-1", "New-password-1"
STEP = 30


@pytest.fixture
def uri(database_uri: str) -> str:
    """Run with both databases: that a code is used once depends on them."""
    return database_uri


@pytest.fixture
def instance(instance: Instance) -> Instance:
    """Ask for the second factor."""
    return configured(instance, two_factor_auth=True)


@dataclass
class Person:
    """Somebody with a password, a mailbox, an app and recovery codes."""

    api: Api
    row: User
    app: pyotp.TOTP
    codes: list[str]
    access_token: str

    def log_in(self, code: Any = None, password: str = PASSWORD) -> Answer:
        return log_in(self.api, code, password)

    def later(self) -> str:
        """Return what the app shows next."""
        return self.app.at(int(time.time()) + STEP)

    def mailed(self, purpose: Purpose) -> str:
        """Return the token that is in the mailbox."""
        return recovery.issue(self.row, purpose, 60)

    def reset_app(self, token: str, **more: Any) -> Answer:
        return self.api.post("/recover/2fa/reset", body={"reset_token": token, **more})


def log_in(api: Api, code: Any = None, password: str = PASSWORD) -> Answer:
    body = {"username": "ada", "password": password, "mfa_code": code}
    return api.post("/token/user", body=body)


@pytest.fixture
def ada(api: Api, world: World, light_passwords: None) -> Person:
    """Give somebody who has set up an app."""
    row = make_user(world.amsterdam, username="ada", password=passwords.hash_password(PASSWORD))
    app = pyotp.TOTP(log_in(api).json["otp_secret"])
    answer = log_in(api, app.now()).json
    assert mails()[-1]["change"] == "factor_set_up"
    Outbox.delete().execute()
    return Person(api, again(row), app, answer["recovery_codes"], answer["access_token"])


def codes_left(user: User) -> int:
    """Return how many recovery codes a user has."""
    return RecoveryCode.select().where(RecoveryCode.user == user.id).count()


def changes() -> list[str]:
    """Return what the account was told of."""
    return [mail["change"] for mail in mails() if mail["kind"] == "account_changed"]


def test_a_mailbox_alone_does_not_get_past_the_second_factor(api: Api, ada: Person):
    """It resets the password, then asks for another app with that password."""
    body = {"reset_token": ada.mailed(Purpose.PASSWORD), "password": NEW}
    assert api.post("/recover/reset", body=body).status == 200
    body = {"username": "ada", "password": NEW}
    assert api.post("/recover/2fa/lost", body=body).status == 200
    for code in (None, "", "ABCD-EFGH-IJKL-MNOP", ada.app.now(), "000000"):
        token = ada.mailed(Purpose.TWO_FACTOR)
        answer = ada.reset_app(token, recovery_code=code)
        assert answer.problem == (401, "recovery_code_needed")
        assert ada.reset_app(f"{token} {code}").problem == (401, "recovery_code_needed")
    assert "an administrator" in answer.json["msg"]
    assert second_factors.is_confirmed(again(ada.row))
    assert set(ada.log_in(password=NEW).json) == {"msg"}
    # Meanwhile the owner of the mailbox was told.
    assert changes() == ["password_reset"]


def test_codes_are_shown_once_and_kept_as_hashes(api: Api, ada: Person):
    assert len(set(ada.codes)) == 10
    assert all(re.fullmatch(r"([A-Z2-7]{4}-){3}[A-Z2-7]{4}", code) for code in ada.codes)
    kept = [row.code for row in RecoveryCode.select()]
    assert len(kept) == 10
    assert not [code for code in ada.codes if code in kept or code.replace("-", "") in kept]
    assert "recovery_codes" not in ada.log_in(ada.later()).json


def test_without_the_second_factor_there_are_no_codes(
    api: Api, world: World, light_passwords: None
):
    make_user(world.amsterdam, username="ada", password=passwords.hash_password(PASSWORD))
    assert "recovery_codes" not in log_in(api).json
    assert RecoveryCode.select().count() == 0


def test_a_code_stands_in_once_for_the_code_of_the_app(api: Api, ada: Person):
    assert ada.log_in(ada.codes[0]).json["access_token"]
    assert changes() == ["code_used"]
    assert ada.log_in(ada.codes[0]).problem == (401, "wrong_code")
    written = f" {ada.codes[1].lower().replace('-', '')} "
    assert ada.log_in(written).status == 200
    assert ada.log_in(ada.codes[2], "wrong").problem == (401, "wrong_password")
    assert ada.log_in(ada.codes[2]).status == 200
    assert codes_left(ada.row) == 7


def test_a_code_that_is_sent_twice_at_once_works_once(ada: Person):
    uses = [lambda: second_factors.use_code(ada.row, ada.codes[0])] * 6
    assert sorted(side_by_side(*uses)) == [False] * 5 + [True]


def test_codes_are_for_their_owner_only(api: Api, world: World, ada: Person):
    bob = make_user(world.amsterdam)
    assert not second_factors.use_code(bob, ada.codes[0])
    assert codes_left(ada.row) == 10


@pytest.mark.parametrize("old_client", [True, False])
def test_a_token_with_a_code_sets_another_app_up(api: Api, ada: Person, old_client: bool):
    token, code = ada.mailed(Purpose.TWO_FACTOR), ada.codes[3]
    # What is wrong uses up nothing.
    assert ada.reset_app("x", recovery_code=code).problem == (400, "wrong_token")
    assert ada.reset_app(token, recovery_code="x").status == 401
    answer = (
        ada.reset_app(f"{token} {code}") if old_client else ada.reset_app(token, recovery_code=code)
    )
    assert answer.status == 200
    assert changes() == ["factor_reset"]
    assert api.get(f"/user/{ada.row.id}", ada.access_token).problem == (401, "token_revoked")
    # Codes of the old app are void with it.
    assert ada.log_in(ada.codes[4]).problem == (401, "wrong_code")
    new = pyotp.TOTP(answer.json["otp_secret"])
    fresh = ada.log_in(new.now()).json["recovery_codes"]
    assert not set(fresh) & set(ada.codes)
    assert ada.log_in(fresh[0]).status == 200


def test_an_app_that_was_never_set_up_needs_no_code(api: Api, world: World, light_passwords: None):
    """There is no second factor yet that the code could stand in for."""
    row = make_user(world.amsterdam, username="ada", password=passwords.hash_password(PASSWORD))
    log_in(api)
    token = recovery.issue(row, Purpose.TWO_FACTOR, 60)
    assert api.post("/recover/2fa/reset", body={"reset_token": token}).status == 200


def test_who_has_the_app_makes_new_codes(api: Api, ada: Person):
    def new(code: Any) -> Answer:
        return api.post("/recover/2fa/codes", ada.access_token, {"mfa_code": code})

    for wrong in ("000000", ada.app.now(), ada.codes[0]):
        assert new(wrong).problem == (401, "wrong_code")
    fresh = new(ada.later()).json["recovery_codes"]
    assert changes() == ["codes_replaced"]
    assert ada.log_in(ada.codes[0]).problem == (401, "wrong_code")
    assert ada.log_in(fresh[0]).status == 200


def test_who_has_no_app_has_no_codes(api: Api, root: User):
    answer = api.post("/recover/2fa/codes", root, {"mfa_code": "123456"})
    assert answer.problem == (400, "no_second_factor")


def test_an_administrator_removes_a_second_factor(api: Api, world: World, ada: Person):
    admin = make_user(world.amsterdam, "Organization Admin")
    ada.mailed(Purpose.TWO_FACTOR)
    path = f"/user/{ada.row.id}/2fa"
    for other in (
        make_user(world.amsterdam, "Researcher"),
        make_user(world.berlin, "Organization Admin"),
        ada.access_token,
    ):
        assert api.delete(path, other).problem == (401, "forbidden")
    assert api.delete(path, admin).status == 200
    assert changes() == ["factor_removed"]
    assert (again(ada.row).otp_secret, RecoveryCode.select().count()) == (None, 0)
    assert RecoveryToken.select().count() == 0
    assert api.get(f"/user/{ada.row.id}", ada.access_token).problem == (401, "token_revoked")
    assert set(ada.log_in().json) == {"qr_uri", "otp_secret", "msg"}


def test_no_administrator_removes_that_of_somebody_who_may_do_more(
    api: Api, world: World, ada: Person
):
    admin = make_user(world.amsterdam, "Organization Admin")
    mighty = make_user(world.amsterdam, "Root")
    assert api.delete(f"/user/{mighty.id}/2fa", admin).problem == (401, "forbidden")
    # Nor his own: who found a session could stay.
    assert api.delete(f"/user/{mighty.id}/2fa", mighty).problem == (401, "forbidden")


def test_a_changed_password_is_told_of(api: Api, ada: Person):
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert api.patch("/password/change", ada.access_token, body).status == 200
    (mail,) = mails()
    assert mail["change"] == "password_changed"
    assert mail["address"] == "127.0.0.1"
    for secret in (PASSWORD, NEW, ada.app.secret, *ada.codes):
        assert secret not in str(mail)


def test_no_notice_is_held_back_by_many_of_another_kind(api: Api, ada: Person):
    old, new = PASSWORD, NEW
    for _ in range(7):
        body = {"current_password": old, "new_password": new}
        assert api.patch("/password/change", ada.row, body).status == 200
        old, new = new, old
    assert changes() == ["password_changed"] * 5
    recovery_code = ada.codes[0]
    ada.reset_app(ada.mailed(Purpose.TWO_FACTOR), recovery_code=recovery_code)
    assert changes()[-1] == "factor_reset"
    assert logged_in(ada.row)
