"""One published statistic after the other: sent as a task, and compared digit by digit."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vantage6.algorithms.published import describe_share
from vantage6.algorithms.statistics.reference import Case, Comparison, is_alike
from vantage6.client import Client, causes
from vantage6.common.errors import V6Error

#: A case takes seconds.
_SECONDS = 300.0


@dataclass(frozen=True)
class Place:
    """The stations of a collaboration, and how a task reaches them."""

    collaboration: int
    #: Names of the organizations by id, in the order of their shares.
    stations: Mapping[int, str]
    #: The organization whose station puts the parts together.
    receiver: int
    image: str
    #: Label that stations know; None where each case has a database of its name.
    database: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a case."""

    case: Case
    seconds: float
    comparisons: list[Comparison] = field(default_factory=list)
    rounds: int | None = None
    #: What is wrong, in sentences; with the name of the station where that can be told.
    faults: list[str] = field(default_factory=list)
    versions: Mapping[str, Any] = field(default_factory=dict)
    #: The floors of which stations refused the case, in sentences.
    refusals: list[str] = field(default_factory=list)

    @property
    def is_equal(self) -> bool:
        """Whether all numbers equal the published ones, and nothing else is wrong."""
        return not self.faults and not self.refusals and bool(self.comparisons)

    @property
    def is_refused(self) -> bool:
        """Whether floors of stations refused the case, and nothing is wrong."""
        return bool(self.refusals) and not self.faults

    @property
    def said(self) -> str:
        """What came of it, in a line."""
        return "equal" if self.is_equal else " ".join([*self.faults, *self.refusals])

    @property
    def worst(self) -> Comparison | None:
        """The number with the fewest equal digits."""
        return min(self.comparisons, key=lambda one: one.digits, default=None)


def check_packaged(client: Client, place: Place, case: Case) -> Outcome:
    """Let stations compute a case over the data of the image, and compare the answer.

    Parameters
    ----------
    client
        Logged in, with encryption set up.
    place
        The stations.
    case
        The case.
    """
    started = time.monotonic()
    arguments = {"case": case.name, "organization_ids": list(place.stations)}
    try:
        said = _ask(client, place, f"validate {case.name}", "reference_case", arguments)
    except V6Error as error:
        return Outcome(case, time.monotonic() - started, faults=[error.message])
    return compare_packaged(place, case, time.monotonic() - started, said)


def compare_packaged(place: Place, case: Case, seconds: float, said: Mapping[str, Any]) -> Outcome:
    """Return what came of a case that was computed over the data of the image.

    Parameters
    ----------
    place
        The stations.
    case
        The case.
    seconds
        How long it took.
    said
        What ``reference_case`` answered.
    """
    faults, refusals = _of_packaged(place, said)
    answer = said.get("answer")
    if not isinstance(answer, dict):
        if not faults and not refusals:
            stopped = said.get("stopped")
            why = stopped.get("message") if isinstance(stopped, dict) else "it says no reason."
            faults.append(f"It ended without an answer: {why}")
        return Outcome(case, seconds, faults=faults, refusals=refusals)
    return _compare_all(place, case, seconds, answer, faults)


def check_databases(client: Client, place: Place, case: Case) -> Outcome:
    """Send a case to stations whose databases hold the data, and compare the answer.

    Parameters
    ----------
    client
        Logged in, with encryption set up.
    place
        The stations.
    case
        The case.
    """
    started = time.monotonic()
    label = "default" if case.data is None else case.name
    try:
        answer = _ask(client, place, f"validate {case.name}", case.function, case.arguments, label)
    except V6Error as error:
        return Outcome(case, time.monotonic() - started, faults=[error.message])
    seconds = time.monotonic() - started
    found = _compare_all(place, case, seconds, answer, [])
    if any(not one.is_equal for one in found.comparisons) and not _of_counts(place, case, answer):
        found.faults[:0] = _of_values(client, place, case)
    return found


