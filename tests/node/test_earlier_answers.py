"""No two answers of a station differ by a few records."""

import resource
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vantage6.common.disclosure.floors import PRESETS
from vantage6.node.release import earlier_answers as module
from vantage6.node.release.earlier_answers import Answered, EarlierAnswers, TooManyAnswers


def answered(count: int, **other: str) -> Answered:
    said = {"requester": "3", "database": "default", "version": "v1", "subject": "mean of age"}
    return Answered(**(said | other), counts={'["n"]': count})


@pytest.fixture
def earlier(tmp_path: Path) -> EarlierAnswers:
    return EarlierAnswers(tmp_path)


@pytest.mark.parametrize("preset", [name for name in PRESETS if name != "open"])
def test_nested_groups_that_differ_by_one_record_are_refused(
    earlier: EarlierAnswers, preset: str
) -> None:
    cell = PRESETS[preset].cell
    assert earlier.admit(answered(60), cell)
    assert not earlier.admit(answered(59), cell)
    assert not earlier.admit(answered(61), cell)
    assert not earlier.admit(answered(60 + cell - 1), cell)
    assert earlier.admit(answered(60 + cell), cell)


def test_the_same_count_passes_again(earlier: EarlierAnswers) -> None:
    assert all(earlier.admit(answered(60), 5) for _ in range(3))


def test_a_refused_answer_is_not_remembered(earlier: EarlierAnswers) -> None:
    assert earlier.admit(answered(60), 5)
    assert not earlier.admit(answered(64), 5)
    assert earlier.admit(answered(67), 5)


@pytest.mark.parametrize(
    "other",
    [
        {"requester": "4"},
        {"database": "other"},
        {"version": "v2"},
        {"subject": "mean of height"},
    ],
)
def test_other_questions_are_not_compared(earlier: EarlierAnswers, other: dict[str, str]) -> None:
    assert earlier.admit(answered(60), 5)
    assert earlier.admit(answered(59, **other), 5)


def test_each_place_is_compared_with_itself(earlier: EarlierAnswers) -> None:
    first = Answered("3", "default", "v1", "by arm", {'["a"]': 60, '["b"]': 61})
    assert earlier.admit(first, 5)
    assert earlier.admit(Answered("3", "default", "v1", "by arm", {'["a"]': 60}), 5)
    assert not earlier.admit(Answered("3", "default", "v1", "by arm", {'["a"]': 61}), 5)


def test_public_data_is_not_compared(earlier: EarlierAnswers) -> None:
    assert earlier.admit(answered(60), 1)
    assert earlier.admit(answered(59), 1)


def test_of_two_questions_at_once_one_is_answered(earlier: EarlierAnswers) -> None:
    barrier, said = threading.Barrier(8), []

    def ask(count: int) -> None:
        barrier.wait()
        said.append(earlier.admit(answered(count), 100))

    threads = [threading.Thread(target=ask, args=(60 + i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == [False] * 7 + [True]


def test_counts_survive_the_end_of_the_process(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path\n"
        "from vantage6.node.release.earlier_answers import Answered, EarlierAnswers\n"
        "said = Answered('3', 'default', 'v1', 'mean of age', {'[\"n\"]': 60})\n"
        "assert EarlierAnswers(Path(sys.argv[1])).admit(said, 5); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], timeout=60, check=False)
    assert done.returncode == -9
    assert not EarlierAnswers(tmp_path).admit(answered(59), 5)


def test_the_file_is_closed_to_other_accounts(earlier: EarlierAnswers, tmp_path: Path) -> None:
    earlier.admit(answered(60), 5)
    assert (tmp_path / "earlier_answers.sqlite3").stat().st_mode & 0o777 == 0o600


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "earlier_answers.sqlite3").symlink_to(elsewhere / "file")
    with pytest.raises(OSError, match="symbolic links"):
        EarlierAnswers(tmp_path).admit(answered(60), 5)
    assert list(elsewhere.iterdir()) == []


def test_a_full_file_refuses_and_forgets_nothing(
    earlier: EarlierAnswers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_COUNTS", 3)
    assert all(earlier.admit(answered(count), 5) for count in (10, 20, 30))
    with pytest.raises(TooManyAnswers):
        earlier.admit(answered(40), 5)
    assert not earlier.admit(answered(11), 5)
    assert earlier.admit(answered(20), 5)
    # Those of other requesters have their own room.
    assert earlier.admit(answered(40, requester="4"), 5)


def test_counts_of_old_versions_go(
    earlier: EarlierAnswers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_VERSIONS", 2)
    for version in ("v1", "v2", "v3"):
        assert earlier.admit(answered(60, version=version), 5)
    assert earlier.admit(answered(59, version="v1"), 5)
    assert not earlier.admit(answered(59, version="v3"), 5)


def test_a_broken_file_lets_nothing_pass(tmp_path: Path) -> None:
    (tmp_path / "earlier_answers.sqlite3").write_bytes(b"no database" * 1000)
    with pytest.raises(sqlite3.DatabaseError):
        EarlierAnswers(tmp_path).admit(answered(60), 5)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 60), max_size=20), st.integers(2, 11))
def test_admitted_counts_never_differ_by_a_few(
    tmp_path_factory: pytest.TempPathFactory, counts: list[int], cell: int
) -> None:
    earlier = EarlierAnswers(tmp_path_factory.mktemp("earlier"))
    admitted: list[int] = []
    for count in counts:
        expected = all(not 0 < abs(count - known) < cell for known in admitted)
        assert earlier.admit(answered(count), cell) == expected
        if expected:
            admitted.append(count)


def test_a_full_disk_is_waited_for(earlier: EarlierAnswers, tmp_path: Path) -> None:
    assert earlier.admit(answered(60), 5)
    length = (tmp_path / "earlier_answers.sqlite3").stat().st_size
    many = Answered("3", "default", "v1", "mean", {f"{n:0200}": 60 for n in range(500)})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, before[1]))
    try:
        with pytest.raises(OSError, match="not readable now"):
            earlier.admit(many, 5)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert earlier.admit(many, 5)
    assert not earlier.admit(answered(59), 5)


def test_a_file_that_another_process_has_is_waited_for(
    earlier: EarlierAnswers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert earlier.admit(answered(60), 5)
    monkeypatch.setattr(module, "_WAIT_SECONDS", 0.01)
    with closing(sqlite3.connect(tmp_path / "earlier_answers.sqlite3")) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(OSError, match="not readable now"):
            earlier.admit(answered(60), 5)
    assert earlier.admit(answered(60), 5)
