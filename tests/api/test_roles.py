"""Roles: nobody gives or takes what he lacks, and the default roles stay as they are."""

from typing import Any

import pytest

from tests.api.client import Api
from tests.models.factories import World, make_user
from vantage6.common.enums import Operation, Scope
from vantage6.models.store import roles, users
from vantage6.models.tables import Organization, Role, Rule, User


def rule(text: str) -> int:
    """Return the id of a rule, such as ``task VIEW ORGANIZATION``."""
    name, operation, scope = text.split()
    return Rule.get(
        Rule.name == name, Rule.operation == Operation(operation), Rule.scope == Scope(scope)
    ).id


@pytest.fixture
def held() -> list[int]:
    """Give rules that an organization's administrator holds."""
    return [rule("task VIEW ORGANIZATION"), rule("user EDIT OWN")]


@pytest.fixture
def great() -> int:
    """Give a rule that only Root holds."""
    return rule("task CREATE GLOBAL")


@pytest.fixture
def admin(world: World) -> User:
    """Give an administrator of Amsterdam."""
    return make_user(world.amsterdam, "Organization Admin")


def make_role(organization: Organization | None, *rule_ids: int, name: str = "own") -> Role:
    role = Role.create(name=name, description="", organization=organization)
    roles.put_in(role, rule_ids)
    return role


def rules_of(role: Role | int) -> set[int]:
    return {row.id for row in roles.rules_of(getattr(role, "id", role))}


def ids(links: list[dict[str, Any]] | None) -> list[int]:
    return [link["id"] for link in links or []]


# Making


def test_a_role_belongs_to_ones_own_organization_unless_another_is_named(
    api: Api, world: World, admin: User, root: User, held: list[int]
):
    body = {"name": "reader", "description": "reads", "rules": held}
    made = api.post("/role", admin, body).json
    assert (made["name"], made["description"]) == ("reader", "reads")
    assert made["organization"]["id"] == world.amsterdam.id
    assert ids(made["rules"]) == sorted(held)
    assert made["users"] is None
    theirs = api.post("/role", root, body | {"organization_id": world.cairo.id}).json
    assert theirs["organization"]["id"] == world.cairo.id


@pytest.mark.parametrize("none", [{}, {"rules": None}, {"rules": []}])
def test_a_role_may_start_without_rules(api: Api, admin: User, none: dict[str, Any]):
    made = api.post("/role", admin, {"name": "empty", "description": ""} | none).json
    assert made["rules"] is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": None}, (400, "invalid")),
        ({"name": ""}, (400, "invalid")),
        ({"rules": ["x"]}, (400, "invalid")),
        ({"rules": [999]}, (404, "not_found")),
        ({"name": "Root"}, (400, "name_reserved")),
        ({"name": "container"}, (400, "name_reserved")),
        ({"organization_id": 999}, (401, "forbidden")),
    ],
)
def test_a_role_that_cannot_be_is_refused(
    api: Api, admin: User, changes: dict[str, Any], problem: tuple[int, str]
):
    before = Role.select().count()
    body = {"name": "new", "description": "", "rules": []} | changes
    assert api.post("/role", admin, body).problem == problem
    assert Role.select().count() == before


def test_reserved_names_are_those_and_no_others(api: Api, admin: User):
    body = {"description": "", "rules": []}
    assert api.post("/role", admin, body | {"name": "root"}).status == 201


def test_who_may_make_roles_everywhere_is_told_of_an_unknown_organization(api: Api, root: User):
    body = {"name": "new", "description": "", "organization_id": 999}
    assert api.post("/role", root, body).problem == (404, "not_found")


def test_who_belongs_nowhere_names_the_organization(api: Api, world: World, root: User):
    User.update(organization=None).where(User.id == root.id).execute()
    body = {"name": "new", "description": ""}
    assert api.post("/role", root, body).problem == (401, "forbidden")
    assert api.post("/role", root, body | {"organization_id": world.cairo.id}).status == 201


def test_nobody_puts_a_rule_that_he_lacks_into_a_role(
    api: Api, admin: User, held: list[int], great: int
):
    body = {"name": "new", "description": "", "rules": [*held, great]}
    answer = api.post("/role", admin, body)
    assert answer.problem == (401, "forbidden")
    assert "CREATE task (GLOBAL)" in answer.json["msg"]
    role = make_role(admin.organization)
    assert api.patch(f"/role/{role.id}", admin, {"rules": [great]}).problem == (401, "forbidden")
    assert api.post(f"/role/{role.id}/rule/{great}", admin).problem == (401, "forbidden")
    assert rules_of(role) == set()


# Changing


def test_null_leaves_a_role_as_it_is(api: Api, admin: User, held: list[int]):
    role = make_role(admin.organization, *held)
    nothing = {"name": None, "description": None, "rules": None}
    shown = api.patch(f"/role/{role.id}", admin, nothing).json
    assert (shown["name"], ids(shown["rules"])) == ("own", sorted(held))
    shown = api.patch(f"/role/{role.id}", admin, nothing | {"description": "new"}).json
    assert (shown["name"], shown["description"]) == ("own", "new")


def test_rules_are_replaced(api: Api, admin: User, held: list[int]):
    role = make_role(admin.organization, held[0])
    shown = api.patch(f"/role/{role.id}", admin, {"rules": [held[1]]}).json
    assert ids(shown["rules"]) == [held[1]]
    assert rules_of(role) == {held[1]}
    assert api.patch(f"/role/{role.id}", admin, {"rules": []}).json["rules"] is None


