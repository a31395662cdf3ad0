"""What looks like the data, and not like a statistic, is found in an output of any image."""

import json
import pickle
import random
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from vantage6.common.disclosure.verdicts import Verdict, strictest
from vantage6.node.release.walk import walk
from vantage6.node.sketch.sketch import Sketch
from vantage6.node.sketch.sketching import make_sketch

ROWS = 200
#: Each finds the rules that an output breaks.
Rules = Callable[..., set[str]]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Give the data of a station."""
    random_ = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "age": random_.integers(20, 90, ROWS),
            "dose": random_.normal(50, 10, ROWS),
            "lab": random_.normal(13, 1, ROWS).round(2),
            "sex": random_.choice(["f", "m"], ROWS),
            "name": [f"person {number:03}" for number in range(ROWS)],
            "birth": pd.date_range("1950-01-01", periods=ROWS).astype(str),
        }
    )


@pytest.fixture(scope="module")
def sketch(frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Sketch:
    """Give the sketch of the data."""
    folder = tmp_path_factory.mktemp("sketch")
    frame.to_csv(folder / "data.csv", index=False)
    (folder / "made").mkdir()
    make_sketch(folder / "data.csv", "csv", folder / "made", cell=5)
    return Sketch(folder / "made")


@pytest.fixture
def rules(sketch: Sketch, tmp_path: Path) -> Rules:
    """Give a function that returns the rules that an output breaks."""

    def find(output: Any, data: Any = sketch, levels: int | None = 40) -> set[str]:
        if not isinstance(output, bytes):
            output = json.dumps(output).encode()
        (tmp_path / "output").write_bytes(output)
        return {finding.rule for finding in walk(tmp_path / "output", levels, data)}

    return find


def test_statistics_of_groups_pass(rules: Rules, frame: pd.DataFrame) -> None:
    groups = frame.groupby("sex").dose
    answers: list[Any] = [
        {"mean": frame.dose.mean(), "sd": frame.dose.std(), "n": ROWS},
        {"mean": groups.mean().to_dict(), "n": groups.size().to_dict()},
        {"counts": np.histogram(frame.age, 10)[0].tolist(), "edges": [20, 30, 40, 50, 60, 70]},
        frame[["age", "dose", "lab"]].cov().to_dict(),
        [],
        {},
        None,
        3,
        {"columns": list(frame.columns)},
        {"levels": ["f", "m"]},
        {"mean": float("nan"), "bound": float("inf")},
        {"quantiles": frame.lab.quantile([0.1, 0.25, 0.5, 0.75, 0.9]).tolist()},
    ]
    for answer in answers:
        assert rules(answer) == set(), answer
        assert rules(b"json." + json.dumps(answer).encode()) == set(), answer


@pytest.mark.parametrize("form", ["columns", "index", "records", "split", "values"])
def test_rows_are_found_in_every_form(rules: Rules, frame: pd.DataFrame, form: Any) -> None:
    assert "row_like" in rules(json.loads(frame[["age", "lab"]].to_json(orient=form) or ""))
    assert "row_like" in rules(frame.age.tolist())


def test_a_third_of_the_rows_is_as_good_as_all(rules: Rules, frame: pd.DataFrame) -> None:
    assert rules({"x": frame.lab.drop_duplicates().head(70).tolist()}) == {"row_like"}
    assert rules({"x": frame.lab.head(60).tolist()}) == set()
    assert rules({"x": [0, 1] * 50}) == set(), "two values are no list of records"
    assert rules({"x": [False, True] * 100}) == {"row_like"}, "one for each record"


def test_padding_does_not_hide_a_list(rules: Rules, frame: pd.DataFrame) -> None:
    rows = frame[["age", "lab"]].values.tolist()
    assert "row_like" in rules([None, *rows])
    assert "row_like" in rules({"a": {"b": {"c": [rows]}}})


def test_a_cell_that_one_record_holds_is_found(rules: Rules, frame: pd.DataFrame) -> None:
    cell = float(frame.dose[17])
    assert rules({"mean": cell}) == {"unique_cell"}
    assert rules([1.5, [2, cell]]) == {"unique_cell"}
    assert rules({"text": f"it is 3;{cell!r};5"}) == {"unique_cell"}
    assert rules({"mean": np.nextafter(cell, 100)}) == {"unique_cell"}, "another reader"
    assert rules({"mean": float(f"{cell:.15g}")}) == {"unique_cell"}, "another writer"
    assert rules({"mean": cell + 1e-6}) == set()
    assert rules({"mean": float(frame.lab[17])}) == set(), "four digits may be a coincidence"


def test_a_text_of_too_few_records_is_found(rules: Rules, frame: pd.DataFrame) -> None:
    assert rules({"name": "person 017"}) == {"rare_text"}
    assert rules({"person 017": 3}) == {"rare_text"}, "as a key"
    assert rules({"csv": "1,person 017,3"}) == {"rare_text"}
    assert rules({"day": f"{frame.birth[3]}T00:00:00.000"}) == {"rare_text"}
    assert rules({"f": 1, "m": 2, "name": "name"}) == set()


def test_levels_are_a_channel(rules: Rules) -> None:
    many = [f"level {number}" for number in range(41)]
    assert rules({"levels": many}) == {"too_many_levels"}
    assert rules(dict.fromkeys(many, 1)) == {"too_many_levels"}
    assert rules([{"level": level, "count": 9} for level in many]) == {"too_many_levels"}
    assert rules({"levels": many[:40]}) == set()
    assert rules({"levels": many}, levels=None) == set()


def test_extremes_are_found_by_name_and_as_edges(rules: Rules, frame: pd.DataFrame) -> None:
    lowest, highest = float(frame.lab.min()), float(frame.lab.max())
    assert rules({"lab": {"min": lowest}}) == {"extreme"}
    assert rules({"lab": {"Maximum": highest}}) == {"extreme"}
    edges = np.histogram(frame.lab, 10)[1].round(2).tolist()
    assert rules({"edges": edges}) == {"extreme"}
    assert rules({"edges": [lowest - 1, *edges[1:-1], highest + 1]}) == set()
    assert rules({"n": lowest}) == set()


def test_bytes_without_a_form_are_held(rules: Rules) -> None:
    dump = random.Random(3).randbytes(4000)
    assert rules(dump) == {"opaque"}
    assert rules(b"ARROW1\0\0" + dump) == {"opaque"}
    assert rules({"x": dump.hex()}) == {"opaque"}
    assert rules({"x": [dump[:1000].hex()[i : i + 60] for i in range(0, 2000, 60)]}) == set()
    assert rules({str(i): dump.hex()[:1000] + str(i) for i in range(70)}) >= {"opaque"}
    assert rules(b"[" * 10_000) == {"opaque"}
    assert rules(b'{"a": 1} ' + dump) == {"opaque"}
    assert rules(b"\x80\x05N.") == set(), "a small one is read by no person"


def test_digits_of_a_long_number_are_text(rules: Rules) -> None:
    assert "opaque" in rules([10**299] * 300, data=None)


def test_a_large_output_is_held(rules: Rules) -> None:
    assert "large" in rules({"x": " " * 70_000})
    assert rules({"x": "a"}) == set()


def test_a_pickle_is_read_as_data(rules: Rules, frame: pd.DataFrame) -> None:
    assert rules(b"pickle." + pickle.dumps({"mean": 1.5})) == set()
    assert "row_like" in rules(pickle.dumps(frame.age.tolist()))
    assert "row_like" in rules(pickle.dumps(frame[["age"]]))


def test_a_table_is_read_as_records(rules: Rules, frame: pd.DataFrame) -> None:
    assert rules(frame.to_csv().encode()) >= {"row_like", "unique_cell", "rare_text"}
    assert rules(b"n;mean\n20;3.5\n30;2.5\n") == set()


def test_without_data_only_the_form_is_judged(rules: Rules, frame: pd.DataFrame) -> None:
    assert rules(frame.dose.tolist(), data=None) == set()
    assert rules([random.random() for _ in range(1001)], data=None) == {"row_like"}


def test_no_finding_holds_a_value(sketch: Sketch, frame: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "output").write_text(json.dumps([float(frame.dose[0]), "person 001"]))
    for finding in walk(tmp_path / "output", 40, sketch):
        assert str(frame.dose[0]) not in finding.remedy
        assert "person" not in finding.remedy


def test_all_findings_of_a_hostile_output_are_bounded(sketch: Sketch, tmp_path: Path) -> None:
    names = [f"person {number % ROWS:03}" for number in range(50_000)]
    (tmp_path / "output").write_text(json.dumps(names))
    findings = list(walk(tmp_path / "output", None, sketch))
    assert len(findings) <= 101
    assert strictest(findings) is Verdict.REFUSED


@pytest.mark.slow
def test_memory_does_not_grow_with_the_output(sketch: Sketch, tmp_path: Path) -> None:
    def grown(count: int) -> int:
        with (tmp_path / "output").open("w") as file:
            file.write("[0")
            file.writelines(f",{number * 0.37!r}" for number in range(count))
            file.write("]")
        list(walk(tmp_path / "output", 40, None))
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = grown(300_000)
    assert grown(3_000_000) - before < 20_000
