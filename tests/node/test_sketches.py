"""The node reads its data once for each version, in a process of its own, and keeps no cell."""

import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.waiting import eventually
from vantage6.common.config.node import DatabaseConfig
from vantage6.node.databases import Database, Databases
from vantage6.node.sketch import sketches as module
from vantage6.node.sketch import tables
from vantage6.node.sketch.cells import are_distinctive, number_keys
from vantage6.node.sketch.sketch import Sketch
from vantage6.node.sketch.sketches import NoSketch, Sketches
from vantage6.node.sketch.sketching import make_sketch
from vantage6.node.sketch.tables import kind_of


def database(path: Path, type_: Any = None) -> Database:
    """Return a database with a file."""
    config = DatabaseConfig(label="default", uri=str(path), type=type_)
    return Databases((config,), path.parent).get("default")


def do_nothing() -> None:
    """Wait on."""


@pytest.fixture
def frame() -> pd.DataFrame:
    """Give a small table."""
    random = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "dose": random.normal(50, 10, 60),
            "lab": [*np.repeat([13.5, 14.5], 29), 9.25, 21.75],
            "is_in": [True, False] * 30,
            "town": [*["north"] * 56, "south", "south", "south", "Köln"],
            "code": [1234567890 + number for number in range(60)],
        }
    )


def write(frame: pd.DataFrame, kind: str, folder: Path) -> Path:
    """Write a table in one of the forms that the node reads."""
    path = folder / f"data.{kind}"
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "semicolon":
        frame.to_csv(path, index=False, sep=";", decimal=",")
    elif kind == "parquet":
        frame.to_parquet(path)
    elif kind == "xlsx":
        frame.to_excel(path, index=False)
    else:
        with sqlite3.connect(path) as connection:
            frame.to_sql("patients; DROP", connection, index=False)
        connection.close()
    return path


@pytest.mark.parametrize("kind", ["csv", "semicolon", "parquet", "xlsx", "sql"])
def test_every_kind_of_file_gives_the_same_sketch(
    kind: str, frame: pd.DataFrame, tmp_path: Path
) -> None:
    path = write(frame, kind, tmp_path)
    read_as = kind_of(path, "sql" if kind == "sql" else "csv")
    assert read_as
    (tmp_path / "made").mkdir()
    make_sketch(path, read_as, tmp_path / "made", cell=5)
    sketch = Sketch(tmp_path / "made")
    assert sketch.rows == 60
    assert sketch.columns == set(frame.columns)
    assert sketch.find_cells([frame.dose[3], frame.code[7], 13.5, 9.25, 1.0]) == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert sketch.find_rare(["south", "Köln", "north", "east"]) == [True, True, False, False]
    assert sketch.is_lowest(9.25)
    assert sketch.is_highest(21.75)
    assert not sketch.is_highest(14.5)


@pytest.mark.parametrize("kind", ["csv", "parquet", "sql"])
def test_a_table_that_is_read_in_parts_has_all_its_rows(
    kind: str, frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "_MOST_ROWS", 13)
    path = write(frame, kind, tmp_path)
    (tmp_path / "made").mkdir()
    make_sketch(path, kind, tmp_path / "made", cell=5)
    assert Sketch(tmp_path / "made").rows == 60


def test_a_sketch_holds_no_cell_in_clear(frame: pd.DataFrame, tmp_path: Path) -> None:
    path = write(frame, "csv", tmp_path)
    (tmp_path / "made").mkdir()
    make_sketch(path, "csv", tmp_path / "made", cell=5)
    content = b"".join(file.read_bytes() for file in (tmp_path / "made").iterdir())
    for cell in ("Köln", "south", str(frame.code[7])):
        assert cell.encode() not in content
    assert not list((tmp_path / "made").glob("*.numbers"))


def test_parts_of_a_table_count_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vantage6.node.sketch.tables._CELLS", 1)
    values = [*range(2000), *range(1000)]
    table = pd.DataFrame({"x": [value + 0.1234567 for value in values]})
    table["t"] = ["a" if value % 2 else "b" for value in values[:-1]] + ["rare"]
    table.to_csv(tmp_path / "data.csv", index=False)
    (tmp_path / "made").mkdir()
    make_sketch(tmp_path / "data.csv", "csv", tmp_path / "made", cell=5)
    sketch = Sketch(tmp_path / "made")
    assert sketch.rows == 3000
    assert sketch.find_cells([1500.1234567, 500.1234567]) == [True, False]
    assert sketch.find_rare(["a", "rare"]) == [False, True]


def test_a_number_of_few_digits_is_no_proof() -> None:
    short = [0.3, 0.1 + 0.2, 13.74, 123456.0, 1e10, -7.0, 0.0, 1.23456e-12, 1e300, 99999.5]
    long = [1234567.0, -13.74328, 2 / 3, 20230115.5, 1.234567e-12, 1.234567e200]
    assert not are_distinctive(number_keys(np.array(short))).any()
    assert are_distinctive(number_keys(np.array(long))).all()


