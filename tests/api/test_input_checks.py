"""The input of a task is held against the card of its image, where the server can read it."""

import pickle
import time
from typing import Any

import pytest

from tests.api.client import Algorithm, Answer, Api
from tests.api.test_queries import counted
from tests.models.cards import card, shelve
from tests.models.factories import IMAGE, World, make_task, make_user, sealed
from vantage6.common import cards
from vantage6.common.encoding import bytes_to_base64s
from vantage6.common.enums import CardState
from vantage6.common.errors import Invalid
from vantage6.common.serialization import serialize
from vantage6.models.store import algorithms, input_checks, shelf
from vantage6.models.tables import AlgorithmCard, Node, Task, User

GOOD = {"method": "master", "master": True, "kwargs": {"column_name": "age"}}
WRONG = {"method": "master", "master": True, "kwargs": {"column": "age"}}
DIGEST = f"sha256:{'a' * 64}"


@pytest.fixture
def uri(database_uri: str) -> str:
    """Run with both databases."""
    return database_uri


def travelling(value: object, data_format: str = "json") -> str:
    return bytes_to_base64s(serialize(value, data_format))


def send(api: Api, who: Any, world: World, input_: object, **changes: Any) -> Answer:
    """Send a task of Amsterdam in the north."""
    text = input_ if isinstance(input_, str) else travelling(input_)
    body = {
        "collaboration_id": world.north.id,
        "organizations": [{"id": world.amsterdam.id, "input": text}],
        "image": IMAGE,
    }
    return api.post("/task", who, body | changes)


def refused(answer: Answer, *texts: str) -> None:
    assert answer.problem == (400, "bad_arguments")
    for text in texts:
        assert text in answer.json["msg"]


def test_an_input_that_does_not_fit_the_card_is_refused_with_its_sentence(
    api: Api, world: World, researcher: User
):
    shelve(world.north)
    before = Task.select().count()
    refused(send(api, researcher, world, WRONG), "column_name")
    refused(send(api, researcher, world, GOOD | {"method": "sum"}), "average", "master")
    refused(send(api, researcher, world, [1]), "not a dictionary")
    assert Task.select().count() == before
    assert send(api, researcher, world, GOOD).status == 201


def test_all_inputs_of_a_task_are_checked(api: Api, world: World, researcher: User):
    shelve(world.north)
    targets = [
        {"id": world.amsterdam.id, "input": travelling(GOOD)},
        {"id": world.berlin.id, "input": travelling(WRONG)},
    ]
    refused(send(api, researcher, world, "", organizations=targets), "column_name")


@pytest.mark.parametrize(
    "text",
    [
        travelling(WRONG, "legacy"),
        travelling(WRONG, "pickle"),
        bytes_to_base64s(pickle.dumps(WRONG, protocol=0)),
        sealed("x"),
        "",
        "aW4=",
        "a$b$c",
    ],
    ids=["legacy", "pickle", "text pickle", "encrypted", "empty", "other", "nonsense"],
)
def test_what_the_server_does_not_read_is_left_to_the_node(
    api: Api, world: World, researcher: User, text: str
):
    shelve(world.north)
    assert send(api, researcher, world, text).status == 201


def test_a_draft_keeps_nobody_from_work(api: Api, world: World, researcher: User):
    shelve(world.north, author=researcher, state=CardState.DRAFT)
    assert send(api, researcher, world, WRONG).status == 201


def test_a_card_of_another_collaboration_counts_for_nothing_here(
    api: Api, world: World, researcher: User
):
    shelve(world.south)
    shelve(world.south, state=CardState.RETIRED, images=["other/image"])
    assert send(api, researcher, world, WRONG).status == 201
    assert send(api, researcher, world, WRONG, image="other/image").status == 201


def test_cards_of_the_collaboration_come_before_those_for_all(
    api: Api, world: World, researcher: User
):
    shelve(None)
    refused(send(api, researcher, world, WRONG), "column_name")
    other = card()["functions"][1] | {"name": "other"}
    own = shelve(world.north, functions=[other])
    refused(send(api, researcher, world, GOOD), "no central function")
    assert send(api, researcher, world, GOOD | {"method": "other", "master": False}).status == 201
    algorithms.delete(own)
    assert send(api, researcher, world, GOOD).status == 201


