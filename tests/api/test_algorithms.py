"""The shelf of function cards: who sees, adds, changes, reviews and removes them."""

import json
from typing import Any

import pytest

from tests.api.client import Api
from tests.api.test_queries import counted
from tests.models.cards import card, shelve
from tests.models.factories import IMAGE, World, again, make_user
from vantage6.common.clock import now
from vantage6.common.enums import CardState
from vantage6.common.errors import Conflict
from vantage6.models.store import algorithms, collaborations, users
from vantage6.models.tables import (
    Algorithm,
    AlgorithmCard,
    AlgorithmImage,
    AlgorithmReview,
    Rule,
    User,
)


@pytest.fixture
def uri(database_uri: str) -> str:
    """Run with both databases."""
    return database_uri


@pytest.fixture
def reviewer(world: World) -> User:
    """Give a user of Amsterdam that may review."""
    return make_user(world.amsterdam, "Organization Admin")


@pytest.fixture
def stranger(world: World) -> User:
    """Give a user that shares no collaboration with Amsterdam, and may review."""
    return make_user(world.cairo, "Collaboration Admin")


def put(api: Api, who: User, world: World, **changes: Any) -> dict[str, Any]:
    """Put a card of the north on the shelf."""
    body = {"card": card(**changes), "collaboration_id": world.north.id}
    answer = api.post("/algorithm", who, body)
    assert answer.status == 201, answer.json
    made: dict[str, Any] = answer.json
    return made


def reviewed(api: Api, who: User, row: dict[str, Any], note: str = "") -> Any:
    body = {"state": "reviewed", "sha256": row["sha256"], "note": note}
    return api.patch(f"/algorithm/{row['id']}", who, body)


def listed(api: Api, who: User, query: str = "") -> list[int]:
    return [row["id"] for row in api.get("/algorithm", who, query).json]


# What it holds


def test_a_card_is_a_draft_that_names_its_author(api: Api, world: World, researcher: User):
    made = put(api, researcher, world)
    assert (made["name"], made["version"], made["title"]) == ("average", "1.0.0", "Average")
    assert made["functions"] == ["master", "average_partial"]
    assert made["images"] == [{"reference": IMAGE, "digest": None}]
    assert (made["state"], made["reason"], made["reviews"]) == ("draft", None, [])
    assert made["user"]["id"] == researcher.id
    assert made["organization"]["id"] == world.amsterdam.id
    assert made["collaboration"]["id"] == world.north.id
    assert len(made["sha256"]) == 64
    shown = api.get(f"/algorithm/{made['id']}", researcher).json
    assert shown == made
    assert list(shown["card"]["functions"][0]["arguments"]["properties"]) == ["column_name"]


def test_a_list_shows_cards_without_their_documents(api: Api, world: World, researcher: User):
    put(api, researcher, world)
    (shown,) = api.get("/algorithm", researcher).json
    assert "card" not in shown
    with counted() as statements:
        assert api.get("/algorithm", researcher).status == 200
    assert not [event for event in statements if "algorithm_card" in event.sql]


def test_filters_of_cards(api: Api, world: World, root: User, researcher: User):
    one = put(api, researcher, world)["id"]
    other = shelve(None, name="other", images=["registry.example:5000/other:2"], version="2").id
    assert listed(api, root) == [one, other]
    for query, found in (
        ("name=oth%25", [other]),
        ("image=registry.example:5000/other:2", [other]),
        (f"image={IMAGE}", [one]),
        ("state=reviewed", [other]),
        ("state=none", []),
        (f"collaboration_id={world.north.id}", [one]),
        (f"user_id={researcher.id}", [one]),
    ):
        assert listed(api, root, query) == found, query


def test_the_filter_for_a_user_tells_no_more_than_the_reply(api: Api, world: World):
    author = make_user(world.berlin, "Researcher")
    id_ = shelve(world.north, author=author).id
    query = f"user_id={author.id}"
    (shown,) = api.get("/algorithm", viewer := make_user(world.amsterdam, "Viewer")).json
    assert (shown["id"], shown["user"]) == (id_, None)
    assert listed(api, viewer, query) == listed(api, viewer, "user_id=999999") == []
    for who in (author, make_user(world.berlin, "Organization Admin")):
        assert listed(api, who, query) == [id_]


