"""Each function in containers, over an encrypted collaboration of three stations."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

from tests.algorithms.federation import Federation as InProcess
from tests.algorithms.federation import split
from tests.algorithms.subjects import SUBJECTS
from tests.algorithms.tables import table
from tests.algorithms.test_models import assert_same
from vantage6.algorithms.comparison.central import ttest
from vantage6.algorithms.meta.central import meta_analysis
from vantage6.algorithms.summary.central import histogram
from vantage6.client import Client
from vantage6.client.cli import main
from vantage6.sandbox.federation import IN_CONTAINERS, PASSWORD, Federation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]

IMAGE = "vantage6/statistics"
STATIONS = ("alpha", "beta", "gamma")
#: The meta-analysis of a subject asks no station.
CHOSEN = [subject for subject in SUBJECTS if subject.function != "meta_analysis"]
#: Read by two of the stations only.
PARTED = "parted"
BINS: dict[str, Any] = {"column": "bmi", "bins": 10}
MODEL: dict[str, Any] = {
    "model": {"function": "linear_model", "arguments": {"formula": "target ~ bmi + bp"}}
}


@pytest.fixture(scope="module")
def federation(
    tmp_path_factory: pytest.TempPathFactory, average_image: str
) -> Iterator[Federation]:
    """Give stations that hold shares of the published tables, and let everything leave."""
    del average_image  # all images of algorithms are built together
    folder = tmp_path_factory.mktemp("statistics")
    databases: dict[str, dict[str, str]] = {name: {} for name in STATIONS}
    for label in {subject.table for subject in CHOSEN}:
        shares = split(table(label), len(STATIONS)).values()
        for name, share in zip(STATIONS, shares, strict=True):
            path = folder / f"{label}-{name}.csv"
            pd.DataFrame(share).to_csv(path, index=False)
            databases[name][label] = str(path)
    for name in STATIONS[:2]:
        databases[name][PARTED] = databases[name]["sleep"]
    open_to_all = {"allowed_algorithms": [IMAGE], "floors": "open"}
    federation = Federation(
        folder / "federation",
        {name: [1] for name in STATIONS},
        runtime={**IN_CONTAINERS, "policies": open_to_all},
        node_settings={name: {"databases": found} for name, found in databases.items()},
    )
    try:
        federation.start()
        yield federation
    finally:
        federation.stop()


@pytest.fixture(scope="module")
def client(federation: Federation) -> Iterator[Client]:
    """Give the client of the researcher."""
    with closing(federation.client()) as client:
        yield client


def send(
    federation: Federation,
    client: Client,
    station: str,
    function: str,
    database: str,
    **kwargs: Any,
) -> int:
    """Send a central function to one station, for all of the collaboration."""
    input_ = {"method": function, "master": True, "kwargs": kwargs}
    return federation.send(
        client, [station], function, image=IMAGE, input=input_, database=database
    )


def answer(federation: Federation, client: Client, task: int) -> dict[str, Any]:
    """Return what the only receiver of a task answered."""
    (result,) = federation.results(client, task, 300).values()
    assert result["status"] == "completed", result["log"]
    found: dict[str, Any] = result["result"]
    return found


def test_each_subject_gives_the_published_numbers(federation: Federation, client: Client) -> None:
    # A few at a time: each has a container at each station for each of its rounds.
    for begin in range(0, len(CHOSEN), len(STATIONS)):
        subjects = CHOSEN[begin : begin + len(STATIONS)]
        tasks = [
            send(federation, client, station, one.function, one.table, **one.arguments)
            for station, one in zip(STATIONS, subjects, strict=False)
        ]
        for subject, task in zip(subjects, tasks, strict=True):
            found = answer(federation, client, task)
            subject.check(found)
            assert found["organizations"]["used"] == sorted(federation.ids.values())
            assert found["versions"]["differ"] == []
    shares = split(table("diabetes"), len(STATIONS)).values()
    combined = send(federation, client, "alpha", "meta_analysis", "diabetes", **MODEL)
    counted = send(federation, client, "beta", "histogram", "diabetes", **BINS)
    here = InProcess(dict(zip(federation.ids.values(), shares, strict=True)))
    wanted = meta_analysis(here, **MODEL)["result"]
    assert_same(answer(federation, client, combined)["result"], wanted, 1e-12)
    wanted = histogram(here, **BINS)["result"]
    assert_same(answer(federation, client, counted)["result"], wanted, 0)


def test_an_organization_that_fails_is_left_out_and_named(
    federation: Federation, client: Client
) -> None:
    asked = {"column": "extra", "group": "group"}
    alone = send(federation, client, "alpha", "ttest", PARTED, **asked)
    without = send(federation, client, "beta", "ttest", PARTED, min_organizations=2, **asked)
    result = federation.results(client, alone, 300)["alpha"]
    last = federation.ids["gamma"]
    assert result["status"] != "completed"
    assert f"organizations_missing: Organization {last} takes no part: " in result["log"]
    found = answer(federation, client, without)
    (excluded,) = found["organizations"]["excluded"]
    assert (excluded["organization"], excluded["round"]) == (last, 1)
    assert excluded["code"] == "unknown_database"
    shares = list(split(table("sleep"), len(STATIONS)).values())[:2]
    wanted = ttest(InProcess(dict(enumerate(shares, 1))), **asked)["result"]
    assert_same(found["result"], wanted, 1e-12)


def test_a_partial_function_cannot_be_called_directly(
    federation: Federation, client: Client
) -> None:
    input_ = {"method": "describe", "kwargs": {"columns": ["extra"]}}
    task = federation.send(
        client, STATIONS, "describe", image=IMAGE, input=input_, database="sleep"
    )
    for result in federation.results(client, task, 300).values():
        assert result["status"] == "not allowed"
        assert result["reason"]["code"] == "subtask_only"


def test_the_command_validates_the_stations_with_the_data_of_the_image(
    federation: Federation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("V6_KNOWN_ORGANIZATIONS", str(federation.known_keys_file))
    key = str(federation.key_file(STATIONS[0]))
    words = ["login", f"{federation.address}/api", "--user", "researcher", "--key", key]
    done = CliRunner().invoke(main, words, input=f"{PASSWORD}\n")
    assert done.exit_code == 0, done.output
    # One has no round, one has data in whole numbers, one a model.
    cases = ["bcg_FE", "numacc1", "longley"]
    only = [word for case in cases for word in ("--only", case)]
    asked = ["validate", "--collaboration", "example_collab1", "--database", "sleep", *only]
    done = CliRunner().invoke(main, [*asked, "--json"])
    assert done.exit_code == 0, done.output
    found = {one["case"]: one for one in json.loads(done.stdout)["cases"]}
    assert set(found) == set(cases)
    for one in found.values():
        assert (one["equal"], one["faults"], one["refusals"]) == (True, [], [])
    assert "Asking 3 stations: alpha, beta, gamma" in done.stderr
