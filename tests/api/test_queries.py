"""A list costs the same number of queries with one row and with many, and reads no payload."""

import json
from collections.abc import Callable

import pytest

from tests.api.client import Algorithm, Api
from tests.models.cards import shelve
from tests.models.crowd import grow
from tests.models.factories import (
    IMAGE,
    World,
    counted,
    make_task,
    make_user,
    sealed,
)
from vantage6.api.http.answers import _portions
from vantage6.common.clock import now
from vantage6.common.enums import CardState
from vantage6.models.database import db
from vantage6.models.sql import deadline
from vantage6.models.store import (
    algorithms,
    collaborations,
    invitations,
    nodes,
    organizations,
    ports,
    results,
)
from vantage6.models.store.payloads import LargeText
from vantage6.models.tables import Node, Role, RoleRule, Task, User


@pytest.fixture
def uri(database_uri: str) -> str:
    """Run with both databases: each has a limit of its own on what a statement may hold."""
    return database_uri


def statements_of(api: Api, path: str, who: User, query: str = "") -> list[str]:
    token = api.token(who)
    # Once a minute a request notes when its user was seen, which is no part of its own cost.
    User.update(last_seen=now()).where(User.id == who.id).execute()
    with counted() as events:
        assert api.get(path, token, query=query).status == 200
    return [event.sql for event in events]


@pytest.fixture
def reader(world: World) -> User:
    """Give a user who may see everything."""
    return make_user(world.amsterdam, "Root")


def more_tasks(world: World, number: int) -> None:
    for _ in range(number):
        parent = make_task(world.north, [world.amsterdam, world.berlin])
        make_task(world.south, [world.cairo], parent=parent)


def more_ports(world: World, number: int) -> None:
    for _ in range(number):
        for row in make_task(world.north, [world.amsterdam, world.berlin]).results:
            ports.create(row, 80, None)


def more_users(world: World, number: int) -> None:
    for _ in range(number):
        make_user(world.berlin, "Viewer", "Researcher", rules=[1, 2])


def more_organizations(world: World, number: int) -> None:
    """Write organizations that each have a node, a role, a user and a collaboration."""
    for index in range(number):
        place = organizations.create(name=f"place {now()} {index}")
        collaboration = collaborations.create(
            f"of {place.id}", [place.id, world.berlin.id], encrypted=True
        )
        node, _ = nodes.create(place, collaboration)
        Node.update(last_seen=now()).where(Node.id == node.id).execute()
        role = Role.create(name="own", organization=place)
        RoleRule.create(role=role, rule=1)
        make_user(place, "Viewer")


def more_invitations(world: World, number: int) -> None:
    """Invite organizations to a collaboration, and one to others."""
    for index in range(number):
        place = organizations.create(name=f"guest {now()} {index}")
        invitations.create(world.north, place, None)
        other = collaborations.create(f"other {place.id}", [place.id], encrypted=True)
        invitations.create(other, world.berlin, None)


def more_cards(world: World, number: int) -> None:
    """Put reviewed cards of several images on the shelf, each with another reviewer."""
    for index in range(number):
        row = shelve(
            world.north,
            author=make_user(world.berlin),
            state=CardState.DRAFT,
            images=["a/b", f"c/d:{index}"],
        )
        reviewer = make_user(world.amsterdam)
        algorithms.review(
            row,
            sha256=row.sha256,
            note="",
            user_id=reviewer.id,
            organization_id=world.amsterdam.id,
        )


@pytest.mark.parametrize(
    ("path", "query", "more"),
    [
        ("/task", "", more_tasks),
        ("/task", "include=results&include=metadata", more_tasks),
        ("/result", "", more_tasks),
        ("/result", "include=task", more_tasks),
        ("/collaboration/{north}/task", "", more_tasks),
        ("/port", "", more_ports),
        ("/user", "", more_users),
        ("/role", "", more_organizations),
        ("/role", "", more_users),
        ("/organization", "", more_organizations),
        ("/organization", "", more_users),
        ("/collaboration", "", more_organizations),
        ("/node", "", more_organizations),
        ("/organization/{berlin}/collaboration", "", more_organizations),
        ("/invitation", "", more_invitations),
        ("/algorithm", "", more_cards),
    ],
)
def test_a_list_of_fifty_costs_as_many_queries_as_one(
    api: Api,
    world: World,
    reader: User,
    path: str,
    query: str,
    more: Callable[[World, int], None],
):
    path = path.format(north=world.north.id, berlin=world.berlin.id)
    more(world, 1)
    few = statements_of(api, path, reader, query)
    more(world, 49)
    many = statements_of(api, path, reader, query)
    assert len(many) == len(few), "\n".join(many)
    assert len(many) <= 12


@pytest.mark.slow
def test_a_list_of_ten_thousand_costs_as_many_queries_as_one_or_as_its_parts(
    api: Api, world: World, reader: User
):
    lists = [
        ("/task", ""),
        ("/task", "include=results"),
        ("/result", "include=task"),
        (f"/collaboration/{world.north.id}/task", ""),
        ("/port", ""),
        ("/user", ""),
        ("/role", "rule_id=1"),
        ("/organization", ""),
        (f"/collaboration/{world.north.id}/organization", ""),
        ("/collaboration", ""),
        ("/node", ""),
        ("/task", "page=3&per_page=100"),
        ("/result", "page=2&per_page=1000&payload=false"),
    ]
    costs = []
    for size in (1, 100, 10_000):
        grow(world, size)
        costs.append({one: len(statements_of(api, one[0], reader, one[1])) for one in lists})
    assert costs[0] == costs[1]
    assert max(costs[1].values()) <= 12
    for one, cost in costs[2].items():
        # Tasks and results are read in parts of 1,000, or the whole would be in memory.
        in_parts = one[0].endswith(("/task", "/result")) and "page=" not in one[1]
        assert cost <= 11 * costs[0][one] if in_parts else cost == costs[0][one], one


