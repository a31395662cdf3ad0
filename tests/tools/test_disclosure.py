"""What an algorithm reads about disclosure: files of the node, and the strict default without."""

from pathlib import Path

import pytest

from vantage6.common.cards import Function
from vantage6.common.disclosure.floors import PRESETS, Floors
from vantage6.common.disclosure.verdicts import Verdict
from vantage6.tools import floors, judge_answer, parties
from vantage6.tools.errors import AlgorithmError


def test_without_a_station_the_default_floors_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in (None, ""):
        if value is None:
            monkeypatch.delenv("FLOORS_FILE", raising=False)
            monkeypatch.delenv("PARTIES_FILE", raising=False)
        else:
            monkeypatch.setenv("FLOORS_FILE", value)
            monkeypatch.setenv("PARTIES_FILE", value)
        assert floors() == Floors()
        assert parties() == ()


def test_the_files_of_the_node_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "floors").write_bytes(PRESETS["cms"].to_bytes())
    (tmp_path / "parties").write_text('{"organizations": [4, 2]}')
    monkeypatch.setenv("FLOORS_FILE", str(tmp_path / "floors"))
    monkeypatch.setenv("PARTIES_FILE", str(tmp_path / "parties"))
    assert floors() == PRESETS["cms"]
    assert parties() == (2, 4)


@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff", b"[]", b'{"records": null}'])
def test_a_file_that_cannot_be_read_is_no_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("FLOORS_FILE", str(path))
    monkeypatch.setenv("PARTIES_FILE", str(path))
    with pytest.raises(AlgorithmError, match="floors"):
        floors()
    with pytest.raises(AlgorithmError, match="organizations"):
        parties()


def test_a_function_learns_what_its_station_says_of_an_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "floors").write_bytes(PRESETS["datashield"].to_bytes())
    monkeypatch.setenv("FLOORS_FILE", str(tmp_path / "floors"))
    shares = [{"path": "/n", "class": "count"}, {"path": "/at/*", "class": "parameter"}]
    function = Function.model_validate(
        {"name": "part", "kind": "partial", "shares": shares}, strict=False
    )
    assert judge_answer({"n": 3}, function).verdict is Verdict.PASS
    assert judge_answer({"n": 2}, function).verdict is Verdict.REFUSED
    assert judge_answer({"n": 30}, function, rows=20).verdict is Verdict.REFUSED
    answer = {"at": [0.05, 0.25]}
    assert judge_answer(answer, function).verdict is Verdict.REFUSED
    described = Function.model_validate(
        {
            "name": "part",
            "kind": "partial",
            "shares": shares,
            "arguments": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"at": {"type": "array"}},
            },
        },
        strict=False,
    )
    assert judge_answer(answer, described, {"kwargs": answer}).verdict is Verdict.PASS
