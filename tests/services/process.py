"""A child process of the tests that serves until it is stopped."""

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


class Process:
    """A running program. What it writes goes to a file, whose end is shown if it fails.

    Parameters
    ----------
    command
        Program and arguments.
    log
        The file that standard output and error are appended to; the program runs in its folder.
    user
        Name of the user to run it as; needs root.
    environment
        The whole environment; the one of the tests if not given.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        user: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*_ending_with_its_parent(), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=log.parent,
                env=environment,
                user=user,
                group=user and _group(user),
                extra_groups=[] if user else None,
            )
        self.pid = self._process.pid

    def wait_until(self, ready: Callable[[], bool], *, seconds: float = 60) -> None:
        """Wait until the program serves, asking it ten times a second."""
        deadline = time.monotonic() + seconds
        while not ready():
            if (code := self._process.poll()) is not None:
                raise AssertionError(f"{self._name} ended with {code}:\n{self.tail()}")
            if time.monotonic() > deadline:
                self.stop()
                raise AssertionError(f"{self._name} is not ready:\n{self.tail()}")
            time.sleep(0.1)

    def stop(self, *, seconds: float = 30) -> int:
        """Ask the program to end and wait for it; return its exit code."""
        self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """End the program at once, without a chance to clean up; return its exit code."""
        self._process.kill()
        return self._process.wait()

    def tail(self, lines: int = 20) -> str:
        """Return the last lines that the program wrote."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    @property
    def _name(self) -> str:
        return str(self._process.args)


def _group(user: str) -> int:
    import pwd  # not on every platform

    return pwd.getpwnam(user).pw_gid


def _ending_with_its_parent() -> list[str]:
    """Return a prefix that ends a program with the tests, even when they are killed."""
    prefix = shutil.which("setpriv")
    return [prefix, "--pdeathsig", "INT", "--"] if prefix else []
