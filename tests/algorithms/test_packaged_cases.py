"""The published cases that come with the functions, for a check over a real network."""

import numpy as np
import pytest

from tests.algorithms.federation import Federation
from tests.algorithms.reference import CASES
from tests.algorithms.tables import table
from vantage6.algorithms.catalogue import CENTRAL
from vantage6.algorithms.statistics.reference import Case, cases

PACKAGED = {case.name: case for case in cases()}


def ask(case: Case, stations: int, **more: object) -> dict[str, object]:
    shares = {number + 1: case.share(number, stations) for number in range(stations)}
    return CENTRAL[case.function](Federation(shares), **{**case.arguments, **more})


@pytest.mark.parametrize("stations", [3, 5])
@pytest.mark.parametrize("name", PACKAGED)
def test_a_packaged_case_gives_its_published_numbers(name: str, stations: int):
    case = PACKAGED[name]
    answer = ask(case, stations)
    compared = case.compare(answer)
    assert {one.name for one in compared} <= set(CASES[name]["values"])
    assert [one.name for one in compared if not one.is_equal] == []
    assert min(one.digits for one in compared) >= 12
    assert answer["rounds"] == case.rounds


@pytest.mark.parametrize("name", ["longley", "randhie", "numacc3", "smls4"])
def test_packaged_tables_are_those_of_the_tests(name: str):
    wanted = table(name)
    found = PACKAGED[name].table()
    assert list(found) == list(wanted.columns)
    for column in found:
        assert np.array_equal(found[column], wanted[column].to_numpy(dtype=float))


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
