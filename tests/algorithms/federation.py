"""Organizations in one process: partial functions on shares of a table, everything through JSON."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from vantage6.algorithms.catalogue import PARTIAL
from vantage6.algorithms.statistics.station import Station, answer
from vantage6.common.disclosure.floors import PRESETS, Floors

OPEN = PRESETS["open"]


def among_three(data: Any, floors: Floors | None = None) -> Station:
    """Return a station that is asked together with two others."""
    return Station(data, floors or Floors(), (1, 2, 3))


class Federation:
    """Stations by id; `order` is the one in which they answer."""

    def __init__(
        self,
        shares: Mapping[int, Any],
        floors: Floors | Mapping[int, Floors] = OPEN,
        order: Iterable[int] | None = None,
    ) -> None:
        self.stations = {
            number: Station(share, floors[number] if isinstance(floors, Mapping) else floors)
            for number, share in shares.items()
        }
        self.order = list(order or self.stations)
        #: Every request and answer: (method, arguments, {id: answer}).
        self.calls: list[tuple[str, dict[str, Any], dict[int, Any]]] = []
        #: (round, id) that does not answer.
        self.absent: set[tuple[int, int]] = set()
        #: Changes what a station says, after its round: (method, id, answer) -> answer.
        self.tamper: Callable[[str, int, Any], Any] = lambda method, number, said: said

    def organizations(self) -> list[int]:
        return list(self.stations)

    def ask(
        self, method: str, arguments: dict[str, Any], organization_ids: list[int]
    ) -> dict[int, Any]:
        sent = json.dumps(arguments, allow_nan=False)
        answers = {}
        for number in self.order:
            if number not in organization_ids:
                continue
            if (len(self.calls) + 1, number) in self.absent:
                answers[number] = {"failed": {"code": "crashed", "message": "Its node is offline."}}
                continue
            station = replace(self.stations[number], parties=tuple(organization_ids))
            said = answer(PARTIAL[method], station, json.loads(sent))
            said = json.loads(json.dumps(said, allow_nan=False))
            answers[number] = self.tamper(method, number, said)
        self.calls.append((method, arguments, answers))
        return answers


def split(table: Any, sites: int) -> dict[int, Any]:
    """Cut a table (name -> array) into shares of records, numbered from 1."""
    columns = {str(name): np.asarray(table[name]) for name in table}
    return {
        site + 1: {name: values[site::sites] for name, values in columns.items()}
        for site in range(sites)
    }


def federation(table: Any, sites: int, **options: Any) -> Federation:
    """Return organizations that share a table."""
    return Federation(split(table, sites), **options)
