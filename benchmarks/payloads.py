"""Send large inputs and results through the client and a real server: memory and speed.

It runs in a process of its own, whose memory nothing else has touched.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.crypto import MEGABYTE, ROOT, SIZES, console, memory
from vantage6.client import Client, RSACryptor
from vantage6.client.node_client import NodeClient
from vantage6.common.encryption import DummyCryptor
from vantage6.common.serialization import serialize
from vantage6.sandbox.federation import PASSWORD, Federation

R = TypeVar("R")


@dataclass(frozen=True)
class Place:
    """What the process has to know; the organization sends the task to itself.

    Parameters
    ----------
    address
        Where the API is.
    username, password
        Of a user who may create tasks and see their results.
    api_key
        Of the node of the user's organization in the collaboration.
    collaboration
        Id of the collaboration.
    organization
        Id of the organization.
    key_file
        Its private key, or nothing where the collaboration is not encrypted.
    """

    address: str
    username: str
    password: str
    api_key: str
    collaboration: int
    organization: int
    key_file: str


@dataclass(frozen=True)
class Passage:
    """One call with a large payload: MB of it per second, and peak memory as its multiple."""

    speed: float
    #: Peak over what the process had without any payload: the payload itself included.
    memory: float


def measure() -> None:
    """Print a line for each call with each payload, with and without encryption."""
    for encrypted in (True, False):
        with tempfile.TemporaryDirectory(prefix="vantage6-bench-") as folder:
            federation = Federation(
                Path(folder), {"one": [1]}, encrypted=encrypted, settings={"flower": None}
            )
            try:
                federation.start_server()
                federation.register()
                place = Place(
                    f"{federation.address}/api",
                    "researcher",
                    PASSWORD,
                    federation.api_keys["one"],
                    federation.collaboration,
                    federation.ids["one"],
                    str(federation.key_file("one")) if encrypted else "",
                )
                for megabytes in SIZES:
                    console.print(
                        f"\nPayload of {megabytes} MB through client and server, "
                        f"{'encrypted' if encrypted else 'not encrypted'}"
                    )
                    for name, one in in_process(place, megabytes).items():
                        console.print(
                            f"{name:<28}{one.speed:9.0f} MB/s   "
                            f"peak memory {one.memory:.2f} times the payload"
                        )
            finally:
                federation.stop()


def in_process(place: Place, megabytes: int) -> dict[str, Passage]:
    """Return what each call takes, by its name."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.payloads", json.dumps(asdict(place)), str(megabytes)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        # What is freed goes back at once; else the next call would seem to need less.
        env=os.environ | {"MALLOC_MMAP_THRESHOLD_": "131072"},
        timeout=300,
        check=True,
    )
    return {name: Passage(**found) for name, found in json.loads(done.stdout).items()}


def measured(place: Place, megabytes: int) -> dict[str, Passage]:
    """Measure in this process."""
    size = megabytes * MEGABYTE
    with closing(NodeClient(place.address, "")) as node:
        node.authenticate(place.api_key)
        with closing(
            Client(place.address, None, "", log_level="error", raise_errors=True)
        ) as client:
            client.authenticate(place.username, place.password)
            client.setup_encryption(place.key_file or None)
            trip = _Trip(client, node, place)
            trip.send(1)
            trip.answer(1)
            return {name: one for part in (trip.send, trip.answer) for name, one in part(size)}


class _Trip:
    """The way of an input to a node, and of a result back."""

    def __init__(self, client: Client, node: NodeClient, place: Place) -> None:
        self._client, self._node, self._place = client, node, place
        self._cryptor = RSACryptor(place.key_file) if place.key_file else DummyCryptor()

    def send(self, size: int) -> list[tuple[str, Passage]]:
        """Send a task with a large input, and take it as a node does."""
        before = memory("VmRSS")

        def create() -> int:
            return self._create({"blob": _blob(size)})

        create_passage, result_id = _passage(create, size, before)

        def claim() -> int:
            text = self._node.claim(result_id)["input"]
            return len(self._cryptor.decrypt_str_to_bytes(text))

        claim_passage, length = _passage(claim, size, before)
        assert length > size
        self._node.patch_result(result_id, status="failed", finished_at=_now())
        return [("task.create", create_passage), ("claim of a node", claim_passage)]

    def answer(self, size: int) -> list[tuple[str, Passage]]:
        """Upload a large result as a node does, and read it in each way."""
        result_id = self._create({})
        claim = self._node.claim(result_id)
        task_id = claim["task"]["id"]
        before = memory("VmRSS")

        def upload() -> None:
            output = serialize({"blob": _blob(size)})
            sealed = self._cryptor.encrypt_bytes_to_str(output, claim["initiator_public_key"])
            del output
            self._node.patch_result(
                result_id, status="completed", finished_at=_now(), result=sealed
            )

        found = [("upload of a node", _passage(upload, size, before)[0])]
        ways: dict[str, Callable[[], Any]] = {
            "result.get": lambda: self._client.result.get(result_id)["result"]["blob"],
            "result.list": lambda: self._client.result.list(task=task_id, include_metadata=False)[
                0
            ]["result"]["blob"],
            "result.from_task": lambda: self._client.result.from_task(task_id)[0]["result"]["blob"],
            "wait_for_results": lambda: self._client.wait_for_results(task_id)[0]["result"],
        }
        for name, read in ways.items():
            passage, length = _passage(lambda read=read: len(read()), size, before)
            assert length >= size
            found.append((name, passage))
        return found

    def _create(self, kwargs: dict[str, Any]) -> int:
        place = self._place
        input_ = {"method": "any", "kwargs": kwargs}
        task = self._client.task.create(
            place.collaboration, [place.organization], "large", "image", "", input_, "json"
        )
        id_: int = task["results"][0]["id"]
        return id_


def _blob(size: int) -> str:
    """Return a text whose memory is really taken."""
    return os.urandom(min(size, MEGABYTE) // 2 + 1).hex()[: min(size, MEGABYTE)] * -(
        -size // MEGABYTE
    )


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())


def _passage(call: Callable[[], R], size: int, before: int) -> tuple[Passage, R]:
    # Sets the peak back to what is in use now.
    Path("/proc/self/clear_refs").write_text("5")
    started = time.perf_counter()
    answer = call()
    seconds = time.perf_counter() - started
    return Passage(size / seconds / MEGABYTE, (memory("VmHWM") - before) / size), answer


if __name__ == "__main__":
    place = Place(**json.loads(sys.argv[1]))
    print(
        json.dumps({name: asdict(one) for name, one in measured(place, int(sys.argv[2])).items()})
    )
