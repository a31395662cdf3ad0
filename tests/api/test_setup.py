"""The first start makes the user root; no later one does."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.api.conftest import configured
from tests.models.factories import close_all, make_user
from vantage6.api.identity import passwords
from vantage6.common.config import Instance
from vantage6.models import database
from vantage6.models.store import users
from vantage6.models.tables import Organization, User
from vantage6.server.setup import set_up

pytestmark = pytest.mark.usefixtures("light_passwords")


@pytest.fixture
def uri(database_uri: str) -> str:
    """Run with both databases."""
    return database_uri


def start(instance: Instance) -> bool:
    """Set a server up, as the first thing that a process does."""
    try:
        return set_up(instance)
    finally:
        close_all()


@contextmanager
def connected() -> Iterator[None]:
    with database.session():
        yield
    close_all()


def root() -> User | None:
    return users.find_by_name("root")


def test_the_first_start_makes_root_with_a_password_to_be_changed(instance: Instance):
    assert start(instance) is True
    with connected():
        assert passwords.matches(root().password, "root")
        assert users.role_names(root().id) == ["Root"]
    assert start(instance) is False


def test_the_password_may_be_configured(instance: Instance):
    secured = configured(instance, root_password="Some-password-1")
    assert start(secured) is False
    assert "Some-password-1" not in repr(secured)
    # Only the first start looks at it.
    assert start(configured(instance, root_password="Other-password-1")) is False
    with connected():
        assert passwords.matches(root().password, "Some-password-1")


def test_a_removed_root_does_not_come_back(instance: Instance):
    start(instance)
    with connected():
        make_user(root().organization, "Root", username="somebody")
        users.delete(root())
    assert start(instance) is False
    with connected():
        assert root() is None
        assert Organization.select().count() == 1


def test_a_renamed_root_does_not_come_back(instance: Instance):
    start(instance)
    with connected():
        users.update(root(), {"username": "renamed"})
    assert start(instance) is False
    with connected():
        assert root() is None
