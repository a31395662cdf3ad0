"""POST /task checks everything first and says why not; kill; removal; sub-tasks."""

from typing import Any

import pytest

from tests.api.client import Algorithm, Answer, Api
from tests.models.factories import (
    IMAGE,
    World,
    again,
    content_of,
    finish,
    make_task,
    make_user,
    messages,
    result_of,
)
from vantage6.common.task_status import TaskStatus
from vantage6.models.store import nodes, outbox, results
from vantage6.models.store.outbox import Topic
from vantage6.models.tables import Node, Outbox, Result, Rule, Task, User


def body(world: World, **changes: Any) -> dict[str, Any]:
    """Return a good task for Amsterdam and Berlin, changed."""
    targets = [
        {"id": world.amsterdam.id, "input": "aW4="},
        {"id": world.berlin.id, "input": "a$b$c"},
    ]
    good = {"collaboration_id": world.north.id, "organizations": targets, "image": IMAGE}
    return {**good, "name": "sum", "description": "d", "database": "default"} | changes


def refused(answer: Answer, status: int, code: str, *texts: str) -> None:
    """Check a refusal, and that nothing was written."""
    assert answer.problem == (status, code)
    for text in texts:
        assert text in answer.json["msg"]
    assert Task.select().count() == Result.select().count() == Outbox.select().count() == 0


def test_a_task_is_made_with_a_pending_result_for_each_target(
    api: Api, world: World, researcher: User
):
    made = api.post("/task", researcher, body(world)).json
    assert (made["initiator"], made["init_user"]) == (world.amsterdam.id, researcher.id)
    assert (made["status"], made["complete"], made["parent"]) == ("pending", False, None)
    assert len(made["results"]) == 2
    inputs = {
        row["organization"]["id"]: row["input"] for row in api.get("/result", researcher).json
    }
    assert inputs == {world.amsterdam.id: "aW4=", world.berlin.id: "a$b$c"}
    (message,) = messages()
    waiting = outbox.find(message)
    assert (waiting.topic, waiting.content) == (Topic.TASK_CREATED, {"task_id": made["id"]})


def test_unknown_fields_are_ignored_and_names_are_optional(
    api: Api, world: World, researcher: User
):
    sent = body(world, something="else", name=None, description=None, database=None)
    made = api.post("/task", researcher, sent).json
    assert (made["name"], made["description"], made["database"]) == ("", "", "")


def test_a_task_for_nobody_is_accepted(api: Api, world: World, researcher: User):
    made = api.post("/task", researcher, body(world, organizations=[])).json
    assert (made["results"], made["complete"], made["status"]) == (None, True, "unknown")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"image": None}, "image"),
        ({"image": "  "}, "name the container image"),
        ({"organizations": None}, "organizations"),
        ({"organizations": [{"input": "x"}]}, "organizations.0.id"),
        ({"organizations": [{"id": 1, "input": {"not": "text"}}]}, "organizations.0.input"),
        ({"organizations": [{"id": 0}]}, "organizations.0.id"),
        ({"collaboration_id": None}, "collaboration_id"),
        ({"collaboration_id": 2**31}, "collaboration_id"),
        ({"name": "x\0y"}, "name: Value error, must not contain NUL"),
        ({"organizations": [{"id": 1, "input": "\0"}]}, "organizations.0.input"),
    ],
)
def test_a_body_that_is_no_task_is_refused(
    api: Api, world: World, researcher: User, changes: dict[str, Any], text: str
):
    refused(api.post("/task", researcher, body(world, **changes)), 400, "invalid", text)


def test_a_missing_field_is_named(api: Api, world: World, researcher: User):
    for name in ("collaboration_id", "organizations", "image"):
        sent = body(world)
        del sent[name]
        refused(api.post("/task", researcher, sent), 400, "invalid", f"{name}: Field required")


def test_the_collaboration_must_exist(api: Api, world: World, researcher: User):
    answer = api.post("/task", researcher, body(world, collaboration_id=999))
    refused(answer, 404, "not_found", "no collaboration 999")


def test_the_caller_must_be_a_member_even_as_root(api: Api, world: World, root: User):
    targets = [{"id": world.cairo.id, "input": ""}]
    sent = body(world, collaboration_id=world.south.id, organizations=targets)
    refused(api.post("/task", root, sent), 401, "forbidden", "Your organization is not in")


def test_strangers_learn_nothing_from_a_refusal(api: Api, world: World):
    """Which organizations lack a node is for members to know."""
    nodes.delete(world.cairo_south)
    outsider = make_user(world.amsterdam, "Researcher")
    targets = [{"id": world.cairo.id}]
    sent = body(world, collaboration_id=world.south.id, organizations=targets)
    answer = api.post("/task", outsider, sent)
    refused(answer, 401, "forbidden")
    assert "Cairo" not in answer.text


