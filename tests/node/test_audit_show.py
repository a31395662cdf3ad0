"""What ran and what left, for people: a line for each result, and the content where it is kept."""

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from structlog.testing import capture_logs

from tests.node.conftest import MakeContext, MakeScheduler
from tests.node.factories import make_config
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.common import clock
from vantage6.node.cli import main
from vantage6.node.rules.audit import Audit
from vantage6.node.rules.kept_outputs import KeptOutputs, copy_of

Vnode = Callable[..., Result]


@pytest.fixture
def vnode(tmp_path: Path) -> Vnode:
    """Give a function that runs a command on the node whose data folder is `data`."""
    settings: dict[str, Any] = {
        "api_key": "key",
        "server_url": "http://127.0.0.1",
        "encryption": {"enabled": False},
        "task_dir": str(tmp_path / "data"),
    }
    file = tmp_path / "station.yaml"
    file.write_text(yaml.safe_dump({"application": settings}))

    def run(*arguments: Any) -> Result:
        words = [str(word) for word in arguments]
        return CliRunner().invoke(main, ["audit", *words, "--config", str(file)])

    return run


def test_what_left_is_told_and_kept(
    wire: Wire,
    make_context: MakeContext,
    make_scheduler: MakeScheduler,
    tmp_path: Path,
    vnode: Vnode,
) -> None:
    scheduler = make_scheduler(make_context(keep_outputs_days=30))
    program = "print('hello'); open(os.environ['OUTPUT_FILE'], 'w').write('4 people')"
    wire.add(5, program)
    scheduler.accept(5)
    # Also its last line is in the log then, which the command would catch.
    eventually(lambda: wire.ids("completed") == [5] and scheduler.report() == ([], []))
    said = vnode("show", "--today").output
    (line,) = [one for one in said.splitlines() if " 5 " in one]
    for words in ("105", "org 1", "alice", "completed", "14 bytes"):
        assert words in line, said
    assert said.splitlines()[1] == f"{clock.now():%Y-%m-%d}"
    assert vnode("content", 5).output == "4 people"
    assert vnode("content", 5, "--log").output == "hello\n"
    for kind in ("output", "log"):
        kept = copy_of(tmp_path / "data", 5, kind)
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700


def test_nothing_is_kept_unless_the_station_says_so(
    wire: Wire, make_context: MakeContext, make_scheduler: MakeScheduler, vnode: Vnode
) -> None:
    scheduler = make_scheduler(make_context())
    wire.add(5, "open(os.environ['OUTPUT_FILE'], 'w').write('4 people')")
    scheduler.accept(5)
    # Also its last line is in the log then, which the command would catch.
    eventually(lambda: wire.ids("completed") == [5] and scheduler.report() == ([], []))
    done = vnode("content", 5)
    assert done.exit_code == 10
    assert "keep_outputs_days" in done.output


def test_a_line_for_each_result_says_how_it_ended(tmp_path: Path, vnode: Vnode) -> None:
    (tmp_path / "data").mkdir()
    audit = Audit(tmp_path / "data")
    asked = {"task_id": 1, "organization": "org\x1b[1m", "user": None, "image": "a/b"}
    for id_ in (1, 2, 3, 4):
        audit.record("asked", result_id=id_, method="mean", **asked)
    audit.record("refused", result_id=1, code="image_not_allowed")
    audit.record("released", result_id=1, status="not allowed", output_bytes=0, log_bytes=0)
    audit.record("subtask", result_id=2, all_input_bytes=1000)
    audit.record("live_log", result_id=2, sent_bytes=20)
    audit.record("released", result_id=2, status="completed", output_bytes=3, log_bytes=1)
    audit.record("stopped", result_id=3, message="wrong", by="root")
    audit.record("released", result_id=3, status="killed by user", output_bytes=0, log_bytes=0)
    audit.record("stopped", result_id=4, message="late", by="root", left_before=True)
    # Asked for anew, after others: its first row stays before theirs.
    audit.record("asked", result_id=1, method="mean", **asked)
    # An upload that the server refused, or whose answer was lost, may have left all the same.
    audit.record("asked", result_id=5, method="mean", **asked)
    audit.record("released", result_id=5, status="completed", output_bytes=5120, log_bytes=0)
    audit.record("released", result_id=5, status="failed", output_bytes=0, log_bytes=0)
    audit.record("asked", result_id=6, method="mean", **asked)
    audit.record("released", result_id=6, status="completed", output_bytes=5120, log_bytes=0)
    audit.record("stopped", result_id=6, message="wrong", by="root", left_before=False)
    audit.record("released", result_id=6, status="killed by user", output_bytes=0, log_bytes=0)
    audit.close()
    said = vnode("show").output
    rows = [(row.split()[1], row) for row in said.splitlines()[2:]]
    assert [id_ for id_, _ in rows] == ["1", "2", "3", "4", "1", "5", "6"]
    lines = dict(reversed(rows))
    for id_, end in (("5", "failed"), ("6", "stopped here")):
        assert end in lines[id_]
        assert lines[id_].rstrip().endswith("5 KiB")
    assert lines["1"].endswith("refused: image_not_allowed  nothing")
    assert lines["2"].rstrip().endswith("1 KiB")
    assert "stopped here" in lines["3"]
    assert "\x1b" not in said
    assert (
        vnode("show", "--day", "2001-01-01").output
        == "The audit file has no results of 2001-01-01.\n"
    )


def test_files_beside_the_copies_stay(tmp_path: Path) -> None:
    (tmp_path / "released").mkdir()
    for name in ("thesis.output", "4.txt", "4.output", "5.log.new"):
        (tmp_path / "released" / name).touch()
        os.utime(tmp_path / "released" / name, (0, 0))
    KeptOutputs(make_config(keep_outputs_days=1), tmp_path).prune()
    left = {file.name for file in (tmp_path / "released").iterdir()}
    assert left == {"thesis.output", "4.txt"}


def test_copies_are_bounded_in_time_and_size(tmp_path: Path) -> None:
    config = make_config(keep_outputs_days=1, keep_outputs_bytes=2**20)
    kept = KeptOutputs(config, tmp_path)
    for id_ in (1, 2, 3):
        kept.keep(id_, bytes(400_000), b"")
        long_ago = time.time() - 60 + id_
        os.utime(copy_of(tmp_path, id_, "output"), (long_ago, long_ago))
    kept.prune()
    names = {path.name for path in (tmp_path / "released").iterdir()}
    assert names == {"2.output", "3.output"}
    with capture_logs() as logged:
        kept.keep(4, bytes(2**21), b"")
    assert [one["result_id"] for one in logged] == [4]
    assert not copy_of(tmp_path, 4, "output").exists()
    two_days_ago = time.time() - 2 * 86_400
    os.utime(copy_of(tmp_path, 2, "output"), (two_days_ago, two_days_ago))
    kept.prune()
    assert not copy_of(tmp_path, 2, "output").exists()


def test_a_copy_that_cannot_be_kept_holds_nothing_up(tmp_path: Path) -> None:
    (tmp_path / "released").write_text("a file in the way")
    KeptOutputs(make_config(keep_outputs_days=1), tmp_path).keep(1, b"x", b"y")
