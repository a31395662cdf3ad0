"""Files of separated values as spreadsheets write them, and files that are something else."""

from pathlib import Path
from typing import Any

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
    tmp_path: Path, content: str, expected: dict[str, Any], encoding: str
) -> None:
    (tmp_path / "data.txt").write_bytes(
        content.removeprefix("\ufeff").encode(encoding)
        if encoding == "utf-16"
        else content.encode()
    )
    frame = load("csv", str(tmp_path / "data.txt"), {})
    pandas.testing.assert_frame_equal(frame, pandas.DataFrame(expected), check_dtype=False)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        # 12,500 is a number with a thousands separator, or one with a decimal comma: not guessed.
        ("id\tincome\n1\t12,500\n2\t31,200\n", {"income": ["12,500", "31,200"]}),
        ("id;income\n1;12,500\n2;\n", {"income": ["12,500", None]}),
        # Lists, and texts that look like a number here and there.
        ("id;codes\n1;12,13\n2;7,100\n", {"codes": ["12,13", "7,100"]}),
        ("id;codes\n1;12,13\n2;7,1,4\n", {"codes": ["12,13", "7,1,4"]}),
        ("id;note\n1;12,13\n2;none\n", {"note": ["12,13", "none"]}),
        # What one column proves is not held of another.
        (
            "height;income;id\n1,75;12,500;1\n1,6;31,200;2\n",
            {"height": [1.75, 1.6], "income": ["12,500", "31,200"], "id": [1, 2]},
        ),
        ("größe;größe.x\n1,75;12,500\n", {"größe": [1.75], "größe.x": ["12,500"]}),
        # No column can be named here, so that none is touched.
        ("a;b;b\n1,75;12,500;1\n", {"a": ["1,75"], "b": ["12,500"], "b.1": [1]}),
        ("a;b\n1;12,500;1,75\n", {"a": ["12,500"], "b": ["1,75"]}),
        # Certain: a zero in front, a fourth digit, an exponent, a quoted number, no value.
        ("a;b\n0,125;1\n0,250;2\n", {"a": [0.125, 0.25]}),
        ("a;b\n1500,125;1\n2,250;2\n", {"a": [1500.125, 2.25]}),
        ("a;b\n1,5E-05;1\n;2\nNA;3\n", {"a": [1.5e-05, None, None]}),
        ('a;b\n"72,50";"x;1,5"\n"68,25";y\n', {"a": [72.5, 68.25], "b": ["x;1,5", "y"]}),
        ("name;a\nÅse;1,5\nBo;2,5\n", {"name": ["Åse", "Bo"], "a": [1.5, 2.5]}),
    ],
)
def test_comma_is_a_decimal_mark_only_where_it_is_certain(
    tmp_path: Path, content: str, expected: dict[str, Any]
) -> None:
    """12,500 read as 12.5 is wrong by a thousand, and nobody would notice."""
    (tmp_path / "data.csv").write_text(content)
    frame = load("csv", str(tmp_path / "data.csv"), {})
    pandas.testing.assert_frame_equal(
        frame[list(expected)].reset_index(drop=True),
        pandas.DataFrame(expected),
        check_dtype=False,
        check_column_type=False,
    )


def test_column_is_judged_by_all_values_of_the_sample(tmp_path: Path) -> None:
    rows = "".join(f"{number};{number % 90},5\n" for number in range(5000))
    (tmp_path / "data.csv").write_text(f"id;code\n1;A\n{rows}")
    assert load("csv", str(tmp_path / "data.csv"), {})["code"].iloc[-1] == "49,5"


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