def test_a_draft_is_not_retired_as_one_user_alone_would_block_an_image(
    api: Api, world: World, reviewer: User
):
    made = put(api, reviewer, world)
    path = f"/algorithm/{made['id']}"
    for who in (reviewer, make_user(world.berlin, "Organization Admin")):
        answer = api.patch(path, who, {"state": "retired"})
        assert answer.problem == (409, "conflict")
        assert "Only a reviewed card is retired" in answer.json["msg"]
    assert again(Algorithm.get()).state is CardState.DRAFT
    assert reviewed(api, make_user(world.berlin, "Organization Admin"), made).status == 200
    assert api.patch(path, reviewer, {"state": "retired"}).status == 200


def test_a_note_commands_no_terminal(api: Api, world: World, reviewer: User):
    made = put(api, reviewer, world)
    for note in ("\x1b[2Jno", "no\u202e", "\u2800"):
        assert reviewed(api, reviewer, made, note).status == 400


def test_a_card_ends_with_its_collaboration_and_outlives_its_author(
    api: Api, world: World, researcher: User, reviewer: User, root: User
):
    made = put(api, researcher, world)
    assert reviewed(api, reviewer, made).status == 200
    for user in (researcher, reviewer):
        users.delete(again(user))
    shown = api.get(f"/algorithm/{made['id']}", root).json
    assert (shown["user"], shown["state"]) == (None, "reviewed")
    assert shown["organization"]["id"] == world.amsterdam.id
    assert [review["user"] for review in shown["reviews"]] == [None]
    collaborations.delete(again(world.north))
    for table in (Algorithm, AlgorithmCard, AlgorithmImage, AlgorithmReview):
        assert table.select().count() == 0


# Who sees them


def test_a_card_of_a_collaboration_is_seen_by_its_members_only(
    api: Api, world: World, researcher: User, reviewer: User, stranger: User
):
    own, common = put(api, researcher, world)["id"], shelve(None).id
    berlin = make_user(world.berlin, "Viewer")
    assert listed(api, berlin) == listed(api, reviewer) == [own, common]
    assert listed(api, stranger) == [common]
    path = f"/algorithm/{own}"
    read = algorithms.get(own).sha256
    for answer in (
        api.get(path, stranger),
        api.patch(path, stranger, {"state": "retired"}),
        api.patch(path, stranger, {"card": card()}),
        api.patch(path, stranger, {"state": "reviewed", "sha256": read}),
        api.delete(path, stranger),
    ):
        # As if there were none.
        assert answer.problem == (404, "not_found")
    query = f"collaboration_id={world.north.id}&image={IMAGE}"
    assert api.get("/algorithm/match", stranger, query).problem == (401, "forbidden")
    assert listed(api, stranger, f"collaboration_id={world.north.id}") == []


def test_a_user_without_rules_sees_and_changes_nothing(api: Api, world: World, researcher: User):
    made = put(api, researcher, world)
    nobody = make_user(world.amsterdam)
    for answer in (
        api.get("/algorithm", nobody),
        api.get(f"/algorithm/{made['id']}", nobody),
        api.get("/algorithm/match", nobody, f"collaboration_id={world.north.id}&image={IMAGE}"),
        api.post("/algorithm", nobody, {"card": card()}),
        api.delete(f"/algorithm/{made['id']}", nobody),
    ):
        assert answer.problem == (401, "forbidden")


def test_who_wrote_and_reviewed_is_shown_to_those_that_may_see_users(
    api: Api, world: World, researcher: User, reviewer: User
):
    made = put(api, researcher, world)
    reviewed(api, reviewer, made, "read all of it")
    for who, user in ((researcher, reviewer.id), (make_user(world.berlin, "Viewer"), None)):
        (review,) = api.get(f"/algorithm/{made['id']}", who).json["reviews"]
        assert review["user"] == (user and review["user"] | {"id": user})
        assert review["organization"]["id"] == world.amsterdam.id
        assert (review["note"], review["sha256"]) == ("read all of it", made["sha256"])


# Who adds them


def test_a_card_is_for_the_own_collaborations_and_for_all_with_scope_global(
    api: Api, world: World, researcher: User, root: User
):
    elsewhere = {"card": card(), "collaboration_id": world.south.id}
    everywhere = {"card": card()}
    for body in (elsewhere, everywhere, elsewhere | {"collaboration_id": 999}):
        # Not even whether there is such a collaboration.
        assert api.post("/algorithm", researcher, body).problem == (401, "forbidden")
    assert Algorithm.select().count() == 0
    assert api.post("/algorithm", root, everywhere).json["collaboration"] is None
    unknown = elsewhere | {"collaboration_id": 999}
    assert api.post("/algorithm", root, unknown).problem == (404, "not_found")


