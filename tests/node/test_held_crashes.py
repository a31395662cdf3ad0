"""A node that is killed at any step of a request: what was approved runs once, denied never."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.campaign import EFFORT
from tests.node.crashing_station import DONE, IMAGE, RESULT
from tests.node.test_approval import payload
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.node.rules.audit import entries, verify

pytestmark = pytest.mark.slow

Live = Callable[[Path, int, int, str], Any]
#: More steps than a request takes.
_MOST_STEPS = 100


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    """Give a function that lets a station live, until its end or one of its steps."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.node.crashing_station"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as station:
        assert station.stdin is not None
        assert station.stdout is not None

        def once(folder: Path, port: int, step: int, answer: str) -> Any:
            asked = {"folder": str(folder), "port": port, "step": step, "answer": answer}
            print(json.dumps(asked), file=station.stdin, flush=True)
            return json.loads(station.stdout.readline())

        yield once
        station.stdin.close()


@pytest.mark.parametrize("answer", ["approve", "deny"])
def test_a_station_that_is_killed_at_any_step_runs_what_was_approved_once_and_denied_never(
    wire: Wire, live: Live, tmp_path: Path, answer: str
) -> None:
    lost = []
    stride = 1 if EFFORT > 1 else 3
    for step in range(1 if answer == "approve" else 2, _MOST_STEPS, stride):
        folder = tmp_path / str(step)
        folder.mkdir()
        wire.results.clear()
        wire.add(RESULT, image=IMAGE)
        wire.results[RESULT]["input"] = base64.b64encode(payload()).decode()
        first = live(folder, wire.port, step, answer)
        if first is None:
            # It was killed. The next life begins with what is on disk.
            said, _ = live(folder, wire.port, 0, answer)
            assert said == DONE, (folder / "log").read_text()
        result = wire.results[RESULT]
        runs = folder / "data/runs/1/runs"
        ran = runs.read_text() if runs.exists() else ""
        if answer == "deny":
            assert (result["status"], result["reason"]["code"], ran) == (
                "not allowed",
                "approval_denied",
                "",
            ), step
        elif result["status"] == "completed":
            assert ran == "x", step
        else:
            # Killed between the mark that it starts and the start: lost, and told so.
            assert (result["status"], ran) == ("unknown error", ""), step
            lost.append(step)
        names = [line["event"] for line in entries(folder / "data/audit.jsonl")]
        assert "held" in names
        assert "started" not in names or names.index("approval") < names.index("started")
        assert verify(folder / "data/audit.jsonl").broken is None
        assert not list((folder / "data/requests/held").iterdir())
        if first is not None:
            break
    else:
        pytest.fail("it takes more steps than that")
    assert step > 15
    assert len(lost) <= 2, lost
    assert eventually(lambda: not list((folder / "data/results").iterdir()))
