"""Nodes of one name from two files: neither takes or removes what is the other's."""

import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
import yaml

from vantage6.common.errors import ConfigurationError
from vantage6.common.selection import Selection
from vantage6.node.commands import cleaning, starting
from vantage6.node.instance import Instance

ELSEWHERE = "unix:///none.sock"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a home folder of its own."""
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def _node(folder: Path, **values: object) -> Instance:
    folder.mkdir(parents=True)
    file = folder / "mars.yaml"
    content = {"api_key": "k", "server_url": "http://127.0.0.1", "encryption": {"enabled": False}}
    content |= {"docker_host": ELSEWHERE, "task_dir": str(folder / "data"), **values}
    file.write_text(yaml.safe_dump({"application": content}))
    instance = Instance.find(Selection(file=file))
    instance.note_start()
    return instance


@pytest.mark.parametrize("runtime", ["docker", "process"])
def test_second_node_of_a_name_does_not_start_at_one_engine(home: Path, runtime: str) -> None:
    first = _node(home / "first")
    second = _node(home / "second", runtime=runtime)
    held = first.lock()
    try:
        # Without containers there is nothing to mix up.
        refused: AbstractContextManager[object] = nullcontext()
        if runtime == "docker":
            refused = pytest.raises(ConfigurationError, match=f"from {first.file}")
        with refused:
            starting._refuse_namesake(second)
    finally:
        os.close(held)
    starting._refuse_namesake(second)


def test_node_with_a_folder_of_its_own_leaves_that_of_its_name(home: Path) -> None:
    usual = home / ".local/share/vantage6/node/mars"
    logs = home / ".cache/vantage6/log/node/mars"
    for folder in (usual, logs):
        folder.mkdir(parents=True)
    first, second = _node(home / "first", task_dir=None), _node(home / "second")
    assert cleaning._folders_of(second, usual) == []
    assert cleaning._folders_of(first, usual) == [usual]
    second.file.unlink()
    assert cleaning._folders_of(first, usual) == [usual, logs]
