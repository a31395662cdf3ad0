"""Patients of three hospitals, made up by a rule, so that each example prints the same everywhere.

One row is one patient: age in years, arm and stage as categories, pressure in mmHg, a number of
visits, and the days until death or until the study ended after 730 of them.
"""

import math
import random
from collections.abc import Mapping
from typing import Any

#: The number of patients of each hospital.
HOSPITALS: Mapping[int, int] = {1: 220, 2: 180, 3: 260}
_END = 730


def patients(hospital: int) -> list[dict[str, Any]]:
    """Return the patients of a hospital, one row each."""
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
                "days": min(days, _END),
                "died": int(days <= _END),
            }
        )
    return rows
