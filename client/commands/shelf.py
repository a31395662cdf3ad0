"""``vantage6 shelf``: what the functions of images take and share, as their cards say."""

from typing import Any

import click

from vantage6.client.commands.connection import Connection, with_login
from vantage6.common.cli import console
from vantage6.common.cli.program import examples
from vantage6.common.terminal_text import one_line

_HEADER = ("Id", "Name", "Version", "State", "Title", "Functions")


@click.group()
def shelf() -> None:
    """List and show the function cards of a server."""


@shelf.command("list", epilog=examples("vantage6 shelf list", "vantage6 shelf list --json"))
@click.option("--state", type=click.Choice(["draft", "reviewed", "retired"]), help="Only these.")
@with_login
def list_(connection: Connection, state: str | None) -> None:
    """List the function cards that you may see."""
    from vantage6.common.cli import table

    found = connection.client.algorithm.list(state=state, all_pages=True)
    keys = ("id", "name", "version", "state", "title")

    def show_all() -> None:
        rows = [(*(one[key] for key in keys), ", ".join(one["functions"])) for one in found]
        table.show(_HEADER, rows)

    connection.answer(found, show_all)


@shelf.command(epilog=examples("vantage6 shelf show 1"))
@click.argument("id_", metavar="CARD", type=int)
@with_login
def show(connection: Connection, id_: int) -> None:
    """Show the functions of CARD, and the arguments that each takes."""
    found = connection.client.algorithm.get(id_)

    def show_card() -> None:
        card = found["card"]
        console.say(one_line(f"{card['name']} {card['version']} ({found['state']})"))
        console.say(one_line(f"Images: {', '.join(one['reference'] for one in found['images'])}"))
        for function in card["functions"]:
            console.say()
            for line in _describe(function):
                console.say(one_line(line))

    connection.answer(found, show_card)


def _describe(function: dict[str, Any]) -> list[str]:
    arguments = function.get("arguments") or {}
    needed = arguments.get("required", ())
    lines = [f"{function['name']} ({function['kind']}): {function.get('title') or '-'}"]
    for name, schema in (arguments.get("properties") or {}).items():
        how = "needed" if name in needed else "may be left out"
        text = schema.get("description") or schema.get("title") or "-"
        lines.append(f"  --arg {name}=...  ({how})  {text}")
    return lines
