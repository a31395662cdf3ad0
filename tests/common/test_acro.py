"""The verdicts about tables and regressions are those of ACRO, or the reason is written here."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.common.acro import cases
from tests.common.outputs import CROSS, N, function, share
from vantage6.common.disclosure.floors import PRESETS
from vantage6.common.disclosure.shares import ColumnTotals, Question, judge_shares
from vantage6.common.disclosure.verdicts import Verdict

_SAID = json.loads((Path(cases.__file__).parent / "verdicts.json").read_text())
VERDICTS: dict[str, str] = _SAID["verdicts"]
#: The preset has the numbers of ACRO's default.
SACRO = PRESETS["sacro"]

_SHARE_OF_RECORDS = "ACRO has no bound for parameters as a share of the records"
_GROUP = "a node knows the totals of whole columns, and not those of a group"
#: Cases whose verdict is another one.
REASONS = {
    "regression: 30 records, 5 columns": _SHARE_OF_RECORDS,
    "regression: 12 records, 1 column": _SHARE_OF_RECORDS,
    "mean: one large value in one of two groups": _GROUP,
    "sum: one large value in one of two groups": _GROUP,
}


def judge_table(name: str) -> Verdict:
    document = {"t": cases.TABLES[name], "hidden": 0}
    return judge_shares(document, function(*CROSS), SACRO).verdict


def judge_groups(kind: str, name: str) -> Verdict:
    groups = cases.GROUPS[name]
    described = function(share("/g/*/n", "count"), share("/g/*/value", kind, "/g/*/n"))
    values = [sum(group) / (len(group) if kind == "mean" else 1) for group in groups]
    document = {
        "g": {
            f"group {i}": {"n": len(group), "value": value}
            for i, (group, value) in enumerate(zip(groups, values, strict=True))
        }
    }
    known = Question(columns={"value": ColumnTotals(**cases.whole(groups))})
    return judge_shares(document, described, SACRO, known).verdict


def judge_regression(name: str) -> Verdict:
    records, columns = cases.REGRESSIONS[name]
    described = function(
        N,
        share("/df", "residual_df"),
        share("/b/*", "regression_coefficient", "/n", parameters="/p"),
        share("/p", "parameter"),
    )
    size = columns + 1
    document = {"n": records, "df": records - size, "p": size, "b": [0.5] * size}
    return judge_shares(document, described, SACRO).verdict


def judge(case: str) -> Verdict:
    kind, _, name = case.partition(": ")
    if kind == "table":
        return judge_table(name)
    return judge_regression(name) if kind == "regression" else judge_groups(kind, name)


def test_each_case_has_a_verdict_of_acro() -> None:
    assert list(VERDICTS) == cases.names()
    assert set(VERDICTS.values()) == {"pass", "fail"}
    assert set(REASONS) <= set(VERDICTS)


@pytest.mark.parametrize("case", VERDICTS)
def test_the_verdict_is_that_of_acro(case: str) -> None:
    passes: Any = VERDICTS[case] == "pass"
    same = (judge(case) is Verdict.PASS) == passes
    assert same == (case not in REASONS), REASONS.get(case, "the verdict differs")


def test_what_differs_in_models_is_stricter_here() -> None:
    for case, reason in REASONS.items():
        if reason == _SHARE_OF_RECORDS:
            assert VERDICTS[case] == "pass"
            assert judge(case) is Verdict.REFUSED
