"""The rules and default roles are those that scripts in the field count on."""

import csv
import json
from pathlib import Path

import pytest

from vantage6.common.enums import Operation, Scope
from vantage6.models.rules import DEFAULT_ROLES, RULES
from vantage6.models.store import roles, setup, users
from vantage6.models.tables import Organization, Role, RoleRule, Rule, User, UserRole

#: Resource, operation and scope of each rule, in the order of their ids.
WIRE = [
    tuple(row)
    for row in csv.reader(
        (Path(__file__).parent / "rules.csv").read_text().splitlines(), strict=True
    )
]


def test_there_are_53_rules_in_the_order_of_the_wire_and_then_those_about_cards():
    assert len(WIRE) == 63
    assert [rule[:3] for rule in RULES] == WIRE
    assert {name for name, *_ in WIRE[:53]} & {name for name, *_ in WIRE[53:]} == set()


def test_the_default_roles_have_the_known_sizes():
    assert [(name, len(grants)) for name, _, grants in DEFAULT_ROLES] == [
        ("Root", 63),
        ("container", 7),
        ("node", 9),
        ("Viewer", 13),
        ("Researcher", 18),
        ("Organization Admin", 29),
        ("Collaboration Admin", 43),
    ]


def test_the_default_roles_grant_what_the_web_pages_are_tested_with():
    """The tests of ``web/src/api/permissions.ts`` read the same file."""
    numbers = {rule[:3]: number for number, rule in enumerate(RULES, 1)}
    granted = {
        name: sorted(numbers[grant] for grant in grants) for name, _, grants in DEFAULT_ROLES
    }
    known = json.loads((Path(__file__).parent / "default_roles.json").read_text())
    assert granted == known


def test_default_roles_grant_only_rules_that_exist():
    known = {rule[:3] for rule in RULES}
    for name, _, grants in DEFAULT_ROLES:
        assert grants <= known, name


@pytest.mark.usefixtures("tables")
def test_a_fresh_database_has_them_under_the_known_ids():
    rows = Rule.select().order_by(Rule.id)
    assert [(row.id, row.name, row.operation, row.scope) for row in rows] == [
        (number, *rule) for number, rule in enumerate(WIRE, 1)
    ]
    for number, (name, description, grants) in enumerate(DEFAULT_ROLES, 1):
        role = roles.get(number)
        assert (role.name, role.description, role.organization_id) == (name, description, None)
        assert roles.grants_of([number]) == grants


@pytest.mark.usefixtures("tables")
def test_a_start_completes_what_is_missing_and_leaves_edited_roles_alone():
    root, viewer = Role.get(Role.name == "Root"), Role.get(Role.name == "Viewer")
    RoleRule.delete().where(RoleRule.role << [root, viewer]).execute()
    setup.ensure_rules()
    setup.ensure_rules()
    assert len(roles.grants_of([root.id])) == 63
    assert roles.grants_of([viewer.id]) == frozenset()
    assert (Rule.select().count(), Role.select().count()) == (63, 7)


@pytest.mark.usefixtures("tables")
def test_the_first_user_is_made_once():
    assert setup.ensure_root("hash") is True
    assert setup.ensure_root("other") is False
    root = User.get(User.username == "root")
    assert root.password == "hash"
    assert len(users.rules_of(root.id)) == 63
    # It does not come back where it was renamed, demoted or removed.
    User.update(username="renamed").where(User.id == root.id).execute()
    assert setup.ensure_root("hash") is False
    UserRole.delete().execute()
    assert setup.ensure_root("hash") is False
    assert Organization.select().count() == 1


@pytest.mark.usefixtures("tables")
def test_rules_come_from_roles_and_directly_each_once():
    organization = Organization.create(name="Amsterdam")
    direct = Rule.get(
        Rule.name == "task", Rule.operation == Operation.CREATE, Rule.scope == Scope.ORGANIZATION
    )
    user = users.create(
        username="one",
        password="!",
        firstname=None,
        lastname=None,
        email="",
        organization_id=organization.id,
        roles=[roles.get(4).id, roles.get(5).id],
        rules=[direct.id],
    )
    assert user.email is None
    assert len(users.rules_of(user.id)) == 18
