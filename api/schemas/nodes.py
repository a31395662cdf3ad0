"""Nodes."""

from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from typing_extensions import TypedDict

from vantage6.api.schemas.base import Flag, Id, Moment, PageQuery, Request, Text
from vantage6.common.documents import Link, Node, WrittenMoment, exact


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError as error:
        raise ValueError("must be an IP address") from error


#: An IP address; empty means none, as for clients of 3.11.
Address = Annotated[
    Annotated[str, Field(max_length=64), AfterValidator(_address)] | None,
    BeforeValidator(lambda value: value or None),
]


class NodeCreate(Request):
    """A new node."""

    collaboration_id: Id
    organization_id: Id | None = None
    name: Text | None = None


class NodeConfigEntry(Request):
    """Something that a node tells about its configuration."""

    key: Annotated[str, Field(min_length=1, max_length=64)]
    value: Text


class NodeUpdate(Request):
    """Changes of a node; null means unchanged."""

    name: Text | None = None
    organization_id: Id | None = None
    collaboration_id: Id | None = None
    ip: Address = Field(None, description="address within the VPN")
    clear_ip: Flag | None = None
    config: list[NodeConfigEntry] | None = Field(
        None,
        max_length=1000,
        description="all that the node tells of its configuration; for the node itself only",
    )


class NodeFilter(PageQuery):
    """Which nodes."""

    organization_id: Id | None = None
    collaboration_id: Id | None = None
    status: Literal["online", "offline"] | None = None
    name: str | None = None
    ip: str | None = None
    last_seen_from: Moment | None = None
    last_seen_till: Moment | None = None


@exact
class NodeReply(Node):
    """A node."""


@exact
class NodeShortReply(TypedDict):
    """A node within its collaboration."""

    id: int
    name: str | None
    status: str | None
    ip: str | None
    last_seen: WrittenMoment | None
    organization: Link
    config: list[int]


class Reconcile(Request):
    """What a node holds."""

    running: list[Id] = Field([], max_length=10_000)
    finished: list[Id] = Field([], max_length=10_000)


@exact
class RefusedLogin(TypedDict):
    """A login of another station with the same key."""

    at: WrittenMoment
    address: str


@exact
class ReconcileReply(TypedDict):
    """What a node should do about it."""

    start: list[int]
    stop: list[int]
    forget: list[int]
    lease_seconds: int
    refused_login: Annotated[
        RefusedLogin | None,
        Field(description="the last one since this node logged in, for its log"),
    ]
    shown: Annotated[
        str,
        Field(description="a hash of the configuration and address that the server shows"),
    ]