# Who reviews them


def test_a_review_tells_who_read_what_and_when(
    api: Api, world: World, researcher: User, reviewer: User
):
    made = put(api, researcher, world)
    before = now()
    shown = reviewed(api, reviewer, made, "compared with R").json
    (review,) = shown["reviews"]
    assert (shown["state"], review["note"]) == ("reviewed", "compared with R")
    row = AlgorithmReview.get()
    assert before <= row.reviewed_at <= now()
    assert (row.user_id, row.sha256) == (reviewer.id, made["sha256"])
    # A second one of the same user replaces the first, one of another stands beside it.
    reviewed(api, reviewer, made, "again")
    reviewed(api, make_user(world.berlin, "Organization Admin"), made, "and I")
    notes = [one["note"] for one in api.get(f"/algorithm/{made['id']}", researcher).json["reviews"]]
    assert notes == ["again", "and I"]


def test_the_author_of_a_document_does_not_review_it(
    api: Api, world: World, researcher: User, reviewer: User
):
    made = put(api, reviewer, world)
    assert reviewed(api, reviewer, made).problem == (401, "forbidden")
    # With another author the one of before may, and the new one may not.
    second = make_user(world.berlin, "Organization Admin")
    path = f"/algorithm/{made['id']}"
    changed = api.patch(path, second, {"card": card(version="1.0.1")}).json
    assert reviewed(api, second, changed).problem == (401, "forbidden")
    assert reviewed(api, reviewer, changed).json["state"] == "reviewed"


def test_a_review_takes_the_rule_to_edit_in_a_scope_wider_than_own(
    api: Api, world: World, researcher: User, reviewer: User
):
    made = put(api, researcher, world)
    path = f"/algorithm/{made['id']}"
    for who in (make_user(world.berlin, "Researcher"), make_user(world.berlin, "Viewer")):
        assert reviewed(api, who, made).problem == (401, "forbidden")
    # Of another author now; that it was his once does not help the first one.
    changed = api.patch(path, reviewer, {"card": card(version="1.0.1")}).json
    assert reviewed(api, researcher, changed).problem == (401, "forbidden")
    for state in ("retired", "draft"):
        assert api.patch(path, researcher, {"state": state}).problem == (401, "forbidden")
    assert again(Algorithm.get()).state is CardState.DRAFT


def test_a_changed_document_takes_its_reviews_back(
    api: Api, world: World, researcher: User, reviewer: User
):
    made = put(api, researcher, world)
    reviewed(api, reviewer, made)
    path = f"/algorithm/{made['id']}"
    other = make_user(world.berlin, "Organization Admin")
    changed = api.patch(path, other, {"card": card(version="2.0.0", images=["a/b"])}).json
    assert (changed["state"], changed["reviews"]) == ("draft", [])
    assert (changed["version"], changed["images"][0]["reference"]) == ("2.0.0", "a/b")
    assert changed["sha256"] != made["sha256"]
    assert changed["user"] is None or changed["user"]["id"] == other.id
    assert algorithms.document_of(made["id"])["version"] == "2.0.0"


def test_a_review_of_a_document_that_has_changed_is_refused(
    api: Api, world: World, researcher: User, reviewer: User
):
    made = put(api, researcher, world)
    api.patch(f"/algorithm/{made['id']}", researcher, {"card": card(version="1.0.1")})
    assert reviewed(api, reviewer, made).problem == (409, "card_changed")
    # Also where it changes after the row was read.
    row = algorithms.get(made["id"])
    stale = algorithms.get(made["id"])
    algorithms.replace(
        row, algorithms.read(card(version="3")), organization_id=None, user_id=researcher.id
    )
    given = {"note": "", "user_id": reviewer.id, "organization_id": world.amsterdam.id}
    with pytest.raises(Conflict, match="has changed"):
        algorithms.review(stale, sha256=stale.sha256, **given)
    for act in (algorithms.delete, algorithms.withdraw):
        with pytest.raises(Conflict):
            act(stale)
    assert AlgorithmReview.select().count() == 0
    assert algorithms.get(made["id"]).state is CardState.DRAFT


