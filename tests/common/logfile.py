"""The logs of this process, set up as in production for the time of a test."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from vantage6.common import logs


@dataclass
class Logs:
    """What was logged."""

    file: Path
    _console: io.StringIO

    @property
    def console(self) -> str:
        """What went to standard error."""
        return self._console.getvalue()

    @property
    def text(self) -> str:
        """Everything, from file and standard error."""
        return self.file.read_text() + self.console

    def lines(self, *loggers: str) -> list[dict[str, Any]]:
        """Return the lines of the file, or those of some loggers: other threads may log, too."""
        lines = [json.loads(line) for line in self.file.read_text().splitlines()]
        return [line for line in lines if not loggers or line["logger"] in loggers]


def levels_of_logs() -> dict[str, int]:
    """Return the level of each logger of the standard library; that of the root has no name."""
    named = logging.Logger.manager.loggerDict
    found = {name: one.level for name, one in named.items() if isinstance(one, logging.Logger)}
    return {"": logging.getLogger().level, **found}


@contextmanager
def logged_to(file: Path, process: str, **options: Any) -> Iterator[Logs]:
    """Let this process log everything to a file and to standard error, and undo that."""
    root, before = logging.getLogger(), levels_of_logs()
    config = structlog.get_config()
    # Those of pytest, which come back by themselves, must not be closed by the set-up.
    for handler in root.handlers[:]:
        root.removeHandler(handler)
    with redirect_stderr(io.StringIO()) as console:
        logs.set_up(process, **{"level": "DEBUG", "file": file, **options})
    # A logger that is kept would go on as it is set up here, in the tests that follow.
    structlog.configure(cache_logger_on_first_use=False)
    try:
        yield Logs(file, console)
    finally:
        for handler in root.handlers[:]:
            if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter):
                root.removeHandler(handler)
                handler.close()
        for name, level in levels_of_logs().items():
            logging.getLogger(name).setLevel(before.get(name, level))
        structlog.configure(**config)
