"""``vnode clean`` and ``vnode remove`` on a real engine: what is the node's goes, and only that."""

import json
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
import yaml
from click.testing import CliRunner, Result

from vantage6.common.config.instances import Found
from vantage6.node.cli import main
from vantage6.node.instance import Instance

pytestmark = pytest.mark.slow

Make = Callable[..., str]


@pytest.fixture
def name() -> str:
    """Return the name of a node that nobody else has."""
    return f"test-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a home folder of its own."""
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def file(home: Path, name: str, docker_host: str) -> Path:
    """Give the configuration of the node."""
    file = home / f".config/vantage6/node/{name}.yaml"
    file.parent.mkdir(parents=True)
    settings = {
        "api_key": "key",
        "server_url": "http://127.0.0.1",
        "encryption": {"enabled": False},
        "docker_host": docker_host,
    }
    file.write_text(yaml.safe_dump({"application": settings}))
    return file


@pytest.fixture
def made(engine: docker.APIClient) -> Iterator[list[tuple[str, str]]]:
    """Give the list of what a test made at the engine, by kind; all of it goes with the test."""
    made: list[tuple[str, str]] = []
    yield made
    for kind, name in made:
        if (kind, name) in there(engine, made):
            options = {"force": True} if kind == "container" else {}
            getattr(engine, f"remove_{kind}")(name, **options)


@pytest.fixture
def container(engine: docker.APIClient, program_image: str, made: list[tuple[str, str]]) -> Make:
    """Give a function that makes a container as a node does."""

    def make(node: str, kind: str = "algorithm", result: int = 1, *, runs: bool = False) -> str:
        name = f"vantage6-{node}-{kind}-{result}"
        labels = {"vantage6-type": kind, "node": node, "result_id": str(result)}
        engine.create_container(program_image, ["sleep", "60"], name=name, labels=labels)
        made.append(("container", name))
        if runs:
            engine.start(name)
        return name

    return make


@pytest.fixture
def volume(engine: docker.APIClient, made: list[tuple[str, str]]) -> Make:
    """Give a function that makes a volume."""

    def make(name: str) -> str:
        engine.create_volume(name)
        made.append(("volume", name))
        return name

    return make


def there(engine: docker.APIClient, made: list[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return what is still at the engine of what was made."""
    found = {("container", one["Names"][0][1:]) for one in engine.containers(all=True)}
    found |= {("volume", one["Name"]) for one in engine.volumes()["Volumes"] or []}
    found |= {("network", one["Name"]) for one in engine.networks()}
    return found.intersection(made)


def vnode(*words: Any, typed: str = "") -> Result:
    return CliRunner().invoke(main, list(words), input=typed)


def test_clean_takes_what_no_result_needs(
    engine: docker.APIClient,
    home: Path,
    file: Path,
    name: str,
    made: list[tuple[str, str]],
    container: Make,
    volume: Make,
) -> None:
    data = home / f".local/share/vantage6/node/{name}"
    gone = {
        container(f"{name}-user", result=1),
        container(f"{name}-user", "service", 2, runs=True),
    }
    gone.add(volume(f"vantage6-{name}-user-1-tmpvol"))
    (data / "runs/1").mkdir(parents=True)
    entry = data / "results/task-000000003"
    entry.mkdir(parents=True)
    record = {"result_id": 3, "task_id": 1, "run_id": 2, "image": "x", "is_subtask": False}
    record |= {"initiator_public_key": "", "claimed_at": "2026-01-01T00:00:00+00:00"}
    (entry / "entry.json").write_text(json.dumps(record))
    kept = {
        container(f"{name}-user", result=3),
        container(f"{name}-user", result=4, runs=True),
        container(f"{name}-system", result=5),
        container(f"{name}0-user", result=1),
        volume(f"vantage6-{name}-user-vol"),
        volume(f"vantage6-{name}-system-1-tmpvol"),
        volume(f"x-vantage6-{name}-user-1-tmpvol"),
    }
    done = vnode("clean", "-n", name, typed="n\n")
    assert done.exit_code == 1
    assert {words for words in done.output.splitlines() if words in gone | kept} == gone
    assert there(engine, made) == set(made)
    done = vnode("clean", "-n", name, "--yes")
    assert done.exit_code == 0, done.output
    assert {one for _, one in there(engine, made)} == kept
    assert not (data / "runs/1").exists()
    assert "nothing to remove" in vnode("clean", "-n", name).output


def test_remove_takes_everything_of_the_node_and_nothing_of_others(
    engine: docker.APIClient,
    home: Path,
    file: Path,
    name: str,
    made: list[tuple[str, str]],
    container: Make,
    volume: Make,
) -> None:
    container(f"{name}-user", runs=True)
    container(f"{name}-user", "service", 2)
    for kind in ("vol", "vpn-vol", "ssh-vol", "squid-vol", "7-tmpvol"):
        volume(f"vantage6-{name}-user-{kind}")
    network = f"vantage6-{name}-user-net"
    engine.create_network(network, labels={"vantage6-type": "network", "node": f"{name}-user"})
    made.append(("network", network))
    kept = {container(f"{name}-system"), volume(f"vantage6-{name}0-user-vol")}
    kept.add(volume(f"vantage6-{name}-system-vol"))
    data = home / f".local/share/vantage6/node/{name}"
    data.mkdir(parents=True)
    assert vnode("remove", "-n", name, typed="\n").exit_code == 1
    assert there(engine, made) == set(made)
    done = vnode("remove", "-n", name, typed="y\n")
    assert done.exit_code == 0, done.output
    assert {one for _, one in there(engine, made)} == kept
    assert not file.exists()
    assert not data.exists()


@pytest.mark.parametrize("command", ["clean", "remove"])
def test_nothing_is_touched_where_the_engine_is_away(
    home: Path, file: Path, name: str, command: str
) -> None:
    content = yaml.safe_load(file.read_text())
    content["application"]["docker_host"] = "unix:///none.sock"
    file.write_text(yaml.safe_dump(content))
    done = vnode(command, "-n", name, "--yes")
    assert done.exit_code == 20
    assert "docker_host" in done.output
    assert file.exists()


def test_node_that_runs_is_refused(home: Path, file: Path, name: str, volume: Make) -> None:
    volume(f"vantage6-{name}-user-vol")
    held = Instance.load(Found(file, system=False), None).lock()
    for command in ("clean", "remove"):
        done = vnode(command, "-n", name, "--yes")
        assert done.exit_code == 12
        assert "stop it first" in done.output
    assert file.exists()
    os.close(held)
