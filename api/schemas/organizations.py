"""Organizations and collaborations."""

import base64
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from typing_extensions import TypedDict

from vantage6.api.schemas.base import (
    Flag,
    Id,
    Name,
    PageQuery,
    Request,
    Text,
    one_or_more,
    one_or_more_or_none,
)
from vantage6.common.documents import Collaboration, Link, Organization, WrittenMoment, exact
from vantage6.common.encryption import MOST_PUBLIC_KEY_CHARACTERS


def _base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ValueError("must be base64 of the PEM text") from error
    return text


PublicKey = Annotated[str, Field(max_length=MOST_PUBLIC_KEY_CHARACTERS), AfterValidator(_base64)]


class OrganizationCreate(Request):
    """A new organization."""

    name: Name
    address1: Text | None = ""
    address2: Text | None = None
    zipcode: Text | None = ""
    country: Text | None = ""
    domain: Text | None = ""
    public_key: PublicKey | None = None


class OrganizationUpdate(Request):
    """Changes of an organization; null means unchanged."""

    name: Name | None = None
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


@exact
class OrganizationReply(Organization):
    """An organization."""


_Members = Annotated[list[Id], Field(min_length=1, max_length=10_000)]


class CollaborationCreate(Request):
    """A new collaboration."""

    name: Name
    organization_ids: Annotated[_Members, BeforeValidator(one_or_more)]
    encrypted: bool | None = False


class CollaborationUpdate(Request):
    """Changes of a collaboration; null means unchanged."""

    name: Name | None = None
    organization_ids: Annotated[_Members | None, BeforeValidator(one_or_more_or_none)] = Field(
        None, description="all organizations that are to be in it"
    )
    encrypted: bool | None = None


class Member(Request):
    """Which organization or node."""

    id: Id


class InvitationCreate(Request):
    """Which organization is asked to join which collaboration."""

    collaboration_id: Id
    organization_id: Id


class InvitationFilter(PageQuery):
    """Which invitations."""

    collaboration_id: Id | None = None
    organization_id: Id | None = None


@exact
class Named(TypedDict):
    """An organization by its name."""

    id: int
    name: str


@exact
class InvitedTo(TypedDict):
    """What an organization should know of a collaboration before it joins."""

    id: int
    name: str
    encrypted: bool
    organizations: list[Named]


@exact
class InvitationReply(TypedDict):
    """An open invitation."""

    id: int
    collaboration: InvitedTo
    organization: Link
    created_at: WrittenMoment
    user: Annotated[Link | None, Field(description="who asked")]


class CollaborationFilter(PageQuery):
    """Which collaborations."""

    name: str | None = None
    encrypted: Flag | None = None
    organization_id: Id | None = None


@exact
class CollaborationReply(Collaboration):
    """A collaboration."""
