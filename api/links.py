"""Links to related objects, as clients of 3.11 know them."""

from collections.abc import Iterable
from typing import overload

from vantage6.api.service import Service
from vantage6.common.documents import Link

_METHODS = {
    "user": ["GET", "PATCH", "DELETE"],
    "organization": ["GET", "PATCH"],
    "collaboration": ["GET", "PATCH", "DELETE"],
    "node": ["GET", "PATCH", "DELETE"],
    "task": ["GET", "DELETE"],
    "result": ["GET", "PATCH"],
    "role": ["GET", "PATCH", "DELETE"],
    "rule": ["GET"],
}


class Links:
    """Builds links; knows their prefix.

    Parameters
    ----------
    service
        What the resources share.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    @overload
    def link(self, kind: str, id_: int) -> Link: ...
    @overload
    def link(self, kind: str, id_: int | None) -> Link | None: ...
    def link(self, kind: str, id_: int | None) -> Link | None:
        """Return a link, or None without an id."""
        return None if id_ is None else self._link(kind, id_)

    def links(self, kind: str, ids: Iterable[int]) -> list[Link] | None:
        """Return links, or None where there are no ids."""
        return [self._link(kind, id_) for id_ in ids] or None

    def _link(self, kind: str, id_: int) -> Link:
        return {"id": id_, "link": self._service.path(kind, id_), "methods": _METHODS[kind]}
