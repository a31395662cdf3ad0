"""Organizations, collaborations and nodes."""

import base64
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from vantage6.common.schemas.base import Id, Link, Moment, PageQuery, Reply, Request


def _base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ValueError("must be base64 of the PEM text") from error
    return text


Text = Annotated[str, Field(max_length=255)]
PublicKey = Annotated[str, Field(max_length=20_000), AfterValidator(_base64)]
#: Clients of 3.11 send True and False, as text, in queries.
Flag = Annotated[bool, BeforeValidator(lambda v: v.lower() if isinstance(v, str) else v)]


class OrganizationCreate(Request):
    """A new organization."""

    name: Text = ""
    address1: Text | None = ""
    address2: Text | None = None
    zipcode: Text | None = ""
    country: Text | None = ""
    domain: Text | None = ""
    public_key: PublicKey | None = None


class OrganizationUpdate(Request):
    """Changes of an organization; null means unchanged."""

    name: Text | None = None
    address1: Text | None = None
    address2: Text | None = None
    zipcode: Text | None = None
    country: Text | None = None
    domain: Text | None = None
    public_key: PublicKey | None = None


class OrganizationFilter(PageQuery):
    """Which organizations."""

    name: str | None = None
    country: str | None = None
    collaboration_id: Id | None = None


class OrganizationReply(Reply):
    """An organization."""

    id: int
    name: str
    domain: str | None
    address1: str | None
    address2: str | None
    zipcode: str | None
    country: str | None
    public_key: str
    collaborations: list[Link] | None
    nodes: list[Link] | None
    users: list[Link] | None
    results: list[Link] | None
    roles: list[int]


class CollaborationCreate(Request):
    """A new collaboration."""

    name: str = Field(min_length=1, max_length=255)
    organization_ids: list[Id] = Field(min_length=1, max_length=10_000)
    encrypted: bool | None = False


class CollaborationFilter(PageQuery):
    """Which collaborations."""

    name: str | None = None
    encrypted: Flag | None = None
    organization_id: Id | None = None


class CollaborationReply(Reply):
    """A collaboration."""

    id: int
    name: str
    encrypted: bool
    organizations: list[Link] | None
    nodes: list[Link] | None
    tasks: list[Link] | None


class NodeCreate(Request):
    """A new node."""

    collaboration_id: Id
    organization_id: Id | None = None
    name: Text | None = None


class NodeUpdate(Request):
    """Changes of a node; null means unchanged."""

    name: Text | None = None
    ip: Text | None = None
    clear_ip: Flag | None = None


class NodeFilter(PageQuery):
    """Which nodes."""

    organization_id: Id | None = None
    collaboration_id: Id | None = None
    status: Literal["online", "offline"] | None = None
    name: str | None = None
    ip: str | None = None


class NodeConfigItem(Reply):
    """Something that a node tells about its configuration."""

    key: str
    value: str


class NodeReply(Reply):
    """A node."""

    id: int
    type: str
    name: str | None
    status: str | None
    ip: str | None
    last_seen: Moment | None
    organization: Link | None
    collaboration: Link | None
    config: list[NodeConfigItem]
    api_key: str | None = Field(None, description="only in the answer that creates the node")


class NodeShortReply(Reply):
    """A node within its collaboration."""

    id: int
    name: str | None
    status: str | None
    ip: str | None
    last_seen: Moment | None
    organization: Link | None
    config: list[int]


class Reconcile(Request):
    """What a node holds."""

    running: list[Id] = Field([], max_length=10_000)
    finished: list[Id] = Field([], max_length=10_000)


class ReconcileReply(Reply):
    """What a node should do about it."""

    start: list[int]
    stop: list[int]
    forget: list[int]
    lease_seconds: int
