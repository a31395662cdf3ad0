"""Federated equals pooled on awkward data, and no order of sites or rows matters: each function."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.algorithms.federation import Federation
from tests.algorithms.test_models import assert_same
from vantage6.algorithms.catalogue import CENTRAL

Table = dict[str, np.ndarray]

#: Only one site has this level, another one no value of `x`, and the first one two rows.
ONLY = "nur"
ROWS = 126
EXACT = {"quantiles": [0.25, 0.5], "precision": 0}
TIMES = {"time": "Zeit", "event": "tot"}
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "summary": (
        "summary",
        {**EXACT, "columns": ["x", "Größe µ", "fest", "leer", "Gruppe µ"]},
    ),
    "summary by": ("summary", {**EXACT, "columns": ["x", "leer"], "by": "Gruppe µ"}),
    "histogram": ("histogram", {"column": "Größe µ"}),
    "crosstab": ("crosstab", {"rows": "Gruppe µ", "columns": "arm"}),
    "ttest": ("ttest", {"column": "Größe µ", "group": "arm"}),
    "anova": ("anova", {"column": "Größe µ", "group": "Gruppe µ"}),
    "correlation": ("correlation", {"columns": ["x", "Größe µ", "fest"]}),
    "pca": ("pca", {"columns": ["x", "Größe µ"]}),
    "linear_model": (
        "linear_model",
        {"formula": "y ~ `Gruppe µ` * `Größe µ` + x + fest", "weights": "w"},
    ),
    "logistic": ("glm", {"formula": "ja ~ x + arm + fest", "family": "binomial"}),
    "counts": (
        "glm",
        {
            **{"formula": "Anzahl ~ x + `Größe µ` + `Gruppe µ`", "family": "poisson"},
            **{"offset": "o", "weights": "w"},
        },
    ),
    "efron": ("cox", {**TIMES, "formula": "x + `Gruppe µ` + fest", "baseline": "pooled"}),
    "breslow": (
        "cox",
        {**TIMES, "formula": "x * arm", "baseline": "pooled", "ties": "breslow"},
    ),
    "curves": (
        "kaplan_meier",
        {**TIMES, "group": "Gruppe µ", "method": "exact", "test_scope": "pooled"},
    ),
}
#: By site, so that a record may not move to another one.
STRATIFIED: dict[str, tuple[str, dict[str, Any]]] = {
    "cox": ("cox", {**TIMES, "formula": "x + arm"}),
    "log-rank": ("kaplan_meier", {**TIMES, "group": "arm", "method": "none"}),
    "meta_analysis": (
        "meta_analysis",
        {"model": {"function": "linear_model", "arguments": {"formula": "y ~ x"}}},
    ),
}


def records(seed: int = 3) -> Table:
    """Return records with tied times, a column of 1e9, one of one value, and one of none."""
    random = np.random.default_rng(seed)
    x = random.normal(size=ROWS)
    large = 1e9 + random.integers(-50, 51, ROWS)
    return {
        "x": x,
        "Größe µ": large.astype(float),
        "fest": np.full(ROWS, 0.1),
        "leer": np.full(ROWS, np.nan),
        "Gruppe µ": np.array(["alt", "neu"], object)[random.integers(0, 2, ROWS)],
        "arm": np.array(["a", "b"], object)[random.integers(0, 2, ROWS)],
        "y": x + (large - 1e9) / 25 + random.normal(size=ROWS),
        "ja": (random.random(ROWS) < 1 / (1 + np.exp(-x))).astype(float),
        "Anzahl": random.poisson(np.exp(0.4 * x)).astype(float),
        "w": random.integers(0, 4, ROWS).astype(float),
        "o": random.normal(0, 0.5, ROWS),
        "Zeit": np.ceil(random.exponential(8, ROWS)),
        "tot": (random.random(ROWS) < 0.7).astype(float),
    }


def shares_of(table: Table, sites: int) -> dict[int, Table]:
    """Return awkward shares: see `ONLY`."""
    owners = np.arange(ROWS) % (sites - 1) + 2
    owners[:2] = 1
    table["Gruppe µ"][np.flatnonzero(owners == 2)[:4]] = ONLY
    table["x"][owners == 3] = np.nan
    return {
        site: {name: values[owners == site] for name, values in table.items()}
        for site in range(1, sites + 1)
    }


def together(shares: dict[int, Table]) -> Table:
    return {name: np.concatenate([share[name] for share in shares.values()]) for name in shares[1]}


def ask(call: tuple[str, dict[str, Any]], shares: dict[int, Table]) -> dict[str, Any]:
    name, arguments = call
    return CENTRAL[name](Federation(shares), **arguments)


@pytest.mark.parametrize("sites", [3, 18])
@pytest.mark.parametrize("name", CALLS)
def test_awkward_shares_give_the_result_of_the_pooled_records(name: str, sites: int):
    shares = shares_of(records(), sites)
    assert len(shares[1]["x"]) == 2
    pooled = ask(CALLS[name], {1: together(shares)})
    found = ask(CALLS[name], shares)
    assert found["converged"]
    assert found["n"]["used"] == pooled["n"]["used"]
    assert_same(found["result"], pooled["result"], 1e-11)


def test_the_conditions_are_met():
    table = together(shares_of(records(), 18))
    assert np.unique(table["Zeit"]).size < ROWS / 3
    assert (table["w"] == 0).any()
    assert list(table["Gruppe µ"]).count(ONLY) == 4
    assert {name for name, _ in [*CALLS.values(), *STRATIFIED.values()]} == CENTRAL.keys()


def shuffled(shares: dict[int, Table], random: np.random.Generator) -> dict[int, Table]:
    """Return the same shares with other numbers, and their rows in another order."""
    found = {}
    for site, number in zip(shares, random.permutation(len(shares)), strict=True):
        order = random.permutation(len(shares[site]["x"]))
        found[int(number) + 1] = {name: values[order] for name, values in shares[site].items()}
    return found


def without_sites(value: Any) -> Any:
    """Return a result without what is said of single sites, which have other numbers."""
    if isinstance(value, dict):
        return {key: without_sites(one) for key, one in value.items() if key != "sites"}
    return [without_sites(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", [*CALLS, *STRATIFIED])
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_order_of_sites_or_rows_changes_a_result(name: str, seed: int):
    call = {**CALLS, **STRATIFIED}[name]
    shares = shares_of(records(), 4)
    if name in STRATIFIED:
        # A site of two rows has no fit of its own, and one without any value none at all.
        shares = {site - 1: shares[site] for site in (2, 3, 4)}
        shares[2]["x"] = np.random.default_rng(1).normal(size=len(shares[2]["x"]))
    wanted = without_sites(ask(call, shares)["result"])
    found = ask(call, shuffled(shares, np.random.default_rng(seed)))
    assert_same(without_sites(found["result"]), wanted, 1e-11)
