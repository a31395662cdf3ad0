"""Floors: what the presets say, and how a station writes down its own."""

from typing import Any

import pytest
from pydantic import ValidationError

from vantage6.common.config.policies import PolicyConfig
from vantage6.common.disclosure.floors import PRESETS, Floors
from vantage6.common.disclosure.parties import parties_from_json, parties_to_bytes
from vantage6.common.disclosure.verdicts import Finding, Verdict, strictest

#: The table of the contract: records, cell, zeros, parameters, residual_df, dominance, effective,
#: levels, parties.
TABLE = {
    "open": (1, 1, False, None, 0, None, 1, None, 1),
    "datashield": (3, 3, False, 0.33, 1, None, 3, 40, 1),
    "v6": (5, 5, False, 0.1, 1, None, 5, 40, 3),
    "opensafely": (8, 8, False, 0.1, 1, None, 8, 40, 2),
    "sacro": (10, 10, True, 0.1, 10, 0.9, 10, 40, 2),
    "cms": (11, 11, False, 0.1, 1, 0.9, 11, 40, 2),
    "default": (5, 5, False, 0.1, 1, 0.9, 5, 40, 2),
}


def written(value: Any) -> Floors:
    """Return the floors of a station whose file says this."""
    return PolicyConfig.model_validate({"floors": value}).floors.floors


def test_presets_are_those_of_the_contract() -> None:
    assert {name: tuple(floors.to_json().values()) for name, floors in PRESETS.items()} == TABLE


@pytest.mark.parametrize("name", TABLE)
def test_a_station_names_a_preset(name: str) -> None:
    assert written(name) == written({"preset": name}) == PRESETS[name]
    assert PolicyConfig.model_validate({"floors": name}).floors.name == name


def test_a_station_that_says_nothing_has_the_default() -> None:
    assert PolicyConfig().floors.floors == written(None) == written({}) == Floors()


def test_numbers_of_a_station_go_before_those_of_its_preset() -> None:
    config = PolicyConfig.model_validate({"floors": {"preset": "sacro", "records": 20}}).floors
    assert (config.floors.records, config.floors.cell, config.floors.zeros) == (20, 10, True)
    assert config.name == "sacro with records 20"
    free = written({"preset": "sacro", "levels": "any", "parameters": "any", "dominance": "any"})
    assert (free.levels, free.parameters, free.dominance) == (None, None, None)


def test_a_key_without_a_value_does_not_lower_a_preset() -> None:
    empty = dict.fromkeys(PRESETS["sacro"].to_json())
    assert written({"preset": "sacro", **empty}) == PRESETS["sacro"]


@pytest.mark.parametrize(
    "value",
    [
        "none",
        5,
        ["open"],
        {"preset": "other"},
        {"records": 0},
        {"records": True},
        {"records": -1},
        {"records": "few"},
        {"records": "any"},
        {"levels": True},
        {"levels": 0},
        {"dominance": 0},
        {"effective": float("nan")},
        {"effective": float("inf")},
        {"dominance": 2},
        {"parties": 0},
        {"recrods": 10},
    ],
)
def test_what_is_no_floor_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        written(value)


@pytest.mark.parametrize("floors", [*PRESETS.values(), Floors(records=7, levels=None)])
def test_an_algorithm_reads_what_the_node_wrote(floors: Floors) -> None:
    assert Floors.from_json(floors.to_json()) == floors


@pytest.mark.parametrize(
    "document",
    [
        None,
        "other",
        [],
        {"records": None},
        {"records": "5"},
        {"records": True},
        {"records": -1},
        {"records": 1.5},
        {"effective": float("nan")},
        {"zeros": 1},
        {"strange": 1},
    ],
)
def test_a_file_that_holds_no_floors_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match="floor"):
        Floors.from_json(document)


def test_an_organization_counts_once() -> None:
    assert parties_to_bytes([3, 1, 3]) == b'{"organizations": [1, 3]}'
    assert parties_from_json({"organizations": [3, 1, 3]}) == (1, 3)


def test_organizations_that_nobody_told_are_none() -> None:
    assert parties_to_bytes(None) == b'{"organizations": null}'
    assert parties_from_json({"organizations": None}) == ()


@pytest.mark.parametrize(
    "document", [None, [1, 2], {}, {"organizations": 2}, {"organizations": [True, 2]}]
)
def test_what_is_no_list_of_organizations_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match="organizations"):
        parties_from_json(document)


def test_the_strictest_finding_decides_about_an_output():
    findings = [Finding("", "", verdict, "") for verdict in (Verdict.HELD, Verdict.MITIGATED)]
    assert strictest(findings) is Verdict.HELD
    assert strictest([]) is Verdict.PASS
    assert strictest([*findings, Finding("", "", Verdict.REFUSED, "")]) is Verdict.REFUSED
