"""Files of separated values as spreadsheets write them, and files that are something else."""

from pathlib import Path

import pandas
import pytest

from vantage6.tools.errors import AlgorithmError
from vantage6.tools.loaders import load


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a,b\n1,2.5\n", {"a": [1], "b": [2.5]}),
        ("a;b\n1;24,5\n2;-3,5\n", {"a": [1, 2], "b": [24.5, -3.5]}),
        ("a;b\n1;24.5\n2;7.5\n", {"a": [1, 2], "b": [24.5, 7.5]}),
        ("a\tb\n1\tx\n", {"a": [1], "b": ["x"]}),
        ("sep=;\na;b\n1;2\n", {"a": [1], "b": [2]}),
        ("\ufeffa;b\n1;2\n", {"a": [1], "b": [2]}),
        ('"a;1",b\n1,2\n', {"a;1": [1], "b": [2]}),
        ('"a;1"\n3\n', {"a;1": [3]}),
        ("age\n60\n", {"age": [60]}),
        ("a,b;c\n1,x;y\n", {"a": [1], "b;c": ["x;y"]}),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_separator_and_decimal_mark_are_noticed(
    tmp_path: Path, content: str, expected: dict, encoding: str
) -> None:
    (tmp_path / "data.txt").write_bytes(
        content.removeprefix("\ufeff").encode(encoding)
        if encoding == "utf-16"
        else content.encode()
    )
    frame = load("csv", str(tmp_path / "data.txt"), {})
    pandas.testing.assert_frame_equal(frame, pandas.DataFrame(expected), check_dtype=False)


def test_other_encoding_is_said_and_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_bytes("größe;stad\n1;Köln\n".encode("cp1252"))
    with pytest.raises(AlgorithmError, match="the file is not UTF-8") as refusal:
        load("csv", str(tmp_path / "data.csv"), {})
    assert "Köln" not in str(refusal.value)


def test_kind_of_a_file_follows_its_ending(tmp_path: Path) -> None:
    """Node files of 3.11 need not declare a type, which means csv then."""
    frame = pandas.DataFrame({"age": [60, 70]})
    frame.to_parquet(tmp_path / "data.PARQUET")
    frame.to_excel(tmp_path / "data.xlsx", index=False)
    for name in ("data.PARQUET", "data.xlsx"):
        pandas.testing.assert_frame_equal(load("csv", str(tmp_path / name), {}), frame)


def test_packed_files_are_left_to_pandas(tmp_path: Path) -> None:
    pandas.DataFrame({"age": [60]}).to_csv(tmp_path / "data.csv.gz", index=False)
    assert list(load("csv", str(tmp_path / "data.csv.gz"), {}).columns) == ["age"]
