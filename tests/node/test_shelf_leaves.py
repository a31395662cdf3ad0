"""What the statistical functions answer is no false alarm on a station of two hundred records."""

import json
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.algorithms.federation import Federation
from vantage6.algorithms.catalogue import CENTRAL
from vantage6.common.disclosure.floors import Floors
from vantage6.node.release.matrices import Matrices
from vantage6.node.release.walk import walk
from vantage6.node.sketch.sketch import Sketch
from vantage6.node.sketch.sketching import make_sketch

CARD = json.loads(
    resources.files("vantage6.algorithms.statistics").joinpath("card.json").read_text()
)
ROWS = 200
TERMS = [f"x{number}" for number in range(12)]
WIDE = " + ".join(TERMS)
ASKED: list[tuple[str, dict[str, Any]]] = [
    ("summary", {"columns": ["age", "lab", "dose", "sex", "town"]}),
    ("summary", {"columns": ["age", "dose"], "by": "sex"}),
    ("histogram", {"column": "lab"}),
    ("histogram", {"column": "age", "edges": list(range(20, 95, 5))}),
    ("crosstab", {"rows": "sex", "columns": "town"}),
    ("ttest", {"column": "dose", "group": "sex"}),
    ("anova", {"column": "dose", "group": "town"}),
    ("correlation", {"columns": ["age", "lab", "dose", *TERMS]}),
    ("pca", {"columns": ["age", "lab", "dose", *TERMS]}),
    ("linear_model", {"formula": f"dose ~ age + sex + {WIDE}"}),
    ("glm", {"formula": "event ~ age + dose + sex", "family": "binomial"}),
    ("glm", {"formula": f"visits ~ age + {WIDE}", "family": "poisson"}),
    ("cox", {"formula": "age + dose + sex", "time": "days", "event": "event"}),
    ("kaplan_meier", {"time": "days", "event": "event", "group": "sex"}),
]


def make_share(seed: int) -> pd.DataFrame:
    """Return the records of one station."""
    random = np.random.default_rng(seed)
    sex = random.choice(["f", "m"], ROWS)
    return pd.DataFrame(
        {
            "id": np.arange(ROWS) + 1000 * seed,
            "age": random.integers(18, 95, ROWS),
            "lab": random.normal(13, 1.5, ROWS).round(2),
            "dose": random.normal(50, 10, ROWS),
            "sex": sex,
            "town": random.choice(["north", "south", "east"], ROWS),
            "event": random.integers(0, 2, ROWS),
            "visits": random.poisson(3, ROWS),
            "days": random.exponential(400, ROWS).round() + 1,
            **{term: random.normal(size=ROWS) for term in TERMS},
        }
    )


@pytest.fixture(scope="module")
def stations(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[pd.DataFrame, Sketch]]:
    """Give three stations, each with the sketch of its data."""
    found = {}
    for number in (1, 2, 3):
        folder: Path = tmp_path_factory.mktemp(f"station{number}")
        make_share(number).to_csv(folder / "data.csv", index=False)
        (folder / "made").mkdir()
        make_sketch(folder / "data.csv", "csv", folder / "made", Floors().cell)
        found[number] = (pd.read_csv(folder / "data.csv"), Sketch(folder / "made"))
    return found


@pytest.mark.parametrize(("function", "arguments"), ASKED)
def test_nothing_that_the_shelf_answers_is_held(
    function: str,
    arguments: dict[str, Any],
    stations: dict[int, tuple[pd.DataFrame, Sketch]],
    tmp_path: Path,
) -> None:
    sites = Federation({number: frame for number, (frame, _) in stations.items()}, Floors())
    result = CENTRAL[function](sites, **arguments)
    answers = [
        (method, number, said) for method, _, all_ in sites.calls for number, said in all_.items()
    ]
    assert all("ok" in said for _, _, said in answers), answers
    output = tmp_path / "output"
    for method, number, said in [*answers, *((None, number, result) for number in stations)]:
        output.write_text(json.dumps(said))
        matrices = Matrices.of(CARD, method, Floors())
        assert list(walk(output, Floors().levels, stations[number][1], matrices)) == [], method


def test_a_card_does_not_make_a_matrix_of_a_column(
    stations: dict[int, tuple[pd.DataFrame, Sketch]], tmp_path: Path
) -> None:
    frame, sketch = stations[1]
    matrices = Matrices.of(CARD, "glm_step", Floors())
    for column in ("age", "lab", "days", "visits"):
        for length in (66, 78, 105, 190, 200, 210):
            numbers = [*frame[column].tolist(), *range(10)][:length]
            (tmp_path / "output").write_text(json.dumps({"ok": {"info": numbers}}))
            rules = {one.rule for one in walk(tmp_path / "output", 40, sketch, matrices)}
            is_short = len(set(numbers)) <= ROWS // 3 and length < ROWS
            assert rules == (set() if is_short else {"row_like"}), (column, length)
