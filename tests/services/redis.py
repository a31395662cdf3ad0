"""A private Redis."""

from pathlib import Path
from types import TracebackType
from typing import Self

import redis

from tests.services import needs
from tests.services.process import Process
from vantage6.sandbox.ports import free_port


class RedisServer:
    """A `redis-server` on a free port, whose default user may do everything.

    Parameters
    ----------
    folder
        Where it keeps its data and its log.
    options
        Further options of the command line, such as ``"--appendonly", "yes"``.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._log = folder / "redis.log"
        self._command = [
            needs("redis-server"),
            *("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(folder), "--save", ""),
            *options,
        ]
        self.start()

    def start(self) -> None:
        """Start the server (again), on the same port, and wait until it answers."""
        self.process = Process(self._command, self._log)
        self.process.wait_until(self._answers)

    def stop(self) -> None:
        """Stop the server."""
        self.process.stop()

    def reset(self) -> None:
        """Forget all keys, and all users but the default one."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()
            if others := [name for name in client.acl_users() if name != "default"]:
                client.acl_deluser(*others)

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
