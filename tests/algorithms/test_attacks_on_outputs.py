"""Known ways to read single records from outputs with a card: all are refused.

The records are those of `lung`, each hospital a station, and every output names its numbers as
honestly, or as falsely, as an attacker would.
"""

import base64
import struct
from typing import Any

import numpy as np
import pytest

from tests.algorithms.tables import table
from tests.common.outputs import function, share
from vantage6.common.disclosure.floors import PRESETS
from vantage6.common.disclosure.shares import ColumnTotals, Question, judge_shares
from vantage6.common.disclosure.verdicts import Verdict

#: All but the one for public data.
STRICT = [name for name in PRESETS if name != "open"]
AGES = [float(age) for age in range(40, 90)]


def hospitals() -> dict[int, Any]:
    """Return the complete records of each hospital of `lung` with at least 5 of them."""
    lung = table("lung")[["inst", "time", "status", "age", "sex", "ph_ecog"]].dropna()
    shares = {int(inst): part for inst, part in lung.groupby("inst")}
    return {inst: part for inst, part in shares.items() if len(part) >= 5}


def refused(
    document: Any, shares: tuple[dict[str, Any], ...], preset: str, **known: Any
) -> set[str]:
    """Return the rules that refuse an output; fail where it may leave."""
    judged = judge_shares(document, function(*shares), PRESETS[preset], Question(**known))
    assert judged.verdict is Verdict.REFUSED, document
    return {finding.rule for finding in judged.findings}


def first_round(site: Any) -> dict[str, Any]:
    """Return the sums over risk sets that a Cox model without coefficients begins with."""
    time, died = site["time"].to_numpy(), site["status"].to_numpy() == site["status"].max()
    x = site[["age", "sex", "ph_ecog"]].to_numpy(float)
    moments = np.unique(time[died])
    at_risk = [int((time >= t).sum()) for t in moments]
    sums = [x[time >= t].sum(axis=0).tolist() for t in moments]
    return {"n": len(site), "times": moments.tolist(), "at_risk": at_risk, "sums": sums}


N = share("/n", "count")
TIMES = share("/times/*", "extreme")
#: What the author of a card can call the sums.
CALLED = {
    "as they are": (share("/at_risk/*", "count"), share("/sums/*", "risk_set_sum", "/at_risk/*")),
    "sums of all": (share("/at_risk/*", "sum", "/n"), share("/sums/*/*", "sum", "/n")),
    "scores": (share("/at_risk/*", "score_vector", "/n"), share("/sums/*", "score_vector", "/n")),
    "a table": (share("/at_risk/*", "frequency_table"), share("/sums/*/*", "frequency_table")),
    "parameters": (share("/at_risk/*", "parameter"), share("/sums/*/*", "parameter")),
    "a status": (share("/at_risk/*", "status"), share("/sums/*/*", "status")),
    "a curve": (
        share("/at_risk/*", "survival_table", cumulative=True),
        share("/sums/*/*", "survival_table", "/n"),
    ),
}


@pytest.mark.parametrize("called", CALLED)
@pytest.mark.parametrize("preset", STRICT)
def test_first_sums_of_a_cox_model_stay_at_each_hospital(preset: str, called: str) -> None:
    known = hospitals()
    assert len(known) > 10
    for site in known.values():
        document = first_round(site)
        del document["times"]
        assert refused(document, (N, *CALLED[called]), preset, rows=len(site))


@pytest.mark.parametrize("preset", STRICT)
def test_survival_tables_of_each_hospital_stay_there(preset: str) -> None:
    for site in hospitals().values():
        time, died = site["time"].to_numpy(), site["status"].to_numpy() == site["status"].max()
        moments = np.unique(time)
        events = [int((died & (time == t)).sum()) for t in moments]
        censored = [int((~died & (time == t)).sum()) for t in moments]
        at_risk = [int((time >= t).sum()) for t in moments]
        survival = np.cumprod([1 - d / r for d, r in zip(events, at_risk, strict=True)]).tolist()
        counts = (share("/events/*", "survival_table"), share("/censored/*", "survival_table"))
        assert refused({"events": events, "censored": censored}, counts, preset)
        falling = (share("/at_risk/*", "survival_table", cumulative=True),)
        assert refused({"at_risk": at_risk}, falling, preset)
        curve = (N, share("/s/*", "survival_table", "/n"))
        assert refused({"n": len(site), "s": survival}, curve, preset)
        assert refused({"times": moments.tolist()}, (TIMES,), preset) == {"extreme"}


@pytest.mark.parametrize("preset", STRICT)
def test_a_mean_of_one_and_extremes_stay(preset: str) -> None:
    mean = (N, share("/mean", "mean", "/n"))
    assert "too_few_records" in refused({"n": 1, "mean": 63.0}, mean, preset)
    quantiles = (N, share("/at/*", "parameter"), share("/q/*", "quantile", "/n", at="/at/*"))
    ends = {"n": 200, "at": [0, 1], "q": [39.0, 82.0]}
    assert refused(ends, quantiles, preset) == {"quantile_of_few_records"}
    near = {"n": 50, "at": [0.01, 0.99], "q": [39.0, 82.0]}
    said = refused(near, quantiles, preset, numbers=frozenset({0.01, 0.99}))
    assert said == {"quantile_of_few_records"}


