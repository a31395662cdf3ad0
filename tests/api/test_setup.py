"""The first start makes the user root; no later one does."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.api.conftest import configured
from tests.models.factories import make_user
from vantage6.api.identity import passwords
from vantage6.common.config import Instance
from vantage6.models import database, migrate
from vantage6.models.store import algorithms, users
from vantage6.models.store.shelf import match
from vantage6.models.tables import Algorithm, Organization, User
from vantage6.server import library_cards
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
        database.dispose()


@contextmanager
def connected() -> Iterator[None]:
    with database.session():
        yield
    database.dispose()


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


# The cards of our own algorithms


def shelf() -> list[tuple[str, str]]:
    return [(row.name, row.state) for row in Algorithm.select().order_by(Algorithm.id)]


def test_a_new_server_has_the_cards_of_our_algorithms_reviewed_for_all(instance: Instance):
    start(instance)
    with connected():
        assert ("average", "reviewed") in shelf()
        assert {state for _, state in shelf()} == {"reviewed"}
        row = Algorithm.get(Algorithm.name == "average")
        assert (row.collaboration_id, row.user_id) == (None, None)
        (review,) = row.reviews
        assert (review.sha256, review.user_id) == (row.sha256, None)
        assert review.note.startswith("Comes with version ")
        # Each names an image under which it is found.
        for name, _ in shelf():
            reviewed = match(f"vantage6/{name}", 1).reviewed
            assert [algorithms.get(id_).name for id_, _ in reviewed] == [name]


def test_each_card_of_an_algorithm_is_put_there_once(instance: Instance):
    start(instance)
    with connected():
        before = shelf()
        users.delete(make_user(root().organization))
    start(instance)
    with connected():
        assert shelf() == before
        # The operator decides: it stays retired or away.
        row = Algorithm.get(Algorithm.name == "average")
        algorithms.retire(row, "not here")
        assert library_cards.put_on_shelf(is_new=True) == []
        algorithms.delete(algorithms.get(row.id))
    start(instance)
    with connected():
        assert "average" not in dict(shelf())


def test_a_later_version_is_added_beside_a_reviewed_one_only(instance: Instance):
    start(instance)
    with connected():
        row = Algorithm.get(Algorithm.name == "average")
        Algorithm.update(version="0.9.0").where(Algorithm.id == row.id).execute()
    start(instance)
    with connected():
        later = Algorithm.get((Algorithm.name == "average") & (Algorithm.version != "0.9.0"))
        algorithms.retire(later, "not here")
        algorithms.retire(algorithms.get(row.id), "not here")
        Algorithm.update(version="0.9.1").where(Algorithm.id == later.id).execute()
        before = shelf()
    start(instance)
    with connected():
        assert shelf() == before


def test_an_upgraded_server_gets_the_cards_once(instance: Instance):
    start(instance)
    with connected():
        before = shelf()
        migrate.to("0008")
    start(instance)
    with connected():
        assert shelf() == before
