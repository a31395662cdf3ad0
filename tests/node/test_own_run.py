"""Sub-tasks of what runs here already: covered as far as the card says, and no further."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.node.conftest import MakeContext
from tests.node.factories import IMAGE, make_config
from tests.node.test_approval import events, is_held
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.common.cards import parse, write_label
from vantage6.node.proxy.subtasks import SubTasks
from vantage6.node.requests.held import HeldRequests
from vantage6.node.rules.audit import hash_of
from vantage6.node.rules.registries import Registries
from vantage6.node.runtime.base import Image, Pulling
from vantage6.node.runtime.process import ProcessRuntime
from vantage6.node.work.scheduler import Scheduler

OTHER = f"{IMAGE}-other"
CARD = parse(
    {
        "card": 1,
        "name": "x",
        "version": "1",
        "functions": [
            {"name": "fit", "kind": "central", "calls": ["step"]},
            {"name": "step", "kind": "partial"},
            {"name": "peek", "kind": "partial"},
        ],
    }
)
#: The central function waits for its sub-tasks; the others end at once.
PROGRAM = """
import os, pathlib, time
central = '"master": true' in open(os.environ['INPUT_FILE']).read()
while central and not os.path.exists('{go}'):
    time.sleep(0.01)
open(os.environ['OUTPUT_FILE'], 'w').write('done')
"""


def payload(method: str, *, is_central: bool = False) -> bytes:
    """Return an input."""
    asked = {"method": method, "master": is_central, "args": [], "kwargs": {}}
    return f"json.{json.dumps(asked)}".encode()


STEP = payload("step")


class Carded(ProcessRuntime):
    """A runtime whose programs have a card, as images have one in a label."""

    def fetch(
        self,
        image: str,
        cancelled: Callable[[], bool],
        pulling: Pulling = lambda: None,  # type: ignore[assignment,return-value]
        registries: Registries | None = None,
    ) -> Image:
        """Return the program with the card."""
        found = super().fetch(image, cancelled, registries=registries)
        return Image(found.id, found.digests, write_label(CARD))


@pytest.fixture
def running(wire: Wire, make_context: MakeContext, tmp_path: Path) -> Iterator[Scheduler]:
    """Give the scheduler of a station at which a central function runs, which was approved."""
    command = ("python3", "-c", PROGRAM.format(go=tmp_path / "go"))
    values: dict[str, Any] = {
        "policies": {"allowed_algorithms": ".*", "approval": "always"},
        "processes": {IMAGE: command, OTHER: (*command, "other")},
        "databases": {"default": str(tmp_path / "patients.csv"), "other": str(tmp_path / "o.csv")},
    }
    (tmp_path / "o.csv").touch()
    config = make_config(**values)
    runtime = Carded(tmp_path / "carded", config.processes, config.limits)
    scheduler = Scheduler(make_context(runtime=runtime, **values))
    add(wire, 5, payload("fit", is_central=True))
    scheduler.accept(5)
    assert eventually(lambda: is_held(wire, 5))
    HeldRequests(tmp_path / "data").approve(5, "bob", HeldRequests(tmp_path / "data").get(5).code)
    scheduler.take_up()
    assert eventually(lambda: wire.ids("active") == [5])
    yield scheduler
    (tmp_path / "go").touch()
    assert eventually(lambda: 5 in wire.ids("completed"))
    scheduler.leave()


def add(wire: Wire, id_: int, input_: bytes, **task: Any) -> None:
    """Add a result with an input."""
    wire.add(id_, **task)
    wire.results[id_]["input"] = base64.b64encode(input_).decode()


def add_subtask(
    wire: Wire,
    input_: bytes,
    image: str = IMAGE,
    database: str = "default",
    id_: int = 6,
    task_id: int = 106,
) -> None:
    """Add a result, of a sub-task of task 105."""
    said = {"organization": 1, "organization_name": "org 1", "user": 7, "user_name": "alice"}
    chain = [{"task": 105, "image": IMAGE, **said}, {"task": task_id, "image": image, **said}]
    task = {
        "id": task_id,
        "parent": {"id": 105},
        "image": image,
        "database": database,
        "requesters": chain,
    }
    add(wire, id_, input_, **task)


def sub_tasks(tmp_path: Path) -> SubTasks:
    """Return what the algorithm of result 5 made, as its proxy writes it down."""
    return SubTasks(tmp_path / "data/results/task-000000005/subtasks")


def remember_subtask(tmp_path: Path, input_: bytes = STEP) -> None:
    """Write down that the algorithm of result 5 made task 106 with an input for this station."""
    made = sub_tasks(tmp_path)
    made.send(hash_of(input_))
    made.add(106, frozenset({6}), hash_of(input_))


def test_what_the_card_says_runs_without_a_person(
    wire: Wire, running: Scheduler, tmp_path: Path
) -> None:
    remember_subtask(tmp_path)
    add_subtask(wire, STEP)
    running.accept(6)
    assert eventually(lambda: wire.ids("completed") == [6])
    assert wire.ids("active") == [5]
    assert [line["result_id"] for line in events(tmp_path, "held")] == [5]


@pytest.mark.parametrize(
    ("method", "differs", "is_made"),
    [
        ("step", {}, False),
        ("peek", {}, True),
        ("step", {"database": "other"}, True),
    ],
)
def test_everything_else_waits_for_a_person(
    wire: Wire,
    running: Scheduler,
    tmp_path: Path,
    method: str,
    differs: dict[str, str],
    is_made: bool,
) -> None:
    if is_made:
        remember_subtask(tmp_path, payload(method))
    add_subtask(wire, payload(method), **differs)
    running.accept(6)
    assert eventually(lambda: is_held(wire, 6))
    running.kill(6)


def test_a_sub_task_with_another_image_never_passes_for_one_of_the_run(
    wire: Wire, running: Scheduler, tmp_path: Path
) -> None:
    remember_subtask(tmp_path)
    add_subtask(wire, STEP, image=OTHER)
    running.accept(6)
    # The rule about partial functions refuses it before a person is asked.
    assert eventually(lambda: wire.ids("not allowed") == [6])
    assert wire.results[6]["reason"]["code"] == "subtask_only"


def test_a_central_function_below_another_one_waits_for_a_person(
    wire: Wire, running: Scheduler, tmp_path: Path
) -> None:
    central = payload("fit", is_central=True)
    remember_subtask(tmp_path, central)
    add_subtask(wire, central)
    running.accept(6)
    assert eventually(lambda: is_held(wire, 6))
    running.kill(6)


def test_another_input_than_the_run_sent_waits_for_a_person(
    wire: Wire, running: Scheduler, tmp_path: Path
) -> None:
    remember_subtask(tmp_path)
    add_subtask(wire, STEP + b" ")
    running.accept(6)
    assert eventually(lambda: is_held(wire, 6))
    running.kill(6)
    # As a result of a task that the run made, and which has others.
    add_subtask(wire, STEP, id_=7)
    running.accept(7)
    assert eventually(lambda: is_held(wire, 7))
    running.kill(7)


def test_a_sub_task_of_an_older_version_of_the_node_waits_for_a_person(
    wire: Wire, running: Scheduler, tmp_path: Path
) -> None:
    sub_tasks(tmp_path).add(106, frozenset({6}))
    add_subtask(wire, STEP)
    running.accept(6)
    assert eventually(lambda: is_held(wire, 6))
    running.kill(6)


def test_a_sub_task_may_come_before_the_answer_to_its_maker_and_once(
    wire: Wire, running: Scheduler, tmp_path: Path
) -> None:
    sub_tasks(tmp_path).send(hash_of(STEP))
    add_subtask(wire, STEP)
    running.accept(6)
    assert eventually(lambda: wire.ids("completed") == [6])
    add_subtask(wire, STEP, id_=7, task_id=107)
    running.accept(7)
    assert eventually(lambda: is_held(wire, 7))
    running.kill(7)