@pytest.mark.parametrize("preset", STRICT)
def test_a_histogram_with_bins_of_one_stays(preset: str) -> None:
    assert refused({"bins": [1] * 60}, (share("/bins/*", "histogram"),), preset)
    masked = (share("/bins/*", "histogram", masked="/hidden"), share("/hidden", "status"))
    judged = judge_shares({"bins": [1] * 60, "hidden": 0}, function(*masked), PRESETS[preset])
    assert judged.document == {"bins": [None] * 60, "hidden": 60}


@pytest.mark.parametrize("preset", STRICT)
def test_saturated_regressions_stay(preset: str) -> None:
    shares = (
        N,
        share("/p", "parameter"),
        share("/b/*", "regression_coefficient", "/n", parameters="/p"),
    )
    assert refused({"n": 20, "p": 20, "b": AGES[:20]}, shares, preset)
    hidden = (N, share("/b/*", "regression_coefficient", "/n"))
    assert refused({"n": 20, "b": AGES[:20]}, hidden, preset)
    matrix = (N, share("/v/*", "information_matrix", "/n"))
    assert refused({"n": 20, "v": [1.5] * 210}, matrix, preset)


@pytest.mark.parametrize("preset", [name for name in STRICT if PRESETS[name].dominance])
def test_a_sum_that_one_record_makes_up_stays(preset: str) -> None:
    income = {"income": ColumnTotals(100, 1_009_900.0, 1_000_000.0, 100.0)}
    shares = (N, share("/sum", "sum", "/n"))
    assert refused({"n": 100, "sum": 1_009_900.0}, shares, preset, columns=income) == {"dominance"}


@pytest.mark.parametrize("preset", STRICT)
def test_encoded_records_stay(preset: str) -> None:
    dump = base64.b64encode(struct.pack("200d", *(4 * AGES))).decode()
    assert refused({"x": dump}, (share("/x", "text"),), preset) == {"not_a_text"}
    assert refused({"x": dump}, (share("/x", "status"),), preset) == {"not_a_status"}
    assert refused({"x": dump}, (N,), preset) == {"undeclared"}
    assert refused({"x": {dump: 20, "b": 20}}, (share("/x/*", "count"),), preset) == {"long_key"}
    parts = [dump[i : i + 40] for i in range(0, len(dump), 40)]
    assert refused({"x": parts}, (share("/x/*", "text"),), preset) == {"too_many_texts"}


@pytest.mark.parametrize("preset", STRICT)
def test_a_record_in_the_bits_of_a_long_vector_stays(preset: str) -> None:
    noisy = [1.0 + age * 2**-50 for age in AGES]
    shares = (N, share("/s/*", "sum", "/n"))
    assert refused({"n": 100, "s": noisy}, shares, preset) == {"too_many_numbers"}
    scores = (N, share("/s/*", "score_vector", "/n"))
    assert refused({"n": 100, "s": noisy}, scores, preset) == {"too_many_parameters"}


@pytest.mark.parametrize("preset", STRICT)
def test_levels_and_keys_are_no_channel(preset: str) -> None:
    people = {f"person {age:.0f}": 20 for age in AGES}
    levels = (share("/levels/*/*", "frequency_table"),)
    assert "too_many_levels" in refused({"levels": {"name": people}}, levels, preset)
    groups = {name: {"n": 20} for name in people}
    assert refused({"g": groups}, (share("/g/*/n", "count"),), preset) == {"too_many_levels"}


CLASSES = (
    *("count", "frequency_table", "histogram", "sum", "mean", "variance", "quantile", "extreme"),
    *("cross_product", "score_vector", "information_matrix", "regression_coefficient"),
    *("survival_table", "risk_set_sum", "residual_df", "text", "parameter", "status"),
)


@pytest.mark.parametrize("called", CLASSES)
@pytest.mark.parametrize("preset", STRICT)
def test_a_column_is_a_column_whatever_a_card_calls_it(preset: str, called: str) -> None:
    for ages in ([age + 0.25 for age in AGES], [int(age) for age in AGES]):
        known: dict[str, Any] = {"rows": 50}
        rows = [{"n": 50, "x": age} for age in ages]
        assert refused({"n": 50, "x": ages}, (N, share("/x/*", called, "/n")), preset, **known)
        assert refused(ages, (share("/*", called),), preset, **known)
        each = (share("/r/*/n", "count"), share("/r/*/x", called, "/r/*/n"))
        assert refused({"r": rows}, each, preset, **known)
        assert refused({"n": 50, "x": ages}, (N,), preset) == {"undeclared"}


@pytest.mark.parametrize("preset", STRICT)
def test_rows_over_many_sub_tasks_stay_one_by_one(preset: str) -> None:
    shares = (N, share("/sum", "sum", "/n"))
    for age in AGES:
        assert "too_few_records" in refused({"n": 1, "sum": age}, shares, preset)
    # A count that is not true is found where it exceeds the data.
    assert refused({"n": 500, "sum": 63.0}, shares, preset, rows=228) == {"count_beyond_data"}


def test_public_data_may_leave() -> None:
    shares = (N, share("/mean", "mean", "/n"))
    judged = judge_shares({"n": 1, "mean": 63.0}, function(*shares), PRESETS["open"])
    assert judged.verdict is Verdict.PASS
