"""Everything that adds, changes and removes, but tasks: in a world that tests may change."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.peer.calls import refused, returned
from tests.peer.conftest import SUM
from tests.peer.expect import AllOf, link
from tests.peer.shapes import COLLABORATION, NODE, ORGANIZATION, ROLE, TASK, USER, a
from tests.peer.worlds import (
    ALPHA,
    ALPHA_NODE,
    BETA,
    BETA_NODE,
    NOWHERE,
    RESEARCHER,
    ROOTS,
    World,
    role,
)
from tests.peer.worlds import (
    COLLABORATION as EXAMPLE,
)
from vantage6.common.encryption import RSACryptor
from vantage6.sandbox.federation import PASSWORD

_numbers = count(1)
#: Rules by what they allow.
VIEW_NODES, VIEW_ALL_NODES, CREATE_TASKS = 2, 1, 23
NAMED = {
    "address1": "Street 1",
    "address2": "",
    "zipcode": "1000",
    "country": "NL",
    "domain": "gamma.example",
}


def fresh(word: str) -> str:
    """Return a name that nothing has yet."""
    return f"{word} {next(_numbers)}"


@pytest.fixture
def organization(open_world: World) -> int:
    """Return the id of a new organization."""
    id_: int = open_world.root.organization.create(name=fresh("gamma"), **NAMED)["id"]
    return id_


@pytest.fixture
def collaboration(open_world: World, organization: int) -> int:
    """Return the id of a new collaboration of the new organization and alpha."""
    given = {"name": fresh("study"), "organizations": [organization, ALPHA]}
    id_: int = open_world.root.collaboration.create(**given)["id"]
    return id_


@pytest.fixture
def person(open_world: World) -> Iterator[dict[str, Any]]:
    """Give a new Viewer of alpha."""
    user = open_world.root.user.create(**account(), organization=ALPHA, roles=[role("Viewer")])
    yield user
    # Other tests look at the users of alpha.
    open_world.root.request(f"user/{user['id']}", method="delete")


def account() -> dict[str, str]:
    """Return what a user is made of."""
    name = fresh("person").replace(" ", "-")
    return {
        "username": name,
        "firstname": "Per",
        "lastname": "Son",
        "password": PASSWORD,
        "email": f"{name}@example.org",
    }


# Organizations


def test_an_organization_is_created_with_what_is_given(open_world: World) -> None:
    known = a(ORGANIZATION, name="delta", **NAMED, public_key="", users=None, roles=[])
    created = returned(open_world.root, "organization.create", known, name="delta", **NAMED)
    assert open_world.root.exchanged[-1][2] == 201
    returned(open_world.root, "organization.get", known, id_=created["id"])


def test_an_organization_is_created_with_a_public_key(open_world: World, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    RSACryptor.create_new_rsa_key(path)
    key = RSACryptor(path).public_key_str
    known = a(ORGANIZATION, public_key=key)
    returned(open_world.root, "organization.create", known, name="keyed", **NAMED, public_key=key)


def test_an_organization_is_not_created_without_permission(open_world: World) -> None:
    refused(open_world.researcher, 401, "organization.create", name="mine", **NAMED)


def test_an_organization_is_updated_and_keeps_what_is_not_given(
    open_world: World, organization: int
) -> None:
    known = a(ORGANIZATION, id=organization, country="BE", zipcode="1000", address1="Street 1")
    returned(open_world.root, "organization.update", known, id_=organization, country="BE")


def test_the_own_organization_is_updated_without_its_id(open_world: World) -> None:
    known = a(ORGANIZATION, id=ALPHA, name="alpha", domain="alpha.test")
    returned(open_world.researcher, "organization.update", known, domain="alpha.test")


@pytest.mark.parametrize(
    ("who", "id_", "status"),
    [("researcher", BETA, 401), ("viewer", BETA, 401), ("root", NOWHERE, 404)],
)
def test_an_organization_is_not_updated(open_world: World, who: str, id_: int, status: int) -> None:
    refused(open_world.user(who), status, "organization.update", id_=id_, country="BE")


# Collaborations


@pytest.mark.parametrize("encrypted", [True, False])
def test_a_collaboration_is_created(open_world: World, encrypted: bool) -> None:
    name = fresh("study")
    known = a(
        COLLABORATION,
        name=name,
        encrypted=encrypted,
        organizations=[link("organization", ALPHA), link("organization", BETA)],
        nodes=None,
        tasks=None,
    )
    given = {"name": name, "organizations": [ALPHA, BETA], "encrypted": encrypted}
    returned(open_world.root, "collaboration.create", known, **given)
    # Not 201, in 3.11.
    assert open_world.root.exchanged[-1][2] == 200


def test_a_collaboration_is_open_unless_it_is_said(open_world: World) -> None:
    known = a(COLLABORATION, encrypted=False)
    given = {"name": fresh("study"), "organizations": [ALPHA]}
    returned(open_world.root, "collaboration.create", known, **given)


@pytest.mark.parametrize(
    ("who", "name", "organizations", "status"),
    [
        ("root", "example_collab1", [ALPHA], 400),
        ("root", "of nobody", [], 400),
        ("researcher", "not mine to make", [ALPHA], 401),
    ],
)
def test_a_collaboration_is_not_created(
    open_world: World, who: str, name: str, organizations: list[int], status: int
) -> None:
    given = {"name": name, "organizations": organizations}
    refused(open_world.user(who), status, "collaboration.create", **given)


def test_a_collaboration_is_changed(
    open_world: World, collaboration: int, organization: int
) -> None:
    name = fresh("study")
    known = a(
        COLLABORATION,
        name=name,
        encrypted=True,
        organizations=[link("organization", ALPHA), link("organization", BETA)],
    )
    found = open_world.root.request(
        f"collaboration/{collaboration}",
        json={"name": name, "organization_ids": [ALPHA, BETA], "encrypted": True},
        method="patch",
    )
    assert found == returned(open_world.root, "collaboration.get", known, id_=collaboration)


def test_a_member_joins_and_leaves_a_collaboration(
    open_world: World, collaboration: int, organization: int
) -> None:
    path = f"collaboration/{collaboration}/organization"
    joined = open_world.root.request(path, json={"id": BETA}, method="post")
    assert sorted(one["id"] for one in joined) == [ALPHA, BETA, organization]
    left = open_world.root.request(path, json={"id": organization}, method="delete")
    assert sorted(one["id"] for one in left) == [ALPHA, BETA]


def test_a_node_is_taken_out_of_a_collaboration_and_put_back(
    open_world: World, collaboration: int, organization: int
) -> None:
    given = {"collaboration": collaboration, "organization": organization}
    node = open_world.root.node.create(**given)["id"]
    path = f"collaboration/{collaboration}/node"
    open_world.root.request(path, json={"id": node}, method="delete")
    returned(open_world.root, "node.get", a(NODE, collaboration=None), id_=node)
    back = open_world.root.request(path, json={"id": node}, method="post")
    assert [one["id"] for one in back] == [node]


def test_a_collaboration_is_removed(open_world: World, collaboration: int) -> None:
    answer = open_world.root.request(f"collaboration/{collaboration}", method="delete")
    assert set(answer) >= {"msg"}
    refused(open_world.root, 404, "collaboration.get", id_=collaboration)


# Nodes


def test_a_node_is_created_and_shows_its_key_once(
    open_world: World, collaboration: int, organization: int
) -> None:
    known = a(
        NODE,
        api_key=lambda key: len(key) == 36,
        status=None,
        organization=link("organization", organization),
        collaboration=link("collaboration", collaboration),
        config=[],
    )
    given = {"collaboration": collaboration, "organization": organization, "name": "station"}
    created = returned(open_world.root, "node.create", known, **given)
    assert open_world.root.exchanged[-1][2] == 201
    hidden = AllOf(a(NODE, name="station"), lambda node: "api_key" not in node)
    returned(open_world.root, "node.get", hidden, id_=created["id"])
    refused(open_world.root, 400, "node.create", **given)


def test_a_node_is_the_own_organizations_unless_another_is_given(
    open_world: World, collaboration: int
) -> None:
    study = open_world.root.collaboration.get(collaboration)["name"]
    known = a(NODE, name=f"alpha - {study} Node", organization=link("organization", ALPHA))
    returned(open_world.researcher, "node.create", known, collaboration=collaboration)


@pytest.mark.parametrize(
    ("who", "collaboration", "organization", "status"),
    [
        ("root", NOWHERE, ALPHA, 404),
        ("root", EXAMPLE, ROOTS, 400),
        ("root", EXAMPLE, NOWHERE, 400),
        ("root", EXAMPLE, ALPHA, 400),
        ("researcher", EXAMPLE, BETA, 401),
        ("viewer", EXAMPLE, BETA, 401),
    ],
)
def test_a_node_is_not_created(
    open_world: World, who: str, collaboration: int, organization: int, status: int
) -> None:
    given = {"collaboration": collaboration, "organization": organization}
    refused(open_world.user(who), status, "node.create", **given)


def test_a_node_is_renamed_and_keeps_its_name_otherwise(
    open_world: World, collaboration: int
) -> None:
    node = open_world.root.node.create(collaboration=collaboration, organization=ALPHA)["id"]
    returned(open_world.researcher, "node.update", a(NODE, name="new"), id_=node, name="new")
    # 3.11 wipes the name here.
    known = a(NODE, name="new", organization=link("organization", ALPHA))
    returned(open_world.root, "node.update", known, id_=node, organization=ALPHA)


@pytest.mark.parametrize(
    ("who", "id_", "changes", "status"),
    [
        ("root", NOWHERE, {"name": "x"}, 404),
        ("root", ALPHA_NODE, {"organization": NOWHERE}, 404),
        ("root", ALPHA_NODE, {"collaboration": NOWHERE}, 404),
        ("researcher", BETA_NODE, {"name": "x"}, 401),
        ("researcher", ALPHA_NODE, {"organization": BETA}, 401),
        ("viewer", BETA_NODE, {"name": "x"}, 401),
    ],
)
def test_a_node_is_not_updated(
    open_world: World, who: str, id_: int, changes: dict[str, Any], status: int
) -> None:
    refused(open_world.user(who), status, "node.update", id_=id_, **changes)


def test_a_node_gets_another_key(open_world: World, collaboration: int) -> None:
    node = open_world.root.node.create(collaboration=collaboration, organization=ALPHA)
    answer = open_world.root.request("recover/node", json={"id": node["id"]}, method="post")
    assert len(answer["api_key"]) == 36
    assert answer["api_key"] != node["api_key"]


def test_a_node_is_deleted(open_world: World, collaboration: int) -> None:
    node = open_world.root.node.create(collaboration=collaboration, organization=ALPHA)["id"]
    # An Organization Admin creates nodes and does not delete them.
    refused(open_world.researcher, 401, "node.delete", id_=node)
    returned(open_world.root, "node.delete", {"msg": str}, id_=node)
    refused(open_world.root, 404, "node.delete", id_=node)


def test_everything_that_a_node_computes_is_killed(open_world: World) -> None:
    waiting, taken = (open_world.send([BETA], SUM)["id"] for _ in range(2))
    (result,) = open_world.root.task.get(taken)["results"]
    open_world.node("beta").claim(result["id"])
    # 3.11 refuses this for a node that is offline: it would never learn of it.
    returned(open_world.root, "node.kill_tasks", {"msg": str}, id_=BETA_NODE)
    assert open_world.root.exchanged[-1][2] == 200
    returned(open_world.root, "task.get", a(TASK, complete=True, status="failed"), id_=taken)
    returned(open_world.root, "task.get", a(TASK, complete=False), id_=waiting)


def test_a_node_that_computes_nothing_is_told_to_kill_it(open_world: World) -> None:
    returned(open_world.root, "node.kill_tasks", {"msg": str}, id_=ALPHA_NODE)
    assert open_world.root.exchanged[-1][2] == 200


@pytest.mark.parametrize(
    ("who", "id_", "status"),
    [("root", NOWHERE, 404), ("viewer", ALPHA_NODE, 401), ("researcher", BETA_NODE, 401)],
)
def test_the_tasks_of_a_node_are_not_killed(
    open_world: World, who: str, id_: int, status: int
) -> None:
    refused(open_world.user(who), status, "node.kill_tasks", id_=id_)


# Users


def test_a_user_is_created(open_world: World) -> None:
    given = account()
    known = a(
        USER,
        username=given["username"],
        firstname="Per",
        lastname="Son",
        email=given["email"],
        organization=link("organization", BETA),
        roles=[link("role", role("Viewer"))],
        rules=[link("rule", CREATE_TASKS)],
        created_tasks=[],
    )
    more = {"organization": BETA, "roles": [role("Viewer")], "rules": [CREATE_TASKS]}
    created = returned(open_world.root, "user.create", known, **given, **more)
    assert open_world.root.exchanged[-1][2] == 201
    assert "password" not in created
    assert open_world.logged_in(given["username"]).read("whoami")[2] == "Per"


def test_a_user_is_of_the_own_organization_unless_another_is_given(open_world: World) -> None:
    known = a(USER, organization=link("organization", ALPHA), roles=None, rules=None)
    created = returned(open_world.researcher, "user.create", known, **account())
    open_world.root.request(f"user/{created['id']}", method="delete")


@pytest.mark.parametrize(
    ("who", "changes", "status"),
    [
        ("root", {"username": "researcher"}, 400),
        ("root", {"email": "researcher@example.org"}, 400),
        ("root", {"password": "short"}, 400),
        ("root", {"password": "no-upper-case-1"}, 400),
        ("root", {"organization": NOWHERE}, 404),
        ("researcher", {"organization": BETA}, 401),
        ("researcher", {"roles": [role("Root")]}, 401),
        ("researcher", {"rules": [VIEW_ALL_NODES]}, 401),
        ("viewer", {}, 401),
    ],
)
def test_a_user_is_not_created(
    open_world: World, who: str, changes: dict[str, Any], status: int
) -> None:
    refused(open_world.user(who), status, "user.create", **{**account(), **changes})


def test_a_user_is_updated(open_world: World, person: dict[str, Any]) -> None:
    known = a(
        USER,
        id=person["id"],
        username=person["username"],
        firstname="New",
        lastname="Name",
        email="new.name@example.org",
        roles=[link("role", role("Researcher"))],
        rules=[link("rule", VIEW_NODES)],
    )
    returned(
        open_world.root,
        "user.update",
        known,
        id_=person["id"],
        firstname="New",
        lastname="Name",
        email="new.name@example.org",
        roles=[role("Researcher")],
        rules=[VIEW_NODES],
    )


def test_one_updates_oneself_without_an_id(open_world: World, person: dict[str, Any]) -> None:
    client = open_world.logged_in(person["username"])
    known = a(USER, id=person["id"], firstname="Renamed", lastname="Son")
    returned(client, "user.update", known, firstname="Renamed")


def test_a_refused_update_changes_nothing(open_world: World, person: dict[str, Any]) -> None:
    id_ = person["id"]
    refused(open_world.root, 404, "user.update", id_=id_, lastname="Lost", roles=[NOWHERE])
    returned(open_world.root, "user.get", a(USER, lastname="Son"), id_=id_)


@pytest.mark.parametrize(
    ("who", "id_", "changes", "status"),
    [
        ("root", NOWHERE, {"firstname": "x"}, 404),
        ("root", RESEARCHER, {"email": "viewer@example.org"}, 400),
        ("root", RESEARCHER, {"rules": [NOWHERE]}, 404),
        ("researcher", None, {"roles": [role("Root")]}, 401),
        ("researcher", None, {"rules": []}, 401),
        ("researcher", 3, {"firstname": "x"}, 401),
        ("stranger", None, {"firstname": "x"}, 401),
    ],
)
def test_a_user_is_not_updated(
    open_world: World, who: str, id_: int | None, changes: dict[str, Any], status: int
) -> None:
    refused(open_world.user(who), status, "user.update", id_=id_, **changes)


# Roles


@pytest.fixture
def made_role(open_world: World) -> int:
    """Return the id of a new role of alpha."""
    given = {"name": fresh("role"), "description": "made", "rules": [VIEW_NODES]}
    id_: int = open_world.researcher.role.create(**given)["id"]
    return id_


def test_a_role_is_created_for_the_own_organization(open_world: World) -> None:
    known = a(
        ROLE,
        name="observer",
        description="sees nodes",
        organization=link("organization", ALPHA),
        rules=[link("rule", VIEW_NODES)],
        users=None,
    )
    given = {"name": "observer", "description": "sees nodes", "rules": [VIEW_NODES]}
    created = returned(open_world.researcher, "role.create", known, **given)
    assert open_world.researcher.exchanged[-1][2] == 201
    listed = open_world.researcher.role.list(organization=ALPHA, name="observer")["data"]
    assert [one["id"] for one in listed] == [created["id"]]


def test_a_role_is_created_for_another_organization(open_world: World) -> None:
    known = a(ROLE, organization=link("organization", BETA), rules=None)
    given = {"name": fresh("role"), "description": "", "rules": [], "organization": BETA}
    returned(open_world.root, "role.create", known, **given)


@pytest.mark.parametrize(
    ("who", "changes", "status"),
    [
        ("root", {"name": "Root"}, 400),
        ("root", {"rules": [NOWHERE]}, 404),
        ("root", {"organization": NOWHERE}, 404),
        ("researcher", {"rules": [VIEW_ALL_NODES]}, 401),
        ("researcher", {"organization": BETA}, 401),
        ("viewer", {}, 401),
    ],
)
def test_a_role_is_not_created(
    open_world: World, who: str, changes: dict[str, Any], status: int
) -> None:
    given = {"name": fresh("role"), "description": "", "rules": [VIEW_NODES], **changes}
    refused(open_world.user(who), status, "role.create", **given)


def test_a_role_is_updated_and_keeps_what_is_not_given(open_world: World, made_role: int) -> None:
    # This client always sends all three; the absent ones as null, for which 3.11 answers 500.
    known = a(ROLE, name="renamed", description="made", rules=[link("rule", VIEW_NODES)])
    returned(open_world.researcher, "role.update", known, role=made_role, name="renamed")
    known = a(ROLE, name="renamed", rules=lambda rules: len(rules) == 2)
    given = {"role": made_role, "rules": [VIEW_NODES, CREATE_TASKS]}
    returned(open_world.researcher, "role.update", known, **given)


@pytest.mark.parametrize(
    ("who", "changes", "status"),
    [
        ("researcher", {"name": "Root"}, 400),
        ("researcher", {"rules": [NOWHERE]}, 404),
        ("researcher", {"rules": [VIEW_ALL_NODES]}, 401),
        ("viewer", {"name": "x"}, 401),
    ],
)
def test_a_role_is_not_updated(
    open_world: World, made_role: int, who: str, changes: dict[str, Any], status: int
) -> None:
    refused(open_world.user(who), status, "role.update", role=made_role, **changes)


def test_a_default_role_is_not_updated(open_world: World) -> None:
    given = {"role": role("Viewer"), "description": "x"}
    refused(open_world.root, 400, "role.update", **given)
    refused(open_world.root, 404, "role.update", role=NOWHERE, description="x")


def test_rules_are_put_into_a_role_and_taken_out(open_world: World, made_role: int) -> None:
    path = f"role/{made_role}/rule"
    open_world.researcher.request(f"{path}/{CREATE_TASKS}", method="post")
    assert open_world.researcher.exchanged[-1][2] == 201
    assert [one["id"] for one in open_world.researcher.request(path)] == [2, CREATE_TASKS]
    open_world.researcher.request(f"{path}/{CREATE_TASKS}", method="delete")
    assert open_world.researcher.exchanged[-1][2] == 200
    assert [one["id"] for one in open_world.researcher.request(path)] == [2]


def test_a_role_is_deleted(open_world: World, made_role: int) -> None:
    refused_to = open_world.user("viewer")
    assert refused_to.role.delete(role=made_role) is None
    assert refused_to.exchanged[-1][2] == 401
    assert open_world.researcher.role.delete(role=made_role) is None
    assert open_world.researcher.exchanged[-1][2] == 200
    refused(open_world.root, 404, "role.get", id_=made_role)
    assert open_world.root.role.delete(role=made_role) is None
    assert open_world.root.exchanged[-1][2] == 404
