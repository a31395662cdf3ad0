"""Whoever holds less than every rule stays within the own organization and its collaborations."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.api.client import Answer, Api
from tests.models.factories import World, again, make_user
from tests.public_keys import UNUSABLE, public_key
from vantage6.common.enums import Operation, Scope
from vantage6.models.rules import RULES
from vantage6.models.store import collaborations, organizations, roles, users
from vantage6.models.tables import Collaboration, Node, Organization, Role, Rule, User

KEY, OTHER_KEY = public_key(), public_key(seed=1)
PERSON = {
    "username": "new",
    "firstname": "",
    "lastname": "",
    "email": "new@example.org",
    "password": "Good-password-1",
}


@pytest.fixture
def admin(world: World) -> User:
    """Give an administrator of Amsterdam and of its collaborations."""
    return make_user(world.amsterdam, "Collaboration Admin")


@pytest.fixture
def nearly_root(world: World) -> User:
    """Give a user of Amsterdam who holds each rule but one."""
    last = Rule.get(Rule.name == "event", Rule.operation == "CREATE", Rule.scope == "GLOBAL")
    return make_user(world.amsterdam, rules=[row.id for row in Rule.select() if row != last])


@dataclass(frozen=True)
class Attempt:
    """A request that changes or shows something of an organization that Amsterdam works not for."""

    method: str
    path: Callable[[World], str]
    body: Callable[[World], Any] = lambda world: None


def theirs(world: World) -> User:
    """Return a user of Berlin, Amsterdam's partner."""
    found = User.select().where(User.organization == world.berlin).first()
    return found or make_user(world.berlin, "Researcher")


def their_role(world: World) -> Role:
    found = Role.select().where(Role.organization == world.berlin).first()
    return found or roles.create("theirs", "", [], world.berlin.id)


#: What would let Amsterdam read, stop or replace what is Berlin's or Cairo's.
CHANGES = {
    "a user for a partner": Attempt(
        "POST", lambda w: "/user", lambda w: PERSON | {"organization_id": w.berlin.id}
    ),
    "a user for a stranger": Attempt(
        "POST", lambda w: "/user", lambda w: PERSON | {"organization_id": w.cairo.id}
    ),
    "a partner's user": Attempt(
        "PATCH", lambda w: f"/user/{theirs(w).id}", lambda w: {"email": "mine@example.org"}
    ),
    "the end of a partner's user": Attempt("DELETE", lambda w: f"/user/{theirs(w).id}"),
    "a role for a partner": Attempt(
        "POST",
        lambda w: "/role",
        lambda w: {"name": "new", "description": "", "organization_id": w.berlin.id},
    ),
    "a partner's role": Attempt(
        "PATCH", lambda w: f"/role/{their_role(w).id}", lambda w: {"name": "mine"}
    ),
    "the end of a partner's role": Attempt("DELETE", lambda w: f"/role/{their_role(w).id}"),
    "a partner's name": Attempt(
        "PATCH", lambda w: f"/organization/{w.berlin.id}", lambda w: {"name": "mine"}
    ),
    "a partner's public key": Attempt(
        "PATCH", lambda w: f"/organization/{w.berlin.id}", lambda w: {"public_key": KEY}
    ),
    "a stranger's collaboration": Attempt(
        "PATCH", lambda w: f"/collaboration/{w.south.id}", lambda w: {"encrypted": False}
    ),
    "a member of a stranger's collaboration": Attempt(
        "POST",
        lambda w: f"/collaboration/{w.south.id}/organization",
        lambda w: {"id": w.amsterdam.id},
    ),
    "the end of a stranger's membership": Attempt(
        "DELETE",
        lambda w: f"/collaboration/{w.south.id}/organization",
        lambda w: {"id": w.cairo.id},
    ),
    "the end of a stranger's collaboration": Attempt(
        "DELETE", lambda w: f"/collaboration/{w.south.id}"
    ),
    "a partner's node out of another collaboration": Attempt(
        "DELETE",
        lambda w: f"/collaboration/{w.south.id}/node",
        lambda w: {"id": w.berlin_south.id},
    ),
    "a partner's node out of the own collaboration": Attempt(
        "DELETE",
        lambda w: f"/collaboration/{w.north.id}/node",
        lambda w: {"id": w.berlin_north.id},
    ),
    "a partner's node into the own collaboration": Attempt(
        "POST", lambda w: f"/collaboration/{w.north.id}/node", lambda w: {"id": w.berlin_south.id}
    ),
    "a node in a partner's name": Attempt(
        "POST",
        lambda w: "/node",
        lambda w: {"organization_id": w.berlin.id, "collaboration_id": w.north.id},
    ),
    "a partner's node": Attempt(
        "PATCH", lambda w: f"/node/{w.berlin_north.id}", lambda w: {"ip": "10.0.0.1"}
    ),
    "the key of a partner's node": Attempt(
        "POST", lambda w: "/recover/node", lambda w: {"id": w.berlin_north.id}
    ),
    "the end of a partner's node": Attempt("DELETE", lambda w: f"/node/{w.berlin_north.id}"),
}
VIEWS = {
    "a stranger's user": lambda w: f"/user/{make_user(w.cairo).id}",
    "a stranger's role": lambda w: f"/role/{roles.create('far', '', [], w.cairo.id).id}",
    "the rules of a stranger's role": lambda w: (
        f"/role/{roles.create('far', '', [], w.cairo.id).id}/rule"
    ),
    "a stranger's collaboration": lambda w: f"/collaboration/{w.south.id}",
    "the members of a stranger's collaboration": lambda w: (
        f"/collaboration/{w.south.id}/organization"
    ),
    "the nodes of a stranger's collaboration": lambda w: f"/collaboration/{w.south.id}/node",
    "a partner's other collaborations": lambda w: f"/organization/{w.berlin.id}/collaboration",
    "a partner's nodes": lambda w: f"/organization/{w.berlin.id}/node",
    "a partner's node elsewhere": lambda w: f"/node/{w.berlin_south.id}",
}


