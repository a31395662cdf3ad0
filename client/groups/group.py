"""What all groups of commands have in common."""

from collections.abc import Mapping
from typing import Any

from vantage6.client.protocols import Requests
from vantage6.client.session import Document

#: A list method returns the envelope ``{"data": [...], "links": {...}}``, or the bare list.
Page = Document | list[Document]


class Group:
    """Commands about one kind of thing.

    Parameters
    ----------
    parent
        The client that the commands belong to.
    """

    def __init__(self, parent: Requests) -> None:
        self.parent = parent

    def _get(self, endpoint: str, params: Mapping[str, Any] | None = None) -> Any:
        return self.parent.request(endpoint, params=params)

    def _send(self, method: str, endpoint: str, body: object = None) -> Any:
        return self.parent.request(endpoint, json=body, method=method)

    @property
    def _own_organization(self) -> int:
        return self.parent.identity.organization_id


def included(include_metadata: bool, *others: str) -> list[str] | None:
    """Return what a list reply has to include."""
    return [*others, *(["metadata"] if include_metadata else [])] or None