def test_a_review_names_what_was_read(api: Api, world: World, researcher: User, reviewer: User):
    made = put(api, researcher, world)
    path = f"/algorithm/{made['id']}"
    for body in (
        {"state": "reviewed"},
        {"state": "reviewed", "sha256": "0"},
        {"state": "reviewed", "sha256": made["sha256"], "card": card()},
        {"state": "believed"},
        {},
    ):
        assert api.patch(path, reviewer, body).status == 400, body
    assert algorithms.get(made["id"]).state is CardState.DRAFT


# Who changes and removes them


def test_an_author_changes_and_removes_drafts_and_nothing_that_was_reviewed(
    api: Api, world: World, researcher: User, reviewer: User
):
    made = put(api, researcher, world)
    path = f"/algorithm/{made['id']}"
    changed = api.patch(path, researcher, {"card": card(version="1.0.1")}).json
    reviewed(api, reviewer, changed)
    for state in ("reviewed", "retired"):
        assert api.patch(path, researcher, {"card": card()}).problem == (401, "forbidden")
        assert api.delete(path, researcher).problem == (401, "forbidden")
        if state == "reviewed":
            api.patch(path, reviewer, {"state": "retired", "note": "wrong for ties"})
    assert api.get(path, researcher).json["reason"] == "wrong for ties"
    draft = put(api, researcher, world)["id"]
    colleague = make_user(world.amsterdam, "Researcher")
    for who, status in ((colleague, 401), (researcher, 200)):
        assert api.delete(f"/algorithm/{draft}", who).status == status


def test_a_retired_card_becomes_a_draft_without_reviews_again(
    api: Api, world: World, researcher: User, reviewer: User
):
    made = put(api, researcher, world)
    reviewed(api, reviewer, made)
    path = f"/algorithm/{made['id']}"
    retired = api.patch(path, reviewer, {"state": "retired"}).json
    assert (retired["state"], len(retired["reviews"])) == ("retired", 1)
    back = api.patch(path, reviewer, {"state": "draft"}).json
    assert (back["state"], back["reason"], back["reviews"]) == ("draft", None, [])


def test_a_card_for_all_is_changed_with_scope_global_only(
    api: Api, world: World, root: User, reviewer: User
):
    row = shelve(None)
    path = f"/algorithm/{row.id}"
    admin = make_user(world.amsterdam, "Collaboration Admin")
    for who in (reviewer, admin):
        assert api.patch(path, who, {"card": card()}).problem == (401, "forbidden")
        assert api.patch(path, who, {"state": "retired"}).problem == (401, "forbidden")
        assert api.delete(path, who).problem == (401, "forbidden")
    assert api.patch(path, root, {"state": "retired"}).status == 200
    assert api.delete(path, root).status == 200


def test_a_user_that_got_each_rule_of_3_11_by_hand_still_reaches_everything(api: Api, world: World):
    """Rules for function cards came later, and no upgrade gives them to such a user."""
    old = [row.id for row in Rule.select().where(Rule.name != "algorithm")]
    user = make_user(world.amsterdam, rules=old)
    assert api.get(f"/user/{make_user(world.cairo).id}", user).status == 200


# Bounds


@pytest.mark.parametrize(
    "changes",
    [
        {"description": "x" * 2**18},
        {"card": 2},
        {"functions": "none"},
        {"images": []},
        {"name": ""},
        {"name": "a\0b"},
        {"title": "\ud800"},
        {"unknown": 1},
        {"images": ["i" * 300]},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_card_that_is_none_is_refused(
    api: Api, world: World, researcher: User, changes: dict[str, Any]
):
    body = {"card": card(**changes), "collaboration_id": world.north.id}
    assert api.post("/algorithm", researcher, body).status == 400
    made = put(api, researcher, world)
    assert api.patch(f"/algorithm/{made['id']}", researcher, {"card": body["card"]}).status == 400
    assert Algorithm.get().sha256 == made["sha256"]


def test_the_words_of_a_card_come_back_as_they_were(api: Api, world: World, researcher: User):
    words = 'Größe <script>alert("x")</script> \\ 😀'
    made = put(api, researcher, world, title=words, description=words)
    assert made["title"] == made["card"]["title"] == words
    text = AlgorithmCard.get().content
    assert json.loads(text)["description"] == words