def send(api: Api, world: World, attempt: Attempt, who: User) -> Answer:
    return api.send(attempt.method, attempt.path(world), who, attempt.body(world))


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("who", ["admin", "nearly_root"])
def test_an_administrator_changes_nothing_of_another_organization(
    request: pytest.FixtureRequest,
    api: Api,
    world: World,
    who: str,
    what: str,
    light_passwords: None,
):
    asking = request.getfixturevalue(who)
    assert send(api, world, CHANGES[what], asking).problem == (401, "forbidden")


@pytest.mark.parametrize("what", CHANGES)
def test_a_root_changes_everything_but_the_keys_of_others(
    api: Api, world: World, root: User, what: str, light_passwords: None
):
    """As with every server of 3.11; that the attempts are right is seen here, too."""
    if what == "a partner's node into the own collaboration":
        Node.delete().where(Node.id == world.berlin_north.id).execute()
    if what == "a node in a partner's name":
        Node.delete().where(Node.id == world.berlin_north.id).execute()
    status = send(api, world, CHANGES[what], root).status
    assert (status < 300) is (what != "a partner's public key")


@pytest.mark.parametrize("what", VIEWS)
@pytest.mark.parametrize("who", ["admin", "nearly_root"])
def test_an_administrator_sees_nothing_beyond_the_own_collaborations(
    request: pytest.FixtureRequest, api: Api, world: World, who: str, what: str
):
    asking = request.getfixturevalue(who)
    assert api.get(VIEWS[what](world), asking).problem == (401, "forbidden")


