"""The answers of the library keep to its own card, under the floors of every preset."""

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.algorithms.federation import federation, split
from vantage6.algorithms.catalogue import CENTRAL, PARTIAL
from vantage6.algorithms.statistics.sentences import Stopped
from vantage6.common import cards
from vantage6.common.disclosure.floors import PRESETS
from vantage6.common.disclosure.shares import Question, judge_shares
from vantage6.common.disclosure.verdicts import Verdict
from vantage6.node.release import judge as release
from vantage6.node.release.by_card import Described, judge_by_card
from vantage6.node.release.checks import all_checks
from vantage6.node.sketch.sketch import Sketch
from vantage6.node.sketch.sketching import make_sketch

CARD = cards.read(
    (Path(__file__).resolve().parents[2] / "algorithms/statistics/card.json").read_bytes()
)
#: Records of each station.
ROWS = 200
SURVIVAL = {"time": "days", "event": "died"}


@cache
def cohort(missing: float = 0.0) -> dict[str, np.ndarray]:
    """Return the records of three stations, some values missing."""
    random = np.random.default_rng(17)
    n = 3 * ROWS
    age = random.integers(30, 90, n).astype(float)
    arm = random.choice(["new", "usual"], n)
    stage = random.choice(["I", "II", "III", "IV"], n, p=[0.4, 0.3, 0.2, 0.1])
    bmi = random.normal(27, 4, n).round(1)
    pressure = 100 + 0.4 * age + 5 * (arm == "new") + random.normal(0, 12, n)
    died = random.random(n) < 1 / (1 + np.exp(2 - 0.02 * age - (stage == "IV")))
    days = np.ceil(random.exponential(700, n))
    table = {
        "age": age,
        "arm": arm.astype(object),
        "stage": stage.astype(object),
        "bmi": bmi,
        "pressure": pressure,
        "cost": random.gamma(2.0, 800.0, n),
        "visits": random.poisson(np.exp(0.5 + 0.01 * age)).astype(float),
        "ward": np.array([f"ward {i % 5}" for i in random.permutation(n)], dtype=object),
        "died": died.astype(float),
        "days": days,
        "weight": random.integers(1, 4, n).astype(float),
    }
    for name in ("bmi", "pressure", "stage"):
        gone = random.random(n) < missing
        table[name] = table[name].copy()
        table[name][gone] = np.nan if table[name].dtype == float else None
    return table


#: What people ask for every day.
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "table 1": ("summary", {"columns": ["age", "bmi", "pressure", "cost", "visits", "stage"]}),
    "table 1 by arm": ("summary", {"columns": ["age", "bmi", "pressure", "stage"], "by": "arm"}),
    "histogram": ("histogram", {"column": "age"}),
    "histogram by decades": ("histogram", {"column": "age", "edges": [30, 40, 50, 60, 70, 80]}),
    "histogram with tails": ("histogram", {"column": "pressure", "bins": 40}),
    "table of two columns": ("crosstab", {"rows": "arm", "columns": "died"}),
    "table with small cells": ("crosstab", {"rows": "stage", "columns": "ward"}),
    "stages by arm": ("crosstab", {"rows": "stage", "columns": "arm"}),
    "t-test": ("ttest", {"column": "pressure", "group": "arm"}),
    "analysis of variance": ("anova", {"column": "pressure", "group": "stage"}),
    "correlation": ("correlation", {"columns": ["age", "bmi", "pressure", "cost"]}),
    "components": ("pca", {"columns": ["age", "bmi", "pressure"]}),
    "linear model": ("linear_model", {"formula": "pressure ~ age + arm + stage"}),
    "weighted": ("linear_model", {"formula": "pressure ~ age + bmi", "weights": "weight"}),
    "logistic": ("glm", {"formula": "died ~ age + arm + stage", "family": "binomial"}),
    "poisson": ("glm", {"formula": "visits ~ age + arm", "family": "poisson"}),
    "negative binomial": ("glm", {"formula": "visits ~ age", "family": "negative_binomial"}),
    "gamma": ("glm", {"formula": "cost ~ age", "family": "gamma", "link": "log"}),
    "Cox": ("cox", {**SURVIVAL, "formula": "age + arm + stage"}),
    "Cox pooled": ("cox", {**SURVIVAL, "formula": "age + arm", "baseline": "pooled"}),
    "Kaplan-Meier": ("kaplan_meier", {**SURVIVAL, "group": "arm"}),
    "Kaplan-Meier exact": ("kaplan_meier", {**SURVIVAL, "group": "arm", "method": "exact"}),
    "log-rank by stage": ("kaplan_meier", {**SURVIVAL, "group": "stage", "method": "none"}),
    "meta-analysis": (
        "meta_analysis",
        {"model": {"function": "linear_model", "arguments": {"formula": "pressure ~ age + arm"}}},
    ),
}
#: Calls that stations with floors refuse by themselves: they send times of single records.
ONLY_OPEN = {"Cox pooled", "Kaplan-Meier exact"}


