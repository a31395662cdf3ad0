"""Many short tasks on one station: nothing grows, nothing stays.

``V6_SOAK=2000`` runs that many instead of a few.
"""

import base64
import os
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import docker
import psutil
import pytest

from tests.node.conftest import MakeContext, MakeScheduler
from tests.node.factories import make_config
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.node.rules.audit import FILE_NAME, entries, verify
from vantage6.node.runtime.docker import DockerRuntime
from vantage6.node.work.scheduler import Scheduler

TASKS = int(os.environ.get("V6_SOAK", "120"))
#: Tasks that are there before the first measurement, and between two of them.
ROUND = min(40, TASKS // 3)

#: Small ones, so that the machine has room for twenty runs at once.
LIMITS = {"memory_bytes": 2**27, "disk_bytes": 2**26}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120 + TASKS)]

WAIT = "import time\nwhile not os.path.exists('/mnt/tmp/go'): time.sleep(0.1)\n"
PROGRAM = "open(os.environ['OUTPUT_FILE'], 'w').write(open(os.environ['TOKEN_FILE']).read()[:3])"


@pytest.fixture
def name(engine: docker.APIClient) -> Iterator[str]:
    """Give the name of a node of which nothing stays on this machine."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    before = _volumes(engine, name)
    yield name
    label = {"label": [f"node={name}"]}
    assert not engine.containers(all=True, filters=label)
    assert not engine.networks(filters=label)
    # Those of the tests beside, too, go with their containers.
    eventually(lambda: _volumes(engine, name) <= before)


@pytest.fixture
def scheduler(
    program_image: str,
    docker_host: str,
    name: str,
    make_context: MakeContext,
    make_scheduler: MakeScheduler,
) -> Scheduler:
    """Give the executor of a station with containers."""
    values = {"docker_host": docker_host, "limits": LIMITS, "parallel": 20}
    runtime = DockerRuntime(name, make_config(**values))
    return make_scheduler(make_context(runtime=runtime, **values))


def test_twenty_results_run_at_once(wire: Wire, scheduler: Scheduler) -> None:
    for id_ in range(1, 21):
        wire.add(id_, WAIT + PROGRAM, run_id=id_)
        scheduler.accept(id_)
    eventually(lambda: len(wire.ids("active")) == 20)
    for id_ in range(1, 21):
        (scheduler._context.spool.temporary(id_) / "go").touch()
    eventually(lambda: len(wire.ids("completed")) == 20)
    # The last containers go after their results have arrived.
    eventually(lambda: scheduler.report() == ([], []))


def test_nothing_grows_and_nothing_stays(
    wire: Wire, scheduler: Scheduler, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process = psutil.Process()
    measured: list[tuple[int, int, int]] = []
    began = time.monotonic()
    for first in range(1, TASKS + 1, ROUND):
        ids = range(first, min(first + ROUND, TASKS + 1))
        for id_ in ids:
            wire.add(id_, PROGRAM, run_id=id_)
            scheduler.accept(id_)
        eventually(lambda: scheduler.report() == ([], []), 30 + 5 * ROUND)
        for id_ in ids:
            result = wire.results.pop(id_)
            assert result["status"] == "completed", result
            assert base64.b64decode(result["result"]) == b"eyJ"
        wire.asked.clear()
        wire.claims.clear()
        # Threads of the last results end a moment after their results.
        time.sleep(0.5)
        measured.append((process.num_fds(), process.num_threads(), process.memory_info().rss))
    with capsys.disabled():
        each = (time.monotonic() - began) / TASKS
        sys.stdout.write(f"\n{TASKS} tasks, {each:.3f} s each; (fds, threads, RSS): {measured}\n")
    (descriptors, threads, memory), *_ = measured
    assert measured[-1][0] <= descriptors + 8
    assert measured[-1][1] <= threads + 4
    assert measured[-1][2] <= memory + 24 * 2**20
    assert not list((tmp_path / "data/results").iterdir())
    audit = tmp_path / "data" / FILE_NAME
    assert verify(audit).broken is None
    assert len({entry["result_id"] for entry in entries(audit)}) == TASKS


def _volumes(engine: docker.APIClient, node: str) -> set[str]:
    """Return the volumes that may be of a node: other tests have named ones meanwhile."""
    return {
        volume["Name"]
        for volume in engine.volumes()["Volumes"] or ()
        if node in volume["Name"] or "com.docker.volume.anonymous" in (volume["Labels"] or {})
    }
