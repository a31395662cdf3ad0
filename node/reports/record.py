"""The record of a station as people read it: found, checked, and as a table."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vantage6.common.errors import ConfigurationError
from vantage6.common.terminal_text import harmless
from vantage6.node.rules.audit import FILE_NAME, Head, Verification, read_head, verify
from vantage6.node.rules.kept_outputs import copy_of

if TYPE_CHECKING:
    from vantage6.node.instance import Instance

#: All that a record tells of; docs/audit.md explains each.
EVENTS = (
    "node_started",
    "policy_changed",
    "policy_refused",
    "asked",
    "key_known",
    "refused",
    "held",
    "approval",
    "grant",
    "grant_revoked",
    "paused",
    "resumed",
    "started",
    "subtask",
    "opened",
    "denied",
    "contained",
    "live_log",
    "judged",
    "release_decided",
    "released",
    "stopped",
    "dropped",
    "recovered",
)
#: Columns that come first in a table; all others follow by name.
_FIRST = ("number", "at", "event", "result_id")


def audit_path(instance: "Instance") -> Path:
    """Return the record of a node that has one.

    Raises
    ------
    ConfigurationError
        If it has none.
    """
    path = instance.data / FILE_NAME
    if not path.exists():
        raise ConfigurationError(f"There is no {path}: the node has not run yet.")
    return path


def check(path: Path, noted: Iterable[Head] = ()) -> tuple[Verification, bool]:
    """Go through a record; also tell whether the head that is repeated beside it was there."""
    repeated = read_head(path.parent)
    return verify(path, (*noted, *([repeated] if repeated else ()))), repeated is not None


def read_copy(folder: Path, result_id: int, kind: str) -> bytes:
    """Return a whole copy of what left.

    Raises
    ------
    ConfigurationError
        If none is kept.
    """
    try:
        return copy_of(folder, result_id, kind).read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"No {kind} of result {result_id} is kept: none left, its time is over, or "
            "`keep_outputs_days` was not set."
        ) from error


def csv_lines(found: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield events as lines of a table, the header first."""
    rows = list(found)
    names = {name for row in rows for name in row}
    columns = [*_FIRST, *sorted(names.difference(_FIRST))]
    for cells in (columns, *([_cell(row.get(name)) for name in columns] for row in rows)):
        line = io.StringIO()
        csv.writer(line).writerow(cells)
        yield line.getvalue()


def _cell(value: Any) -> Any:
    """Return a value for a table that programs for tables will not take for a formula."""
    if isinstance(value, dict | list):
        return harmless(json.dumps(value, ensure_ascii=False))
    # SECURITY: names of images, methods and users come from outside.
    if isinstance(value, str):
        value = harmless(value)
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
