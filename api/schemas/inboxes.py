"""The inbox of a node."""

from typing import Any

from pydantic import ConfigDict, Field

from vantage6.api.schemas.base import Flag, Reply, Request


class InboxQuery(Request):
    """How long to wait."""

    wait: int = Field(25, ge=0, le=50, description="seconds to wait for a message")


class SettleQuery(Request):
    """What becomes of a message."""

    requeue: Flag = Field(False, description="put it at the end of its queue instead")


class Envelope(Reply):
    """A message as kombu wrote it, with its delivery tag in `properties`."""

    model_config = ConfigDict(extra="allow")

    properties: dict[str, Any] = Field(description="`delivery_tag`: names it, for acknowledging")
