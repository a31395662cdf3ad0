"""An organization is in a collaboration because one of its administrators agreed."""

from typing import Any

import pytest

from tests.api.client import Api
from tests.models.factories import World, again, make_task, make_user, side_by_side
from vantage6.common.errors import Conflict
from vantage6.models.store import collaborations, invitations, organizations, users
from vantage6.models.tables import Collaboration, Invitation, Rule, User


@pytest.fixture
def uri(database_uri: str) -> str:
    """Run with both databases."""
    return database_uri


@pytest.fixture
def inviting(world: World) -> User:
    """Give an administrator of the north, from Amsterdam."""
    return make_user(world.amsterdam, "Collaboration Admin")


@pytest.fixture
def invited(world: World) -> User:
    """Give an administrator of Cairo, which is not in the north."""
    return make_user(world.cairo, "Organization Admin")


@pytest.fixture
def creator(world: World) -> User:
    """Give somebody of Amsterdam who may make collaborations, and who administers Amsterdam."""
    rule = Rule.get(Rule.name == "collaboration", Rule.operation == "CREATE")
    return make_user(world.amsterdam, "Organization Admin", rules=[rule.id])


def invite(api: Api, world: World, who: User) -> int:
    """Invite Cairo to the north."""
    body = {"collaboration_id": world.north.id, "organization_id": world.cairo.id}
    answer = api.post("/invitation", who, body)
    assert answer.status == 201, answer.json
    return int(answer.json["id"])


def members(collaboration: Collaboration) -> set[int]:
    return set(organizations.members_of([collaboration.id]))


def listed(api: Api, who: User, query: str = "") -> list[int]:
    return [row["id"] for row in api.get("/invitation", who, query).json]


# Members by their consent


def test_nobody_is_made_a_member_without_having_agreed(
    api: Api, world: World, inviting: User, creator: User
):
    before = members(world.north)
    added = api.post(
        f"/collaboration/{world.north.id}/organization", inviting, {"id": world.cairo.id}
    )
    wanted = {"name": "renamed", "organization_ids": [*before, world.cairo.id]}
    changed = api.patch(f"/collaboration/{world.north.id}", inviting, wanted)
    body = {"name": "new", "organization_ids": [world.amsterdam.id, world.berlin.id]}
    made = api.post("/collaboration", creator, body)
    for answer in (added, changed, made):
        assert answer.problem == (401, "forbidden")
        assert "has not agreed" in answer.json["msg"]
        assert "client.collaboration.invite" in answer.json["msg"]
    assert members(world.north) == before
    assert again(world.north).name == "north"
    assert Collaboration.select().count() == 2


def test_who_makes_a_collaboration_begins_with_the_own_organization(
    api: Api, world: World, creator: User
):
    body = {"name": "new", "organization_ids": [world.amsterdam.id]}
    assert api.post("/collaboration", creator, body).status == 200


def test_root_agrees_for_everybody_as_with_3_11(api: Api, world: World, root: User):
    body: dict[str, Any] = {"id": world.cairo.id}
    assert api.post(f"/collaboration/{world.north.id}/organization", root, body).status == 200
    body = {"organization_ids": [world.cairo.id, world.berlin.id]}
    assert api.patch(f"/collaboration/{world.north.id}", root, body).status == 200
    body = {"name": "new", "organization_ids": [world.berlin.id, world.cairo.id]}
    assert api.post("/collaboration", root, body).status == 200
    assert members(world.north) == {world.berlin.id, world.cairo.id}


def test_a_member_is_put_in_again_by_any_administrator(api: Api, world: World, inviting: User):
    """Which changes nothing, as clients of 3.11 expect."""
    body = {"id": world.berlin.id}
    answer = api.post(f"/collaboration/{world.north.id}/organization", inviting, body)
    assert [row["name"] for row in answer.json] == ["Amsterdam", "Berlin"]


def test_leaving_a_member_out_of_a_change_needs_the_rule_that_takes_it_out(
    api: Api, world: World, inviting: User
):
    path = f"/collaboration/{world.north.id}"
    body = {"organization_ids": [world.amsterdam.id]}
    assert api.patch(path, inviting, body).problem == (401, "forbidden")
    assert api.send("DELETE", f"{path}/organization", inviting, {"id": world.berlin.id}).status == (
        401
    )
    assert members(world.north) == {world.amsterdam.id, world.berlin.id}


# Inviting and answering


def test_an_invitation_shows_what_one_agrees_to(
    api: Api, world: World, inviting: User, invited: User
):
    id_ = invite(api, world, inviting)
    assert world.cairo.id not in members(world.north)
    (shown,) = api.get("/invitation", invited).json
    assert shown["id"] == id_
    assert shown["collaboration"] == {
        "id": world.north.id,
        "name": "north",
        "encrypted": False,
        "organizations": [
            {"id": world.amsterdam.id, "name": "Amsterdam"},
            {"id": world.berlin.id, "name": "Berlin"},
        ],
    }
    assert (shown["organization"]["id"], shown["user"]["id"]) == (world.cairo.id, inviting.id)
    # It lets nobody in yet.
    assert api.get(f"/collaboration/{world.north.id}", invited).problem == (401, "forbidden")


def test_an_accepted_invitation_makes_a_member(
    api: Api, world: World, inviting: User, invited: User
):
    task = make_task(world.north, [world.amsterdam])
    path = f"/invitation/{invite(api, world, inviting)}/accept"
    answer = api.post(path, invited)
    assert (answer.status, answer.json["id"]) == (200, world.north.id)
    assert members(world.north) == {world.amsterdam.id, world.berlin.id, world.cairo.id}
    assert api.get(f"/task/{task.id}", invited).status == 200
    assert listed(api, invited) == []
    assert api.post(path, invited).problem == (404, "not_found")


