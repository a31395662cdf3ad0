"""The federation that ``make demo`` and ``vantage6 sandbox`` show: three stations with ages."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vantage6.sandbox.federation import IMAGE, Federation
from vantage6.sandbox.patients import patients

#: The ages at each station.
AGES: Mapping[str, Sequence[int]] = {
    "example_org1": [45, 62, 71, 75],
    "example_org2": [28, 39, 47, 59],
    "example_org3": [33, 52, 64, 71, 82],
}
#: The ages in the second database of each station.
FOLLOWUP: Mapping[str, Sequence[int]] = {
    "example_org1": [46, 63],
    "example_org2": [29, 40, 48],
    "example_org3": [34],
}


def make_federation(folder: Path, suffix: str = "") -> Federation:
    """Return the federation, of which nothing runs yet.

    Parameters
    ----------
    folder
        Where everything is written.
    suffix
        What the names of the nodes end with.
    """
    return Federation(
        folder,
        AGES,
        node_settings={
            name: {
                "databases": {
                    "default": str(folder / name / "example.csv"),
                    "followup": str(folder / name / "followup.csv"),
                    "patients": str(folder / name / "patients.csv"),
                }
            }
            for name in AGES
        },
        suffix=suffix,
    )


def write_databases(federation: Federation, name: str) -> None:
    """Write the other databases of a station, if it is one of the demonstration."""
    if name not in FOLLOWUP:
        return
    folder = federation.folder / name
    write_rows(folder / "followup.csv", [{"age": age} for age in FOLLOWUP[name]])
    write_rows(folder / "patients.csv", patients(1 + list(FOLLOWUP).index(name)))


def write_rows(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as CSV, with the names of the columns first."""
    with file.open("w", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def policies(images: Iterable[str] = (IMAGE,)) -> dict[str, Any]:
    """Return the settings of a station that allows some images and no others."""
    return {"policies": {"allowed_algorithms": [re.escape(name) for name in images]}}
