"""``vantage6 validate --collaboration``: real stations, and the data of the image."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from vantage6.client.cli import main
from vantage6.sandbox.federation import AS_PROCESSES, PASSWORD, Federation
from vantage6.sandbox.statistics import IMAGE
from vantage6.validation import stations

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

CASES = ("longley", "bcg_FE", "numacc3")
ONLY = [word for case in CASES for word in ("--only", case)]


def policies(**more: Any) -> dict[str, Any]:
    return {"allowed_algorithms": [IMAGE], **more}


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """Give stations that hold a file of ages and nothing of the published data."""
    folder = tmp_path_factory.mktemp("collaboration") / "f"
    federation = stations.make_federation(folder, AS_PROCESSES)
    try:
        stations.start(federation, [])
        yield federation
    finally:
        federation.stop()


@pytest.fixture
def validate(federation: Federation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that validates the collaboration after a login."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("V6_KNOWN_ORGANIZATIONS", str(federation.known_keys_file))
    key = str(federation.key_file(stations.NAMES[0]))
    words = ["login", f"{federation.address}/api", "--user", "researcher", "--key", key]
    done = CliRunner().invoke(main, words, input=f"{PASSWORD}\n")
    assert done.exit_code == 0, done.output

    def validate(*words: str) -> Result:
        return CliRunner().invoke(main, ["validate", "--collaboration", "1", *ONLY, *words])

    return validate


@contextmanager
def restarted(federation: Federation, name: str, **rules: Any) -> Iterator[None]:
    """Let a station have other policies for a while."""
    federation.stop_node(name)
    federation.start_node(name, policies=policies(**rules))
    try:
        federation.wait_until_online(name)
        yield
    finally:
        federation.stop_node(name)
        federation.start_node(name)
        federation.wait_until_online(name)


def cases_of(done: Result) -> dict[str, Any]:
    return {one["case"]: one for one in json.loads(done.stdout)["cases"]}


def test_stations_compute_the_cases_from_the_image(validate: Any, tmp_path: Path) -> None:
    page = tmp_path / "validation.html"
    done = validate("--json", "--html", str(page))
    assert done.exit_code == 0, done.output
    found = cases_of(done)
    assert list(found) == list(CASES)
    for one in found.values():
        assert (one["equal"], one["faults"], one["refusals"]) == (True, [], [])
    assert "Asking 3 stations: station_1, station_2, station_3" in done.stderr
    assert "1/3  longley: equal" in done.stderr
    assert "the stations of station_1, station_2, station_3" in page.read_text()


def test_two_of_the_stations_are_enough(validate: Any) -> None:
    done = validate("--organization", "station_3", "--organization", "station_1")
    assert done.exit_code == 0, done.output
    assert "3 of 3 cases equal what was published." in done.stdout


def test_a_station_that_is_away_is_named(federation: Federation, validate: Any) -> None:
    federation.stop_node("station_2")
    try:
        away = validate()
    finally:
        federation.start_node("station_2")
        federation.wait_until_online("station_2")
    assert away.exit_code == 4
    assert "These organizations have no station online: station_2." in away.stderr


def test_a_case_that_is_refused_is_not_called_wrong(federation: Federation, validate: Any) -> None:
    with restarted(federation, "station_2", floors="datashield"):
        done = validate("--json")
    assert done.exit_code == 0, done.output
    found = cases_of(done)
    assert [found[name]["equal"] for name in CASES] == [False, True, True]
    (said,) = found["longley"]["refusals"]
    assert said.startswith("Refused by the floors of station_2: ")
    assert found["longley"]["faults"] == []


def test_a_station_that_does_not_allow_the_function_is_named(
    federation: Federation, validate: Any
) -> None:
    listed = {IMAGE: ["summary", "describe", "moments"]}
    with restarted(federation, "station_3", floors="open", functions=listed):
        done = validate("--json")
    assert done.exit_code == 1
    found = cases_of(done)
    (said,) = found["numacc3"]["faults"]
    assert said.startswith("station_3 takes no part: ")
    assert "does not allow this function" in said