def test_of_several_versions_one_has_to_fit(api: Api, world: World, researcher: User):
    shelve(world.north)
    loose = {"type": "object", "properties": {"column": {}}, "additionalProperties": False}
    function = card()["functions"][0] | {"arguments": loose, "calls": []}
    shelve(world.north, version="2.0.0", functions=[function])
    for value in (GOOD, WRONG):
        assert send(api, researcher, world, value).status == 201
    neither = GOOD | {"kwargs": {"c": 1}}
    # The sentence is about the newest.
    refused(send(api, researcher, world, neither), "It takes: column.")


def test_a_retired_image_is_refused_unless_another_version_was_reviewed(
    api: Api, world: World, researcher: User
):
    shelve(world.north, state=CardState.RETIRED, reason="Wrong for ties. Use 2.0.0.")
    answer = send(api, researcher, world, travelling(GOOD, "legacy"))
    assert answer.problem == (400, "card_retired")
    assert "average 1.0.0 was retired. Wrong for ties. Use 2.0.0." in answer.json["msg"]
    shelve(world.north, version="2.0.0")
    assert send(api, researcher, world, GOOD).status == 201


def test_an_algorithm_that_runs_goes_on_after_its_image_was_retired(api: Api, world: World):
    """And its sub-tasks are checked, which are readable here."""
    row = shelve(world.north)
    algorithm = Algorithm(
        world.amsterdam_north, make_task(world.north, [world.amsterdam, world.berlin])
    )
    refused(send(api, algorithm, world, {"method": "average"}), "average_partial")
    algorithms.retire(row, "")
    part = {"method": "average_partial", "kwargs": {"column_name": "age"}}
    assert send(api, algorithm, world, part).status == 201


@pytest.mark.parametrize(
    ("cards", "image", "expected"),
    [
        # Of a repository: all its tags and digests.
        ({"1": "a/b"}, "a/b", "1"),
        ({"1": "a/b"}, "a/b:2", "1"),
        ({"1": "a/b"}, f"a/b@{DIGEST}", "1"),
        ({"1": "a/b"}, f"a/b:2@{DIGEST}", "1"),
        ({"1": "a/b"}, " a/b ", "1"),
        # Of a tag: that one.
        ({"1": "a/b:1"}, "a/b", ""),
        ({"1": "a/b:1"}, "a/b:1", "1"),
        ({"1": "a/b:1"}, "a/b:2", ""),
        # A port is no tag.
        ({"1": "reg:5000/b"}, "reg:5000/b:1", "1"),
        ({"1": "reg"}, "reg:5000/b", ""),
        # Another spelling of the same name is the same image.
        ({"1": "a/b:1"}, "docker.io/a/b:1", "1"),
        ({"1": "index.docker.io/a/b"}, "registry-1.docker.io/a/b:1", "1"),
        ({"1": "docker.io/library/b"}, "b:1", "1"),
        ({"1": "reg.example/b"}, "REG.example:443/b:1", "1"),
        ({"1": "reg.example/b"}, "b", ""),
        # Of a digest: that one, and tasks that name none.
        ({"1": f"a/b@{DIGEST}"}, "a/b", "1"),
        ({"1": f"a/b@{DIGEST}"}, f"a/b@{DIGEST}", "1"),
        ({"1": f"a/b@{DIGEST}"}, f"a/b@{DIGEST.replace('a', 'b')}", ""),
        # The nearest one counts.
        ({"1": "a/b", "2": "a/b:1"}, "a/b:1", "2"),
        ({"1": "a/b", "2": "a/b:1"}, "a/b:2", "1"),
        ({"1": f"a/b@{DIGEST}", "2": "a/b:1"}, f"a/b:1@{DIGEST}", "1"),
        ({"1": "a/b", "2": "a/b"}, "a/b", "12"),
        # Other names are other images.
        ({"1": "a/b"}, "a/bc", ""),
        ({"1": "a/b"}, "x/a/b", ""),
    ],
)
def test_which_cards_are_those_of_an_image(
    api: Api, world: World, cards: dict[str, str], image: str, expected: str
):
    ids = {
        shelve(world.north, images=[each], version=version).id: version
        for version, each in cards.items()
    }
    found = shelf.match(image, world.north.id)
    assert sorted(ids[id_] for id_, _ in found.reviewed) == sorted(expected)
    assert found.refusal is None


