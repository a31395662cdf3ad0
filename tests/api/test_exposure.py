"""What lists, filters, paths and headers tell to those whom it does not concern."""

import time
from typing import Any
from urllib.parse import quote

import pytest

from tests.api.client import Answer, Api
from tests.api.conftest import configured
from tests.models.factories import World, make_task, make_user
from vantage6.api.app import create_app
from vantage6.api.identity.tokens import Tokens
from vantage6.common.config import Instance
from vantage6.models.store import roles
from vantage6.models.tables import Rule, User, UserRole

ORIGIN = "https://ui.example.org"


def test_roles_of_a_stranger_are_not_found_by_a_filter(api: Api, world: World, root: User):
    stranger = make_user(world.cairo, "Viewer")
    colleague = make_user(world.amsterdam, "Viewer")
    reader = make_user(world.amsterdam, "Viewer")

    def names(who: User, query: str) -> list[str]:
        return [row["name"] for row in api.get("/role", who, query=query).json]

    assert names(reader, f"user_id={stranger.id}") == names(reader, "user_id=999") == []
    assert names(reader, f"user_id={colleague.id}") == ["Viewer"]
    assert names(reader, f"user_id={reader.id}") == ["Viewer"]
    assert names(root, f"user_id={stranger.id}") == ["Viewer"]
    nobody = make_user(world.amsterdam)
    UserRole.create(user=nobody, role=roles.create("own", "", [], world.amsterdam.id).id)
    assert names(nobody, f"user_id={nobody.id}") == ["own"]
    assert names(nobody, f"user_id={colleague.id}") == []


def test_rules_of_a_foreign_role_are_not_found_by_a_filter(api: Api, world: World, root: User):
    rule = Rule.get(Rule.name == "task", Rule.operation == "CREATE", Rule.scope == "GLOBAL")
    foreign = roles.create("foreign", "", [rule.id], world.cairo.id)
    own = roles.create("own", "", [rule.id], world.amsterdam.id)
    reader = make_user(world.amsterdam, "Viewer")

    def ids(who: User, role: int) -> list[int]:
        return [row["id"] for row in api.get("/rule", who, query=f"role_id={role}").json]

    assert ids(reader, foreign.id) == ids(reader, 999) == []
    assert ids(reader, own.id) == ids(root, foreign.id) == [rule.id]
    assert ids(make_user(world.amsterdam), own.id) == []
    # The default roles are in everybody's list of roles.
    default = api.get("/role", reader, query="name=Researcher").json[0]["id"]
    assert len(ids(reader, default)) > 10
    assert len(api.get("/rule", reader).json) > 40


def test_a_partner_is_shown_without_what_is_not_shared(api: Api, world: World, root: User):
    role = roles.create("theirs", "", [], world.berlin.id)
    person = make_user(world.berlin)
    reader = make_user(world.amsterdam, "Viewer")

    def shown(who: User) -> dict[str, Any]:
        answer: dict[str, Any] = api.get(f"/organization/{world.berlin.id}", who).json
        (same,) = [
            row for row in api.get("/organization", who).json if row["id"] == world.berlin.id
        ]
        assert same == answer
        return answer

    def numbers(links: list[dict[str, Any]] | None) -> list[int]:
        return [link["id"] for link in links or ()]

    partner = shown(reader)
    assert numbers(partner["collaborations"]) == [world.north.id]
    assert numbers(partner["nodes"]) == [world.berlin_north.id]
    assert (partner["users"], partner["roles"]) == (None, [])
    everything = shown(root)
    assert numbers(everything["collaborations"]) == [world.north.id, world.south.id]
    assert numbers(everything["nodes"]) == [world.berlin_north.id, world.berlin_south.id]
    assert (numbers(everything["users"]), everything["roles"]) == ([person.id], [role.id])


@pytest.mark.parametrize(
    "number", ["\u0661", "\u0967", "\uff11", "²", "1_0", "+1", "-1", " 1", "1 "]
)
@pytest.mark.parametrize("path", ["/task/{}", "/role/1/rule/{}", "/node/{}/inbox"])
def test_a_number_in_other_digits_is_not_found(
    api: Api, world: World, root: User, path: str, number: str
):
    make_task(world.north, [world.amsterdam])
    answer = api.send("GET", path.format(quote(number)), root)
    assert answer.status in (404, 405)
    assert answer.json["msg"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/task", "description"),
        ("/task", "name"),
        ("/task", "image"),
        ("/task", "database"),
        ("/user", "username"),
        ("/user", "email"),
        ("/organization", "name"),
        ("/collaboration", "name"),
        ("/node", "name"),
        ("/role", "name"),
        ("/role", "description"),
    ],
)
def test_a_pattern_that_makes_a_database_search_long_is_refused(
    api: Api, world: World, root: User, path: str, name: str
):
    make_task(world.north, [world.amsterdam], description="a" * 60_000)

    def cost(pattern: str) -> tuple[Answer, float]:
        # Of the processor's time, so that other work of the machine does not count.
        started = time.process_time()
        answer = api.get(path, root, query=f"{name}={quote(pattern)}")
        return answer, time.process_time() - started

    allowed = [cost(pattern) for pattern in ("%average%", "x" * 1000, "%a_b%c%d%")]
    assert [answer.status for answer, _ in allowed] == [200] * 3
    for pattern in ("%" + "a" * 1000 + "b", "%a" * 100 + "b", "a" * 2000):
        answer, taken = cost(pattern)
        assert answer.problem == (400, "pattern_too_long")
        assert taken < 100 * max(seconds for _, seconds in allowed)


def test_pages_of_other_origins_read_nothing_unless_the_operator_says_so(
    instance: Instance, api: Api
):
    def answered(*origins: str) -> str | None:
        changed = configured(instance, allowed_origins=list(origins))
        tokens = Tokens.from_config(changed.config, changed.folder)
        caller = Api(create_app(changed), tokens)
        return caller.get("/version", Origin=ORIGIN).headers.get("access-control-allow-origin")

    assert api.get("/version", Origin=ORIGIN).headers.get("access-control-allow-origin") is None
    assert answered("*") == "*"
    assert answered(ORIGIN, "https://other.example.org") == ORIGIN
    assert answered("https://other.example.org") is None
