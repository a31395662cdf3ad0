"""What stands within or below something else asks for its own right: routes x includes x rules."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.api.client import Api
from tests.models.factories import World, finish, make_task, make_user, result_of
from vantage6.models.tables import Rule, User

SECRET = "secret"


@dataclass(frozen=True)
class Way:
    """A request, the kind that it asks for, and what must not be seen without a right to it."""

    path: str
    query: str
    outer: str
    inner: str
    #: What tells that something of the inner kind is there.
    trace: str


WAYS = (
    Way("/task", "include=results", "task", "result", SECRET),
    Way("/task", "include=results&include=metadata", "task", "result", SECRET),
    Way("/task", "include=results&page=1", "task", "result", SECRET),
    Way("/task/{task}", "include=results", "task", "result", SECRET),
    Way("/result", "include=task", "result", "task", "telling name"),
    Way("/result", "include=task&include=metadata", "result", "task", "telling name"),
    Way("/result", "include=task&payload=false", "result", "task", "telling name"),
    Way("/result/{result}", "include=task", "result", "task", "telling name"),
    Way("/task/{task}/result", "", "result", "result", SECRET),
    Way("/collaboration/{north}/task", "", "task", "task", "telling name"),
    Way("/collaboration/{north}/task", "include=results", "task", "task", "telling name"),
    Way("/collaboration/{north}/organization", "", "collaboration", "organization", "Berlin"),
    Way("/collaboration/{north}/node", "", "collaboration", "node", "last_seen"),
    Way("/organization/{amsterdam}/collaboration", "", "collaboration", "collaboration", "north"),
    Way("/organization/{amsterdam}/node", "", "node", "node", "last_seen"),
)
#: What is never in an answer to which the include does not belong.
NEVER = (
    ("/task", ""),
    ("/task/{task}", "include=metadata&include=results"),
    ("/collaboration/{north}/task", "include=results"),
    ("/collaboration/{north}", "include=tasks&include=results"),
)
NOUNS = ("task", "result", "collaboration", "organization", "node", "user", "role", "port")


@pytest.fixture
def ids(world: World) -> dict[str, int]:
    """Give ids of a task with a result in the north, and of others."""
    task = make_task(world.north, [world.amsterdam, world.berlin], name="telling name")
    for place, node in ((world.amsterdam, "amsterdam_north"), (world.berlin, "berlin_north")):
        finish(result_of(task, place), getattr(world, node), result=SECRET, log=SECRET)
    names = {name: row.id for name, row in vars(world).items()}
    return {**names, "task": task.id, "result": result_of(task, world.berlin).id}


def holder(world: World, nouns: Iterable[str], scopes: Iterable[str]) -> User:
    """Return somebody of Amsterdam who may view these, in these scopes, and nothing else."""
    found = Rule.select().where(
        Rule.name.in_(list(nouns)), Rule.operation == "VIEW", Rule.scope.in_(list(scopes))
    )
    return make_user(world.amsterdam, rules=[rule.id for rule in found])


def shown(api: Api, way: Way, ids: dict[str, int], who: User) -> tuple[int, bool]:
    """Return the status of the answer, and whether the inner kind can be seen in it."""
    answer = api.get(way.path.format(**ids), who, query=way.query)
    return answer.status, answer.status == 200 and way.trace in answer.text


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way.path}?{way.query}")
@pytest.mark.parametrize("scope", ["ORGANIZATION", "GLOBAL"])
def test_each_kind_asks_for_its_own_right(
    api: Api, world: World, ids: dict[str, int], way: Way, scope: str
):
    for noun in NOUNS:
        expected = (200, True) if way.outer == way.inner == noun else (401, False)
        assert shown(api, way, ids, holder(world, [noun], [scope])) == expected, noun
    scopes = [scope, "COLLABORATION"]
    assert shown(api, way, ids, holder(world, [way.outer, way.inner], scopes)) == (200, True)
    others = holder(world, set(NOUNS) - {way.inner}, scopes)
    assert shown(api, way, ids, others) == (401, False)
    for role in ("Viewer", "Researcher", "Organization Admin", "Root"):
        assert shown(api, way, ids, make_user(world.amsterdam, role)) == (200, True), role
    assert shown(api, way, ids, make_user(world.amsterdam)) == (401, False)


@pytest.mark.parametrize(("path", "query"), NEVER)
def test_nothing_is_included_that_was_not_asked_for(
    api: Api, world: World, ids: dict[str, int], path: str, query: str
):
    for role in ("Viewer", "Root"):
        answer = api.get(path.format(**ids), make_user(world.amsterdam, role), query=query)
        assert answer.status == 200
        assert SECRET not in answer.text


def test_a_wide_right_to_the_one_does_not_widen_a_right_to_the_other(api: Api, world: World):
    far = make_task(world.south, [world.cairo], name="far")
    near = make_task(world.north, [world.berlin], name="near")
    finish(result_of(near, world.berlin), world.berlin_north, result="near secret")

    def rule(noun: str, scope: str) -> int:
        found: Rule = Rule.get(Rule.name == noun, Rule.operation == "VIEW", Rule.scope == scope)
        return found.id

    def who(task: str, result: str) -> User:
        return make_user(world.amsterdam, rules=[rule("task", task), rule("result", result)])

    planner = who("GLOBAL", "ORGANIZATION")
    tasks = {row["name"]: row["results"] for row in seen(api, planner, "/task", "include=results")}
    assert [row["result"] for row in tasks["near"]] == ["near secret"]
    assert [set(row) for row in tasks["far"]] == [{"id", "link", "methods"}]
    one = api.get(f"/task/{far.id}", planner, query="include=results").json
    assert one["results"] == tasks["far"]

    reader = who("ORGANIZATION", "GLOBAL")
    found = {row["id"]: row["task"] for row in seen(api, reader, "/result", "include=task")}
    assert found[result_of(near, world.berlin).id]["name"] == "near"
    id_ = result_of(far, world.cairo).id
    assert set(found[id_]) == {"id", "link", "methods"}
    assert api.get(f"/result/{id_}", reader, query="include=task").json["task"] == found[id_]


def seen(api: Api, who: User, path: str, query: str) -> Any:
    """Return a list."""
    return api.get(path, who, query=query).json
