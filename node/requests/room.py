"""How many requests may wait for a person: in all, of one organization, and of one user.

Without shares, one user could fill the list, and the requests of all others would be refused.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vantage6.common.durable_files import Damaged, mark_of
from vantage6.common.errors import Invalid
from vantage6.node.requests.held_request import HeldRequest


@dataclass(frozen=True, slots=True)
class Most:
    """A bound of the requests that are held, and of the bytes of their files."""

    requests: int
    bytes: int

    def is_exceeded(self, taken: "list[_Place]", size: int) -> bool:
        """Tell whether one more request, of a size, is too much beside others."""
        return len(taken) >= self.requests or sum(one.bytes for one in taken) + size > self.bytes


OF_ALL = Most(5000, 2**30)
OF_ORGANIZATION = Most(500, 100 * 2**20)
OF_USER = Most(100, 25 * 2**20)


@dataclass(frozen=True, slots=True)
class _Place:
    """What one held request takes, and the user that asked first."""

    mark: object
    organization_id: int | None
    user_id: int | None
    bytes: int


class Room:
    """The places of the requests that one process has seen. The lock of their folder is held.

    Parameters
    ----------
    find
        Reads the request of a result.
    path
        Gives the file of the request of a result.
    """

    def __init__(
        self, find: Callable[[int], HeldRequest | None], path: Callable[[int], Path]
    ) -> None:
        self._find = find
        self._path = path
        #: By result. A file that did not change is not read again: there can be thousands.
        self._places: dict[int, _Place] = {}

    def check(self, request: HeldRequest, others: list[int]) -> None:
        """Return if there is a place for a request.

        Parameters
        ----------
        request
            The request.
        others
            The results whose requests are held, apart from it.

        Raises
        ------
        Invalid
            If the user, the organization, or all together have no place left.
        """
        size, first = len(json.dumps(request.to_json(), indent=1)), request.first
        self._look(others)
        everybody = list(self._places.values())
        same = [one for one in everybody if one.organization_id == first.organization_id]
        user = [one for one in same if one.user_id == first.user_id]
        for most, taken, whose in (
            (OF_USER, user, " of this user"),
            (OF_ORGANIZATION, same, " of this organization"),
            (OF_ALL, everybody, ""),
        ):
            if most.is_exceeded(taken, size):
                raise Invalid(
                    f"{len(taken)} requests{whose} wait for an answer of the data station, and "
                    "there is no room for another one. Send the task again when some are answered.",
                    code="too_many_held",
                )

    def _look(self, result_ids: list[int]) -> None:
        """Have the places of these results, and of no others."""
        before, self._places = self._places, {}
        for id_ in result_ids:
            mark, place = mark_of(self._path(id_)), before.get(id_)
            if mark is not None:
                is_known = place is not None and place.mark == mark
                self._places[id_] = place if place and is_known else self._read(id_, mark)

    def _read(self, result_id: int, mark: object) -> _Place:
        size = self._path(result_id).stat().st_size
        try:
            request = self._find(result_id)
        except Damaged:
            request = None
        if request is None:
            return _Place(mark, None, None, size)
        return _Place(mark, request.first.organization_id, request.first.user_id, size)