@pytest.mark.parametrize("path", ["/task", "/task/{task}", "/task/{task}/status"])
def test_a_task_is_shown_without_reading_a_payload(api: Api, world: World, reader: User, path: str):
    task = make_task(world.north, [world.amsterdam, world.berlin])
    statements = statements_of(api, path.format(task=task.id), reader)
    assert statements
    assert not [statement for statement in statements if "payload" in statement.lower()]


def test_a_page_reads_the_payloads_of_its_own_rows_only(api: Api, world: World, reader: User):
    more_tasks(world, 5)
    with counted() as asked:
        page = api.get("/result", reader, query="page=1&per_page=3")
    (payloads,) = [event for event in asked if '"payload"' in event.sql]
    *_, ids = payloads.params
    wanted = json.loads(ids) if isinstance(ids, str) else ids
    assert wanted == [row["id"] for row in page.json]
    assert len(wanted) == 3


def test_a_task_for_fifty_costs_hardly_more_than_for_one(api: Api, world: World):
    places = [organizations.create(name=f"place {number}") for number in range(50)]
    everybody = collaborations.create("all", [place.id for place in places], encrypted=True)
    for place in places:
        nodes.create(place, everybody)
    researcher = api.token(make_user(places[0], "Researcher"))
    User.update(last_seen=now()).execute()
    costs = []
    for number in (1, 50):
        targets = [{"id": place.id, "input": sealed("x")} for place in places[:number]]
        body = {"collaboration_id": everybody.id, "organizations": targets, "image": IMAGE}
        with counted() as statements:
            assert api.post("/task", researcher, body).status == 201
        costs.append(len(statements))
    assert costs[1] - costs[0] <= 2, costs
    assert costs[1] <= 18


def test_a_claim_and_a_report_cost_few_queries(api: Api, world: World):
    task = make_task(world.north, [world.amsterdam])
    (result,) = task.results
    Node.update(last_seen=now()).execute()
    token = api.token(world.amsterdam_north)
    with counted() as claimed:
        api.post(f"/result/{result.id}/claim", token)
    with counted() as reported:
        api.patch(f"/result/{result.id}", token, {"status": "active"})
    assert len(claimed) <= 7, claimed
    assert len(reported) <= 8, reported


def test_fifty_addresses_cost_as_many_queries_as_one(api: Api, world: World):
    places = [organizations.create(name=f"place {number}") for number in range(50)]
    everybody = collaborations.create("all", [place.id for place in places], encrypted=True)
    here, *_ = [nodes.create(place, everybody)[0] for place in places]
    Node.update(last_seen=now()).execute()
    costs = []
    for targets in (places[:1], places):
        parent = make_task(everybody, targets)
        child = make_task(everybody, targets, parent=parent)
        for row in [*parent.results, *child.results]:
            ports.create(row, 80, None)
        path, algorithm = "/vpn/algorithm/addresses", Algorithm(here, parent)
        with counted() as statements:
            found = api.get(path, algorithm, query="include_children=True").json["addresses"]
        assert len(found) == 2 * len(targets)
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 5, costs


def test_a_page_with_texts_of_20_kb_costs_as_many_statements_as_one_row(
    api: Api, world: World, reader: User
):
    contents = {"log": "l" * 20_000, "result": sealed("r" * 20_000)}
    made = [make_task(world.north, [world.amsterdam]) for _ in range(20)]
    for task in made:
        results.put(task.results[0].id, {"input": sealed("i" * 20_000), **contents})
    numbers = set()
    for size in (1, 2, 20):
        sent = statements_of(api, "/result", reader, f"page=1&per_page={size}")
        numbers.add(len([statement for statement in sent if '"payload"' in statement]))
        rows = api.get("/result", reader, f"page=1&per_page={size}").json
        assert len(rows) == size
        assert all(contents.items() <= row.items() for row in rows)
    # Which ones there are, and then each kind; 20 rows have more than 1 MiB, which is in memory.
    assert numbers <= {4, 7}


def test_texts_are_read_in_portions_that_keep_their_order(world: World):
    texts = [LargeText(number, "log", size) for number, size in enumerate((5, 2**20, 7, 9, 2**19))]
    found = [[text.result_id for text in some] for some in _portions([*texts, texts[-1]])]
    assert found == [[0], [1], [2, 3, 4], [4]]


def test_a_search_that_takes_too_long_is_broken_off(
    api: Api, world: World, reader: User, monkeypatch: pytest.MonkeyPatch
):
    """Many tasks with long texts, and the worst of the patterns that are allowed."""
    grow(world, 3000)
    Task.update(description="a" * 1025).execute()
    search = f"description=%25{'a' * 126}b"
    before = deadline.SECONDS
    monkeypatch.setattr(deadline, "SECONDS", 0.05)
    for query in (search, f"{search}&page=1", f"{search}&name=%25a%25&page=1&per_page=1"):
        assert api.get("/task", reader, query).problem == (400, "search_too_slow"), query
    # Nothing else has this little time, not on the same connection either.
    assert api.get("/task", reader, "page=3&per_page=1000").status == 200
    monkeypatch.setattr(deadline, "SECONDS", 100 * before)
    assert api.get("/task", reader, f"{search}&page=1").json == []
    assert api.get("/user", reader, "username=%25ser%25&page=1").status == 200


@pytest.mark.usefixtures("world")
def test_a_limit_on_the_time_is_refused_within_a_transaction():
    """It would go on until that ends, for all other statements too."""
    with db.atomic(), pytest.raises(RuntimeError, match="transaction"), deadline.limited_time():
        pass