@pytest.mark.parametrize("who", ["inviting", "partner", "viewer", "nobody"])
def test_nobody_else_agrees_in_the_name_of_an_organization(
    api: Api, world: World, inviting: User, who: str
):
    asking = {
        "inviting": lambda: inviting,
        "partner": lambda: make_user(world.berlin, "Collaboration Admin"),
        "viewer": lambda: make_user(world.cairo, "Viewer"),
        "nobody": lambda: None,
    }[who]()
    path = f"/invitation/{invite(api, world, inviting)}/accept"
    assert api.post(path, asking).status == 401
    # Nor does its station.
    assert api.post(path, world.cairo_south).problem == (401, "forbidden")
    assert members(world.north) == {world.amsterdam.id, world.berlin.id}


def test_root_may_accept(api: Api, world: World, inviting: User, root: User):
    id_ = invite(api, world, inviting)
    assert api.post(f"/invitation/{id_}/accept", root).status == 200


def test_an_invitation_is_declined_or_taken_back(
    api: Api, world: World, inviting: User, invited: User
):
    for who in (invited, inviting):
        id_ = invite(api, world, inviting)
        viewer = make_user(world.cairo, "Viewer")
        assert api.delete(f"/invitation/{id_}", viewer).problem == (401, "forbidden")
        assert api.delete(f"/invitation/{id_}", who).status == 200
        assert api.post(f"/invitation/{id_}/accept", invited).problem == (404, "not_found")
    assert members(world.north) == {world.amsterdam.id, world.berlin.id}


def test_only_an_administrator_of_the_collaboration_invites(
    api: Api, world: World, inviting: User, invited: User
):
    body = {"collaboration_id": world.north.id, "organization_id": world.cairo.id}
    for who in (invited, make_user(world.amsterdam, "Organization Admin")):
        assert api.post("/invitation", who, body).problem == (401, "forbidden")
    # Nobody invites himself, or others, into a collaboration that is not his.
    for organization in (world.amsterdam, world.berlin):
        body = {"collaboration_id": world.south.id, "organization_id": organization.id}
        assert api.post("/invitation", inviting, body).problem == (401, "forbidden")
    assert Invitation.select().count() == 0


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"organization_id": 999}, (404, "not_found")),
        ({"collaboration_id": 999}, (404, "not_found")),
        ({"organization_id": None}, (400, "invalid")),
        ({"organization_id": "berlin"}, (400, "member")),
    ],
)
def test_an_invitation_that_cannot_be_is_refused(
    api: Api, world: World, inviting: User, change: dict[str, Any], problem: tuple[int, str]
):
    change = {
        key: getattr(getattr(world, str(one), None), "id", one) for key, one in change.items()
    }
    body = {"collaboration_id": world.north.id, "organization_id": world.cairo.id} | change
    assert api.post("/invitation", inviting, body).problem == problem


def test_an_organization_is_asked_once_at_a_time(api: Api, world: World, inviting: User):
    invite(api, world, inviting)
    body = {"collaboration_id": world.north.id, "organization_id": world.cairo.id}
    assert api.post("/invitation", inviting, body).problem == (400, "invited")


def test_invitations_are_seen_by_both_sides_and_by_nobody_else(
    api: Api, world: World, inviting: User, invited: User, root: User
):
    id_ = invite(api, world, inviting)
    delft = organizations.create(name="Delft")
    south = invitations.create(world.south, delft, None)
    partner = make_user(world.berlin, "Viewer")
    assert listed(api, invited) == [id_, south.id]
    assert listed(api, inviting) == [id_]
    assert listed(api, partner) == [id_, south.id]
    assert listed(api, make_user(delft, "Viewer")) == [south.id]
    assert listed(api, root) == [id_, south.id]
    assert listed(api, root, f"organization_id={delft.id}") == [south.id]
    assert listed(api, root, f"collaboration_id={world.north.id}") == [id_]
    assert api.get("/invitation", make_user(world.cairo)).problem == (401, "forbidden")


# At the same moment


def test_an_invitation_that_was_taken_back_lets_nobody_in(world: World):
    for _ in range(5):
        row = invitations.create(world.north, world.cairo, None)
        outcomes = side_by_side(
            lambda row=row: invitations.accept(row), lambda row=row: invitations.withdraw(row)
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "NoneType"]
        accepted = isinstance(outcomes[1], Conflict)
        assert (world.cairo.id in members(world.north)) is accepted
        if accepted:
            collaborations.remove_member(world.north, world.cairo.id)


def test_an_invitation_does_not_bring_back_one_that_left(
    api: Api, world: World, inviting: User, invited: User, root: User
):
    id_ = invite(api, world, inviting)
    path, body = f"/collaboration/{world.north.id}/organization", {"id": world.cairo.id}
    assert api.post(path, root, body).status == 200
    assert api.send("DELETE", path, root, body).status == 200
    assert api.post(f"/invitation/{id_}/accept", invited).problem == (404, "not_found")


def test_an_invitation_ends_with_its_collaboration_and_outlives_who_asked(
    api: Api, world: World, inviting: User, invited: User, root: User
):
    invite(api, world, inviting)
    users.delete(inviting)
    (shown,) = api.get("/invitation", invited).json
    assert shown["user"] is None
    assert api.delete(f"/collaboration/{world.north.id}", root).status == 200
    assert Invitation.select().count() == 0
