"""What every runtime promises, tried on each of them."""

import json
import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.node.conftest import MakeBench
from tests.node.factories import IMAGE, MIB, make_claim
from vantage6.common.task_status import TaskStatus
from vantage6.node.outcomes import RefusalError, judge
from vantage6.node.runtime import process

WRITE = "open(os.environ['OUTPUT_FILE'], 'w').write({text!r})"


def test_output_log_and_exit_code_come_back(make_bench: MakeBench) -> None:
    bench = make_bench()
    program = "import sys; print('hello'); print('trouble', file=sys.stderr);"
    entry, exit_ = bench.run(program + WRITE.format(text="done"))
    assert exit_.code == 0
    assert sorted(exit_.log.split()) == ["hello", "trouble"]
    assert entry.read_output(100) == b"done"
    assert judge(exit_, entry.output_bytes(), bench.config.limits) == (TaskStatus.COMPLETED, None)


def test_exit_code_of_a_failure_is_kept(make_bench: MakeBench) -> None:
    bench = make_bench()
    _, exit_ = bench.run("print('reason > last words'); raise SystemExit(7)")
    status, reason = judge(exit_, 0, bench.config.limits)
    assert (exit_.code, status) == (7, TaskStatus.CRASHED)
    assert reason is not None
    assert reason.code == "exit_code"
    assert "7" in reason.message
    assert "last words" in reason.message


def test_log_is_cut_at_its_beginning_and_need_not_be_text(make_bench: MakeBench) -> None:
    bench = make_bench(limits={"log_bytes": 1024})
    _, exit_ = bench.run(
        "import sys; print('x' * 5000); sys.stdout.flush(); sys.stdout.buffer.write(b'\\xff end')"
    )
    assert len(exit_.log) <= 1024
    assert exit_.log.endswith("\N{REPLACEMENT CHARACTER} end")


def test_program_finds_everything_through_its_environment(make_bench: MakeBench) -> None:
    bench = make_bench(
        databases=[
            {"label": "default", "uri": "patients.csv", "type": "csv"},
            {"label": "other", "uri": "http://secret:1234/", "type": "sparql"},
        ],
        algorithm_env={"EXTRA": "1"},
    )
    entry, exit_ = bench.run(
        "import json; out = dict(os.environ);"
        "out['token'] = open(os.environ['TOKEN_FILE']).read();"
        "out['data'] = open(os.environ['DEFAULT_DATABASE_URI']).read();"
        "open(os.environ['TEMPORARY_FOLDER'] + '/shared', 'w').write('x');"
        "json.dump(out, open(os.environ['OUTPUT_FILE'], 'w'))"
    )
    assert exit_.code == 0, exit_.log
    seen = json.loads(entry.read_output(10**6))
    assert seen["token"] == "own-token"
    assert seen["data"] == "age\n40\n50\n"
    assert seen["API_PATH"] == ""
    assert seen["USER_REQUESTED_DATABASE_LABEL"] == "default"
    assert seen["DEFAULT_DATABASE_TYPE"] == "csv"
    assert json.loads(seen["DB_LABELS"]) == ["default", "other"]
    assert seen["HOST"].startswith("http://")
    assert int(seen["PORT"])
    assert seen["EXTRA"] == "1"
    assert "secret" not in json.dumps(seen)
    assert (bench.spool.temporary(1) / "shared").exists()


def test_image_without_program_is_refused(make_bench: MakeBench) -> None:
    bench = make_bench()
    with pytest.raises(RefusalError) as caught:
        bench.runtime.fetch("no/such-image", lambda: False)
    assert caught.value.status == TaskStatus.NO_DOCKER_IMAGE
    assert caught.value.reason.code == "image_not_found"
    assert bench.runtime.fetch(IMAGE, lambda: False)


def test_kill_ends_a_program_and_what_it_started(make_bench: MakeBench) -> None:
    bench = make_bench()
    _, handle = bench.begin(
        "import subprocess, time; subprocess.Popen(['sleep', '60']); time.sleep(60)"
    )
    threading.Timer(0.3, bench.runtime.kill, [5]).start()
    before = time.monotonic()
    exit_ = bench.runtime.wait(handle)
    assert exit_.code != 0
    assert time.monotonic() - before < 30


