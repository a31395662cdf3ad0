"""Encrypted stations with containers: what goes right, and how what goes wrong is told."""

import io
import signal
import tarfile
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.services.docker import own_suffix
from vantage6.client import Client
from vantage6.sandbox.federation import IMAGE, Federation

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

MISBEHAVING = f"test/misbehaving{own_suffix()}"


@pytest.fixture(scope="module")
def engine(docker_host: str) -> Iterator[docker.DockerClient]:
    """Give the engine."""
    with closing(docker.DockerClient(base_url=docker_host)) as engine:
        yield engine


@pytest.fixture(scope="module")
def client(contained: Federation) -> Iterator[Client]:
    """Give the client of the researcher."""
    with closing(contained.client()) as client:
        yield client


@pytest.fixture(scope="module")
def misbehaving(engine: docker.DockerClient, average_image: str) -> Iterator[str]:
    """Give an image that does what its input says."""
    context = io.BytesIO()
    recipe = f'FROM {average_image}\nCOPY a.py /a.py\nCMD ["python3", "/a.py"]\n'.encode()
    with tarfile.open(fileobj=context, mode="w") as archive:
        for name, content in (
            ("Dockerfile", recipe),
            ("a.py", Path(__file__).with_name("misbehaving.py").read_bytes()),
        ):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(content))
    context.seek(0)
    engine.images.build(fileobj=context, custom_context=True, tag=MISBEHAVING)
    yield MISBEHAVING
    engine.images.remove(MISBEHAVING, force=True)


def one_result(federation: Federation, client: Client, **more: Any) -> dict[str, Any]:
    """Send a task to one station, and return its result."""
    task = federation.send(client, ["alpha"], "average_partial", **more)
    return federation.results(client, task)["alpha"]


def test_each_station_returns_its_part(contained: Federation, client: Client) -> None:
    task = contained.send(client, ["alpha", "beta"], "average_partial")
    found = contained.results(client, task)
    assert found["alpha"]["result"] == {"sum": 253, "count": 4}
    assert found["beta"]["result"] == {"sum": 173, "count": 4}


def test_the_master_averages_over_both_stations(contained: Federation, client: Client) -> None:
    task = contained.send(client, ["alpha", "beta"], "master")
    found = contained.results(client, task)
    assert [result["result"] for result in found.values()] == [{"average": 53.25}] * 2
    children = client.task.get(task)["children"]
    assert len(children) == 2


def test_the_server_sees_neither_input_nor_output(contained: Federation, client: Client) -> None:
    task = contained.send(client, ["alpha"], "average_partial")
    contained.results(client, task)
    files = (contained.folder / "server").glob("default.sqlite*")
    stored = b"".join(file.read_bytes() for file in files)
    # The name of the function alone stands in its card, which each server has on its shelf.
    plain = b'"method": "average_partial"', b'"sum": 253'
    for text in (*plain, b64encode(b"json.{"), b64encode(b"average_partial")):
        assert text not in stored
    raw = client.request("result", params={"task_id": task})[0]
    assert raw["result"].count("$") == raw["input"].count("$") == 2


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"image": "test/nobody-made-this"}, "non-existing Docker image", "image_not_found"),
        ({"database": "other"}, "failed", "unknown_database"),
        (
            {"input": {"method": "average_partial", "kwargs": {"column_name": "length"}}},
            "crashed",
            "exit_code",
        ),
        ({"image": MISBEHAVING, "input": {"method": "exit"}}, "crashed", "exit_code"),
        ({"image": MISBEHAVING, "input": {"method": "nothing"}}, "crashed", "no_output"),
        ({"image": MISBEHAVING, "input": {"method": "flood"}}, "crashed", "output_too_large"),
    ],
    ids=["unknown image", "unknown database", "unknown column", "exit 3", "no output", "200 MB"],
)
def test_what_goes_wrong_ends_with_a_reason(
    contained: Federation,
    client: Client,
    misbehaving: str,
    more: dict[str, Any],
    status: str,
    code: str,
) -> None:
    result = one_result(contained, client, **more)
    assert (result["status"], result["reason"]["code"]) == (status, code)
    assert len(result["reason"]["msg"]) > 20
    assert result["finished_at"]


def test_the_log_names_the_columns_that_exist(contained: Federation, client: Client) -> None:
    input_ = {"method": "average_partial", "kwargs": {"column_name": "length"}}
    assert "age" in one_result(contained, client, input=input_)["log"]


def test_an_image_that_the_policy_does_not_name_is_refused(
    contained: Federation, client: Client, misbehaving: str
) -> None:
    contained.stop_node("alpha")
    contained.start_node("alpha", policies={"allowed_algorithms": IMAGE})
    try:
        result = one_result(contained, client, image=misbehaving, input={"method": "exit"})
        assert result["status"] == "not allowed"
        assert misbehaving in result["reason"]["msg"]
    finally:
        contained.stop_node("alpha")
        contained.start_node("alpha")


def test_a_node_that_does_not_encrypt_refuses_the_tasks_of_an_encrypted_collaboration(
    contained: Federation, client: Client
) -> None:
    contained.stop_node("alpha")
    contained.start_node("alpha", encryption={"enabled": False})
    try:
        result = one_result(contained, client)
        assert (result["status"], result["reason"]["code"]) == ("failed", "encryption_mismatch")
    finally:
        contained.stop_node("alpha")
        contained.start_node("alpha")


def test_a_killed_node_adopts_its_container(
    contained: Federation, client: Client, engine: docker.DockerClient, misbehaving: str
) -> None:
    began = int(time.time())
    task = contained.send(
        client, ["alpha"], "sleep", image=misbehaving, input={"method": "sleep", "seconds": 4}
    )
    while client.task.get(task)["status"] != "active":
        time.sleep(0.05)
    contained.stop_node("alpha", signal.SIGKILL)
    contained.start_node("alpha")
    result = contained.results(client, task)["alpha"]
    assert (result["status"], result["result"]) == ("completed", "awake")
    starts = engine.api.events(
        since=began,
        until=int(time.time()) + 1,
        filters={"event": "start", "label": f"result_id={result['id']}"},
        decode=True,
    )
    assert len(list(starts)) == 1