def test_the_caller_must_hold_the_rule(api: Api, world: World):
    viewer = make_user(world.amsterdam, "Viewer")
    refused(api.post("/task", viewer, body(world)), 401, "forbidden", "create any task")


def test_targets_must_be_members(api: Api, world: World, researcher: User):
    answer = api.post("/task", researcher, body(world, organizations=[{"id": world.cairo.id}]))
    refused(answer, 400, "no_member", f"Organization {world.cairo.id} is not in collaboration")


def test_targets_may_be_named_once(api: Api, world: World, researcher: User):
    targets = [{"id": world.berlin.id}] * 2
    answer = api.post("/task", researcher, body(world, organizations=targets))
    refused(answer, 400, "named_twice", f"Organization {world.berlin.id} is named more than once")


def test_targets_must_have_a_node(api: Api, world: World, researcher: User):
    nodes.delete(world.berlin_north)
    answer = api.post("/task", researcher, body(world))
    refused(answer, 400, "no_node", f"Berlin ({world.berlin.id})", "client.node.create")


def tell(node: Node, **allowed: list[str]) -> None:
    """Let a node tell whom it allows."""
    items = [(f"allowed_{key}", value) for key, values in allowed.items() for value in values]
    nodes.tell_config(node, [("encryption", "0"), *items])


def test_a_task_that_a_node_would_refuse_names_its_organization(
    api: Api, world: World, researcher: User
):
    tell(world.berlin_north, users=["999", "somebody"], orgs=[str(world.cairo.id), "Cairo"])
    answer = api.post("/task", researcher, body(world))
    refused(answer, 400, "initiator_not_allowed", f"The node of Berlin ({world.berlin.id})")
    assert "Amsterdam (" not in answer.json["msg"]
    # It is not asked where the task does not go.
    alone = body(world, organizations=[{"id": world.amsterdam.id}])
    assert api.post("/task", researcher, alone).status == 201


@pytest.mark.parametrize(
    "allowed",
    [
        {},
        {"users": ["{user}"]},
        {"users": ["999", "{user}"]},
        {"orgs": ["{organization}"]},
        {"orgs": ["Cairo", "Amsterdam"]},
        {"users": ["999"], "orgs": ["Amsterdam"]},
    ],
)
def test_one_entry_that_fits_is_enough(
    api: Api, world: World, researcher: User, allowed: dict[str, list[str]]
):
    known = {"user": researcher.id, "organization": world.amsterdam.id}
    tell(
        world.berlin_north,
        **{key: [value.format(**known) for value in values] for key, values in allowed.items()},
    )
    # What it tells elsewhere does not count here.
    tell(world.berlin_south, users=["999"])
    assert api.post("/task", researcher, body(world)).status == 201


def test_a_name_of_digits_is_not_somebody_elses_id(api: Api, world: World):
    seven = make_user(world.amsterdam, "Researcher", username="7007")
    assert seven.id != 7007
    tell(world.berlin_north, users=["7007"])
    refused(api.post("/task", seven, body(world)), 400, "initiator_not_allowed")


def test_sub_tasks_are_left_to_the_nodes(
    api: Api, world: World, parent: Task, algorithm: Algorithm
):
    tell(world.berlin_north, users=["999"])
    assert api.post("/task", algorithm, body(world)).status == 201


def test_a_node_may_not_create_tasks(api: Api, world: World):
    answer = api.post("/task", world.amsterdam_north, body(world))
    refused(answer, 401, "forbidden", "not for a node")


# Sub-tasks


@pytest.fixture
def parent(world: World, researcher: User) -> Task:
    """Give a researcher's task that Berlin computes."""
    return make_task(world.north, [world.berlin], initiator=world.amsterdam, user=researcher)


@pytest.fixture
def algorithm(world: World, parent: Task) -> Algorithm:
    """Give the algorithm that does so."""
    return Algorithm(world.berlin_north, parent)


def test_a_sub_task_inherits_run_and_author(
    api: Api, world: World, parent: Task, algorithm: Algorithm, researcher: User
):
    made = api.post("/task", algorithm, body(world)).json
    assert made["parent"]["id"] == parent.id
    assert (made["run_id"], made["init_user"]) == (parent.run_id, researcher.id)
    # Its results are for the organization at which the algorithm runs.
    assert made["initiator"] == world.berlin.id


@pytest.mark.parametrize(
    "image", [f"evil/{IMAGE}", f"{IMAGE}:2", IMAGE.upper(), IMAGE.removeprefix("harbor2.")]
)
def test_a_sub_task_has_the_same_image(api: Api, world: World, algorithm: Algorithm, image: str):
    answer = api.post("/task", algorithm, body(world, image=image))
    assert answer.problem == (401, "other_image")
    assert IMAGE in answer.json["msg"]
    assert Task.select().count() == 1


