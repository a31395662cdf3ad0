"""The rules for function cards reach the default roles of an old database, and no other role."""

from pathlib import Path

import pytest

from vantage6.models import database, migrate
from vantage6.models.rules import DEFAULT_ROLES
from vantage6.models.store import roles, setup
from vantage6.models.tables import Organization, Role, RoleRule, Rule

BEFORE = "0008_held_addresses"


@pytest.fixture
def old(empty_uri: str, tmp_path: Path):
    """Give a connection to a database as a server without a shelf leaves it."""
    database.bind(empty_uri, folder=tmp_path)
    with database.session():
        migrate.up(BEFORE)
        setup.ensure_rules()
        Rule.delete().where(Rule.name == "algorithm").execute()
        yield
    database.dispose()


def test_default_roles_get_the_rules_and_other_roles_stay(old: None):
    home = Organization.create(name="A")
    node = Rule.get(Rule.name == "node", Rule.operation == "VIEW", Rule.scope == "GLOBAL")
    namesake = Role.create(name="Viewer", organization=home)
    RoleRule.create(role=namesake, rule=node)
    # What an operator took out of a default role stays out.
    viewer = Role.get(Role.name == "Viewer", Role.organization.is_null())
    taken = Rule.get(Rule.name == "user", Rule.operation == "EDIT", Rule.scope == "OWN")
    RoleRule.delete().where((RoleRule.role == viewer.id) & (RoleRule.rule == taken.id)).execute()
    migrate.up()
    for name, _, grants in DEFAULT_ROLES:
        role = Role.get(Role.name == name, Role.organization.is_null())
        missing = {("user", "EDIT", "OWN")} if name == "Viewer" else set()
        assert roles.grants_of([role.id]) == grants - missing, name
    assert [row.id for row in roles.rules_of(namesake.id)] == [node.id]
    # A start has nothing to add.
    before = (Rule.select().count(), RoleRule.select().count())
    setup.ensure_rules()
    assert (Rule.select().count(), RoleRule.select().count()) == before


def test_the_way_back_takes_the_rules_away(old: None):
    before = (Rule.select().count(), RoleRule.select().count())
    migrate.up()
    migrate.to(BEFORE)
    assert (Rule.select().count(), RoleRule.select().count()) == before


def test_a_new_database_keeps_the_known_ids(empty_uri: str, tmp_path: Path):
    database.bind(empty_uri, folder=tmp_path)
    with database.session():
        migrate.up()
        assert Rule.select().count() == 0
        setup.ensure_rules()
        assert Rule.get_by_id(1).name == "node"
        assert Rule.get_by_id(53).name == "event"
    database.dispose()