def test_lists_end_at_the_own_collaborations(api: Api, world: World, admin: User, root: User):
    partner, stranger = make_user(world.berlin), make_user(world.cairo)
    near, far = (roles.create("r", "", [], row.id) for row in (world.berlin, world.cairo))

    def listed(path: str, who: User) -> set[int]:
        return {row["id"] for row in api.get(path, who).json}

    assert listed("/user", admin) == {admin.id, root.id, partner.id}
    assert listed("/user", root) == {admin.id, root.id, partner.id, stranger.id}
    assert {near.id, far.id} & listed("/role", admin) == {near.id}
    assert {near.id, far.id} & listed("/role", root) == {near.id, far.id}
    assert listed("/collaboration", admin) == {world.north.id}
    assert listed("/collaboration", root) == {world.north.id, world.south.id}
    assert listed("/node", admin) == {world.amsterdam_north.id, world.berlin_north.id}
    # Names and public keys are for all who may see them: without them nobody could be invited.
    assert listed("/organization", admin) == {world.amsterdam.id, world.berlin.id, world.cairo.id}
    # Who works with whom is not.
    south = {"query": f"collaboration_id={world.south.id}"}
    assert api.get("/organization", admin, **south).json == []
    assert len(api.get("/organization", root, **south).json) == 2
    north = {"query": f"collaboration_id={world.north.id}"}
    assert len(api.get("/organization", admin, **north).json) == 2


@pytest.mark.parametrize("encrypted", [False, True])
def test_an_administrator_turns_encryption_on_and_off_for_the_own_organization_only(
    api: Api, world: World, admin: User, root: User, encrypted: bool
):
    """Stations of partners could not deliver what they compute, or would send it readable."""
    path, other = f"/collaboration/{world.north.id}", not encrypted
    assert api.patch(path, root, {"encrypted": encrypted}).json["encrypted"] is encrypted
    refused = api.patch(path, admin, {"name": "other", "encrypted": other})
    assert refused.problem == (401, "forbidden")
    kept = api.patch(path, admin, {"name": "north", "encrypted": encrypted}).json
    assert (kept["name"], kept["encrypted"]) == ("north", encrypted)
    alone = collaborations.create("alone", [world.amsterdam.id], encrypted=encrypted)
    answer = api.patch(f"/collaboration/{alone.id}", admin, {"encrypted": other})
    assert answer.json["encrypted"] is other


def test_an_administrator_does_his_work_at_home(
    api: Api, world: World, admin: User, light_passwords: None
):
    assert api.post("/user", admin, PERSON).status == 201
    home = f"/organization/{world.amsterdam.id}"
    assert api.patch(home, admin, {"country": "NL", "public_key": KEY}).status == 200
    assert api.patch(f"/collaboration/{world.north.id}", admin, {"name": "new"}).status == 200
    path, body = f"/collaboration/{world.north.id}/node", {"id": world.amsterdam_north.id}
    assert api.send("DELETE", path, admin, body).status == 200
    assert api.delete(f"/node/{world.amsterdam_north.id}", admin).status == 200
    body = {"collaboration_id": world.north.id}
    assert api.post("/node", admin, body).status == 201


GLOBAL_RULES = [rule[:3] for rule in RULES if rule[2] is Scope.GLOBAL]


@pytest.mark.parametrize(
    "grant",
    [grant for grant in GLOBAL_RULES if grant[1] is not Operation.VIEW],
    ids=lambda grant: f"{grant[1]} {grant[0]}",
)
def test_no_single_rule_changes_what_belongs_to_another_organization(
    api: Api, world: World, grant: tuple[str, Operation, Scope], light_passwords: None
):
    """Except what is new and belongs to nobody yet."""
    resource, operation, scope = grant
    found = Rule.get(Rule.name == resource, Rule.operation == operation, Rule.scope == scope)
    asking = make_user(world.amsterdam, rules=[found.id])
    for what, attempt in CHANGES.items():
        assert send(api, world, attempt, asking).status == 401, what


# Public keys


def test_a_public_key_is_set_by_its_own_organization(api: Api, world: World, root: User):
    home = make_user(world.berlin, "Organization Admin")
    path = f"/organization/{world.berlin.id}"
    for who in (root, make_user(world.amsterdam, "Organization Admin")):
        assert api.patch(path, who, {"public_key": KEY}).problem == (401, "forbidden")
    for key in (KEY, OTHER_KEY, ""):
        assert api.patch(path, home, {"public_key": key}).json["public_key"] == key


