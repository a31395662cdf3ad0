"""The end of log files: only of this start, and of several files by time."""

import json
from pathlib import Path

from vantage6.common.cli.log_tail import follow, last_lines, length


def _entry(second: int, event: str) -> str:
    moment = f"2026-11-29T22:00:{second:02}.000000Z"
    return json.dumps({"timestamp": moment, "level": "info", "event": event}) + "\n"


def test_last_lines_of_several_files_come_in_the_order_of_their_times(tmp_path: Path) -> None:
    api, beat, odd = (tmp_path / name for name in ("api.log", "beat.log", "odd.log"))
    api.write_text(_entry(1, "first") + _entry(30, "fourth") + "Traceback\n" + _entry(50, "last"))
    beat.write_text("".join(_entry(second, f"old {second}") for second in range(10, 20)))
    odd.write_text("a banner without a time\n" * 5)
    shown: list[str] = []
    files = {"api": api, "beat": beat, "odd": odd}
    follow(files, shown.append, lines=5, until=lambda: True)
    said = [line.split("]")[-1].strip() for line in shown]
    assert said == ["old 18", "old 19", "fourth", "api  | Traceback", "last"]
    assert [line.split()[0] for line in shown] == ["beat", "beat", "api", "api", "api"]


def test_times_of_redis_are_understood(tmp_path: Path) -> None:
    redis, api = tmp_path / "redis.log", tmp_path / "api.log"
    redis.write_text("71:M 29 Nov 2020 22:53:18.123 * Ready\n71:M 29 Nov 2030 22:53:18.123 * Bye\n")
    api.write_text(_entry(1, "between"))
    shown: list[str] = []
    follow({"redis": redis, "api": api}, shown.append, lines=3, until=lambda: True)
    assert [line.split()[-1] for line in shown] == ["Ready", "between", "Bye"]


def test_lines_of_an_earlier_start_are_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "node.log"
    assert length(file) == 0
    file.write_text("No container engine answers.\n")
    since = length(file)
    assert last_lines(file, 5, since=since) == []
    with file.open("a") as log:
        log.write("The server does not answer.\n")
    assert last_lines(file, 5, since=since) == ["The server does not answer."]
    # Rotated since.
    file.write_text("new\n")
    assert last_lines(file, 5, since=since) == ["new"]
