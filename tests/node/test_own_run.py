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
from vantage6.node.requests.held import HeldRequests
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
    add(wire, 5, "fit", is_central=True)
    scheduler.accept(5)
    assert eventually(lambda: is_held(wire, 5))
    HeldRequests(tmp_path / "data").approve(5, "bob", HeldRequests(tmp_path / "data").get(5).code)
    scheduler.take_up()
    assert eventually(lambda: wire.ids("active") == [5])
    yield scheduler
    (tmp_path / "go").touch()
    assert eventually(lambda: 5 in wire.ids("completed"))
    scheduler.leave()


def add(wire: Wire, id_: int, method: str, *, is_central: bool = False, **task: Any) -> None:
    """Add a result that asks for a function."""
    wire.add(id_, **task)
    asked = {"method": method, "master": is_central, "args": [], "kwargs": {}}
    wire.results[id_]["input"] = base64.b64encode(f"json.{json.dumps(asked)}".encode()).decode()


def add_subtask(wire: Wire, method: str, image: str = IMAGE, database: str = "default") -> None:
    """Add result 6, of a sub-task of task 105."""
    said = {"organization": 1, "organization_name": "org 1", "user": 7, "user_name": "alice"}
    chain = [{"task": 105, "image": IMAGE, **said}, {"task": 106, "image": image, **said}]
    task = {"parent": {"id": 105}, "image": image, "database": database, "requesters": chain}
    add(wire, 6, method, **task)


def remember_subtask(tmp_path: Path) -> None:
    """Write down that the algorithm of result 5 made task 106, as its proxy does."""
    with (tmp_path / "data/results/task-000000005/subtasks").open("a") as file:
        file.write("106 6\n")


def test_what_the_card_says_runs_without_a_person(
    wire: Wire, running: Scheduler, tmp_path: Path
) -> None:
    remember_subtask(tmp_path)
    add_subtask(wire, "step")
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
        remember_subtask(tmp_path)
    add_subtask(wire, method, **differs)
    running.accept(6)
    assert eventually(lambda: is_held(wire, 6))
    running.kill(6)


def test_a_sub_task_with_another_image_never_passes_for_one_of_the_run(
    wire: Wire, running: Scheduler, tmp_path: Path
) -> None:
    remember_subtask(tmp_path)
    add_subtask(wire, "step", image=OTHER)
    running.accept(6)
    # The rule about partial functions refuses it before a person is asked.
    assert eventually(lambda: wire.ids("not allowed") == [6])
    assert wire.results[6]["reason"]["code"] == "subtask_only"


def test_a_central_function_below_another_one_waits_for_a_person(
    wire: Wire, running: Scheduler, tmp_path: Path
) -> None:
    remember_subtask(tmp_path)
    add_subtask(wire, "fit")
    asked = {"method": "fit", "master": True, "args": [], "kwargs": {}}
    wire.results[6]["input"] = base64.b64encode(f"json.{json.dumps(asked)}".encode()).decode()
    running.accept(6)
    assert eventually(lambda: is_held(wire, 6))
    running.kill(6)
