"""A server that hands out other keys than the organizations have, among real nodes and clients."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from vantage6.client import Client, RSACryptor
from vantage6.common.errors import Conflict
from vantage6.common.known_keys import KeyRefused
from vantage6.node.rules.audit import FILE_NAME, entries
from vantage6.sandbox.federation import AS_PROCESSES, IMAGE, Federation

NAMES = ("alpha", "beta")


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """Give an encrypted federation of two organizations, each with its node."""
    federation = Federation(
        tmp_path_factory.mktemp("keys") / "federation",
        {"alpha": [40, 50], "beta": [60, 70]},
        runtime=AS_PROCESSES,
        settings={"flower": None},
    )
    try:
        federation.start()
        yield federation
    finally:
        federation.stop()


def hand_out(federation: Federation, name: str, key: str) -> None:
    """Let the server hand out a key for an organization."""
    (file,) = (federation.folder / "server").glob("*.sqlite")
    with closing(sqlite3.connect(file, timeout=10)) as database, database:
        database.execute(
            "UPDATE organization SET public_key = ? WHERE id = ?", (key, federation.ids[name])
        )


def ask(client: Client, federation: Federation, *names: str) -> list[dict[str, Any]]:
    """Send a task, and return the results."""
    task = client.task.create(
        collaboration=federation.collaboration,
        organizations=[federation.ids[name] for name in names],
        name="keys",
        image=IMAGE,
        description="",
        input={"method": "average_partial", "kwargs": {"column_name": "age"}},
        data_format="json",
    )
    client.wait_for_results(task["id"], timeout=60)
    found: list[dict[str, Any]] = client.result.from_task(task["id"])
    return found


def record(federation: Federation, name: str) -> list[dict[str, Any]]:
    """Return what a station has on record."""
    return list(entries(Path(federation.folder) / name / "node" / FILE_NAME))


@pytest.mark.slow
def test_server_that_hands_out_its_own_keys_reads_nothing(
    federation: Federation, tmp_path: Path
) -> None:
    RSACryptor.create_new_rsa_key(tmp_path / "server.pem")
    servers = RSACryptor(tmp_path / "server.pem").public_key_str
    own = {name: RSACryptor(federation.key_file(name)).public_key_str for name in NAMES}
    with closing(federation.client()) as client:
        assert all(result["result"] for result in ask(client, federation, *NAMES))

        # In place of the key of the one that computes: the client sends no input.
        hand_out(federation, "beta", servers)
        with pytest.raises(KeyRefused, match="has changed"):
            ask(client, federation, *NAMES)
        hand_out(federation, "beta", own["beta"])

        # In place of the key of the one that asks: the stations send no output.
        hand_out(federation, "alpha", servers)
        (result,) = ask(client, federation, "beta")
        assert result["reason"]["code"] == "organization_key_changed"
        assert not result["result"]
        with pytest.raises(Conflict):
            client.setup_encryption(federation.key_file("alpha"))
        hand_out(federation, "alpha", own["alpha"])

        (result,) = ask(client, federation, "beta")
        assert result["result"]

    marks = {name: RSACryptor.fingerprint(key) for name, key in own.items()}
    for name in NAMES:
        released = [one for one in record(federation, name) if one["event"] == "released"]
        assert {one.get("fingerprint") for one in released} <= {marks["alpha"], None}
    refused = [one for one in record(federation, "beta") if one["event"] == "refused"]
    assert [one["code"] for one in refused] == ["organization_key_changed"]
    known = [one for one in record(federation, "beta") if one["event"] == "key_known"]
    assert [one["fingerprint"] for one in known] == [marks["alpha"]]