def test_a_name_may_change_but_not_to_a_reserved_one(api: Api, admin: User):
    role = make_role(admin.organization)
    assert api.patch(f"/role/{role.id}", admin, {"name": "mine"}).json["name"] == "mine"
    body = {"name": "Viewer", "description": "changed"}
    assert api.patch(f"/role/{role.id}", admin, body).problem == (400, "name_reserved")
    assert roles.get(role.id).description == ""


def test_nobody_takes_away_a_rule_that_he_lacks(
    api: Api, admin: User, root: User, held: list[int], great: int
):
    """Those who have the role would lose what he never could have given."""
    role = make_role(admin.organization, great, *held)
    path = f"/role/{role.id}"
    assert api.patch(path, admin, {"rules": held}).problem == (401, "forbidden")
    assert api.delete(path, admin).problem == (401, "forbidden")
    remover = make_user(admin.organization, rules=[rule("role DELETE ORGANIZATION")])
    assert api.delete(f"{path}/rule/{great}", remover).problem == (401, "forbidden")
    assert rules_of(role) == {great, *held}
    # What leaves the rules alone needs none of them.
    assert api.patch(path, admin, {"name": "renamed"}).status == 200
    assert api.delete(f"{path}/rule/{great}", root).status == 200
    assert api.delete(path, admin).status == 200


def test_an_unknown_rule_changes_nothing(api: Api, admin: User, held: list[int]):
    role = make_role(admin.organization, *held)
    body = {"name": "renamed", "rules": [999]}
    assert api.patch(f"/role/{role.id}", admin, body).problem == (404, "not_found")
    assert roles.get(role.id).name == "own"
    assert rules_of(role) == set(held)


# Single rules


def test_a_rule_is_put_in_once_and_the_answer_lists_all(api: Api, admin: User, held: list[int]):
    role = make_role(admin.organization, held[0])
    for _ in range(2):
        answer = api.post(f"/role/{role.id}/rule/{held[1]}", admin)
        assert [row["id"] for row in answer.json] == sorted(held)
    assert rules_of(role) == set(held)


def test_a_rule_is_taken_out_for_good(api: Api, admin: User, held: list[int]):
    role = make_role(admin.organization, *held)
    path = f"/role/{role.id}/rule/{held[0]}"
    assert [row["id"] for row in api.delete(path, admin).json] == [held[1]]
    assert rules_of(role) == {held[1]}
    assert api.delete(path, admin).problem == (404, "not_found")


def test_role_and_rule_must_exist(api: Api, root: User, held: list[int]):
    role = make_role(root.organization)
    for method in ("POST", "DELETE"):
        for path in (f"/role/999/rule/{held[0]}", f"/role/{role.id}/rule/999"):
            assert api.send(method, path, root).problem == (404, "not_found")


def test_the_rules_of_a_role_come_in_pages(api: Api, admin: User, held: list[int]):
    role = make_role(admin.organization, *held)
    page = api.get(f"/role/{role.id}/rule", admin, query="page=2&per_page=1&include=metadata")
    assert [row["id"] for row in page.json["data"]] == sorted(held)[1:]
    assert page.headers["total-count"] == "2"
    assert set(page.json["links"]) == {"first", "previous", "self", "last"}


# Default roles


def test_the_default_roles_are_protected_even_from_root(api: Api, root: User):
    default = list(Role.select().where(Role.organization.is_null()))
    assert len(default) == 7
    for role in default:
        before = rules_of(role)
        path, some = f"/role/{role.id}", min(before)
        for method, where, body in (
            ("PATCH", path, {"name": "mine"}),
            ("PATCH", path, {"description": "mine"}),
            ("PATCH", path, {"rules": []}),
            ("DELETE", path, None),
            ("POST", f"{path}/rule/{some}", None),
            ("DELETE", f"{path}/rule/{some}", None),
        ):
            answer = api.send(method, where, root, body)
            assert answer.problem == (400, "default_role"), (role.name, method, where)
            assert role.name in answer.json["msg"]
        assert roles.get(role.id).name == role.name
        assert rules_of(role) == before


def test_another_role_for_the_whole_server_may_be_changed(api: Api, root: User, admin: User):
    """Such roles are made in the shell."""
    role = make_role(None, name="auditor")
    assert api.patch(f"/role/{role.id}", admin, {"name": "x"}).problem == (401, "forbidden")
    assert api.patch(f"/role/{role.id}", root, {"name": "x"}).json["name"] == "x"


# Removing, showing


def test_a_removed_role_is_gone_from_its_users(api: Api, admin: User, held: list[int]):
    role = make_role(admin.organization, *held)
    user = users.create(
        username="reader",
        password="!",
        firstname="",
        lastname="",
        email=None,
        organization_id=admin.organization_id,
        roles=[role.id],
    )
    assert api.get("/task", user).status == 200
    assert "own" in api.delete(f"/role/{role.id}", admin).json["msg"]
    assert api.get(f"/role/{role.id}", admin).problem == (404, "not_found")
    assert api.get("/task", user).problem == (401, "forbidden")


def test_roles_are_found_by_description(api: Api, root: User, world: World):
    for name, description in (("a", "reads all"), ("b", "reads some"), ("c", "writes")):
        Role.create(name=name, description=description, organization=world.amsterdam)
    for query, expected in (
        ("description=reads%25", ["a", "b"]),
        ("description=reads all&description=writes", ["a", "c"]),
        ("description=reads%25&name=b", ["b"]),
    ):
        found = api.get("/role", root, query=query.replace(" ", "+")).json
        assert [row["name"] for row in found] == expected