def test_kill_and_remove_of_nothing_are_harmless(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.runtime.kill(404)
    bench.runtime.remove(404)


def test_running_program_is_found_again(make_bench: MakeBench) -> None:
    bench = make_bench()
    wait = (
        "import time; print('before'); go = os.environ['TEMPORARY_FOLDER'] + '/go'\n"
        "while not os.path.exists(go): time.sleep(0.02)\n"
    )
    bench.begin(wait + WRITE.format(text="late"))
    bench.listeners.pop().close()
    handle = bench.runtime.find(5, bench.listeners.append)
    assert handle is not None
    assert handle.started_at is not None
    assert len(bench.listeners) == 1
    (bench.spool.temporary(1) / "go").touch()
    exit_ = bench.runtime.wait(handle)
    assert exit_.code == 0
    assert "before" in exit_.log


def test_ended_program_is_found_again(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.run(WRITE.format(text="early"))
    handle = bench.runtime.find(5, bench.listeners.append)
    assert handle is not None
    assert bench.runtime.wait(handle).code == 0
    bench.runtime.remove(5)
    assert bench.runtime.find(5, bench.listeners.append) is None


def test_second_creation_finds_the_first_and_runs_nothing_twice(make_bench: MakeBench) -> None:
    bench = make_bench()
    program = "open(os.environ['TEMPORARY_FOLDER'] + '/runs', 'a').write('x')"
    _, spec = bench.prepare(program)
    first = bench.runtime.start(bench.runtime.create(spec), bench.listeners.append)
    bench.runtime.wait(first)
    for listener in bench.listeners:
        listener.close()
    again = bench.runtime.start(bench.runtime.create(spec), bench.listeners.append)
    assert again.id == first.id
    bench.runtime.wait(again)
    assert (bench.spool.temporary(1) / "runs").read_text() == "x"


def test_program_is_ended_when_its_time_is_over(make_bench: MakeBench) -> None:
    bench = make_bench(limits={"seconds": 1})
    _, exit_ = bench.run("import time; print('started', flush=True); time.sleep(60)")
    status, reason = judge(exit_, 0, bench.config.limits)
    assert status == TaskStatus.CRASHED
    assert reason is not None
    assert reason.code == "time_limit"
    assert "started" in exit_.log


def test_file_above_the_limit_gives_a_reason(make_bench: MakeBench) -> None:
    bench = make_bench()
    entry, exit_ = bench.run(
        "file = open(os.environ['OUTPUT_FILE'], 'wb');"
        "[file.write(b'x' * 1048576) for _ in range(200)]"
    )
    assert entry.output_bytes() <= 4 * MIB
    _, reason = judge(exit_, entry.output_bytes(), bench.config.limits)
    assert reason is not None
    assert reason.code == "output_too_large"
    assert "4 MiB" in reason.message


def test_memory_above_the_limit_gives_a_reason(make_bench: MakeBench) -> None:
    bench = make_bench(limits={"memory_bytes": 64 * MIB})
    bench.needs_bound("memory")
    _, exit_ = bench.run("hold = []\nwhile True: hold.append(b'x' * 1048576)")
    status, reason = judge(exit_, 0, bench.config.limits)
    assert status == TaskStatus.CRASHED
    assert reason is not None
    assert reason.code == "out_of_memory", exit_
    assert "64 MiB" in reason.message


def test_sweep_removes_what_no_result_needs(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.begin("import time; time.sleep(60)")
    bench.begin("import time; time.sleep(60)", make_claim(6))
    bench.runtime.sweep({6})
    for listener in bench.listeners:
        listener.close()
    assert bench.runtime.find(5, bench.listeners.append) is None
    assert bench.runtime.find(6, bench.listeners.append) is not None


def test_program_runs_although_its_node_was_killed_while_it_began(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    script = process._SCRIPT.format(blocks=1000, kilobytes=10**6, command="echo done")
    with os.fdopen(write, "wb") as gone:
        shell = ["/bin/sh", "-c", script]
        subprocess.run(shell, cwd=tmp_path, stdout=gone, timeout=20, check=True)
    assert (tmp_path / "exit").read_text() == "0\n"
    assert (tmp_path / "log").read_text() == "done\n"