def test_a_sub_task_stays_in_its_collaboration(api: Api, world: World, algorithm: Algorithm):
    """Berlin itself is in both."""
    targets = [{"id": world.cairo.id}]
    sent = body(world, collaboration_id=world.south.id, organizations=targets)
    answer = api.post("/task", algorithm, sent)
    assert answer.problem == (401, "forbidden")
    assert "its own collaboration only" in answer.json["msg"]
    assert Task.select().count() == 1


def test_an_ended_algorithm_has_no_sub_tasks(
    api: Api, world: World, parent: Task, algorithm: Algorithm
):
    finish(result_of(parent, world.berlin), world.berlin_north)
    assert api.post("/task", algorithm, body(world)).problem == (401, "task_ended")


def test_a_list_has_sub_tasks_only_or_none(
    api: Api, world: World, parent: Task, algorithm: Algorithm, researcher: User
):
    below = api.post("/task", algorithm, body(world)).json
    ids = {
        query: [row["id"] for row in api.get("/task", researcher, query).json]
        for query in ("", "is_sub_task=false", "is_sub_task=true")
    }
    assert ids == {
        "": [below["id"], parent.id],
        "is_sub_task=false": [parent.id],
        "is_sub_task=true": [below["id"]],
    }


# Ending


def test_a_kill_ends_what_is_open_and_leaves_a_message(
    api: Api, world: World, parent: Task, algorithm: Algorithm
):
    child = api.post("/task", algorithm, body(world)).json["id"]
    done = finish(result_of(Task.get_by_id(child), world.amsterdam), world.amsterdam_north)
    admin = make_user(world.berlin, "Organization Admin")
    answer = api.post("/kill/task", admin, {"id": parent.id})
    assert answer.json == {"msg": f"2 results of task {parent.id} were killed."}
    assert again(done).status == TaskStatus.COMPLETED
    assert outbox.find(messages()[-1]).topic is Topic.RESULTS_KILLED
    assert api.post("/kill/task", admin, {"id": parent.id}).problem == (400, "task_ended")


def test_a_kill_needs_an_event_rule_of_the_organization_or_the_collaboration(
    api: Api, world: World, parent: Task, researcher: User
):
    assert api.post("/kill/task", researcher, {"id": parent.id}).problem == (401, "forbidden")
    assert api.post("/kill/task", researcher, {"id": 999}).problem == (401, "forbidden")
    rule = Rule.get(Rule.name == "event", Rule.operation == "CREATE", Rule.scope == "COLLABORATION")
    outsider = make_user(world.cairo, "Organization Admin", rules=[rule.id])
    assert api.post("/kill/task", outsider, {"id": parent.id}).problem == (401, "forbidden")
    insider = make_user(world.amsterdam, rules=[rule.id])
    assert api.post("/kill/task", insider, {"id": 999}).problem == (404, "not_found")
    assert api.post("/kill/task", insider, {}).problem == (400, "invalid")
    assert api.post("/kill/task", insider, {"id": parent.id}).status == 200


def test_a_removed_task_is_killed_first_and_its_nodes_are_told(
    api: Api, world: World, parent: Task, algorithm: Algorithm, researcher: User
):
    child = api.post("/task", algorithm, body(world)).json["id"]
    mine = result_of(parent, world.berlin).id
    assert "3 results" in api.delete(f"/task/{parent.id}", researcher).json["msg"]
    assert api.get(f"/task/{parent.id}", researcher).problem == (404, "not_found")
    kept = api.get(f"/task/{child}", researcher).json
    assert (kept["parent"], kept["status"]) == (None, "failed")
    doorbells = content_of(messages()[-1])["bells"]
    assert [world.berlin_north.id, mine, parent.id] in doorbells


def test_a_finished_task_is_removed_without_a_message(
    api: Api, world: World, parent: Task, researcher: User
):
    finish(result_of(parent, world.berlin), world.berlin_north)
    before = messages()
    assert "0 results" in api.delete(f"/task/{parent.id}", researcher).json["msg"]
    assert messages() == before


def test_the_progress_never_reads_a_payload(api: Api, world: World, parent: Task):
    results.patch(
        results.of_node(result_of(parent, world.berlin).id, world.berlin_north),
        contents={"log": "secret of the algorithm"},
        lease_seconds=180,
    )
    answer = api.get(f"/task/{parent.id}/status", make_user(world.berlin, "Viewer"))
    assert "secret" not in answer.text
    assert "input" not in answer.text
