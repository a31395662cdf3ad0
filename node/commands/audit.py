"""``vnode audit``: the station's own record of what was asked, refused and released."""

import csv
import json
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from vantage6.common.cli import console
from vantage6.common.terminal_text import harmless
from vantage6.node.commands.base import on_node

if TYPE_CHECKING:
    from pathlib import Path

    from vantage6.node.instance import Instance

#: Exit code for a record that was changed.
BROKEN = 14
#: Columns that come first in a table; all others follow by name.
_FIRST = ("number", "at", "event", "result_id")


@click.group()
def audit() -> None:
    """Check and read the record that a node keeps."""


@audit.command()
@click.option("--head", multiple=True, help="A head that was noted earlier, as this prints it.")
@on_node
def verify(instance: "Instance", head: tuple[str, ...]) -> None:
    """Check that no line was changed, taken out or put in.

    It cannot show by itself that lines at the end are missing together with the head that is
    repeated beside the file. Note what it prints somewhere else, and give it back with --head.
    """
    from vantage6.common.errors import ConfigurationError
    from vantage6.node.rules.audit import Head, parse_head, read_head, verify

    path = audit_path(instance)
    try:
        expected = [parse_head(text) for text in head]
    except ValueError as error:
        raise ConfigurationError(f"--head: {error}") from error
    repeated = read_head(path.parent)
    found = verify(path, (*expected, *([repeated] if repeated else ())))
    if found.after != Head():
        console.say(f"The file follows an older one, which ends with {found.after}.")
    if found.broken is not None:
        number, why = found.broken
        console.say(f"{path}, line {number}: {why}", err=True)
        sys.exit(BROKEN)
    if repeated is None:
        console.say(
            "The file audit.head is missing, so lines missing at the end cannot be seen. Compare "
            "with a head that you noted before (--head)."
        )
    console.say(f"{found.lines} lines are whole. Head: {found.head}")


@audit.command()
@click.option("--since", type=click.DateTime(), help="Leave out what came before (UTC).")
@click.option(
    "--format", "form", type=click.Choice(["json", "csv"]), default="json", show_default=True
)
@on_node
def export(instance: "Instance", since: datetime | None, form: str) -> None:
    """Print the events, one a line."""
    from datetime import UTC

    from vantage6.common import clock
    from vantage6.node.rules.audit import entries

    oldest = since.replace(tzinfo=UTC) if since else None
    found = (
        entry
        for entry in entries(audit_path(instance))
        if oldest is None or clock.parse(entry["at"]) >= oldest
    )
    if form == "csv":
        _write_csv(found)
        return
    for entry in found:
        console.say(json.dumps(entry, ensure_ascii=False))


def audit_path(instance: "Instance") -> "Path":
    """Return the record of a node that has one."""
    from vantage6.common.errors import ConfigurationError
    from vantage6.node.rules.audit import FILE_NAME

    path = instance.data / FILE_NAME
    if not path.exists():
        raise ConfigurationError(f"There is no {path}: the node has not run yet.")
    return path


def _write_csv(found: Iterable[Mapping[str, Any]]) -> None:
    rows = list(found)
    names = {name for row in rows for name in row}
    columns = [*_FIRST, *sorted(names.difference(_FIRST))]
    writer = csv.writer(sys.stdout)
    writer.writerow(columns)
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)


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
