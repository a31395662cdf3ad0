"""The published client in a process of its own, used as if it were here."""

import base64
import json
import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_DRIVER = Path(__file__).with_name("driver.py")
#: It repeats a request for ever when nobody answers.
_SECONDS = 60


class Raised(Exception):
    """The published client raised something."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        super().__init__(f"{kind}: {message}")


class PublishedClient:
    """A client of 3.11.1.

    Its members are reached as its users write it: ``client.organization.list(name="alpha")``.

    Parameters
    ----------
    python
        The Python of its environment.
    folder
        Where it works.
    kind
        Name of the class.
    arguments, named
        Those of its constructor.
    headers
        What something on the way adds to its requests.
    """

    def __init__(
        self,
        python: Path,
        folder: Path,
        kind: str,
        *arguments: Any,
        headers: Mapping[str, str] | None = None,
        **named: Any,
    ) -> None:
        given = json.dumps({"args": arguments, "kwargs": named})
        self._log = folder / "peer.log"
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [python, "-I", _DRIVER, kind, given],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=folder,
                env={**os.environ, "PEER_HEADERS": json.dumps(dict(headers or {}))},
            )
        #: What the last call wrote to standard output.
        self.printed = ""
        #: Method, path and status of the requests of the last call.
        self.exchanged: list[tuple[str, str, int]] = []
        self.package = Path(self._answer())

    def __getattr__(self, name: str) -> "_Member":
        return _Member(self, name)

    def call(self, member: str, /, *arguments: Any, **named: Any) -> Any:
        """Call a method by its dotted name.

        Raises
        ------
        Raised
            If it raises.
        """
        return self._do({"call": member, "args": arguments, "kwargs": named})

    def read(self, member: str) -> Any:
        """Return an attribute by its dotted name."""
        return self._do({"read": member})

    def write(self, member: str, value: Any) -> None:
        """Set an attribute."""
        self._do({"write": member, "value": value})

    def close(self) -> None:
        """End the process."""
        if self._process.stdin is not None and self._process.stdout is not None:
            self._process.stdin.close()
            self._process.stdout.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)

    def _do(self, told: Mapping[str, Any]) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(told) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        guard = threading.Timer(_SECONDS, self._process.kill)
        guard.start()
        try:
            line = self._process.stdout.readline()
        finally:
            guard.cancel()
        assert line, f"the published client gave no answer:\n{self._log.read_text()[-2000:]}"
        answer = json.loads(line, object_hook=_restored)
        self.printed = answer["printed"]
        self.exchanged = [(method, path, status) for method, path, status in answer["exchanged"]]
        if "raised" in answer:
            raise Raised(answer["raised"], answer["message"])
        return answer["returned"]


@dataclass(frozen=True)
class _Member:
    """A member of the client, of which nothing is known until it is called."""

    _client: PublishedClient
    _path: str

    def __getattr__(self, name: str) -> "_Member":
        return _Member(self._client, f"{self._path}.{name}")

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._client.call(self._path, *arguments, **named)


def _restored(value: dict[str, Any]) -> Any:
    """Undo what the driver did to values that JSON has no word for."""
    match value:
        case {"$bytes": str() as text}:
            return base64.b64decode(text)
        case {"$tuple": Sequence() as items}:
            return tuple(items)
    return value
