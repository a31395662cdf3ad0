"""Small files of JSON: whole, bounded on both sides, and for the account that has to read them."""

import os
from itertools import pairwise
from pathlib import Path

import pytest

from vantage6.common.durable_files import Damaged, NotPlain, mark_of, read_json, write_json
from vantage6.common.errors import Conflict

ACCOUNT = 12345


def test_what_is_written_is_read_and_what_is_not_there_is_none(tmp_path: Path):
    file = tmp_path / "file"
    assert read_json(file, 100) is None
    write_json(file, {"a": [1, "é"]}, 100)
    assert read_json(file, 100) == {"a": [1, "é"]}
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 10_000, b'"' + b"x" * 20_000 + b'"'])
def test_what_cannot_be_read_does_not_count_as_absent(content: bytes, tmp_path: Path):
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(Damaged):
        read_json(file, 20_000)


def test_nothing_is_written_that_would_not_be_read(tmp_path: Path):
    file = tmp_path / "file"
    write_json(file, "x" * 98, 100)
    with pytest.raises(Conflict, match="longer than 100 bytes"):
        write_json(file, "x" * 99, 100)
    assert read_json(file, 100) == "x" * 98


def test_a_link_is_not_followed(tmp_path: Path):
    (tmp_path / "secret").write_text("1")
    (tmp_path / "file").symlink_to(tmp_path / "secret")
    with pytest.raises(NotPlain):
        read_json(tmp_path / "file", 100)


def test_each_change_of_a_file_has_a_mark_of_its_own(tmp_path: Path):
    file = tmp_path / "file"
    marks = [mark_of(file)]
    for value in (1, 2, 3):
        write_json(file, value, 100)
        marks.append(mark_of(file))
    assert marks[0] is None
    assert all(one != other for one, other in pairwise(marks))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_writes_is_for_the_owner_of_the_folder(tmp_path: Path):
    node = tmp_path / "node"
    node.mkdir()
    os.chown(node, ACCOUNT, ACCOUNT)
    write_json(node / "file", 1, 100, owner_of=node)
    write_json(node / "other", 1, 100)
    found = [(node / name).stat().st_uid for name in ("file", "other")]
    assert found == [ACCOUNT, 0]