def test_a_root_changes_an_organization_with_the_body_that_clients_of_3_11_send(
    api: Api, world: World, root: User
):
    """All seven fields, of which most are null, or all as they are."""
    organizations.update(world.berlin, {"public_key": KEY})
    path = f"/organization/{world.berlin.id}"
    nothing = dict.fromkeys(
        ["name", "address1", "address2", "zipcode", "country", "domain", "public_key"]
    )
    assert api.patch(path, root, nothing | {"country": "DE"}).status == 200
    assert api.patch(path, root, {"country": "AT", "public_key": KEY}).json["country"] == "AT"
    refused = api.patch(path, root, {"country": "CH", "public_key": OTHER_KEY})
    assert refused.problem == (401, "forbidden")
    assert "own users" in refused.json["msg"]
    row = again(world.berlin)
    assert (row.country, row.public_key) == ("AT", KEY)


def test_a_new_organization_may_come_with_its_public_key(api: Api, root: User):
    made = api.post("/organization", root, {"name": "new", "public_key": KEY})
    assert made.json["public_key"] == KEY


def test_a_public_key_is_stored_alone_and_in_one_form(api: Api, world: World, root: User):
    """Of two keys in one text, a page could show one, and encrypt for the other."""
    path, admin = f"/organization/{world.berlin.id}", make_user(world.berlin, "Organization Admin")
    pem, other = b64decode(KEY).decode(), b64decode(OTHER_KEY).decode()
    more = {
        "two keys": pem + other,
        "a key after one that is damaged": pem.replace("MII", "!MII") + other,
        "a header": other.replace("KEY-----\n", "KEY-----\nProc-Type: 4,X\n\n", 1) + pem,
        "text before": "the key of Berlin\n" + pem,
        "text after": pem + "the key of Berlin\n",
        "a sign within": pem.replace("MII", "!MII"),
    }
    for what, text in more.items():
        body = {"public_key": b64encode(text.encode()).decode()}
        assert api.patch(path, admin, body).problem == (400, "invalid"), what
        assert api.post("/organization", root, body | {"name": what}).problem == (400, "invalid")
    assert again(world.berlin).public_key == ""
    narrow = b64encode(f"\r\n{pem}".replace("\n", "\r\n").encode()).decode()
    assert api.patch(path, admin, {"public_key": narrow}).json["public_key"] == KEY
    assert api.patch(path, admin, {"public_key": narrow}).json["public_key"] == KEY


@pytest.mark.parametrize("key", UNUSABLE)
def test_a_public_key_that_nothing_can_be_encrypted_with_is_refused(
    api: Api, world: World, root: User, key: str
):
    """Stations could never deliver what they compute for its organization."""
    path, body = f"/organization/{world.amsterdam.id}", {"public_key": UNUSABLE[key]}
    for who in (make_user(world.amsterdam, "Organization Admin"), world.amsterdam_north):
        assert api.patch(path, who, body).problem == (400, "invalid")
    assert again(world.amsterdam).public_key == ""
    refused = api.post("/organization", root, body | {"name": "new"})
    assert refused.problem == (400, "invalid")
    assert not Organization.select().where(Organization.name == "new").exists()
    # One from before stays, sent again as it is by clients that send all fields.
    organizations.update(world.amsterdam, body)
    changed = api.patch(path, make_user(world.amsterdam, "Organization Admin"), body)
    assert changed.status == 200


def test_a_node_sets_a_missing_public_key_once(api: Api, world: World):
    path = f"/organization/{world.amsterdam.id}"
    node = world.amsterdam_north
    assert api.patch(path, node, {"public_key": KEY}).json["public_key"] == KEY
    # Said again it changes nothing; another one is refused.
    assert api.patch(path, node, {"public_key": KEY}).status == 200
    for other in (OTHER_KEY, ""):
        assert api.patch(path, node, {"public_key": other}).problem == (401, "forbidden")
    assert api.patch(f"/organization/{world.berlin.id}", node, {"public_key": KEY}).status == 401
    assert again(world.amsterdam).public_key == KEY


