"""The processes of one instance, run and restarted by supervisord."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from configparser import RawConfigParser
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import psutil

from vantage6.common.cli.console import say
from vantage6.common.cli.log_tail import follow
from vantage6.common.config.base import LogConfig
from vantage6.common.errors import Conflict, Unavailable
from vantage6.common.secret_files import write_private

#: Longest time until everything is gone after a stop.
_STOP_SECONDS = 60
_PAUSE_SECONDS = 0.05
#: Longest time until it has written its pid.
_PID_SECONDS = 5


@dataclass(frozen=True)
class Program:
    """One process that is kept running."""

    command: Sequence[str]
    #: What it prints goes here.
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = "TERM"
    #: Exit codes after which a restart would not help; none: it is restarted whatever it says.
    final_codes: Sequence[int] = ()
    #: Whether its children end with it.
    with_children: bool = True


class Supervisor:
    """supervisord of one instance.

    Parameters
    ----------
    title
        What the instance is called in messages, such as ``Server mine``.
    folder
        Where its configuration and its pid are kept.
    log_folder
        Where it writes its own log.
    """

    def __init__(self, title: str, folder: Path, log_folder: Path) -> None:
        self.title = title
        self.log_folder = log_folder
        self._folder = folder
        self._configuration = folder / "supervisord.conf"
        self._pid = folder / "supervisord.pid"

    def write(self, programs: Mapping[str, Program], logging: LogConfig) -> None:
        """Write what is to run; the order is that of the start."""
        parser = RawConfigParser()
        sizes = {
            "logfile_maxbytes": f"{logging.max_size}KB",
            "logfile_backups": str(logging.backup_count),
        }
        parser["supervisord"] = {
            "logfile": _percent(str(self.log_folder / "supervisord.log")),
            "pidfile": _percent(str(self._pid)),
            "directory": _percent(str(self._folder)),
            "umask": "077",
            **sizes,
        }
        for number, (name, program) in enumerate(programs.items()):
            parser[f"program:{name}"] = {
                **_section(program),
                "priority": str(number),
                **{f"stdout_{key}": value for key, value in sizes.items()},
            }
        self.log_folder.mkdir(parents=True, exist_ok=True)
        text = StringIO()
        parser.write(text)
        write_private(self._configuration, text.getvalue())

    def start(self, ready: Callable[[], bool], seconds: float, *, keep: bool = False) -> None:
        """Start everything in the background and return once it is ready.

        Parameters
        ----------
        ready
            Asked several times a second.
        seconds
            Longest time to wait.
        keep
            Let it run on if it is not ready in time.

        Raises
        ------
        Conflict
            If it runs already.
        Unavailable
            If it is not ready in time; the message names the logs.
        """
        self.refuse_second()
        subprocess.run(self._command, check=True, timeout=30)  # noqa: S603
        started = time.monotonic()
        while not ready():
            waited = time.monotonic() - started
            # It writes its pid only after the command above has returned.
            if waited > seconds or (waited > _PID_SECONDS and self.running() is None):
                if not keep:
                    self.stop()
                raise Unavailable(
                    f"{self.title} did not come up in {seconds:.0f} seconds; the reason is in "
                    f"{self.log_folder}."
                )
            time.sleep(_PAUSE_SECONDS)

    def attach(self, logs: Mapping[str, Path], *, console: bool) -> int:
        """Run everything in the foreground until told to stop; return how that ended.

        Parameters
        ----------
        logs
            The files of the programs.
        console
            Show what they write.
        """
        self.refuse_second()
        # In a session of its own: what is typed at the terminal goes to us alone.
        process = subprocess.Popen(  # noqa: S603
            [*self._command, "--nodaemon"],
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=None if console else subprocess.DEVNULL,
            start_new_session=True,
        )
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: process.terminate())
        if console:
            follow(logs, say, until=lambda: process.poll() is not None)
        return process.wait()

    def stop(self) -> bool:
        """End everything; return whether there was anything to end.

        Raises
        ------
        Unavailable
            If it does not end in time; the message names the log.
        """
        process = self.running()
        if process is None:
            return False
        process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        # Not until the process is gone: a parent that never asks after it keeps its name alive.
        while self.running():
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"{self.title} did not end in {_STOP_SECONDS} seconds; the reason is in "
                    f"{self.log_folder}."
                )
            time.sleep(_PAUSE_SECONDS)
        return True

    def kill(self) -> bool:
        """End everything at once, without a chance to tidy up; return whether there was any."""
        process = self.running()
        if process is None:
            return False
        children = process.children()
        for one in (process, *children):
            one.kill()
        psutil.wait_procs([process, *children], timeout=10)
        return True

    def running(self) -> psutil.Process | None:
        """Return the process of the supervisor if it lives; a stale pid is none."""
        try:
            process = psutil.Process(int(self._pid.read_text()))
            # That of a process that has ended but was not asked after is empty.
            if str(self._configuration) in process.cmdline():
                return process
        except (OSError, ValueError, psutil.Error):
            pass
        return None

    def refuse_second(self) -> None:
        """Raise `Conflict` if it runs."""
        if self.running():
            raise Conflict(f"{self.title} runs already; stop it first.")

    @property
    def _command(self) -> list[str]:
        module = "vantage6.common.cli.supervisord"
        return [sys.executable, "-m", module, "-c", str(self._configuration)]


def _section(program: Program) -> dict[str, str]:
    variables = (f'{key}="{_percent(value)}"' for key, value in program.environment.items())
    group = "true" if program.with_children else "false"
    return {
        "command": " ".join(_escape(part) for part in program.command),
        "environment": ",".join(variables),
        "autorestart": "unexpected" if program.final_codes else "true",
        "exitcodes": ",".join(map(str, program.final_codes or (0,))),
        # An end within this time counts as a failed start, whatever its code.
        "startsecs": "0" if program.final_codes else "1",
        "startretries": "1000000",
        "stopasgroup": group,
        "killasgroup": group,
        "stopwaitsecs": "25",
        "stopsignal": program.stop_signal,
        "redirect_stderr": "true",
        "stdout_logfile": _percent(str(program.log)),
    }


def _escape(part: str) -> str:
    text = _percent(part)
    return f'"{text}"' if set(text) & set(" ();'") else text


def _percent(text: str) -> str:
    return text.replace("%", "%%")
