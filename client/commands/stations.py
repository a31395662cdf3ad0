"""``vantage6 stations``: the stations of each collaboration, and what they publish."""

from typing import TYPE_CHECKING, Any

import click

from vantage6.client.commands.connection import Connection, with_login
from vantage6.common.cli import console
from vantage6.common.cli.program import examples
from vantage6.common.errors import Forbidden
from vantage6.common.terminal_text import one_line

if TYPE_CHECKING:
    from vantage6.client.client import UserClient

_HEADER = ("Id", "Organization", "Station", "Status", "Last seen", "Allows")
_ALLOWS = "allowed_algorithms"


@click.command(
    epilog=examples(
        "vantage6 stations",
        "vantage6 stations --collaboration heart --json",
    )
)
@click.option("-c", "--collaboration", help="Name or id; all of your organization without it.")
@with_login
def stations(connection: Connection, collaboration: str | None) -> None:
    """List collaborations, their organizations, and the station of each.

    A station may publish which images it allows, for those whose role shows it; it decides by its
    own configuration.
    """
    from vantage6.client.commands import names

    client = connection.client
    chosen = (
        names.collaborations(client)
        if collaboration is None
        else [names.find_collaboration(client, collaboration)]
    )
    said = [_described(client, one) for one in chosen]

    def show() -> None:
        for number, one in enumerate(said):
            _show(one, is_first=not number)
        if not said:
            console.say("Your organization is in no collaboration.")

    connection.answer(said, show)


def _described(client: "UserClient", collaboration: dict[str, Any]) -> dict[str, Any]:
    from vantage6.client.commands import names

    id_ = collaboration["id"]
    nodes = client.request(f"collaboration/{id_}/node")
    try:
        seen = client.node.list(collaboration=id_, all_pages=True, fields=["id", "config"])
    except Forbidden:
        seen = []
    published = {node["id"]: node["config"] for node in seen}
    return {
        "id": id_,
        "name": collaboration["name"],
        "encrypted": collaboration["encrypted"],
        "organizations": [
            {
                "id": member["id"],
                "name": member["name"],
                "stations": [
                    _station(node, published.get(node["id"]))
                    for node in nodes
                    if node["organization"]["id"] == member["id"]
                ],
            }
            for member in names.members_of(client, id_)
        ],
    }


def _station(node: dict[str, Any], config: list[dict[str, str]] | None) -> dict[str, Any]:
    """Return what is known of a station; None for what a role may not see."""
    said: dict[str, list[str]] = {}
    for item in config or ():
        said.setdefault(item["key"], []).append(item["value"])
    return {
        **{key: node[key] for key in ("id", "name", "status", "last_seen")},
        "publishes": None if config is None else said,
    }


def _show(one: dict[str, Any], *, is_first: bool) -> None:
    from vantage6.common.cli import table

    how = "encrypted" if one["encrypted"] else "not encrypted"
    name = one_line(one["name"])
    console.say(f"{'' if is_first else chr(10)}{name} (collaboration {one['id']}, {how})")
    rows: list[tuple[object, ...]] = []
    for organization in one["organizations"]:
        who = (organization["id"], organization["name"])
        for station in organization["stations"]:
            seen = (station["last_seen"] or "never")[:16].replace("T", " ")
            allowed = ", ".join((station["publishes"] or {}).get(_ALLOWS, ())) or None
            rows.append((*who, station["name"], station["status"], seen, allowed))
        if not organization["stations"]:
            rows.append((*who, None, "no station", None, None))
    table.show(_HEADER, rows)
