"""``vantage6 validate`` reproduces published numbers, and notices a station that is wrong."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.docs.markdown import DOCS
from vantage6.algorithms.statistics import reference
from vantage6.algorithms.statistics.reference import cases
from vantage6.client import Client
from vantage6.client.cli import main
from vantage6.common.errors import NotFound
from vantage6.sandbox.federation import AS_PROCESSES, Federation
from vantage6.validation import checks, commands, report, stations
from vantage6.validation.checks import Outcome, Place
from vantage6.validation.report import Setting

CASES = {case.name: case for case in cases()}


def outcome(name: str, answer: dict[str, object], *faults: str) -> Outcome:
    case = CASES[name]
    return Outcome(case, 1.25, case.compare(answer), case.rounds, list(faults))


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    folder = tmp_path_factory.mktemp("validation") / "f"
    federation = stations.make_federation(folder, AS_PROCESSES)
    try:
        stations.start(federation, [CASES["longley"], CASES["bcg_FE"]])
        yield federation
    finally:
        federation.stop()


@pytest.fixture(scope="module")
def client(federation: Federation) -> Iterator[Client]:
    with closing(federation.client()) as client:
        yield client


@pytest.mark.parametrize("name", ["longley", "bcg_FE"])
@pytest.mark.slow
@pytest.mark.timeout(280)
def test_the_numbers_are_those_that_were_published(
    federation: Federation, client: Client, name: str
) -> None:
    found = checks.check_databases(client, stations.place_of(federation), CASES[name])
    assert found.faults == []
    assert found.is_equal
    assert found.worst is not None
    assert found.worst.digits > 12


@contextmanager
def changed(file: Path) -> Iterator[str]:
    """Give what a file of a station holds, and write it back afterwards."""
    before = file.read_text()
    try:
        yield before
    finally:
        file.write_text(before)


@pytest.mark.slow
@pytest.mark.timeout(280)
def test_a_station_that_lacks_one_row_is_named(federation: Federation, client: Client) -> None:
    case = CASES["longley"]
    file = stations.data_file(federation, "station_2", case)
    with changed(file) as before:
        file.write_text("".join(before.splitlines(keepends=True)[:-1]))
        found = checks.check_databases(client, stations.place_of(federation), case)
    assert not found.is_equal
    assert found.faults[0] == "station_2 used 4 records and holds 5 of the published ones."
    assert "numbers differ" in found.faults[1]


@pytest.mark.slow
@pytest.mark.timeout(280)
def test_a_station_whose_values_are_wrong_is_named(federation: Federation, client: Client) -> None:
    case = CASES["longley"]
    file = stations.data_file(federation, "station_2", case)
    with changed(file) as before:
        # All rows are there; two values of a column have changed places.
        head, first, second, *others = (line.split(",") for line in before.splitlines())
        first[1], second[1] = second[1], first[1]
        file.write_text("\n".join(map(",".join, [head, first, second, *others])))
        found = checks.check_databases(client, stations.place_of(federation), case)
    assert found.faults[0] == "station_2 holds other values than its share of the published ones."
    assert "numbers differ" in found.faults[1]
    assert "station_1" not in found.said
    assert "station_3" not in found.said


@pytest.mark.slow
@pytest.mark.timeout(280)
def test_a_task_that_fails_is_no_equality(federation: Federation, client: Client) -> None:
    case = CASES["longley"]
    file = stations.data_file(federation, "station_3", case)
    before = file.read_text()
    file.write_text(before.replace("TOTEMP", "OTHER", 1))
    try:
        found = checks.check_databases(client, stations.place_of(federation), case)
    finally:
        file.write_text(before)
    assert not found.is_equal
    assert "1 of 1 failed. station_1: " in found.faults[0]
    assert "unknown_column: There is no column 'TOTEMP'." in found.faults[0]


def test_a_number_that_differs_is_no_equality_in_any_report() -> None:
    outcomes = [
        outcome("numacc1", {"result": {}}, "2 of 2 numbers differ: <mean>."),
        Outcome(CASES["longley"], 1.0, faults=["station_2 <b>fell</b> over."]),
    ]
    said = report.document(outcomes, Setting("processes"))
    assert said["equal"] is False
    assert [one["equal"] for one in said["cases"]] == [False, False]
    assert [one["equal"] for one in said["cases"][0]["numbers"]] == [False, False]
    assert json.dumps(said)
    assert report.row(outcomes[0])[report.HEADER.index("Equal")] == "NO"
    page = report.as_html(outcomes, Setting("processes"))
    assert "&lt;b&gt;fell&lt;/b&gt;" in page
    assert "<b>" not in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Add --local"),
        (("--local", "--collaboration", "1"), "Add --local"),
        (
            ("--local", "--only", "nothing"),
            "There is no case 'nothing'. There are: randhie_t, smls1, ",
        ),
    ],
)
def test_a_wrong_use_starts_nothing(words: tuple[str, ...], said: str) -> None:
    done = CliRunner().invoke(main, ["validate", *words])
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr


def test_cases_without_their_data_are_named_and_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = {case.name for case in commands._choose((), packaged=False)}
    assert {"rossi_efron", "spector", "longley"} <= there
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(reference, "_folder_of", lambda package: None)
    left = {case.name for case in commands._choose((), packaged=False)}
    assert left == {case.name for case in cases() if case.is_packaged}
    said = capsys.readouterr().err
    assert "(pip install --no-deps lifelines): " in said
    assert "rossi_efron" in said
    with pytest.raises(NotFound, match="There is no case 'rossi_efron'"):
        commands._choose(("rossi_efron",), packaged=False)


def test_stations_are_asked_only_for_cases_whose_data_is_in_the_image() -> None:
    chosen = {case.name for case in commands._choose((), packaged=True)}
    assert chosen == {case.name for case in cases() if case.is_packaged}
    assert {CASES[name].function for name in chosen} >= {"ttest", "crosstab", "correlation", "pca"}


def test_a_case_that_floors_refuse_is_not_called_wrong() -> None:
    said = "Refused by the floors of station_2: Fewer than 8 complete records."
    refused = Outcome(CASES["longley"], 1.0, refusals=[said])
    assert (refused.is_equal, refused.is_refused, refused.said) == (False, True, said)
    assert report.row(refused)[report.HEADER.index("Equal")] == "refused"
    setting = Setting(None, "the stations of a, b", "--collaboration heart")
    document = report.document([refused], setting)
    assert document["equal"] is False
    assert document["cases"][0]["refusals"] == [said]
    page = report.as_html([refused], setting)
    assert said in page
    assert "spread over the stations of a, b." in page
    text = report.as_markdown([refused], setting, "v.md")
    assert "`vantage6 validate --collaboration heart --markdown v.md` has written" in text
    wrong = Outcome(CASES["longley"], 1.0, refusals=[said], faults=["station_1 takes no part"])
    assert not wrong.is_refused


def test_an_answer_in_another_form_than_expected_is_no_equality() -> None:
    place = Place(1, {2: "a"}, 2, "i")
    odd = {"left": [3, {"organization": [], "message": 3}], "differ": "x", "stopped": 1}
    for said in ({}, odd, {"answer": {"n": 1, "versions": 2, "result": []}}):
        found = checks.compare_packaged(place, CASES["numacc1"], 1.0, said)
        assert not found.is_equal
        assert not found.is_refused


def test_the_page_of_the_documentation_has_every_case_and_its_published_number() -> None:
    rows = {}
    for line in (DOCS / "validation.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] in CASES:
            rows[cells[0]] = dict(zip(columns(), cells, strict=True))
    assert set(rows) == set(CASES)
    for name, row in rows.items():
        published = {one["name"]: one["value"] for one in CASES[name].values}
        assert float(row["Published"]) == published[row["Fewest digits at"]]
        # Of p-values, which are exponential in a square, 8 are asked for.
        assert float(row["Digits"]) >= 8
        assert row["Source"] == CASES[name].source


def columns() -> list[str]:
    """Return the columns of the page."""
    return [name for name in report.HEADER if name not in ("Seconds", "Equal")]


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_the_command_writes_its_reports_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    page = tmp_path / "validation.html"
    words = ["validate", "--local", "--only", "numacc4", "--runtime", "processes"]
    done = CliRunner().invoke(main, [*words, "--html", str(page), "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["equal"] is True
    assert [one["case"] for one in said["cases"]] == ["numacc4"]
    assert "1/1  numacc4: equal" in done.stderr
    assert "numacc4" in page.read_text()
    assert not list(tmp_path.glob("v6-validation-*"))
