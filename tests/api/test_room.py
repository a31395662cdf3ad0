"""Large bodies and answers leave room on the disk, which the database needs."""

import shutil
from collections import namedtuple

import pytest

from tests.api.client import Answer, Api
from tests.api.conftest import configured
from tests.models.factories import LEASE, World, make_task, result_of
from vantage6.common.config import Instance
from vantage6.models.store import results
from vantage6.models.tables import Result, User

GIGA = 2**30
LARGE, SMALL = "x" * 3 * 2**20, "x" * 2**18
Disk = namedtuple("Disk", "total used free")


@pytest.fixture
def instance(instance: Instance) -> Instance:
    """Take large bodies."""
    return configured(instance, max_body_bytes=16 * 2**20)


@pytest.fixture
def task_result(world: World) -> Result:
    """Give a result that Amsterdam computes."""
    row = result_of(make_task(world.north, [world.amsterdam]), world.amsterdam)
    results.claim(row.id, world.amsterdam_north, LEASE)
    return row


def leave(monkeypatch: pytest.MonkeyPatch, free: int, total: int = 100 * GIGA) -> None:
    """Let a disk have so much left."""
    disk = Disk(total, total - free, free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: disk)


def send(api: Api, world: World, row: Result, text: str) -> Answer:
    return api.patch(f"/result/{row.id}", world.amsterdam_north, {"result": text})


def read(api: Api, row: Result, who: User) -> list[Answer]:
    """Ask for a result, in a list and by itself."""
    query = f"task_id={row.task_id}"
    return [api.get("/result", who, query=query), api.get(f"/result/{row.id}", who)]


def test_a_disk_that_is_nearly_full_takes_small_bodies_and_gives_small_answers_only(
    api: Api, world: World, task_result: Result, root: User, monkeypatch: pytest.MonkeyPatch
):
    leave(monkeypatch, GIGA)
    refused = send(api, world, task_result, LARGE)
    assert refused.problem == (503, "unavailable")
    assert refused.headers["retry-after"] == "60"
    assert send(api, world, task_result, SMALL).status == 200
    assert [answer.status for answer in read(api, task_result, root)] == [200, 200]


@pytest.mark.parametrize(("total", "free"), [(100 * GIGA, GIGA + 2**24), (GIGA, 2**26)])
def test_a_large_answer_waits_for_room(
    api: Api,
    world: World,
    task_result: Result,
    root: User,
    monkeypatch: pytest.MonkeyPatch,
    total: int,
    free: int,
):
    leave(monkeypatch, free, total)
    assert send(api, world, task_result, LARGE).status == 200
    assert [answer.status for answer in read(api, task_result, root)] == [200, 200]
    leave(monkeypatch, min(GIGA, total // 20) + 2**20, total)
    refused = [answer.problem for answer in read(api, task_result, root)]
    assert refused == [(503, "unavailable")] * 2
