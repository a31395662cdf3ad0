"""Three hospitals in one process, for the examples of the statistical functions.

Their patients are made up by a rule, so that each example prints the same numbers everywhere. The
stations have the default floors.
"""

import math
import random
from typing import Any

import pandas as pd

from vantage6.tools.mock_client import MockAlgorithmClient

HOSPITALS = {1: 220, 2: 180, 3: 260}


def patients(hospital: int) -> pd.DataFrame:
    """Return the patients of a hospital."""
    draw = random.Random(hospital).random  # noqa: S311 - no secret
    rows = []
    for _ in range(HOSPITALS[hospital]):
        age = round(40 + 40 * draw())
        arm = "new" if draw() < 0.5 else "usual"
        stage = ["I", "II", "III"][int(3 * draw())]
        pressure = round(100 + 0.5 * age + 25 * (draw() + draw() - 1))
        risk = 0.04 * (age - 60) - 0.6 * (arm == "new") + 0.4 * (stage == "III")
        days = math.ceil(400 * math.exp(-risk) * -math.log(1 - draw()))
        visits = int(math.exp(0.5 + 0.3 * risk) * (draw() + draw()) * 2)
        rows.append(
            {
                "age": age,
                "arm": arm,
                "stage": stage,
                "pressure": pressure,
                "visits": visits,
                "days": min(days, 730),
                "died": int(days <= 730),
            }
        )
    return pd.DataFrame(rows)


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
        [{"database": patients(hospital)} for hospital in HOSPITALS],
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
