"""``vserver`` as an operator calls it, for a server with either kind of database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from tests.api.conftest import configured
from vantage6.common.config import Instance
from vantage6.models import database
from vantage6.server.cli import main


@dataclass
class Operator:
    """Somebody at the machine of a server."""

    instance: Instance

    def run(self, *words: object, stdin: str | None = None) -> Result:
        """Run a command and return what came of it."""
        line = [*map(str, words), "--config", str(self.instance.file)]
        done = CliRunner().invoke(main, line, input=stdin)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    def does(self, *words: object, stdin: str | None = None) -> str:
        """Run a command that has to succeed, and return what it prints."""
        done = self.run(*words, stdin=stdin)
        assert done.exit_code == 0, done.output
        return done.stdout

    def refused(self, *words: object, code: int = 1, stdin: str | None = None) -> str:
        """Run a command that has to fail, and return what it says."""
        done = self.run(*words, stdin=stdin)
        assert done.exit_code == code, done.output
        return done.output

    def set(self, **settings: Any) -> None:
        """Change the configuration."""
        self.instance = configured(self.instance, **settings)

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Look into the database."""
        database.bind(self.instance.config.uri, folder=self.instance.folder)
        try:
            with database.session():
                yield
        finally:
            database.dispose()


@pytest.fixture
def uri(empty_uri: str) -> str:
    """Run with both databases."""
    return empty_uri


@pytest.fixture
def operator(instance: Instance, light_passwords: None) -> Operator:
    """Give somebody who operates a server that never ran."""
    return Operator(instance)


def write_batch(path: Path, content: Any) -> Path:
    """Write the file of an import."""
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path
