"""Text from other people commands no terminal."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from vantage6.client import Client
from vantage6.client.waiting import summary
from vantage6.common.cli import console
from vantage6.common.cli.log_tail import follow, readable
from vantage6.common.terminal_text import harmless, one_line
from vantage6.node.cli import main as vnode
from vantage6.node.rules.audit import Audit, entries

#: Clears the screen, writes over a line, names the window, turns the direction, hides.
EVIL = "\x1b[2J\x9b2J\r\x07\x1b]0;root\x07\u202egnp.exe\u2066\u200b\x7f"
LETTERS = set(EVIL) - set("[2J]0;rootgnp.exe")


def is_harmless(text: str) -> bool:
    return not LETTERS & set(text)


def test_what_commands_a_terminal_is_written_as_json_writes_it() -> None:
    assert harmless("\x1b[2J\x9b\u202e") == r"\u001b[2J\u009b\u202e"
    assert is_harmless(harmless(EVIL))
    assert json.loads(f'"{harmless(EVIL)}"') == EVIL
    for kept in ("Zürich 東京 é 🙂", "a\tb\nc", "עברית", ""):
        assert harmless(kept) == kept
    assert one_line("a\nb") == r"a\nb"


def test_lines_of_all_levels_are_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    for print_ in (console.info, console.warning, console.error, console.debug, console.say):
        print_(EVIL)
    console.say(EVIL, err=True)
    out, err = capsys.readouterr()
    assert is_harmless(out)
    assert is_harmless(err)
    assert len(out.splitlines()) == 5


def test_log_on_the_console_is_harmless_and_forges_no_line() -> None:
    script = (
        "from vantage6.common import logs; import logging; logs.set_up('node');"
        f"evil = {EVIL!r} + chr(10) + '2026 [info] forged';"
        "logs.get('x').warning('asked', image=evil);"
        "logging.getLogger('other').warning('by %s', evil)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert is_harmless(ended.stderr)
    assert len(ended.stderr.splitlines()) == 2


def test_log_file_is_shown_harmless_and_forges_no_line(tmp_path: Path) -> None:
    file, shown = tmp_path / "node.log", []
    event = {"timestamp": "t", "level": "info", "event": EVIL, "image": EVIL + "\nforged"}
    file.write_text(json.dumps(event) + "\n" + EVIL.replace("\r", "") + "\n")
    assert is_harmless(readable(json.dumps(event)))
    assert "\n" not in readable(json.dumps(event))
    follow({"node": file}, lambda line: shown.append(harmless(line)), lines=5, until=lambda: True)
    assert len(shown) == 2


@pytest.fixture
def station(tmp_path: Path) -> Path:
    """Give the configuration of a node whose record has names that command a terminal."""
    (tmp_path / "node").mkdir()
    audit = Audit(tmp_path / "node")
    audit.record("asked", result_id=5, image=EVIL, organization=EVIL, users=[EVIL])
    audit.close()
    file = tmp_path / "station.yaml"
    file.write_text(
        "application: {api_key: key, server_url: 'http://127.0.0.1', encryption: {enabled: "
        f"false}}, task_dir: '{tmp_path / 'node'}'}}\n"
    )
    return file


@pytest.mark.parametrize("form", ["json", "csv"])
def test_record_that_is_printed_is_harmless_and_complete(station: Path, form: str) -> None:
    done = CliRunner().invoke(
        vnode, ["audit", "export", "--config", str(station), "--format", form]
    )
    assert done.exit_code == 0, done.output
    assert is_harmless(done.output.replace("\r\n", "\n"))
    if form == "json":
        (entry,) = entries(station.parent / "node" / "audit.jsonl")
        assert json.loads(done.output) == entry


def test_policy_test_repeats_what_it_was_given_harmless(station: Path) -> None:
    done = CliRunner().invoke(
        vnode, ["policy", "test", "--config", str(station), "--image", EVIL, "--database", EVIL]
    )
    assert is_harmless(done.output)


def test_names_from_the_server_are_harmless_in_the_client(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = Client("http://127.0.0.1")
    client.log.warning("%s is offline", EVIL)
    logging.getLogger("vantage6.client").warning("and %s", EVIL)
    client.close()
    assert is_harmless(caplog.text)
    status = {"id": EVIL, "results": [], "complete": True}
    assert is_harmless(summary(status, 1.0))