def test_the_client_is_told_what_the_server_checks(
    api: Api, world: World, researcher: User, root: User
):
    query = f"collaboration_id={world.north.id}&image={IMAGE}"
    nothing = {"cards": [], "refusal": None}
    assert api.get("/algorithm/match", researcher, query).json == nothing
    row = shelve(world.north)
    found = api.get("/algorithm/match", researcher, query).json
    (one,) = found["cards"]
    assert (one["id"], one["sha256"], found["refusal"]) == (row.id, row.sha256, None)
    assert one["card"]["name"] == "average"
    algorithms.retire(row, "Why.")
    found = api.get("/algorithm/match", researcher, query).json
    assert (found["cards"], found["refusal"][-4:]) == ([], "Why.")
    assert api.get("/algorithm/match", root, f"{query}&image=").status == 400


def test_a_check_costs_one_query_and_another_one_the_first_time(
    api: Api, world: World, researcher: User
):
    input_checks._card.cache_clear()
    inputs = [(world.amsterdam.id, travelling(GOOD)), (world.berlin.id, travelling(GOOD))]

    def cost() -> int:
        with counted() as statements:
            input_checks.check(IMAGE, world.north.id, inputs, is_sub_task=False)
        return len(statements)

    assert cost() == 1
    shelve(world.north)
    assert [cost(), cost(), cost()] == [2, 1, 1]
    # Another document is another card, at once.
    loose = card()["functions"][1]
    row = shelve(world.north, version="2", functions=[loose])
    assert [cost(), cost()] == [2, 1]
    algorithms.delete(row)
    assert cost() == 1


def test_long_and_many_inputs_are_left_to_the_nodes(world: World):
    shelve(world.north)
    wrong = WRONG | {"kwargs": {"column": "x" * 2**20}}
    some = [(number, travelling(GOOD | {"n": number})) for number in range(20)]
    input_checks.check(
        IMAGE,
        world.north.id,
        [(1, travelling(wrong)), *some[1:], (21, travelling(WRONG))],
        is_sub_task=False,
    )


def test_all_cards_and_inputs_of_a_task_share_a_small_number_of_steps(world: World):
    """What is left over is checked by the nodes: a wrong input after them passes here."""
    slow = {"allOf": [{"type": "integer", "minimum": -number} for number in range(20)]}
    lists = {"type": "array", "items": slow}
    arguments = {"type": "object", "properties": {"v": lists}, "additionalProperties": False}
    function = card()["functions"][0] | {"arguments": arguments, "calls": []}
    for version in range(shelf.MOST_CARDS):
        shelve(world.north, version=str(version), functions=[function])

    def inputs(size: int) -> list[tuple[int, str]]:
        some = [GOOD | {"kwargs": {"v": [*range(size), number]}} for number in range(10)]
        return [(1, travelling(each)) for each in [*some, WRONG]]

    started = time.process_time()
    for size in (300, 20_000):
        input_checks.check(IMAGE, world.north.id, inputs(size), is_sub_task=False)
    assert time.process_time() - started < 2
    with pytest.raises(Invalid, match="It takes: v"):
        input_checks.check(IMAGE, world.north.id, inputs(5), is_sub_task=False)


def test_a_card_of_an_older_server_that_is_not_valid_any_more_keeps_no_task(
    api: Api, world: World, researcher: User
):
    row = shelve(world.north)
    content = cards.write(cards.parse(card())).replace('"class":"sum"', '"class":"identifier"')
    AlgorithmCard.update(content=content).where(AlgorithmCard.algorithm == row.id).execute()
    input_checks._card.cache_clear()
    assert send(api, researcher, world, WRONG).status == 201


def test_a_refusal_comes_after_the_permission(api: Api, world: World):
    """It tells of the card, which is for members of the collaboration."""
    shelve(world.north)
    stranger = make_user(world.cairo, "Researcher")
    viewer = make_user(world.amsterdam, "Viewer")
    for who in (stranger, viewer):
        assert send(api, who, world, WRONG).problem == (401, "forbidden")
    Node.delete().where(Node.id == world.berlin_north.id).execute()
