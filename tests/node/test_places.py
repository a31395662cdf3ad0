"""Sub-tasks have places and a share of the memory, and nothing waits for ever."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.node.conftest import MakeScheduler
from tests.node.factories import MIB, make_claim, make_config
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.node.claims import Requester
from vantage6.node.outcomes import RefusalError
from vantage6.node.rules.findings import PolicyRequest
from vantage6.node.rules.policy import Policy
from vantage6.node.work.scheduler import bounds
from vantage6.node.work.slots import Bounds

DONE = "open(os.environ['OUTPUT_FILE'], 'w').write('done')"
GO = """import time
go = os.environ['TEMPORARY_FOLDER'] + '/'
def wait(name):
    while not os.path.exists(go + name): time.sleep(0.02)
def tell(name): open(go + name, 'w')
"""


def said(task: int) -> dict[str, Any]:
    return {"task": task, "organization": 1, "organization_name": "org 1"}


def add(wire: Wire, id_: int, program: str, *above: int) -> None:
    """Add a result below some tasks."""
    chain = [said(task) for task in (*above, 100 + id_)]
    wire.add(id_, GO + program, parent={"id": above[-1]} if above else None, requesters=chain)


def test_sub_tasks_are_counted(wire: Wire, make_scheduler: MakeScheduler) -> None:
    """One task that asks much made a station start as many containers as it liked."""
    for id_ in range(1, 7):
        add(wire, id_, f"tell('n{id_}'); wait('go');" + DONE, 99)
    scheduler = make_scheduler(parallel_subtasks=2)
    for id_ in range(1, 7):
        scheduler.accept(id_)
    eventually(lambda: len(wire.ids("active")) == 2)
    time.sleep(0.5)
    assert len(wire.ids("active")) == 2
    assert scheduler.report()[0] == [1, 2, 3, 4, 5, 6]
    (scheduler._context.spool.temporary(1) / "go").touch()
    eventually(lambda: wire.ids("completed") == [1, 2, 3, 4, 5, 6])


def test_tasks_of_two_stations_that_wait_for_each_other_end(
    wire: Wire, make_scheduler: MakeScheduler
) -> None:
    """Each station has one place, and begins with the other task: as parts that meet in a VPN."""
    stations = [make_scheduler(parallel=1, limits={"seconds": 1}) for _ in range(2)]
    meet = "wait('never');"
    for id_ in (11, 12, 21, 22):
        add(wire, id_, meet + DONE)
    for scheduler, order in zip(stations, ((11, 12), (22, 21)), strict=True):
        for id_ in order:
            scheduler.accept(id_)
    eventually(lambda: wire.ids("crashed") == [11, 12, 21, 22])
    assert {wire.results[id_]["reason"]["code"] for id_ in (11, 12, 21, 22)} == {"time_limit"}


@pytest.mark.parametrize("memory", [None, 4 * 512 * MIB])
def test_a_parent_that_waits_on_each_level_ends(
    wire: Wire, make_scheduler: MakeScheduler, memory: int | None
) -> None:
    """Each waits for the one below, and all places of its own level are taken."""
    add(wire, 1, "wait('two');" + DONE)
    add(wire, 2, "wait('three'); tell('two');" + DONE, 101)
    add(wire, 3, "wait('four'); tell('three');" + DONE, 101, 102)
    add(wire, 4, "tell('four');" + DONE, 101, 102, 103)
    add(wire, 5, DONE)
    add(wire, 6, DONE, 101)
    add(wire, 7, DONE, 101, 102)
    limits = {"memory_bytes": 512 * MIB}
    scheduler = make_scheduler(
        parallel=1, parallel_subtasks=1, parallel_memory_bytes=memory, limits=limits
    )
    for id_ in (1, 5, 2, 6, 3, 7, 4):
        scheduler.accept(id_)
    eventually(lambda: wire.ids("completed") == [1, 2, 3, 4, 5, 6, 7])


def test_memory_bounds_all_together(wire: Wire, make_scheduler: MakeScheduler) -> None:
    for id_ in range(1, 7):
        add(wire, id_, "wait('go');" + DONE)
    limits = {"memory_bytes": 512 * MIB}
    scheduler = make_scheduler(limits=limits, parallel_memory_bytes=3 * 512 * MIB, subtask_levels=1)
    for id_ in range(1, 7):
        scheduler.accept(id_)
    eventually(lambda: len(wire.ids("active")) == 2)
    add(wire, 7, "tell('go');" + DONE, 101)
    scheduler.accept(7)
    eventually(lambda: wire.ids("completed") == [1, 2, 3, 4, 5, 6, 7])


def test_a_killed_result_gives_its_place_and_its_wait_up(
    wire: Wire, make_scheduler: MakeScheduler
) -> None:
    for id_ in (1, 2, 3):
        add(wire, id_, ("wait('never');" if id_ == 1 else "") + DONE, 99)
    scheduler = make_scheduler(parallel_subtasks=1)
    for id_ in (1, 2, 3):
        scheduler.accept(id_)
    eventually(lambda: wire.ids("active") == [1])
    for id_ in (2, 1):
        wire.results[id_]["status"] = "killed by user"
        scheduler.kill(id_)
    eventually(lambda: wire.ids("completed") == [3])
    assert eventually(lambda: scheduler.report() == ([], []))


def test_a_sub_task_that_is_too_deep_does_not_wait_for_its_own_parent(
    wire: Wire, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    """Its parent had the only place of the last level, and waited for it."""
    add(wire, 1, "wait('never');" + DONE, 101, 102)
    add(wire, 2, DONE, 101, 102, 103)
    scheduler = make_scheduler(parallel_subtasks=1, subtask_levels=2)
    scheduler.accept(1)
    eventually(lambda: wire.ids("active") == [1])
    scheduler.accept(2)
    eventually(lambda: wire.ids("not allowed") == [2])
    assert wire.ids("active") == [1]
    lines = (tmp_path / "data" / "audit.jsonl").read_text().splitlines()
    found = [one for one in map(json.loads, lines) if one.get("result_id") == 2]
    assert [one["event"] for one in found][:2] == ["asked", "refused"]
    assert found[1]["code"] == "too_deep"
    wire.results[1]["status"] = "killed by user"
    scheduler.kill(1)


def test_a_server_cannot_bring_in_what_was_too_deep(
    wire: Wire, make_scheduler: MakeScheduler
) -> None:
    """It has no turn, so that it must not be computed at another level either."""
    add(wire, 2, DONE, 101, 102, 103)
    scheduler = make_scheduler(subtask_levels=2)
    scheduler._context.spool.create(
        make_claim(2, is_subtask=True, above=(Requester(1, "org 1"),) * 3)
    )
    add(wire, 2, DONE, 101)
    scheduler.adopt()
    eventually(lambda: wire.ids("not allowed") == [2])


def test_a_station_refuses_what_is_too_deep() -> None:
    policy = Policy(make_config(subtask_levels=2))
    one = Requester(1, "org 1")
    policy.check(PolicyRequest.by(make_claim(is_subtask=True, above=(one, one))))
    with pytest.raises(RefusalError) as caught:
        policy.check(PolicyRequest.by(make_claim(is_subtask=True, above=(one, one, one))))
    assert caught.value.reason.code == "too_deep"


def test_too_little_memory_for_each_level_is_no_configuration() -> None:
    limits = {"memory_bytes": 512 * MIB}
    with pytest.raises(ValidationError, match="parallel_memory_bytes"):
        make_config(limits=limits, parallel_memory_bytes=4 * 512 * MIB - 1)
    config = make_config(limits=limits, parallel_memory_bytes=4 * 512 * MIB)
    assert bounds(config) == Bounds(first=8, below=16, levels=4, together=4)
    assert bounds(make_config()).together is None


def test_the_level_survives_a_restart(wire: Wire, make_scheduler: MakeScheduler) -> None:
    add(wire, 1, "wait('go');" + DONE, 99)
    add(wire, 2, DONE, 99)
    first = make_scheduler(parallel_subtasks=1)
    first.accept(1)
    first.accept(2)
    eventually(lambda: wire.ids("active") == [1])
    first.leave()
    second = make_scheduler(first._context)
    second.adopt()
    time.sleep(0.5)
    assert wire.ids("completed") == []
    (second._context.spool.temporary(1) / "go").touch()
    eventually(lambda: wire.ids("completed") == [1, 2])
