"""Lists: pages, headers, links, the envelope, and filters, on both databases."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.api.client import Api
from tests.models.cards import shelve
from tests.models.factories import World, finish, make_task, make_user, result_of
from vantage6.api.http import lists
from vantage6.models.store import ports
from vantage6.models.tables import Node, User

COLLECTIONS = [
    "/user",
    "/role",
    "/rule",
    "/organization",
    "/collaboration",
    "/node",
    "/task",
    "/result",
    "/port",
    "/algorithm",
    "/collaboration/{north}/organization",
    "/collaboration/{north}/node",
    "/collaboration/{north}/task",
    "/task/{task}/result",
]


@pytest.fixture
def uri(database_uri: str) -> str:
    """Run with both databases: they compare and order differently."""
    return database_uri


def ids(answer: object) -> list[int]:
    return [row["id"] for row in answer.json]


@pytest.mark.parametrize("path", COLLECTIONS)
def test_every_collection_has_headers_pages_and_an_envelope(
    api: Api, world: World, root: User, path: str
):
    task = make_task(world.north, [world.amsterdam, world.berlin])
    for row in task.results:
        ports.create(row, 80, None)
    make_task(world.north, [world.berlin])
    shelve(world.north)
    shelve(None)
    make_user(world.berlin)
    path = path.format(north=world.north.id, task=task.id)
    everything = api.get(path, root)
    total = len(everything.json)
    assert total >= 2
    assert everything.headers["total-count"] == str(total)
    full = f"/api{path}?page=1"
    assert (
        everything.headers["link"] == f"<{full}>; rel=first,<{full}>; rel=self,<{full}>; rel=last"
    )
    second = api.get(path, root, query="include=metadata&per_page=1&page=2").json
    assert second["data"] == everything.json[1:2]
    base = f"/api{path}?include=metadata&per_page=1&page="
    expected = {"first": 1, "previous": 1, "self": 2, "next": 3, "last": total}
    if total == 2:
        del expected["next"]
    assert second["links"] == {name: f"{base}{page}" for name, page in expected.items()}


def test_page_size_without_a_page_means_everything(api: Api, root: User):
    assert len(api.get("/rule", root, query="per_page=3").json) == 63
    assert len(api.get("/rule", root, query="page=1").json) == 10


def test_a_page_beyond_the_end_is_empty(api: Api, root: User):
    beyond = api.get("/rule", root, query="page=99&include=metadata")
    assert beyond.json["data"] == []
    assert beyond.headers["total-count"] == "63"
    numbers = {"first": 1, "previous": 7, "self": 99, "last": 7}
    assert beyond.json["links"] == {
        name: f"/api/rule?page={number}&include=metadata" for name, number in numbers.items()
    }
    after = api.get("/rule", root, query="page=8&include=metadata").json["links"]
    assert after["previous"] == after["last"] == "/api/rule?page=7&include=metadata"


@pytest.mark.parametrize("query", ["", "page=1", "page=5"])
def test_an_empty_list_has_no_last_page(api: Api, root: User, query: str):
    empty = api.get("/task", root, query=f"include=metadata&{query}").json
    assert empty["data"] == []
    assert set(empty["links"]) == {"first", "self"}


def test_the_header_and_the_envelope_hold_the_same_links(api: Api, root: User):
    answer = api.get("/rule", root, query="per_page=20&page=2&include=metadata")
    links = answer.json["links"]
    assert list(links) == ["first", "previous", "self", "next", "last"]
    assert answer.headers["link"] == ",".join(
        f"<{path}>; rel={name}" for name, path in links.items()
    )
    # Each of them leads somewhere; the last page is a short one.
    sizes = [
        len(api.get(path.removeprefix("/api"), root, query=asked).json["data"])
        for path, _, asked in (link.partition("?") for link in links.values())
    ]
    assert sizes == [20, 20, 20, 20, 3]


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("page=2&per_page=1", "page=1&per_page=1"),
        ("per_page=1&page=2&name=%25", "per_page=1&page=1&name=%25"),
        ("per_page=1&page=2&include=", "per_page=1&page=1&include="),
        ("include=results", "include=results&page=1"),
    ],
)
def test_a_link_changes_the_page_and_nothing_else(
    api: Api, world: World, root: User, query: str, kept: str
):
    make_task(world.north, [world.amsterdam])
    answer = api.get("/task", root, query=query)
    assert answer.headers["link"].startswith(f"</api/task?{kept}>; rel=first,")


def test_links_keep_a_filter_without_a_value(api: Api, world: World, root: User):
    for name in ("", "", "sum"):
        make_task(world.north, [world.amsterdam], name=name)
    found = api.get("/task", root, query="name=&include=metadata&per_page=1&page=1").json
    assert found["links"]["next"] == "/api/task?name=&include=metadata&per_page=1&page=2"
    assert found["links"]["last"] == found["links"]["next"]


def test_some_lists_have_no_pages(api: Api, world: World, root: User):
    for path, number in (
        (f"/organization/{world.berlin.id}/collaboration", 2),
        (f"/organization/{world.berlin.id}/node", 2),
    ):
        answer = api.get(path, root, query="include=metadata&page=1&per_page=1")
        assert len(answer.json) == number
        assert "link" not in answer.headers
        found = [row["id"] for row in answer.json]
        assert found == sorted(found)


def test_links_keep_the_whole_query(api: Api, world: World, root: User):
    make_task(world.north, [world.amsterdam], name="a b&c")
    query = "include=results&include=metadata&name=a+b%26c&page=1"
    found = api.get("/task", root, query=query).json
    assert len(found["data"]) == 1
    assert parse_qs(urlsplit(found["links"]["self"]).query) == {
        "include": ["results", "metadata"],
        "name": ["a b&c"],
        "page": ["1"],
    }


@pytest.mark.parametrize(
    "query", ["page=0", "page=-1", "page=x", "page=", "page=1&per_page=0", "page=1&per_page=99999"]
)
def test_a_senseless_page_is_refused(api: Api, root: User, query: str):
    assert api.get("/task", root, query=query).problem == (400, "invalid")


def test_the_newest_tasks_and_results_come_first(api: Api, world: World, root: User):
    made = [make_task(world.north, [world.amsterdam, world.berlin]).id for _ in range(3)]
    assert ids(api.get("/task", root)) == made[::-1]
    assert ids(api.get("/result", root)) == sorted(ids(api.get("/result", root)), reverse=True)
    below = ids(api.get(f"/task/{made[0]}/result", root))
    assert below == sorted(below)
    for path in ("/user", "/organization", "/collaboration", "/node", "/role", "/rule"):
        found = ids(api.get(path, root))
        assert found == sorted(found)


def test_include_puts_results_and_tasks_in(api: Api, world: World, root: User):
    task = make_task(world.north, [world.amsterdam])
    (row,) = api.get("/task", root, query="include=results").json
    assert row["results"][0]["input"] == "input of Amsterdam"
    (row,) = api.get("/result", root, query="include=task&include=metadata").json["data"]
    assert row["task"]["image"] == task.image


def test_for_one_item_only_the_first_word_to_include_counts(api: Api, world: World, root: User):
    task = make_task(world.north, [world.amsterdam])
    for path, word, other in (
        (f"/task/{task.id}", "results", "task"),
        (f"/result/{result_of(task, world.amsterdam).id}", "task", "results"),
    ):
        plain = api.get(path, root).json
        whole = api.get(path, root, query=f"include={word}").json
        assert plain != whole
        for query, expected in (
            (f"include={word}&include={other}", whole),
            (f"include={other}&include={word}", plain),
            (f"include=metadata&include={word}", plain),
            ("include=metadata", plain),
            ("include=", plain),
            ("page=2&per_page=1", plain),
        ):
            assert api.get(path, root, query=query).json == expected, query


# Filters


def test_filters_of_users(api: Api, world: World, root: User):
    ada = make_user(world.berlin, "Viewer", username="ada", firstname="Ada", rules=[7])
    for query, expected in (
        ("username=ada", [ada]),
        ("username=a_a", [ada]),
        ("firstname=Ad%25", [ada]),
        ("lastname=Body", [root, ada]),
        (f"email={ada.email}", [ada]),
        (f"organization_id={world.berlin.id}", [ada]),
        ("role_id=4", [ada]),
        ("rule_id=7", [ada]),
        ("username=%25\\", []),
    ):
        assert ids(api.get("/user", root, query=query)) == [row.id for row in expected], query


def test_filters_of_nodes(api: Api, world: World, root: User):
    north = [world.amsterdam_north.id, world.berlin_north.id]
    Node.update(ip="10.1.2.3").where(Node.id == north[1]).execute()
    for query, expected in (
        (f"collaboration_id={world.north.id}", north),
        (f"organization_id={world.cairo.id}", [world.cairo_south.id]),
        ("name=Amsterdam%25", north[:1]),
        ("ip=10.1.2.3", north[1:]),
    ):
        assert ids(api.get("/node", root, query=query)) == expected, query


def test_filters_of_organizations_and_collaborations(api: Api, world: World, root: User):
    for path, query, expected in (
        ("/organization", "name=Ber%25", [world.berlin]),
        ("/organization", f"collaboration_id={world.south.id}", [world.berlin, world.cairo]),
        ("/organization", "country=NL", []),
        ("/collaboration", "name=north", [world.north]),
        ("/collaboration", "encrypted=True", [world.south]),
        ("/collaboration", "encrypted=False", [world.north]),
        ("/collaboration", "encrypted=1", [world.south]),
        ("/collaboration", f"organization_id={world.cairo.id}", [world.south]),
    ):
        assert ids(api.get(path, root, query=query)) == [row.id for row in expected], query


def test_filters_of_roles_and_rules(api: Api, world: World, root: User):
    viewer = make_user(world.amsterdam, "Viewer")
    for path, query, expected in (
        ("/role", "name=Viewer&name=No%25", [4]),
        ("/role", f"organization_id={world.amsterdam.id}", []),
        ("/role", f"organization_id={world.amsterdam.id}&include_root=True&name=node", [3]),
        ("/role", f"organization_id={world.amsterdam.id}&include_root=False", []),
        ("/role", f"user_id={viewer.id}", [4]),
        ("/role", "rule_id=53", [1]),
        ("/rule", "name=node&operation=VIEW", [1, 2]),
        ("/rule", "scope=OWN", [34, 37, 60, 63]),
        ("/rule", "role_id=2&name=task", [21]),
    ):
        found = ids(api.get(path, root, query=query))
        if query.startswith("name=Viewer"):
            found = [id_ for id_ in found if id_ == 4]
        assert found == expected, query


def test_filters_of_results(api: Api, world: World, root: User):
    task = make_task(world.north, [world.amsterdam, world.berlin])
    other = make_task(world.south, [world.berlin])
    mine, theirs = (result_of(task, place) for place in (world.amsterdam, world.berlin))
    south = result_of(other, world.berlin)
    done = finish(mine, world.amsterdam_north)
    before = (done.finished_at - timedelta(minutes=1)).isoformat().replace("+", "%2B")
    after = (done.finished_at + timedelta(minutes=1)).isoformat().replace("+", "%2B")
    ports.create(theirs, 8888, None)
    below = result_of(make_task(world.north, [world.berlin], parent=task), world.berlin)
    for query, expected in (
        ("port=8888", [theirs]),
        ("port=80", []),
        ("state=closed", [below, south, theirs, mine]),
        (f"run_id={task.run_id}", [below, theirs, mine]),
        (f"run_id={task.run_id}&state=open", [below, theirs]),
        (f"run_id={other.run_id}", [south]),
        (f"task_id={task.id}", [theirs, mine]),
        (f"organization_id={world.berlin.id}", [below, south, theirs]),
        (f"node_id={world.berlin_north.id}", [below, theirs]),
        (f"node_id={world.berlin_south.id}&state=open", [south]),
        (f"state=open&task_id={task.id}", [theirs]),
        (f"finished_from={before}", [mine]),
        (f"finished_till={before}", []),
        (f"finished_from={before}&finished_till={after}", [mine]),
        (f"assigned_from={after}", []),
        ("assigned_from=2020-01-01", [below, south, theirs, mine]),
        ("started_from=2020-01-01", []),
    ):
        assert ids(api.get("/result", root, query=query)) == [row.id for row in expected], query


def test_a_nonsensical_date_is_refused(api: Api, root: User):
    for text in ("yesterday", "0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00"):
        assert api.get("/result", root, query=f"assigned_from={text}").problem == (400, "invalid")


# Who sees what


def test_lists_shrink_to_what_the_caller_may_see(api: Api, world: World):
    north = make_task(world.north, [world.amsterdam])
    south = make_task(world.south, [world.berlin])
    viewer, berliner = make_user(world.amsterdam, "Viewer"), make_user(world.berlin, "Viewer")
    for who, tasks, organizations, collaborations, nodes in (
        (
            viewer,
            [north.id],
            [world.amsterdam.id, world.berlin.id],
            [world.north.id],
            [world.amsterdam_north.id],
        ),
        (
            berliner,
            [south.id, north.id],
            [world.amsterdam.id, world.berlin.id, world.cairo.id],
            [world.north.id, world.south.id],
            [world.berlin_north.id, world.berlin_south.id],
        ),
    ):
        assert ids(api.get("/task", who)) == tasks
        assert ids(api.get("/organization", who)) == organizations
        assert ids(api.get("/collaboration", who)) == collaborations
        assert ids(api.get("/node", who)) == nodes
        assert ids(api.get("/user", who)) == [who.id]


def test_a_node_sees_its_own_collaboration_only(api: Api, world: World):
    make_task(world.north, [world.berlin])
    south = make_task(world.south, [world.berlin])
    assert ids(api.get("/task", world.berlin_south)) == [south.id]
    (result,) = api.get("/result", world.berlin_south).json
    assert result["task"]["id"] == south.id
    assert ids(api.get("/organization", world.berlin_south)) == [world.berlin.id, world.cairo.id]


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 100])
def test_a_list_that_is_read_in_parts_is_the_same_list(
    api: Api, world: World, monkeypatch: pytest.MonkeyPatch, rows: int
):
    reader = make_user(world.amsterdam, "Viewer")
    made = [make_task(world.north, [world.amsterdam, world.berlin]) for _ in range(7)]
    asked = [
        ("/task", ""),
        ("/task", "include=results"),
        ("/task", "image=%25average"),
        ("/result", "include=task"),
        ("/result", "state=open"),
        (f"/task/{made[0].id}/result", ""),
        (f"/collaboration/{world.north.id}/task", ""),
    ]
    for path, query in asked:
        whole = api.get(path, reader, query=query)
        wrapped = api.get(path, reader, query=f"{query}&include=metadata")
        with monkeypatch.context() as patch:
            patch.setattr(lists, "_BATCH_ROWS", rows)
            parts = api.get(path, reader, query=query)
            assert parts.json == whole.json
            for name in ("total-count", "link", "content-type"):
                assert parts.headers[name] == whole.headers[name]
            assert api.get(path, reader, query=f"{query}&include=metadata").json == wrapped.json
        assert len(whole.json) in (2, 7, 14)
