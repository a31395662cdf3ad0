"""The common part of ``vnode doctor`` and ``vserver doctor``: findings, their lines, the exit code.

A check is a function. It returns a sentence about a part that works, and raises `Failed` with a
sentence about one that does not.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import click

from vantage6.common import logs
from vantage6.common.cli import console
from vantage6.common.clock import now
from vantage6.common.errors import ConfigurationError, V6Error

log = logs.get(__name__)


class State(StrEnum):
    """What came of a check."""

    OK = "ok"
    #: There is nothing to look at, or no way to.
    SKIPPED = "skipped"
    #: It works, and should be mended nevertheless.
    WARNING = "warning"
    #: It does not work.
    FAILURE = "failure"


_COLOURS = {
    State.OK: "green",
    State.SKIPPED: "cyan",
    State.WARNING: "yellow",
    State.FAILURE: "red",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check has shown; its fields are the keys of ``--json``."""

    check: str
    state: State
    message: str


class Remark(Exception):
    """Ends a check that is not simply well; the message says why, and what to do."""

    state: State


class Skipped(Remark):
    """There is nothing to look at."""

    state = State.SKIPPED


class Doubtful(Remark):
    """It works, and should be mended nevertheless."""

    state = State.WARNING


class Failed(Remark):
    """It does not work."""

    state = State.FAILURE


#: Name of a check, and what it does.
Check = tuple[str, Callable[[], str]]


def findings(checks: Iterable[Check]) -> Iterator[Finding]:
    """Yield what each check shows, one after the other."""
    for name, check in checks:
        try:
            yield Finding(name, State.OK, check())
        except Remark as remark:
            yield Finding(name, remark.state, str(remark))
        except V6Error as error:
            yield Finding(name, State.FAILURE, error.message)
        except Exception as error:
            # One that breaks must not take the others with it. Not its words, which are nobody's.
            log.exception("check broke", check=name)
            kind = type(error).__name__
            yield Finding(name, State.FAILURE, f"This could not be looked at ({kind}); report it.")


def report(examine: Callable[[], Iterator[Finding]], *, as_json: bool) -> int:
    """Show findings as they come, and return the exit code: 1 if something does not work.

    Parameters
    ----------
    examine
        Begins the examination; a configuration that cannot be used is its first finding.
    as_json
        Print one list for programs instead.
    """
    shown = []
    with logs.silence():
        for finding in _with_configuration(examine):
            shown.append(finding)
            if not as_json:
                state = click.style(f"{finding.state:<8}", fg=_COLOURS[finding.state])
                console.say(f" {finding.check}: {finding.message}", before=state)
    if as_json:
        console.say(json.dumps([asdict(finding) for finding in shown], indent=1))
    return int(any(finding.state is State.FAILURE for finding in shown))


def _with_configuration(examine: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from examine()
    except ConfigurationError as error:
        yield Finding("configuration", State.FAILURE, error.message)


# Checks that both programs have.


def writable(folder: Path, advice: str) -> str:
    """Check that a folder, or the one in which it will be made, can be written into.

    Parameters
    ----------
    folder
        It need not exist.
    advice
        What to do if it cannot be used.
    """
    there = existing(folder)
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise Failed(f"Cannot write into {there}: {error.strerror}; {advice}.") from error
    if there != folder:
        return f"{folder} is made by the first start."
    refuse_shared(folder, 0o700)
    return f"{folder} is writable, and closed to others."


def refuse_shared(path: Path, mode: int) -> None:
    """Check that no other user can read a file or a folder with secrets."""
    # What is mounted into a container to be read only is for its host to close.
    is_ours = not os.statvfs(path).f_flag & os.ST_RDONLY
    if is_ours and path.stat().st_mode & 0o077:
        raise Doubtful(f"{path} holds secrets and others can read it: chmod {mode:o} {path}")


def room(folder: Path, least: int, advice: str) -> str:
    """Check that so many bytes are free where a folder is, or will be."""
    there = existing(folder)
    free = shutil.disk_usage(there).free
    said = f"{free / 2**30:.1f} GiB are free at {there}"
    if free < least:
        raise Doubtful(f"{said}, and {least / 2**30:.0f} should be: {advice}.")
    return f"{said}."


def same_time(there: datetime, most_seconds: float) -> str:
    """Check that a clock elsewhere shows the same time as that of this machine."""
    # A time without a zone is one of UTC, as a server's Date with -0000.
    apart = abs((now() - (there if there.tzinfo else there.replace(tzinfo=UTC))).total_seconds())
    if apart > most_seconds:
        raise Doubtful(f"The clocks are {apart:.0f} s apart: run a time service (NTP) on both.")
    return "It agrees with the others."


def existing(folder: Path) -> Path:
    """Return a folder, or the nearest one above it that exists."""
    return next(path for path in (folder, *folder.parents) if path.exists())
