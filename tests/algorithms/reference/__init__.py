"""Published statistics, and how closely an answer must meet them."""

import json
import math
from pathlib import Path
from typing import Any

CASES: dict[str, dict[str, Any]] = json.loads(
    Path(__file__).with_name("values.json").read_text(encoding="utf-8")
)["cases"]


def digits(found: float, wanted: float, unit: float | None = None) -> float:
    """Return the equal digits of two numbers; 17 if all bits are equal."""
    if found == wanted:
        return 17.0
    if found is None or wanted is None or not math.isfinite(found):
        return 0.0
    size = max(abs(wanted), unit or 0.0)
    return min(17.0, -math.log10(abs(found - wanted) / size)) if size else 0.0


def assert_close(
    case: str, found: dict[str, float], tolerances: dict[str, float], least: float = 0.0
) -> dict[str, float]:
    """Compare every value of a case; return the digits of each.

    `tolerances` gives the largest relative difference by the part of a key before its first dot.
    A coefficient is compared in units of the larger of itself and its standard error.
    """
    wanted = CASES[case]["values"]
    assert set(found) == set(wanted), set(found) ^ set(wanted)
    reached = {}
    for key, value in wanted.items():
        part, _, term = key.partition(".")
        unit = abs(wanted[f"se.{term}"]) if part == "coef" else None
        reached[key] = digits(found[key], value, unit)
        tolerance = tolerances.get(key, tolerances.get(part, least))
        if found[key] != value:
            size = max(abs(value), unit or 0.0)
            assert abs(found[key] - value) <= tolerance * size, (key, found[key], value)
    return reached
