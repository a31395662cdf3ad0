"""The published cases that come with the functions, for a check over a real network."""

import numpy as np
import pytest
from scipy import stats

from tests.algorithms.federation import Federation
from tests.algorithms.reference import CASES
from tests.algorithms.tables import table
from tests.services import missing
from vantage6.algorithms.catalogue import CENTRAL
from vantage6.algorithms.statistics.reference import Case, cases

PACKAGED = {case.name: case for case in cases()}
#: Values by exact arithmetic; the others are those of the table of cases.
EXACT = {"longley_cor", "longley_pca", "randhie_t", "randhie_table"}


def ask(case: Case, stations: int, **more: object) -> dict[str, object]:
    shares = {number + 1: case.share(number, stations) for number in range(stations)}
    return CENTRAL[case.function](Federation(shares), **{**case.arguments, **more})


@pytest.mark.parametrize("stations", [3, 5])
@pytest.mark.parametrize("name", PACKAGED)
def test_a_packaged_case_gives_its_published_numbers(name: str, stations: int):
    case = PACKAGED[name]
    if not case.is_there:
        missing("the package that ships the data is not installed")
    answer = ask(case, stations)
    compared = case.compare(answer)
    assert [one.name for one in compared if not one.is_equal] == []
    assert all(one.tolerance <= 1e-8 for one in compared)
    if name not in EXACT:
        known = CASES[name]["values"]
        assert {one.name: one.published for one in compared} == {
            one.name: known[one.name] for one in compared
        }
    assert answer["rounds"] == case.rounds


@pytest.mark.parametrize("name", ["longley", "randhie", "numacc3", "smls4"])
def test_packaged_tables_are_those_of_the_tests(name: str):
    wanted = table(name)
    found = PACKAGED[name].table()
    assert list(found) == list(wanted.columns)
    for column in found:
        assert np.array_equal(found[column], wanted[column].to_numpy(dtype=float))


def test_values_by_exact_arithmetic_are_those_of_another_engine():
    def values(name: str) -> dict[str, float]:
        return {one["name"]: one["value"] for one in PACKAGED[name].values}

    wanted, columns = values("longley_cor"), PACKAGED["longley_cor"].table()
    for name, value in wanted.items():
        kind, one, other = name.split(".")
        found = stats.pearsonr(columns[one], columns[other])
        assert value == pytest.approx(found[kind == "p"], rel=1e-12)
    eigenvalues = np.linalg.eigvalsh(np.corrcoef(np.array(list(columns.values()))))
    found = np.sqrt(eigenvalues[::-1])
    assert list(values("longley_pca").values()) == pytest.approx(found, rel=1e-11)
    table = PACKAGED["randhie_t"].table()
    groups = [table["mdvis"][table["idp"] == level] for level in (0, 1)]
    welch, student = (stats.ttest_ind(*groups, equal_var=equal) for equal in (False, True))
    wanted = values("randhie_t")
    assert (wanted["t"], wanted["df"]) == pytest.approx((welch.statistic, welch.df), rel=1e-12)
    assert (wanted["p"], wanted["t_equal"]) == pytest.approx(
        (welch.pvalue, student.statistic), rel=1e-11
    )
    table = PACKAGED["randhie_table"].table()
    counts = stats.contingency.crosstab(table["idp"], table["hlthg"]).count
    wanted = values("randhie_table")
    for correction, ends in ((True, ""), (False, "_uncorrected")):
        found = stats.chi2_contingency(counts, correction=correction)
        assert wanted[f"chi{ends}"] == pytest.approx(found.statistic, rel=1e-12)
        assert wanted[f"p{ends}"] == pytest.approx(found.pvalue, rel=1e-11)
    fisher = stats.fisher_exact(counts)
    assert wanted["fisher_p"] == pytest.approx(fisher.pvalue, rel=1e-9)
    assert wanted["odds_ratio"] == pytest.approx(fisher.statistic, rel=1e-12)


def test_every_method_has_a_case():
    assert {case.function for case in PACKAGED.values()} == CENTRAL.keys() - {"histogram"}


def test_a_station_that_loses_one_row_is_noticed():
    case = PACKAGED["longley"]
    shares = {number + 1: case.share(number, 3) for number in range(3)}
    shares[2] = {name: values[1:] for name, values in shares[2].items()}
    answer = CENTRAL[case.function](Federation(shares), **case.arguments)
    compared = case.compare(answer)
    assert not any(one.is_equal for one in compared)
    assert max(one.digits for one in compared) < 4


def test_a_number_that_is_missing_is_not_equal():
    (first, *_) = PACKAGED["longley"].compare({"result": {"coefficients": [{"term": "GNP"}]}})
    assert not first.is_equal
    assert first.digits == 0
    assert not PACKAGED["smls1"].compare({})[0].is_equal
