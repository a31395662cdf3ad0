"""Three hospitals in one process, for the examples of the statistical functions.

Their patients are those of the sandbox. The stations have the default floors.
"""

from typing import Any

import pandas as pd

from vantage6.sandbox.patients import HOSPITALS, patients
from vantage6.tools.mock_client import MockAlgorithmClient


def ask(function: str, **arguments: Any) -> dict[str, Any]:
    """Send a task to the first hospital, and return its answer.

    Parameters
    ----------
    function
        A central function.
    arguments
        Its arguments.
    """
    client = MockAlgorithmClient(
        [{"database": pd.DataFrame(patients(hospital))} for hospital in HOSPITALS],
        "vantage6.algorithms.shelf",
        organization_ids=list(HOSPITALS),
    )
    input_ = {"method": function, "master": True, "kwargs": arguments}
    task = client.task.create(input_, organization_ids=[1])
    answer: dict[str, Any] = client.result.get(task["id"])[0]
    return answer


def show(rows: list[dict[str, Any]], *columns: str) -> None:
    """Print rows as a table, with four digits."""
    table = pd.DataFrame(rows)[list(columns)]
    print(table.to_string(index=False, na_rep="-", float_format=lambda x: f"{x:.4g}"))
