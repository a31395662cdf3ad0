"""An operator lets people back in, and no password ever stands in a command line."""

import json

import pytest

from tests.api.commands.conftest import Operator
from vantage6.api.identity import passwords
from vantage6.common.clock import now
from vantage6.models.store import recovery, users
from vantage6.models.store.recovery import Purpose
from vantage6.models.tables import Outbox, RecoveryToken, User


@pytest.fixture
def operator(operator: Operator) -> Operator:
    """Give an operator of a server whose user root is locked and has a second factor."""
    operator.does("migrate")
    with operator.connected():
        User.update(
            failed_login_attempts=5,
            last_failed_login_at=now(),
            otp_secret="S" * 32,
            otp_last_step=1,
        ).execute()
        recovery.issue(users.find_by_name("root"), Purpose.PASSWORD, 60)
    return operator


def root(operator: Operator) -> User:
    with operator.connected():
        return users.find_by_name("root")


def test_accounts_are_listed(operator: Operator):
    (head, line) = operator.does("user", "list").splitlines()
    assert head.split() == ["ID", "USERNAME", "ORGANIZATION", "2FA", "FAILED", "ROLES"]
    assert line.split() == ["1", "root", "root", "yes", "5", "Root"]


def test_a_new_password_opens_the_account_and_ends_its_sessions(operator: Operator):
    operator.does("user", "reset-password", "root", stdin="Good-password-1\n")
    user = root(operator)
    assert passwords.matches(user.password, "Good-password-1")
    assert user.failed_login_attempts == 0
    assert user.tokens_valid_from is not None
    assert user.otp_secret == "S" * 32
    with operator.connected():
        assert RecoveryToken.select().count() == 0


def test_the_second_factor_is_removed_on_demand(operator: Operator):
    said = operator.does("user", "reset-password", "root", "--two-factor", stdin="Good-pass-1\n")
    assert "no second factor" in said
    assert (root(operator).otp_secret, root(operator).otp_last_step) == (None, None)


def test_a_lost_second_factor_is_removed_alone(operator: Operator):
    before = root(operator)
    assert "no second factor" in operator.does("user", "reset-two-factor", "root")
    after = root(operator)
    assert (after.otp_secret, after.otp_last_step) == (None, None)
    assert after.password == before.password
    assert after.tokens_valid_from is not None
    with operator.connected():
        (mail,) = [json.loads(row.content) for row in Outbox.select()]
    assert (mail["change"], mail["address"]) == ("factor_removed", "the machine of the server")
    assert "no user 'x'" in operator.refused("user", "reset-two-factor", "x")


@pytest.mark.parametrize(
    ("name", "password", "said"),
    [
        ("root", "weak\n", "at least 8"),
        ("root", "", "no password"),
        ("nobody", "Good-password-1\n", "There is no user 'nobody'"),
    ],
)
def test_mistakes_change_nothing(operator: Operator, name: str, password: str, said: str):
    assert said in operator.refused("user", "reset-password", name, stdin=password)
    assert passwords.matches(root(operator).password, "root")