def _ask(
    client: Client,
    place: Place,
    name: str,
    function: str,
    arguments: Mapping[str, Any],
    database: str | None = None,
) -> dict[str, Any]:
    """Return the answer of a central function.

    Raises
    ------
    V6Error
        If there is none, with the cause.
    """
    task = client.task.create(
        collaboration=place.collaboration,
        organizations=[place.receiver],
        name=name,
        image=place.image,
        description="",
        input={"method": function, "kwargs": dict(arguments), "master": True},
        data_format="json",
        database=database or place.database or "default",
    )
    client.wait_for_results(task["id"], timeout=_SECONDS)
    results = client.result.from_task(task["id"])
    if said := causes.of_task(client.call, task["id"], results):
        raise V6Error(said)
    answer = results[0]["result"]
    if not isinstance(answer, dict):
        raise V6Error(f"The answer of {function} cannot be read.")
    return answer


def _compare_all(
    place: Place, case: Case, seconds: float, answer: dict[str, Any], faults: list[str]
) -> Outcome:
    comparisons = case.compare(answer)
    found = [*faults, *_of_counts(place, case, answer)]
    if wrong := [one.name for one in comparisons if not one.is_equal]:
        shown = ", ".join(wrong[:5]) + (", ..." if len(wrong) > 5 else "")
        found.append(f"{len(wrong)} of {len(comparisons)} numbers differ: {shown}.")
    if answer.get("rounds") != case.rounds:
        found.append(f"It took {answer.get('rounds')} rounds and not {case.rounds}.")
    versions, rounds = answer.get("versions"), answer.get("rounds")
    return Outcome(
        case,
        seconds,
        comparisons,
        rounds if isinstance(rounds, int) else None,
        found,
        versions if isinstance(versions, dict) else {},
    )


def _of_packaged(place: Place, said: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return what is wrong at single stations, and the floors of which refused."""
    faults, refusals = [], []
    # SECURITY: a station has written the answer, in whatever form.
    for one in _list(said.get("left")):
        if not isinstance(one, dict):
            continue
        name = _name(place, one.get("organization"))
        if one.get("by_floors"):
            refusals.append(f"Refused by the floors of {name}: {one.get('message')}")
        else:
            faults.append(f"{name} takes no part: {one.get('message')}")
    for id_ in _list(said.get("differ")):
        faults.append(
            f"{_name(place, id_)} answers with other numbers than its share of the data gives."
        )
    return faults, refusals


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _name(place: Place, id_: Any) -> str:
    return place.stations.get(id_, "A station") if isinstance(id_, int) else "A station"


def _of_counts(place: Place, case: Case, answer: Mapping[str, Any]) -> list[str]:
    """Return which stations used another number of records than their shares have."""
    if case.data is None:
        return []
    counts = answer.get("n")
    counted = _list(counts.get("by_organization")) if isinstance(counts, dict) else []
    used = {
        one["organization"]: one.get("used")
        for one in counted
        if isinstance(one, dict) and isinstance(one.get("organization"), int)
    }
    found = []
    for position, (id_, name) in enumerate(place.stations.items()):
        share = case.share(position, len(place.stations))
        wanted = len(next(iter(share.values())))
        if used.get(id_) != wanted:
            found.append(
                f"{name} used {used.get(id_)} records and holds {wanted} of the published ones."
            )
    return found


def _of_values(client: Client, place: Place, case: Case) -> list[str]:
    """Return which stations hold other values, each asked alone about all of its columns."""
    if case.data is None:
        return []
    found = []
    for position, (id_, name) in enumerate(place.stations.items()):
        wanted = describe_share(case, position, len(place.stations))
        arguments = {**wanted.arguments, "organization_ids": [id_]}
        try:
            said = _ask(
                client, place, f"describe {case.name}", wanted.function, arguments, case.name
            )
        except V6Error as error:
            found.append(f"{name} cannot be asked alone: {error.message}")
            continue
        if not is_alike(wanted.result, said.get("result")):
            found.append(f"{name} holds other values than its share of the published ones.")
    return found
