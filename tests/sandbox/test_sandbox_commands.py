"""``vantage6 sandbox``, as far as nothing has to run for it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vantage6.client.cli import main
from vantage6.common.errors import Unavailable
from vantage6.sandbox import runtimes, statistics
from vantage6.sandbox.federation import AS_PROCESSES
from vantage6.sandbox.own_folder import make_empty

#: Over TCP, because the library for Docker leaks a socket where a Unix one is missing.
NO_ENGINE = {"DOCKER_HOST": "tcp://127.0.0.1:1"}


def run(*words: object) -> Result:
    return CliRunner(env=NO_ENGINE).invoke(main, ["sandbox", *map(str, words)])


def test_a_folder_of_somebody_else_is_neither_used_nor_removed(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    for words in (("start",), ("stop", "--remove")):
        done = run(*words, "--folder", tmp_path)
        assert done.exit_code == 5
        assert "holds what no demonstration made" in done.stderr
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_the_status_of_no_sandbox_is_that_nothing_runs(tmp_path: Path) -> None:
    done = run("status", "--folder", tmp_path / "none", "--json")
    assert done.exit_code == 1
    said = json.loads(done.stdout)
    assert (said["server"], said["running"]) == (None, False)
    assert set(said["stations"].values()) == {False}
    assert not (tmp_path / "none").exists()


def test_stop_without_a_sandbox_has_nothing_to_do(tmp_path: Path) -> None:
    assert run("stop", "--remove", "--folder", tmp_path / "none").exit_code == 0
    make_empty(tmp_path / "old")
    assert run("stop", "--remove", "--folder", tmp_path / "old").exit_code == 0
    assert not (tmp_path / "old").exists()


def test_without_an_engine_algorithms_run_as_processes_and_the_user_reads_why() -> None:
    chosen = runtimes.choose("auto", NO_ENGINE)
    assert chosen.settings == AS_PROCESSES
    assert "nothing isolates" in chosen.remark
    assert "no container engine answers" in chosen.remark


def test_statistics_run_where_the_average_runs() -> None:
    settings = runtimes.with_statistics(AS_PROCESSES, NO_ENGINE)
    assert settings is not None
    assert set(settings["processes"]) == {*AS_PROCESSES["processes"], statistics.IMAGE}
    # An engine that does not answer has no image of them.
    assert runtimes.with_statistics({"runtime": "docker"}, NO_ENGINE) is None


def test_containers_that_were_asked_for_are_never_replaced_by_processes() -> None:
    with pytest.raises(Unavailable, match="--runtime processes"):
        runtimes.choose("containers", NO_ENGINE)
