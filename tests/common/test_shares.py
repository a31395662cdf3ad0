"""What a station says of outputs with a card."""

import copy
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.common.outputs import CROSS, MITIGATED, OUTPUTS, TABLE, Output, function, share
from vantage6.common.disclosure.floors import PRESETS, Floors
from vantage6.common.disclosure.shares import Question, judge_shares
from vantage6.common.disclosure.shares.tables import find_hidden, is_small
from vantage6.common.disclosure.verdicts import Verdict

_VERDICTS = {verdict.value for verdict in Verdict} - {"refused"}


def test_there_are_eighty_of_them() -> None:
    assert len({output.name for output in OUTPUTS}) == len(OUTPUTS) >= 80


@pytest.mark.parametrize("output", OUTPUTS, ids=lambda output: output.name)
def test_each_output_has_its_verdict(output: Output) -> None:
    before = copy.deepcopy(output.document)
    judged = judge_shares(
        output.document, function(*output.shares), PRESETS[output.preset], output.question
    )
    rules = {finding.rule for finding in judged.findings}
    if output.said in _VERDICTS:
        assert judged.verdict.value == output.said, judged.findings
    else:
        assert judged.verdict is Verdict.REFUSED
        assert output.said in rules
    assert output.document == before
    assert (judged.document is output.document) == (judged.verdict is not Verdict.MITIGATED)
    for finding in judged.findings:
        assert finding.remedy.endswith(".")
        assert len(finding.remedy) < 150


@pytest.mark.parametrize("output", OUTPUTS, ids=lambda output: output.name)
def test_a_finding_holds_nothing_of_the_output(output: Output) -> None:
    judged = judge_shares(
        output.document, function(*output.shares), PRESETS[output.preset], output.question
    )
    known = [entry["path"] for entry in output.shares]
    for finding in judged.findings:
        steps = finding.path.split("/")[1:]
        assert all(step == "*" or any(step in path for path in known) for step in steps)
        assert "Jansen" not in finding.remedy


def test_hidden_cells_are_null_and_counted() -> None:
    judged = judge_shares({"t": [90, 3, 20], "hidden": 0}, function(*TABLE), Floors())
    assert judged.document == {"t": [90, None, None], "hidden": 2}


def test_a_hidden_cell_does_not_follow_from_the_margins() -> None:
    document = {"t": [[9, 2, 50], [70, 60, 40], [30, 20, 10]], "hidden": 0}
    judged = judge_shares(document, function(*CROSS), Floors())
    table = judged.document["t"]
    lines = [*table, *map(list, zip(*table, strict=True))]
    assert table[0][1] is None
    assert all(line.count(None) != 1 for line in lines)
    assert judged.document["hidden"] == sum(row.count(None) for row in table)


def test_what_was_hidden_once_passes() -> None:
    first = judge_shares({"t": [[9, 2], [70, 60]], "hidden": 0}, function(*CROSS), Floors())
    assert first.verdict is Verdict.MITIGATED
    again = judge_shares(first.document, function(*CROSS), Floors())
    assert again.findings == ()


@given(
    st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=5), min_size=1, max_size=5),
    st.sampled_from(["default", "sacro", "datashield"]),
)
def test_no_line_of_a_masked_table_has_a_lone_or_a_light_hidden_cell(
    rows: list[list[int]], preset: str
) -> None:
    width = min(map(len, rows))
    table, floors = [row[:width] for row in rows], PRESETS[preset]
    hidden = find_hidden(table, floors)
    cells = {(i, j): count for i, row in enumerate(table) for j, count in enumerate(row)}
    assert all(place in hidden for place, count in cells.items() if is_small(count, floors))
    lines = [[p for p in cells if p[0] == i] for i in range(len(table))]
    lines += [[p for p in cells if p[1] == j] for j in range(width)]
    for line in [list(cells), *(lines if len(table) > 1 and width > 1 else [])]:
        covered = [place for place in line if place in hidden]
        if covered and len(covered) < len(line):
            assert len(covered) > 1
            assert sum(cells[place] for place in covered) >= floors.cell


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from("nthpbuvg*"), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(_JSON, st.sampled_from([output for output in OUTPUTS]))
def test_any_document_gets_a_verdict(document: Any, output: Output) -> None:
    judged = judge_shares(document, function(*output.shares), Floors())
    assert judged.verdict in Verdict


def test_a_stricter_station_is_never_milder() -> None:
    for output in OUTPUTS:
        described = function(*output.shares)
        mild = judge_shares(output.document, described, PRESETS["datashield"], output.question)
        hard = judge_shares(output.document, described, PRESETS["sacro"], output.question)
        # Hiding cells is an answer, and refusing is none.
        if mild.verdict.value != MITIGATED:
            assert hard.verdict.strictness >= mild.verdict.strictness, output.name


def test_functions_without_shares_or_data_are_not_judged_here() -> None:
    open_ended = function(name="part", kind="partial")
    assert judge_shares({"x": 1}, open_ended, Floors()).findings == ()
    described = function(share("/n", "count"), database="none")
    assert judge_shares({"n": 1}, described, Floors()).findings == ()


def test_an_answer_that_takes_too_long_to_check_is_refused() -> None:
    # Each of the counts is compared with each of the others.
    described = function(share("/a/*", "count", "/b/*"), share("/b/*", "count"))
    judged = judge_shares({"a": [100] * 5_000, "b": [200] * 5_000}, described, Floors())
    assert [finding.rule for finding in judged.findings] == ["too_much_to_check"]


def test_a_large_table_with_small_cells_is_refused() -> None:
    judged = judge_shares({"t": [9] * 10_000 + [1], "hidden": 0}, function(*TABLE), Floors())
    assert judged.verdict is Verdict.REFUSED


def test_a_million_bytes_are_judged_in_a_blink() -> None:
    n = 200_000
    numbers = [x / 7 for x in range(60_000)]
    document = {"n": n, "s": numbers, "groups": {f"g{i}": {"n": 40} for i in range(30)}}
    described = function(
        share("/n", "count"),
        share("/s/*", "sum", "/n"),
        share("/groups/*/n", "count"),
    )
    assert len(str(document)) > 1_000_000
    took = []
    for _ in range(5):
        start = time.thread_time()
        judged = judge_shares(document, described, Floors(), Question(rows=n))
        took.append(time.thread_time() - start)
    assert judged.findings == ()
    # The contract says 100 ms; a slow machine, or one under load, is given more.
    assert min(took) < 0.6
