"""``vserver new`` at a terminal."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal import Terminal
from vantage6.common.config import ServerConfig, load

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Give a home folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def wizard(home: Path) -> Iterator[Terminal]:
    """Give a terminal with the wizard, up to its first questions with wrong answers."""
    vserver = Path(sys.executable).with_name("vserver")
    with Terminal([vserver, "new", "--user"], home) as terminal:
        terminal.answer("Name of the configuration:", "über")
        terminal.wait_for("cannot be a name")
        terminal.answer("Name of the configuration:", "my server")
        terminal.answer("Description", "for people")
        terminal.answer("Address to listen on", "")
        terminal.answer("Port of the API", "70000")
        terminal.wait_for("Error:")
        terminal.answer("Port of the API", "5001")
        terminal.answer("Prefix of all routes", "")
        yield terminal


def test_wizard_asks_again_what_it_cannot_use(wizard: Terminal, home: Path) -> None:
    wizard.answer("Database", "oracle://x")
    wizard.wait_for("Error:")
    wizard.answer("Database", "sqlite:///mine.sqlite")
    wizard.answer("wipe the database", "maybe")
    wizard.wait_for("Error:")
    wizard.answer("wipe the database", "n")
    wizard.answer("authenticator app", "y")
    wizard.answer("Log level", "LOUD")
    wizard.wait_for("Error:")
    wizard.answer("Log level", "debug")
    wizard.answer("VPN server", "n")
    assert wizard.end() == 0, wizard.shown
    assert "vserver start --name my-server --user" in wizard.shown
    config = load(home / ".config/vantage6/server/my-server.yaml", ServerConfig)
    assert (config.port, config.uri, config.description) == (
        5001,
        "sqlite:///mine.sqlite",
        "for people",
    )
    assert config.two_factor_auth
    assert config.logging.level == "DEBUG"


def test_wizard_that_is_broken_off_leaves_nothing(wizard: Terminal, home: Path) -> None:
    wizard.wait_for("Database")
    wizard.interrupt()
    assert wizard.end() == 1
    assert "Aborted!" in wizard.shown
    assert "Traceback" not in wizard.shown
    assert list(home.iterdir()) == []
