"""Files that only their owner reads."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from vantage6.common.secret_files import ensure_secret, write_private


def test_a_private_file_is_replaced_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_secret_is_kept_and_the_same_for_all_who_come_first(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "secret"
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: ensure_secret(path), range(32)))
    assert len(found) == 1
    assert len(found.pop()) == 64
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]
