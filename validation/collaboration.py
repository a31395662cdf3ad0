"""The stations of a real collaboration, and whether all of them can take part."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vantage6.common.errors import Invalid, Unavailable
from vantage6.validation.checks import Place

if TYPE_CHECKING:
    from vantage6.client.client import UserClient

Document = dict[str, Any]


def place_of(
    client: "UserClient",
    collaboration: Document,
    organizations: Sequence[str],
    image: str,
    database: str,
) -> Place:
    """Return the stations that take part.

    Parameters
    ----------
    client
        Logged in.
    collaboration
        The collaboration.
    organizations
        Names or ids; all of the collaboration without any.
    image
        The image with the functions.
    database
        A label that the stations know.

    Raises
    ------
    NotFound
        If an organization is not there.
    Invalid
        If there is none.
    Unavailable
        If a station is offline.
    """
    from vantage6.client.commands import names

    members = names.members_of(client, collaboration["id"])
    chosen = names.find_members(members, organizations) if organizations else members
    if not chosen:
        raise Invalid(f"Collaboration {collaboration['name']} has no organizations.")
    # Positions are given by id, as the stations know them.
    stations = {one["id"]: str(one["name"]) for one in sorted(chosen, key=lambda one: one["id"])}
    _refuse_offline(client, collaboration["id"], stations)
    own = client.identity.organization_id
    receiver = own if own in stations else next(iter(stations))
    return Place(collaboration["id"], stations, receiver, image, database)


def _refuse_offline(
    client: "UserClient", collaboration_id: int, stations: Mapping[int, str]
) -> None:
    nodes = client.request(f"collaboration/{collaboration_id}/node")
    online = {node["organization"]["id"] for node in nodes if node["status"] == "online"}
    if away := [name for id_, name in stations.items() if id_ not in online]:
        shown = ", ".join(away[:10]) + (", ..." if len(away) > 10 else "")
        raise Unavailable(
            f"These organizations have no station online: {shown}. Let the stations be started, or "
            "name the other organizations with --organization."
        )
