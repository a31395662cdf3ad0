"""A sandbox whose stations hold the data of published statistics, each a share of it."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from vantage6.algorithms.statistics.reference import Case
from vantage6.sandbox.federation import Federation
from vantage6.sandbox.statistics import IMAGE, PROCESSES
from vantage6.validation.checks import Place

NAMES = ("station_1", "station_2", "station_3")
#: Settings of a node that runs the functions without a container engine.
_AS_PROCESSES = {
    "runtime": "process",
    "processes": PROCESSES,
}


def make_federation(folder: Path, runtime: Mapping[str, Any]) -> Federation:
    """Return the federation, of which nothing runs yet.

    Parameters
    ----------
    folder
        Where everything is written.
    runtime
        How nodes run algorithms: settings of a node.
    """
    settings = _AS_PROCESSES if runtime["runtime"] == "process" else runtime
    # The data is public, and some cases have one record at a station.
    policies = {"policies": {"allowed_algorithms": [IMAGE], "floors": "open"}}
    ages: Mapping[str, tuple[int, ...]] = dict.fromkeys(NAMES, ())
    return Federation(folder, ages, runtime={**settings, **policies}, suffix="_validation")


def start(federation: Federation, cases: Iterable[Case]) -> None:
    """Start everything, with the data of some cases.

    Raises
    ------
    FederationError
        If a part does not come up.
    """
    chosen = list(cases)
    federation.start_server()
    federation.register()
    for position, name in enumerate(NAMES):
        databases = {"default": str(federation.folder / name / "example.csv")}
        for case in chosen:
            if case.data is not None:
                file = data_file(federation, name, case)
                _write_share(file, case, position)
                databases[case.name] = str(file)
        federation.start_node(name, databases=databases)
    federation.wait_until_online()


def place_of(federation: Federation) -> Place:
    """Return how tasks reach the stations."""
    stations = {federation.ids[name]: name for name in NAMES}
    return Place(federation.collaboration, stations, federation.ids[NAMES[0]], IMAGE)


def data_file(federation: Federation, name: str, case: Case) -> Path:
    """Return the file with the share of a station."""
    return federation.folder / name / "data" / f"{case.name}.csv"


def _write_share(file: Path, case: Case, position: int) -> None:
    share = case.share(position, len(NAMES))
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(share)
        # All digits, so that a station reads the numbers that were published.
        columns = [[repr(float(number)) for number in values] for values in share.values()]
        writer.writerows(zip(*columns, strict=True))
