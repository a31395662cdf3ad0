"""Somebody at a terminal, who reads what a command shows and types answers."""

import os
import pty
import select
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from tests.services import needs


class Terminal:
    """A terminal with one command.

    Parameters
    ----------
    command
        What runs.
    home
        The home folder of who sits there, where it runs.
    """

    def __init__(self, command: Sequence[object], home: Path) -> None:
        self.shown = ""
        self._read = 0
        self._screen, theirs = pty.openpty()
        # As its controlling terminal, so that passwords are asked for there, and Ctrl-C counts.
        # What is started in the background may have been told not to heed it.
        heeding = [needs("env"), "--default-signal=INT"]
        words = [needs("setsid"), "--ctty", *heeding, *map(str, command)]
        environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
        environment |= {"TERM": "dumb", "COLUMNS": "200"}
        self._process = subprocess.Popen(
            words, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd=home
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait(10)
        os.close(self._screen)

    def answer(self, question: str, answer: str) -> None:
        """Wait for a question, and type an answer to it."""
        self.wait_for(question)
        os.write(self._screen, f"{answer}\n".encode())

    def interrupt(self) -> None:
        """Press Ctrl-C, once the command reads.

        A person is never faster; Python loses a signal that comes just before it begins to read.
        """
        self._wait_until_idle()
        self.press_ctrl_c()

    def press_ctrl_c(self) -> None:
        """Press Ctrl-C at once, while the command works and does not read."""
        os.write(self._screen, b"\x03")

    def _wait_until_idle(self, seconds: float = 30) -> None:
        process = psutil.Process(self._process.pid)
        end = time.monotonic() + seconds
        before = None
        while (
            now := (process.status(), process.cpu_times(), process.num_ctx_switches())
        ) != before:
            assert time.monotonic() < end, f"{self.shown}\nis still busy."
            before = now
            time.sleep(0.1)

    def wait_for(self, text: str, seconds: float = 30) -> None:
        """Read on until a text was shown."""
        end = time.monotonic() + seconds
        while text not in self.shown[self._read :]:
            assert time.monotonic() < end, f"{text!r} is not in {self.shown[self._read :]!r}"
            assert self._more(), f"{text!r} is not in {self.shown[self._read :]!r}"
        self._read = self.shown.index(text, self._read) + len(text)

    def end(self, seconds: float = 30) -> int:
        """Read to the end, and return the exit code."""
        end = time.monotonic() + seconds
        while self._more():
            assert time.monotonic() < end, self.shown
        return self._process.wait(10)

    def _more(self) -> bool:
        """Read what has come, or nothing in a moment; tell whether more may come."""
        if not select.select([self._screen], [], [], 0.2)[0]:
            return True
        try:
            piece = os.read(self._screen, 4096)
        except OSError:
            # How a terminal says that nobody writes to it any more.
            return False
        self.shown += piece.decode("utf-8", "replace")
        return bool(piece)
