"""Published cases over the stations of a real collaboration, with the data that the image holds.

Each station takes the share of its place among the organizations asked, and reads no database.
"""

import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from vantage6.algorithms.card_facts import FACTS
from vantage6.algorithms.catalogue import CENTRAL, PARTIAL
from vantage6.algorithms.statistics.analysis import Sites, central
from vantage6.algorithms.statistics.annotations import Organizations
from vantage6.algorithms.statistics.arguments import bad
from vantage6.algorithms.statistics.reference import Case, cases, is_alike
from vantage6.algorithms.statistics.sentences import FLOOR_CODES, Refused, Stopped
from vantage6.algorithms.statistics.station import SHELF, Station, answer
from vantage6.common.disclosure.floors import PRESETS, Floors

#: The partial function that a case asks for.
_SHARE = "reference_share"


@central
def reference_case(
    sites: Sites, case: str, organization_ids: Organizations | None = None
) -> dict[str, Any]:
    """Compute a published case over the stations, each with a share of the published data.

    The data comes with the image. What each station answers is compared with what its share gives.

    Parameters
    ----------
    case
        Name of the case.
    organization_ids
        The organizations that take part; all of them together hold each record once.

    Returns
    -------
    dict
        `answer` of the function, or in its place `stopped` with code and message; `left`, the
        stations that took no part and why; `differ`, those whose answers are wrong.
    """
    known = _find(case)
    chosen = sites.organizations() if organization_ids is None else organization_ids
    shares = _Shares(sites, known, sorted(set(chosen)))
    found, stopped = None, None
    try:
        # One that is left out would take its share of the data along, so that all are needed.
        found = CENTRAL[known.function](shares, **known.arguments, organization_ids=shares.ids)
    except Stopped as error:
        stopped = {"code": error.code, "message": error.message}
    return {
        "function": "reference_case",
        "shelf": SHELF,
        "case": known.name,
        "organizations": shares.ids,
        "stopped": stopped,
        "left": shares.left,
        "differ": sorted(shares.differ),
        "answer": found,
    }


def reference_share(
    station: Station, case: str, method: str, arguments: dict[str, Any]
) -> dict[str, Any]:
    """Compute a partial function over this station's share of a published case.

    No number is of the station's own data. Its floors hold all the same.

    Parameters
    ----------
    case
        Name of the case.
    method
        A partial function that the function of the case asks for.
    arguments
        Its arguments by name.
    """
    known = _find(case)
    if method not in FACTS[known.function]["calls"]:
        raise bad(f"method is one of {', '.join(FACTS[known.function]['calls'])}.")
    # SECURITY: the place comes from the node, the data from the image, neither from the input.
    if station.organization not in station.parties:
        raise Refused("place_unknown")
    parties = sorted(set(station.parties))
    share = known.share(parties.index(station.organization), len(parties))
    # SECURITY: another station object, which has nothing but published data; the floors stay.
    own = replace(station, data=share)
    bound = inspect.signature(PARTIAL[method]).bind(own, **arguments)
    return PARTIAL[method](*bound.args, **bound.kwargs)


def describe_share(case: Case, position: int, stations: int) -> "Described":
    """Return a question to one station about all columns of its share, and the right result.

    Parameters
    ----------
    case
        A case with data.
    position
        Of the station, from 0.
    stations
        How many there are.
    """
    share = case.share(position, stations)
    columns = list(share)
    function, arguments = "correlation", {"columns": columns}
    if len(columns) == 1:
        function, arguments = "summary", {"columns": columns, "quantiles": []}
    result = CENTRAL[function](_Alone(share), **arguments)["result"]
    return Described(function, arguments, result)


@dataclass(frozen=True)
class Described:
    """A question to one station, and what it has to answer."""

    function: str
    arguments: Mapping[str, Any]
    result: Any


class _Alone:
    """`Sites` of one station in this process."""

    def __init__(self, share: Any) -> None:
        self._station = Station(share, PRESETS["open"], (1,), 1)

    def organizations(self) -> list[int]:
        """Return the only one."""
        return [1]

    def ask(
        self, method: str, arguments: dict[str, Any], organization_ids: list[int]
    ) -> Mapping[int, Mapping[str, Any]]:
        """Ask it for a partial function."""
        said = answer(PARTIAL[method], self._station, arguments)
        return dict.fromkeys(organization_ids, said)


class _Shares:
    """`Sites` that answer over their shares of a case, each answer compared with the right one.

    Parameters
    ----------
    sites
        The organizations of the collaboration.
    case
        The case.
    ids
        The organizations that take part, sorted.
    """

    def __init__(self, sites: Sites, case: Case, ids: list[int]) -> None:
        self._sites = sites
        self._case = case
        self.ids = ids
        #: Organization, code and sentence of each that took no part.
        self.left: list[dict[str, Any]] = []
        #: Organizations with a wrong answer.
        self.differ: set[int] = set()

    @cached_property
    def _data(self) -> Mapping[int, Any]:
        """The share of each organization; a function asks in many rounds."""
        places = enumerate(self.ids)
        return {id_: self._case.share(place, len(self.ids)) for place, id_ in places}

    def organizations(self) -> list[int]:
        """Return the organizations that take part."""
        return self.ids

    def ask(
        self, method: str, arguments: dict[str, Any], organization_ids: list[int]
    ) -> Mapping[int, Mapping[str, Any]]:
        """Ask all of them for a partial function over their shares."""
        sent = {"case": self._case.name, "method": method, "arguments": arguments}
        answers = self._sites.ask(_SHARE, sent, organization_ids)
        for organization in organization_ids:
            said = answers.get(organization, {})
            if "ok" not in said:
                self.left.append(_why(organization, said))
            elif not is_alike(self._expected(method, arguments, organization, said), said["ok"]):
                self.differ.add(organization)
        return answers

    def _expected(
        self, method: str, arguments: dict[str, Any], organization: int, said: Mapping[str, Any]
    ) -> Any:
        """Return what a station with these floors has to answer; None if it has to refuse."""
        try:
            floors = Floors.from_json(said.get("floors"))
        except ValueError:
            return None
        station = Station(self._data[organization], floors, tuple(self.ids), organization)
        here = answer(PARTIAL[method], station, json.loads(json.dumps(arguments)))
        return json.loads(json.dumps(here)).get("ok")


def _why(organization: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return why an organization takes no part, and whether that is for its floors."""
    why = said.get("refused") or said.get("failed")
    why = why if isinstance(why, Mapping) else {}
    code = str(why.get("code", "failed"))
    return {
        "organization": organization,
        "code": code,
        "message": str(why.get("message", "It sent no answer.")),
        "by_floors": "refused" in said and code in FLOOR_CODES,
    }


def _find(name: str) -> Case:
    """Return a case.

    SECURITY: the name is compared with those of the files that come with the package, and no path
    is made of it.
    """
    # The image has no other data, whatever else is installed in it.
    known = {case.name: case for case in cases() if case.is_packaged}
    if not isinstance(name, str) or name not in known:
        raise bad(f"case is one of {', '.join(known)}.")
    return known[name]