def test_of_two_first_public_keys_one_counts(world: World):
    assert organizations.publish_key(world.amsterdam, KEY) is True
    # Read before the other came.
    assert organizations.publish_key(world.amsterdam, OTHER_KEY) is False
    assert again(world.amsterdam).public_key == KEY


# Nodes


@pytest.mark.parametrize("field", ["name", "domain", "country", "address1"])
def test_a_node_does_not_change_its_organization(api: Api, world: World, field: str):
    """Policies of other stations name organizations."""
    before = Organization.get_by_id(world.amsterdam.id)
    body = {field: "Berlin", "public_key": KEY}
    answer = api.patch(f"/organization/{world.amsterdam.id}", world.amsterdam_north, body)
    assert answer.problem == (401, "forbidden")
    assert again(world.amsterdam).__data__ == before.__data__


def test_a_node_does_not_change_a_sibling(api: Api, world: World):
    for body in ({}, {"name": "x"}, {"ip": "10.0.0.1"}, {"clear_ip": True}):
        answer = api.patch(f"/node/{world.berlin_south.id}", world.berlin_north, body)
        assert answer.problem == (401, "forbidden")


def test_a_node_does_not_move_itself(api: Api, world: World):
    """A stolen key of one collaboration would open the others of the organization."""
    free = Collaboration.create(name="free")
    Node.delete().where(Node.id == world.berlin_south.id).execute()
    node = world.berlin_north
    for body in (
        {"collaboration_id": world.south.id},
        {"collaboration_id": free.id},
        {"organization_id": world.amsterdam.id},
    ):
        assert api.patch(f"/node/{node.id}", node, body).problem == (401, "forbidden")
    assert again(node).collaboration_id == world.north.id


@pytest.mark.parametrize(
    ("given", "kept"),
    [("10.76.0.3", "10.76.0.3"), ("fd00::1", "fd00::1"), ("FD00:0::1", "fd00::1"), ("", None)],
)
def test_the_ip_of_a_node_is_an_address(api: Api, world: World, given: str, kept: str | None):
    node = world.amsterdam_north
    assert api.patch(f"/node/{node.id}", node, {"ip": given}).json["ip"] == kept
    assert api.patch(f"/node/{node.id}", node, {"clear_ip": True}).json["ip"] is None


@pytest.mark.parametrize(
    "given", ["example.org", "10.76.0.3:80", "10.76.0.3/24", "http://10.76.0.3", "1", "\x1b[2J", 7]
)
def test_anything_else_is_no_ip(api: Api, world: World, root: User, given: Any):
    node = world.amsterdam_north
    for who in (node, root):
        assert api.patch(f"/node/{node.id}", who, {"ip": given}).problem == (400, "invalid")
    assert again(node).ip is None


# Users who may do more


@pytest.mark.parametrize("stronger", ["Root", "Collaboration Admin"])
def test_nobody_touches_a_user_who_may_do_more(api: Api, world: World, stronger: str):
    admin = make_user(world.amsterdam, "Organization Admin")
    strong = again(make_user(world.amsterdam, stronger))
    other = make_user(world.amsterdam, stronger)
    viewer = Role.get(Role.name == "Viewer").id
    path = f"/user/{strong.id}"
    for body in (
        {},
        {"firstname": "x"},
        {"lastname": "x"},
        {"username": "x"},
        {"email": "mine@example.org"},
        {"roles": []},
        {"roles": [viewer]},
        {"rules": []},
        {"rules": [Rule.get().id]},
    ):
        assert api.patch(path, admin, body).problem == (401, "forbidden"), body
    assert api.delete(path, admin).problem == (401, "forbidden")
    assert again(strong).__data__ == strong.__data__
    assert users.rules_of(strong.id) == users.rules_of(other.id)
    # One who may do as much does all of that.
    assert api.patch(path, other, {"lastname": "x", "roles": [viewer]}).status == 200
    assert api.delete(path, admin).status == 200
