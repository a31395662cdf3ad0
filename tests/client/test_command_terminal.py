"""The command `vantage6` in a real terminal: what is asked, shown, and left by Ctrl-C."""

import sys
from pathlib import Path
from typing import Any

import pyotp
import pytest
from click.testing import CliRunner

from tests.client.command import Command
from tests.client.conftest import Live
from tests.client.test_command_run import answer_both
from tests.terminal import Terminal
from tests.waiting import eventually
from vantage6.client.cli import main
from vantage6.models.tables import Task

PROGRAM = (sys.executable, "-m", "vantage6.client")
WITH_COLOURS = ("env", "TERM=xterm")
RUN = (*PROGRAM, "run", "average_partial", "--image", "i", "--arg", "column_name=age")


def test_the_password_is_asked_for_and_not_shown(live: Live, home: Path) -> None:
    words = (*PROGRAM, "login", live.client.base_path, "--user", "ada")
    with Terminal(words, home) as terminal:
        terminal.answer("Password of ada: ", "secret")
        assert terminal.end() == 0
        assert "Logged in as ada of Amsterdam" in terminal.shown
        assert "secret" not in terminal.shown
    with Terminal((*PROGRAM, "whoami"), home) as terminal:
        assert terminal.end() == 0
        assert "Amsterdam (id 1)" in terminal.shown


@pytest.mark.parametrize(
    ("before", "line"), [(WITH_COLOURS, "Berlin     completed"), ((), "Berlin: completed")]
)
def test_a_line_for_each_station_is_shown_and_the_results_follow(
    command: Command,
    home: Path,
    before: tuple[str, ...],
    line: str,
) -> None:
    command.log_in()
    with Terminal((*before, *RUN), home) as terminal:
        terminal.wait_for("was sent to Amsterdam, Berlin")
        terminal.wait_for("pending")
        task = eventually(lambda: Task.select().first())
        answer_both(command, task.id, {"sum": 1, "count": 1}, {"sum": 2, "count": 2})
        assert terminal.end() == 0
        assert line in terminal.shown
        assert "Organization  sum  count" in terminal.shown


def test_ctrl_c_leaves_the_task_and_says_how_to_come_back(
    command: Command,
    home: Path,
) -> None:
    command.log_in()
    with Terminal((*WITH_COLOURS, *RUN), home) as terminal:
        terminal.wait_for("pending")
        terminal.press_ctrl_c()
        assert terminal.end() == 130
        task = Task.get()
        assert f"Task {task.id} goes on" in terminal.shown
        assert f"vantage6 result show {task.id} --wait" in terminal.shown
        assert "Traceback" not in terminal.shown
    assert not command.live.client.task.get(task.id)["complete"]


class TestSecondFactor:
    """Where the server asks everybody for a second factor."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"two_factor_auth": True}

    def test_it_is_set_up_and_asked_for(
        self,
        live: Live,
        command: Command,
        home: Path,
    ) -> None:
        words = ("login", live.client.base_path, "--user", "ada")
        with Terminal((*PROGRAM, *words), home) as terminal:
            terminal.answer("Password of ada: ", "secret")
            terminal.wait_for("Code of your authenticator app: ")
            app = pyotp.TOTP(terminal.shown.rpartition("secret:")[2].split()[0])
            terminal.answer("", app.now())
            assert terminal.end() == 0
            assert "client.authenticate" not in terminal.shown
            assert "recovery codes" in terminal.shown
        refused = command.run(*words, answers="secret\n")
        assert refused.exit_code == 3
        assert "--code" in refused.stderr


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("vantage6 ru", ["run"]),
        ("vantage6 shelf li", ["list"]),
        ("vantage6 run --coll", ["--collaboration"]),
        ("vantage6 run glm --format pi", ["pickle"]),
    ],
)
def test_a_shell_completes_commands_options_and_their_values(
    words: str, completed: list[str]
) -> None:
    environment = {
        "_VANTAGE6_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    done = CliRunner().invoke(main, [], env=environment, prog_name="vantage6")
    assert done.stdout.split() == [f"plain,{word}" for word in completed]
