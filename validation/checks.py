"""One published statistic after the other: sent as a task, and compared digit by digit."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vantage6.algorithms.statistics.reference import Case, Comparison
from vantage6.client import Client, causes
from vantage6.common.errors import V6Error
from vantage6.sandbox.federation import Federation
from vantage6.validation.stations import IMAGE, NAMES

#: A case takes seconds.
_SECONDS = 300.0


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

    @property
    def is_equal(self) -> bool:
        """Whether all numbers equal the published ones, and nothing else is wrong."""
        return not self.faults and bool(self.comparisons)

    @property
    def worst(self) -> Comparison | None:
        """The number with the fewest equal digits."""
        return min(self.comparisons, key=lambda one: one.digits, default=None)


def check(federation: Federation, client: Client, case: Case) -> Outcome:
    """Send a case to the first station, and compare its answer with what was published.

    Parameters
    ----------
    federation
        A federation whose stations hold the data.
    client
        Logged in there.
    case
        The case.
    """
    started = time.monotonic()
    try:
        answer = _ask(federation, client, case)
    except V6Error as error:
        return Outcome(case, time.monotonic() - started, faults=[error.message])
    seconds = time.monotonic() - started
    comparisons = case.compare(answer)
    faults = _faults(federation, case, answer, comparisons)
    return Outcome(
        case, seconds, comparisons, answer.get("rounds"), faults, answer.get("versions") or {}
    )


def _ask(federation: Federation, client: Client, case: Case) -> dict[str, Any]:
    """Return the answer of the function.

    Raises
    ------
    V6Error
        If there is none, with the cause.
    """
    task = client.task.create(
        collaboration=federation.collaboration,
        organizations=[federation.ids[NAMES[0]]],
        name=f"validate {case.name}",
        image=IMAGE,
        description="",
        input={"method": case.function, "kwargs": dict(case.arguments), "master": True},
        data_format="json",
        database="default" if case.data is None else case.name,
    )
    client.wait_for_results(task["id"], timeout=_SECONDS)
    results = client.result.from_task(task["id"])
    if said := causes.of_task(client.call, task["id"], results):
        raise V6Error(said)
    answer = results[0]["result"]
    if not isinstance(answer, dict):
        raise V6Error(f"The answer of {case.function} cannot be read.")
    return answer


def _faults(
    federation: Federation, case: Case, answer: Mapping[str, Any], comparisons: list[Comparison]
) -> list[str]:
    wrong = [one.name for one in comparisons if not one.is_equal]
    found = _of_stations(federation, case, answer)
    if wrong:
        shown = ", ".join(wrong[:5]) + (", ..." if len(wrong) > 5 else "")
        found.append(f"{len(wrong)} of {len(comparisons)} numbers differ: {shown}.")
    if answer.get("rounds") != case.rounds:
        found.append(f"It took {answer.get('rounds')} rounds and not {case.rounds}.")
    return found


def _of_stations(federation: Federation, case: Case, answer: Mapping[str, Any]) -> list[str]:
    """Return what is wrong at single stations: the number of their records tells."""
    if case.data is None:
        return []
    used = {
        one.get("organization"): one.get("used")
        for one in (answer.get("n") or {}).get("by_organization") or ()
    }
    found = []
    for position, name in enumerate(NAMES):
        share = case.share(position, len(NAMES))
        wanted = len(next(iter(share.values())))
        counted = used.get(federation.ids[name])
        if counted != wanted:
            found.append(f"{name} used {counted} records and holds {wanted} of the published ones.")
    return found