def answers(name: str, preset: str, missing: float) -> list[tuple[str, Any, Any]]:
    """Return function, arguments and answer of each station in each round of a call."""
    function, arguments = CALLS[name]
    stations = federation(cohort(missing), 3, floors=PRESETS[preset])
    try:
        CENTRAL[function](stations, **arguments)
    except Stopped:
        assert any("refused" in one for _, _, said in stations.calls for one in said.values())
    return [(m, sent, one) for m, sent, said in stations.calls for one in said.values()]


@pytest.mark.parametrize("missing", [0.0, 0.05])
@pytest.mark.parametrize("preset", PRESETS)
def test_no_answer_of_the_library_is_held_back(preset: str, missing: float) -> None:
    judged: Counter[str] = Counter()
    for name in CALLS:
        for method, sent, one in answers(name, preset, missing):
            function = CARD.find(method, is_central=False)
            assert function is not None
            found = judge_shares(one, function, PRESETS[preset], Question.of(sent, rows=ROWS))
            assert found.findings == (), f"{name}: {method}"
            assert found.document is one
            judged[method] += "ok" in one
    assert set(judged) <= set(PARTIAL)
    least = {"describe", "moments", "histogram_counts", "model_prepare", "glm_step"}
    assert least <= {method for method, count in judged.items() if count}


def test_stations_of_200_records_answer_the_calls_at_the_default_floors() -> None:
    refused = {
        name
        for name in CALLS
        if any("refused" in one for _, _, one in answers(name, "default", 0.0))
    }
    assert refused == ONLY_OPEN


def test_every_verdict_is_reached_by_the_open_preset_alone() -> None:
    """What a station with floors refuses by itself, its node refuses too."""
    floors = PRESETS["default"]
    for name in ONLY_OPEN:
        said = [one for one in answers(name, "open", 0.0) if "ok" in one[2]]
        verdicts = []
        for method, sent, one in said:
            function = CARD.find(method, is_central=False)
            assert function is not None
            verdicts.append(judge_shares(one, function, floors, Question.of(sent)).verdict)
        assert Verdict.REFUSED in verdicts, name


@pytest.fixture(scope="module")
def sketches(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Sketch]:
    """Return the sketch of the data of each station."""
    found = {}
    for number, share in split(cohort(0.05), 3).items():
        folder = tmp_path_factory.mktemp(f"station{number}")
        pd.DataFrame(share).to_csv(folder / "data.csv", index=False)
        (folder / "made").mkdir()
        make_sketch(folder / "data.csv", "csv", folder / "made", PRESETS["default"].cell)
        found[number] = Sketch(folder / "made")
    return found


@pytest.mark.parametrize("name", [name for name in CALLS if name not in ONLY_OPEN])
def test_a_station_lets_each_answer_leave_as_it_is(
    name: str, sketches: dict[int, Sketch], tmp_path: Path
) -> None:
    """Rules with a card and without one, beside a sketch of the data."""
    function, arguments = CALLS[name]
    floors, card = PRESETS["default"], CARD.model_dump(mode="json", by_alias=True)
    stations = federation(cohort(0.05), 3, floors=floors)
    CENTRAL[function](stations, **arguments)
    output = tmp_path / "output"
    for method, sent, said in stations.calls:
        described = CARD.find(method, is_central=False)
        assert described is not None
        for number, one in said.items():
            output.write_bytes(b"json." + json.dumps(one).encode())
            asked = release.Question(floors, method, card, "default")
            found = release.judge(output, asked, all_checks(sketches[number]))
            by_card = judge_by_card(output, Described(described, sent), floors, sketches[number])
            assert (found.findings, by_card.findings) == ((), ()), method
            assert by_card.rewritten is None
