"""``vantage6 shelf``: what the functions of images take and share, as their cards say."""

from collections.abc import Iterable
from typing import Any

import click

from vantage6.client.commands.connection import Connection, with_login
from vantage6.common.cli import console
from vantage6.common.cli.program import examples
from vantage6.common.terminal_text import one_line

_HEADER = ("Id", "Name", "Version", "State", "Title")
#: So many cards are shown with their functions, the newest ones.
_MOST_CARDS = 5


@click.group()
def shelf() -> None:
    """List and show the function cards of a server."""


@shelf.command("list", epilog=examples("vantage6 shelf list", "vantage6 shelf list --json"))
@click.option("--state", type=click.Choice(["draft", "reviewed", "retired"]), help="Only these.")
@with_login
def list_(connection: Connection, state: str | None) -> None:
    """List the function cards that you may see, and what can be asked for by the newest ones.

    Functions that only other functions ask for are not shown; `vantage6 shelf show CARD` has them.
    """
    from vantage6.common.cli import table

    found = connection.client.algorithm.list(state=state, all_pages=True)
    keys = ("id", "name", "version", "state", "title")

    def show_all() -> None:
        table.show(_HEADER, [[one[key] for key in keys] for one in found])
        usable = [one for one in found if one["state"] != "retired"]
        for one in sorted(usable, key=lambda one: -int(one["id"]))[:_MOST_CARDS]:
            _show_functions(connection.client.algorithm.get(one["id"]))

    connection.answer(found, show_all)


def _show_functions(found: dict[str, Any]) -> None:
    """Print the names and titles of the functions of a card that a task may ask for."""
    from vantage6.common.cli import table

    card = found["card"]
    inner = {name for one in card["functions"] for name in one.get("calls") or ()}
    asked = [
        (one["name"], one.get("title"))
        for one in card["functions"]
        if one["kind"] == "central" or one["name"] not in inner
    ]
    console.say()
    console.say(one_line(f"Functions of card {found['id']}, {card['name']}:"))
    table.show(("Function", "Title"), asked)


@shelf.command(epilog=examples("vantage6 shelf show glm", "vantage6 shelf show 1"))
@click.argument("what", metavar="FUNCTION|CARD")
@with_login
def show(connection: Connection, what: str) -> None:
    """Show what FUNCTION takes, or all functions of CARD, a number.

    A function is that of the reviewed cards. Each argument is given with its type and its default.
    """
    if what.isdecimal():
        found = connection.client.algorithm.get(int(what))
        connection.answer(found, lambda: _show(found, found["card"]["functions"]))
        return
    from vantage6.client.commands import functions

    ids = [one["id"] for one in functions.cards_with(connection.client, what)[:_MOST_CARDS]]
    all_ = [connection.client.algorithm.get(id_) for id_ in ids]
    pairs = [
        (one, function)
        for one in all_
        for function in one["card"]["functions"]
        if function["name"] == what
    ]
    keys = ("id", "name", "version", "state", "images")
    document = [{key: one[key] for key in keys} | {"function": each} for one, each in pairs]

    def show_all() -> None:
        for number, (one, function) in enumerate(pairs):
            if number:
                console.say()
            _show(one, [function])

    connection.answer(document, show_all)


def _show(found: dict[str, Any], functions: Iterable[dict[str, Any]]) -> None:
    """Print a card and some of its functions."""
    from vantage6.client.commands import forms
    from vantage6.common.cli import table

    width = table.terminal_width()
    card = found["card"]
    console.say(
        one_line(f"Card {found['id']}: {card['name']} {card['version']} ({found['state']})")
    )
    images = ", ".join(one["reference"] for one in found["images"])
    console.say(one_line(f"Images: {images}"))
    for function in functions:
        console.say()
        for line in forms.lines(function, width):
            console.say(one_line(line))
