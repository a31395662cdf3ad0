"""Where one person has several records, people count and no records."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.common.outputs import SUM, function
from tests.node.conftest import MakeContext, MakeScheduler
from tests.node.factories import IMAGE
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.common.disclosure.floors import PRESETS, Floors
from vantage6.common.disclosure.verdicts import Verdict
from vantage6.node.release.by_card import Described, judge_by_card
from vantage6.node.release.checks import all_checks
from vantage6.node.release.data import floors_beside
from vantage6.node.release.judge import Question, judge
from vantage6.node.sketch import tables
from vantage6.node.sketch.sketch import Sketch
from vantage6.node.sketch.sketching import make_sketch

#: Forty people: one has 60 visits, one has 20, each other one 2.
_PEOPLE = [*[1] * 60, *[2] * 20, *np.repeat(np.arange(3, 41), 2).tolist()]


def visits() -> pd.DataFrame:
    """Return a table of visits."""
    random = np.random.default_rng(2)
    table = pd.DataFrame({"patient": _PEOPLE, "lab": random.normal(50, 10, len(_PEOPLE))})
    # A height of each person, at each visit.
    table["height"] = table.patient.map(lambda one: 150.1234567 + one * 0.1234567)
    table["town"] = ["rare" if one < 3 else "common" for one in table.patient]
    table["cost"] = [1000.0 if one == 1 else 1.0 + one / 100 for one in table.patient]
    return table.sample(frac=1, random_state=3)


def sketch(table: pd.DataFrame, folder: Path, column: str | None = "patient") -> Sketch:
    """Return the sketch of a table that is read in parts."""
    table.to_csv(folder / "data.csv", index=False)
    (folder / "made").mkdir()
    make_sketch(folder / "data.csv", "csv", folder / "made", 5, column)
    return Sketch(folder / "made")


@pytest.fixture(autouse=True)
def _in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_MOST_ROWS", 50)


def test_people_are_counted_over_all_parts(tmp_path: Path) -> None:
    made = sketch(visits(), tmp_path)
    assert (made.rows, made.people) == (156, 40)
    assert list(made.most_of_one or ())[:4] == [60, 20, 2, 2]


@pytest.mark.parametrize("kind", ["texts", "numbers and texts", "missing"])
def test_one_person_is_one_however_the_file_writes_the_number(kind: str, tmp_path: Path) -> None:
    table = visits()
    names = [str(one) for one in table.patient]
    if kind == "texts":
        table["patient"] = [f"p{name}" for name in names]
    elif kind == "numbers and texts":
        # Of a part with a gap, or with a text, numbers are read as something else.
        table["patient"] = [name if name != "40" else "unknown" for name in names]
    else:
        table["patient"] = ["" if name == "40" else name for name in names]
    made = sketch(table, tmp_path)
    assert (made.rows, made.people) == (156, 40)


def test_a_value_that_one_person_has_at_each_visit_is_unique(tmp_path: Path) -> None:
    table = visits()
    height = float(table.height[table.patient == 2].iloc[0])
    (tmp_path / "people").mkdir()
    assert sketch(table, tmp_path / "people").find_cells([height]) == [True]
    (tmp_path / "records").mkdir()
    assert sketch(table, tmp_path / "records", None).find_cells([height]) == [False]


def test_a_text_and_an_edge_of_two_people_are_rare(tmp_path: Path) -> None:
    made = sketch(visits(), tmp_path)
    assert made.find_rare(["rare", "common"]) == [True, False]
    assert made.is_highest(1000.0)


def test_two_people_who_make_up_a_column_are_seen(tmp_path: Path) -> None:
    totals = sketch(visits(), tmp_path).totals["cost"]
    assert totals.largest == pytest.approx(60_000)
    assert totals.second == pytest.approx(20 * 1.02)


def test_a_table_that_names_no_person_counts_records(tmp_path: Path) -> None:
    made = sketch(visits().drop(columns="patient"), tmp_path)
    assert made.people == made.rows == 156
    assert made.most_of_one is None
    assert floors_beside(made, Floors()) == Floors()


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_people_with_one_record_each_change_no_floor(preset: str) -> None:
    assert PRESETS[preset].for_people([1] * 50) == PRESETS[preset]


def test_so_many_records_have_enough_people_behind_them() -> None:
    floors = Floors().for_people([60, 20, 2, 2, 2])
    # Four people have 84 records at most.
    assert (floors.cell, floors.records) == (85, 85)
    assert Floors().for_people([60, 20]).cell == 1 + 60 + 20 + 20 + 20
    assert PRESETS["open"].for_people([60, 20]) == PRESETS["open"]


def test_a_sum_that_four_people_can_make_up_stays(tmp_path: Path) -> None:
    made = sketch(visits(), tmp_path)
    floors = floors_beside(made, Floors())
    described = Described(function(*SUM), {})
    for records, verdict in ((84, Verdict.REFUSED), (85, Verdict.PASS)):
        output = tmp_path / "output"
        output.write_text(json.dumps({"n": records, "sum": 4321.5}))
        findings = judge_by_card(output, described, floors, made).findings
        assert (Verdict.REFUSED if findings else Verdict.PASS) is verdict


def test_a_list_of_a_third_of_the_people_is_long(tmp_path: Path) -> None:
    made = sketch(visits(), tmp_path)
    output = tmp_path / "output"
    output.write_text(json.dumps([number * 0.5 for number in range(20)]))
    judged = judge(output, Question(is_strict=True), all_checks(made))
    assert {finding.rule for finding in judged.findings} >= {"row_like"}


def test_an_algorithm_reads_the_floors_in_records(
    wire: Wire,
    make_scheduler: MakeScheduler,
    make_context: MakeContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def write_database(folder: Path) -> Path:
        path = folder / "visits.csv"
        visits().to_csv(path, index=False)
        return path

    monkeypatch.setattr("tests.node.contexts.write_database", write_database)
    program = (
        "import os; open(os.environ['OUTPUT_FILE'], 'w').write("
        "open(os.environ['FLOORS_FILE']).read())"
    )
    policies = {"allowed_algorithms": ".*", "release": "enforce", "person_column": "patient"}
    processes = {IMAGE: ("python3", "-c", program)}
    scheduler = make_scheduler(make_context(policies=policies, processes=processes))
    wire.add(5)
    scheduler.accept(5)
    eventually(lambda: wire.ids("completed", "failed", "not allowed") == [5])
    floors: dict[str, Any] = json.loads(base64.b64decode(wire.results[5]["result"]))
    assert floors["cell"] == 85
