"""The objects of the server as they travel: the server builds them so, and the client names them.

Only the forms that both share. The client decrypts results, so that these differ in some keys.
"""

from datetime import datetime
from typing import Annotated, NotRequired

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema, with_config
from typing_extensions import TypedDict

#: No other key is sent.
exact = with_config(ConfigDict(extra="forbid"))


def _check_written(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("must name its offset from UTC")
    return text


#: A moment: the text of ISO 8601, in UTC, that the server writes.
WrittenMoment = Annotated[
    str, AfterValidator(_check_written), WithJsonSchema({"type": "string", "format": "date-time"})
]


@exact
class Link(TypedDict):
    """Where a related object is."""

    id: int
    link: str
    methods: list[str]


@exact
class Organization(TypedDict):
    """An organization."""

    id: int
    name: str
    domain: str | None
    address1: str | None
    address2: str | None
    zipcode: str | None
    country: str | None
    #: Base64 of the PEM; empty where there is none.
    public_key: str
    collaborations: list[Link] | None
    nodes: list[Link] | None
    users: list[Link] | None
    results: list[Link] | None
    #: Ids.
    roles: list[int]


@exact
class Collaboration(TypedDict):
    """Organizations that agreed to analyse data together."""

    id: int
    name: str
    encrypted: bool
    organizations: list[Link] | None
    nodes: list[Link] | None
    tasks: list[Link] | None


@exact
class NodeConfigItem(TypedDict):
    """Something that a node tells about its configuration."""

    key: str
    value: str


@exact
class Node(TypedDict):
    """The data station of an organization in a collaboration."""

    id: int
    type: str
    name: str | None
    #: ``online`` or ``offline``; None before it was seen for the first time.
    status: str | None
    ip: str | None
    last_seen: WrittenMoment | None
    organization: Link
    collaboration: Link | None
    config: list[NodeConfigItem]
    api_key: NotRequired[
        Annotated[str, Field(description="only in the answer that creates the node")]
    ]


class TaskBase(TypedDict):
    """What every form of a task has."""

    id: int
    run_id: int
    name: str | None
    description: str | None
    image: str | None
    database: str | None
    initiator: int | None
    init_user: int | None
    collaboration: Link
    parent: Link | None
    children: list[Link] | None
    created_at: WrittenMoment | None
    finished_at: WrittenMoment | None
    #: Whether all its results are in, whatever their status.
    complete: bool
    #: A word of `vantage6.common.task_status.TaskStatus`.
    status: str


@exact
class PortReply(TypedDict):
    """A port of an algorithm within the VPN."""

    id: int
    port: int
    label: str | None


@exact
class ReasonReply(TypedDict):
    """Why a result is in its state."""

    code: str
    msg: str


class ResultFacts(TypedDict):
    """What every form of a result has, here and at the client."""

    id: int
    status: str
    reason: Annotated[ReasonReply | None, Field(description="why the status is what it is")]
    assigned_at: WrittenMoment | None
    started_at: WrittenMoment | None
    finished_at: WrittenMoment | None
    ports: list[PortReply]
