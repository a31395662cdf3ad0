"""The processes of a server, run and restarted by supervisord."""

import os
import subprocess
import sys
import time
from configparser import RawConfigParser
from io import StringIO
from pathlib import Path

import httpx2
import psutil

from vantage6.broker.embedded import EmbeddedRedis
from vantage6.common.config import Instance
from vantage6.common.config.instance import ENVIRONMENT_VARIABLE, FILE_VARIABLE
from vantage6.common.errors import Conflict, Unavailable
from vantage6.common.private import kept_secret, write_private

#: Longest time until everything answers after a start; a first start on a busy machine is slow.
_START_SECONDS = 120
#: Longest time until everything is gone after a stop.
_STOP_SECONDS = 60
#: beat holds nothing that a kill could harm, and does not always heed a polite request.
_STOP_SIGNALS = {"beat": "KILL"}


def prepare(instance: Instance) -> Path:
    """Write what the processes need, and return the configuration of supervisord."""
    instance.log_folder.mkdir(parents=True, exist_ok=True)
    instance.folder.chmod(0o700)
    programs = {}
    if instance.config.broker is None:
        redis = EmbeddedRedis.configure(instance.folder / "redis")
        write_private(instance.private_broker_file, redis.url)
        programs["redis"] = redis.command
    programs |= _commands(instance)
    return _write_configuration(instance, programs)


def start(instance: Instance, configuration: Path) -> None:
    """Start everything in the background and return once it answers.

    Raises
    ------
    Conflict
        If it runs already.
    Unavailable
        If it does not answer in time; the message names the logs.
    """
    if running(instance):
        raise Conflict(f"Server {instance.name} runs already; `vserver stop` ends it.")
    subprocess.run(_supervisord(configuration), check=True, timeout=30)  # noqa: S603
    deadline = time.monotonic() + _START_SECONDS
    while not answers(instance):
        if time.monotonic() > deadline or running(instance) is None:
            stop(instance)
            raise Unavailable(
                f"Server {instance.name} did not come up in {_START_SECONDS} seconds; "
                f"the reason is in {instance.log_folder}."
            )
        time.sleep(0.1)


def attach(instance: Instance, configuration: Path) -> None:
    """Become the supervisor, in the foreground."""
    if running(instance):
        raise Conflict(f"Server {instance.name} runs already; `vserver stop` ends it.")
    command = [*_supervisord(configuration), "--nodaemon"]
    os.execv(command[0], command)  # noqa: S606


def stop(instance: Instance) -> bool:
    """End everything; return whether there was anything to end.

    Raises
    ------
    Unavailable
        If it does not end in time; the message names the log.
    """
    process = running(instance)
    if process is None:
        return False
    process.terminate()
    deadline = time.monotonic() + _STOP_SECONDS
    # Not until the process is gone: a parent that never asks after it keeps its name alive.
    while running(instance):
        if time.monotonic() > deadline:
            raise Unavailable(
                f"Server {instance.name} did not end in {_STOP_SECONDS} seconds; the reason is in "
                f"{instance.log_folder}."
            )
        time.sleep(0.05)
    return True


def running(instance: Instance) -> psutil.Process | None:
    """Return the supervisor of an instance if it lives; a stale pid is none."""
    try:
        process = psutil.Process(int(_pid_file(instance).read_text()))
        # That of a process that has ended but was not asked after is empty.
        if str(_configuration_file(instance)) in process.cmdline():
            return process
    except (OSError, ValueError, psutil.Error):
        pass
    return None


def answers(instance: Instance) -> bool:
    """Tell whether the API has everything it needs."""
    try:
        return httpx2.get(f"{address(instance)}/ready", timeout=2).status_code == 200
    except httpx2.HTTPError:
        return False


def address(instance: Instance) -> str:
    """Return where the API is, seen from this machine."""
    config = instance.config
    host = "127.0.0.1" if config.ip == "0.0.0.0" else config.ip  # noqa: S104
    return f"http://{host}:{config.port}{config.api_path}"


def flower_password(instance: Instance) -> str:
    """Return the password of Flower's user ``flower``."""
    flower = instance.config.flower
    if flower and flower.password:
        return flower.password.get_secret_value()
    return kept_secret(instance.folder / "flower.key")


def _commands(instance: Instance) -> dict[str, list[str]]:
    python = sys.executable
    celery = [python, "-m", "celery", "-A", "vantage6.workers.run"]
    gunicorn_settings = Path(__file__).parent / "gunicorn.py"
    commands = {
        "api": [
            *(python, "-m", "gunicorn", "-c", str(gunicorn_settings)),
            "vantage6.api.app:from_environment()",
        ],
        "worker": [
            *(*celery, "worker", "--without-mingle", "--without-gossip"),
        ],
        # In memory: the schedule is fixed, and a file would be unpickled.
        "beat": [*celery, "beat", "--scheduler", "celery.beat:Scheduler", "--schedule", os.devnull],
    }
    if instance.config.flower:
        commands["flower"] = [
            *(*celery, "flower", "--address=127.0.0.1"),
            *(f"--port={instance.config.flower.port}", "--max-tasks=10000"),
        ]
    return commands


def _write_configuration(instance: Instance, programs: dict[str, list[str]]) -> Path:
    parser = RawConfigParser()
    logging = instance.config.logging
    sizes = {"logfile_maxbytes": f"{logging.max_size}KB", "logfile_backups": logging.backup_count}
    parser["supervisord"] = {
        "logfile": str(instance.log_folder / "supervisord.log"),
        "pidfile": str(_pid_file(instance)),
        "directory": str(instance.folder),
        "umask": "077",
        **{name: str(value) for name, value in sizes.items()},
    }
    for number, (name, command) in enumerate(programs.items()):
        parser[f"program:{name}"] = {
            "command": " ".join(_escaped(part) for part in command),
            "environment": ",".join(
                f'{key}="{_percent(value)}"' for key, value in _environment(instance, name).items()
            ),
            "priority": str(number),
            "autorestart": "true",
            "startretries": "1000000",
            "startsecs": "1",
            "stopasgroup": "true",
            "killasgroup": "true",
            "stopwaitsecs": "25",
            "stopsignal": _STOP_SIGNALS.get(name, "TERM"),
            "redirect_stderr": "true",
            "stdout_logfile": str(instance.log_folder / f"{name}.log"),
            **{f"stdout_{key}": str(value) for key, value in sizes.items()},
        }
    path, text = _configuration_file(instance), StringIO()
    parser.write(text)
    write_private(path, text.getvalue())
    return path


def _environment(instance: Instance, program: str) -> dict[str, str]:
    variables = {
        FILE_VARIABLE: str(instance.file),
        ENVIRONMENT_VARIABLE: instance.environment or "",
        "PYTHONUNBUFFERED": "1",
    }
    if program == "api":
        # With a heap for each thread, each would keep what its largest body needed.
        variables["MALLOC_ARENA_MAX"] = "1"
    if program == "flower":
        variables["FLOWER_BASIC_AUTH"] = f"flower:{flower_password(instance)}"
    return variables


def _supervisord(configuration: Path) -> list[str]:
    return [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration)]


def _escaped(part: str) -> str:
    text = _percent(part)
    return f'"{text}"' if set(text) & set(" ();'") else text


def _percent(text: str) -> str:
    return text.replace("%", "%%")


def _configuration_file(instance: Instance) -> Path:
    return instance.folder / "supervisord.conf"


def _pid_file(instance: Instance) -> Path:
    return instance.folder / "supervisord.pid"
