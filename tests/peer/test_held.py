"""A station that asks a person first, before the published client, and through crashes."""

import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.peer.conftest import CENTRAL, SUM, world
from tests.peer.worlds import ALPHA, World
from tests.waiting import eventually
from vantage6.sandbox.programs import program

ASKS = {"allowed_algorithms": ".*", "approval": "always"}


@pytest.fixture(scope="module")
def asking(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give an encrypted world in which the station of alpha asks a person first."""
    settings: dict[str, Any] = {"settings": {"flower": None}}
    settings["node_settings"] = {"alpha": {"policies": ASKS}}
    with world(python, tmp_path_factory.mktemp("asking"), ["alpha"], **settings) as asking:
        yield asking


def vnode(world: World, *words: str) -> str:
    """Run a command at the station of alpha, and return what it prints."""
    command = [*program("vnode"), *words, "--config", str(world.federation.node_file("alpha"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def approve(world: World, result: int) -> None:
    """Approve the request of a result, as a person does who has just read it."""
    code = re.search(rf"`vnode approve {result} (\w+)`", vnode(world, "requests", str(result)))
    assert code
    vnode(world, "approve", str(result), code[1])


def result_of(world: World, task: int) -> dict[str, Any]:
    """Return the only result of a task, as the published client gets it."""
    (found,) = world.researcher.result.list(task=task)["data"]
    return dict(found)


def send_and_wait_for_hold(world: World, input_: dict[str, Any]) -> tuple[int, int]:
    """Send a task to alpha, and return its id and that of its result once that is held."""
    task = world.send([ALPHA], input_)["id"]

    def is_held() -> bool:
        found = result_of(world, task)
        reason = found.get("reason") or {}
        return found["status"] == "pending" and reason.get("code") == "awaiting_approval"

    assert eventually(is_held, 60)
    found = result_of(world, task)
    assert (found["started_at"], found["finished_at"], found["result"]) == (None, None, None)
    assert not world.researcher.task.get(task)["complete"]
    return task, found["id"]


def test_the_published_client_waits_until_a_person_has_approved(asking: World) -> None:
    task, result = send_and_wait_for_hold(asking, SUM)
    shown = vnode(asking, "requests", str(result))
    for words in ("researcher", "average_partial", '"column_name" = "age"', "default"):
        assert words in shown
    answer = threading.Timer(2, approve, [asking, result])
    answer.start()
    (found,) = asking.researcher.wait_for_results(task, 0.05)
    answer.join()
    assert found["status"] == "completed"
    assert found["reason"] is None
    assert found["result"]


def test_the_published_client_reads_why_a_person_denied(asking: World) -> None:
    task, result = send_and_wait_for_hold(asking, SUM)
    vnode(asking, "deny", str(result), "--reason", "Not in the agreement.")
    (found,) = asking.researcher.wait_for_results(task, 0.05)
    assert found["status"] == "not allowed"
    assert "Not in the agreement." in found["reason"]["msg"]


def test_a_hold_outlives_a_killed_node_and_a_killed_server(asking: World) -> None:
    task, result = send_and_wait_for_hold(asking, SUM)
    federation = asking.federation
    federation.stop_node("alpha", signal.SIGKILL)
    assert f"{result} " in vnode(asking, "requests")
    approve(asking, result)
    federation.kill("api")
    eventually(federation.is_ready, 60)
    federation.start_node("alpha")
    (found,) = asking.researcher.wait_for_results(task, 0.05)
    assert (found["status"], bool(found["result"])) == ("completed", True)
    audit = (federation.folder / "alpha/node/audit.jsonl").read_text()
    started = [line for line in audit.splitlines() if f'"result_id": {result},' in line]
    assert sum('"event": "started"' in line for line in started) == 1
    assert sum('"event": "held"' in line for line in started) == 1


def test_a_task_that_is_killed_while_it_waits_is_withdrawn(asking: World) -> None:
    task, _ = send_and_wait_for_hold(asking, CENTRAL)
    asking.researcher.task.kill(id_=task)
    assert eventually(lambda: "no request waits" in vnode(asking, "requests"), 60)
    assert result_of(asking, task)["status"] == "killed by user"