def test_a_version_is_read_once_and_replaced_when_it_changes(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    sketches = Sketches(tmp_path / "node")
    data = database(write(frame, "csv", tmp_path))
    assert sketches.may_make(data, 10**6)
    threads = [threading.Thread(target=sketches.get, args=(data, 5, do_nothing)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    place = tmp_path / "node" / "sketches" / "default"
    (first,) = place.iterdir()
    assert stat.S_IMODE(first.stat().st_mode) == 0o700
    assert sketches.get(data, 5, do_nothing).rows == 60
    assert list(place.iterdir()) == [first]
    write(frame.head(50), "csv", tmp_path)
    assert sketches.get(data, 5, do_nothing).rows == 50
    assert first not in place.iterdir()
    sketches.close()


def test_what_cannot_be_read_is_not_tried_again_until_it_changes(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    sketches = Sketches(tmp_path / "node")
    path = tmp_path / "data.parquet"
    path.write_bytes(b"no table")
    data = database(path)
    for _ in range(2):
        with pytest.raises(NoSketch):
            sketches.get(data, 5, do_nothing)
    assert not list((tmp_path / "node" / "sketches" / "default").iterdir())
    write(frame, "parquet", tmp_path)
    assert sketches.get(data, 5, do_nothing).rows == 60
    path.unlink()
    with pytest.raises(NoSketch):
        sketches.get(data, 5, do_nothing)
    sketches.close()


def test_what_failed_is_tried_again_after_a_while(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sketches = Sketches(tmp_path / "node")
    data = database(write(frame, "csv", tmp_path))
    with monkeypatch.context() as failing:
        failing.setattr(module, "_MEMORY_BYTES", 1)
        for _ in range(2):
            with pytest.raises(NoSketch):
                sketches.get(data, 5, do_nothing)
    with pytest.raises(NoSketch):
        sketches.get(data, 5, do_nothing)
    monkeypatch.setattr(module, "_AGAIN_SECONDS", 0.0)
    assert sketches.get(data, 5, do_nothing).rows == 60
    sketches.close()


@pytest.mark.parametrize("name", ["facts.json", "cells.keys", "rare.keys"])
def test_a_sketch_that_a_power_cut_left_empty_is_made_anew(
    name: str, frame: pd.DataFrame, tmp_path: Path
) -> None:
    data = database(write(frame, "csv", tmp_path))
    sketches = Sketches(tmp_path / "node")
    sketches.get(data, 5, do_nothing)
    (folder,) = (tmp_path / "node" / "sketches" / "default").iterdir()
    (folder / name).write_bytes(b"")
    again = Sketches(tmp_path / "node").get(data, 5, do_nothing)
    assert again.find_cells([frame.dose[3]]) == [True]
    assert again.find_rare(["south"]) == [True]
    sketches.close()


def test_no_result_waits_for_a_thread_that_did_not_start(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    sketches = Sketches(tmp_path / "node")
    data = database(write(frame, "csv", tmp_path))
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", fail)
        sketches.begin(data, 5)
        with pytest.raises(NoSketch):
            sketches.get(data, 5, do_nothing)
    assert sketches.get(data, 5, do_nothing).rows == 60
    sketches.close()


def test_rows_that_sqlite_has_beside_the_file_are_another_version(tmp_path: Path) -> None:
    path = tmp_path / "data.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE t (x)")
    connection.commit()
    data = database(path, "sql")
    before = data.version()
    connection.execute("INSERT INTO t VALUES (1)")
    connection.commit()
    assert data.version() != before
    connection.close()


def test_a_wait_ends_when_the_result_is_killed(frame: pd.DataFrame, tmp_path: Path) -> None:
    sketches = Sketches(tmp_path / "node")
    data = database(write(frame, "csv", tmp_path))

    def check() -> None:
        raise RuntimeError("killed")

    with sketches._turn, pytest.raises(RuntimeError, match="killed"):
        sketches.get(data, 5, check)
    sketches.close()
    eventually(lambda: not sketches._making)


def test_only_what_the_node_can_read_is_read(tmp_path: Path) -> None:
    sketches = Sketches(tmp_path)
    service = Database("default", "postgresql://host/db", None, "sql")
    assert not sketches.may_make(service, 10**9)
    (tmp_path / "data.csv").write_text("a\n1\n")
    assert not sketches.may_make(database(tmp_path / "data.csv"), 3)
    assert not sketches.may_make(database(tmp_path / "data.csv", "other"), 10**9)
    assert not sketches.may_make(Database("default", "", tmp_path, "csv"), 10**9)
    assert sketches.may_make(database(tmp_path / "data.csv"), 4)


def test_remains_of_a_crash_are_removed(tmp_path: Path) -> None:
    remains = tmp_path / "sketches" / "default" / "new-abc"
    remains.mkdir(parents=True)
    (remains / "0.numbers").write_bytes(b"x")
    Sketches(tmp_path)
    assert not remains.exists()


def test_a_node_starts_without_the_libraries_for_tables() -> None:
    program = (
        "import sys, vantage6.node.daemon; "
        "print({'numpy', 'pandas', 'pyarrow'} & set(sys.modules) or 'none')"
    )
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout == "none\n"
