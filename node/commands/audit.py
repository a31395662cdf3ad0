"""``vnode audit``: the station's own record of what was asked, refused and released."""

import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING

import click

from vantage6.common.cli import console
from vantage6.node.commands.base import on_node

if TYPE_CHECKING:
    from vantage6.node.instance import Instance

#: Exit code for a record that was changed.
BROKEN = 14


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
    from vantage6.node.reports.record import audit_path, check
    from vantage6.node.rules.audit import Head, parse_head

    path = audit_path(instance)
    try:
        expected = [parse_head(text) for text in head]
    except ValueError as error:
        raise ConfigurationError(f"--head: {error}") from error
    found, is_repeated = check(path, expected)
    if found.after != Head():
        console.say(f"The file follows an older one, which ends with {found.after}.")
    if found.broken is not None:
        number, why = found.broken
        console.say(f"{path}, line {number}: {why}", err=True)
        sys.exit(BROKEN)
    if not is_repeated:
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
    from vantage6.node.reports.record import audit_path, csv_lines
    from vantage6.node.rules.audit import entries

    oldest = since.replace(tzinfo=UTC) if since else None
    found = (
        entry
        for entry in entries(audit_path(instance))
        if oldest is None or clock.parse(entry["at"]) >= oldest
    )
    if form == "csv":
        sys.stdout.writelines(csv_lines(found))
        return
    for entry in found:
        console.say(json.dumps(entry, ensure_ascii=False))
