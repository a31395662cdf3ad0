"""What a server consists of: its processes, and how to tell that they answer."""

import os
import socket
import sys
from pathlib import Path

import httpx2

from vantage6.api import http
from vantage6.api.identity.scrape_token import scrape_token
from vantage6.broker.embedded import EmbeddedRedis, find_executable
from vantage6.common import addresses
from vantage6.common.cli import console
from vantage6.common.cli.supervision import Program, Supervisor
from vantage6.common.config import Instance
from vantage6.common.errors import ConfigurationError
from vantage6.common.logs import JSON_VARIABLE
from vantage6.common.secret_files import ensure_secret, write_private

#: The port of Flower where none is configured, and the file with another one if it was taken.
_FLOWER_PORT, _FLOWER_PORT_FILE = 5555, "flower.port"
#: Longest time until everything answers after a start; a first start on a busy machine is slow.
_START_SECONDS = 120
#: Nobody waits for these, so they leave the processors to the others, most of all at a start.
_PATIENT = ("beat", "flower")
#: beat holds nothing that a kill could harm, and does not always heed a polite request.
_STOP_SIGNALS = {"beat": "KILL"}
#: What gunicorn reads as its configuration.
GUNICORN_SETTINGS = Path(http.__file__).with_name("gunicorn_settings.py")


def supervisor(instance: Instance) -> Supervisor:
    """Return the supervisor of a server, running or not."""
    return Supervisor(f"Server {instance.name}", instance.folder, instance.log_folder)


def prepare(instance: Instance) -> Supervisor:
    """Write what the processes need, and return their supervisor.

    Raises
    ------
    Conflict
        If the server runs already.
    ConfigurationError
        If a port is taken by another program.
    """
    supervised = supervisor(instance)
    supervised.refuse_second()
    for setting in ports(instance):
        refuse_taken(instance, setting)
    instance.prepare()
    instance.folder.chmod(0o700)
    _choose_flower_port(instance)
    instance.note_start()
    commands = {}
    if instance.config.broker is None:
        executable = find_executable()
        if not executable.is_maintained:
            console.warning(executable.advice)
        redis = EmbeddedRedis.configure(instance.folder / "redis", executable=executable.path)
        write_private(instance.private_broker_file, redis.url)
        commands["redis"] = redis.command
    # Prometheus is told of it before it is asked for.
    scrape_token(instance)
    commands |= _commands(instance)
    files = log_files(instance)
    programs = {
        name: Program(
            command=["nice", *command] if name in _PATIENT else command,
            log=files[name],
            environment=_environment(instance, name),
            stop_signal=_STOP_SIGNALS.get(name, "TERM"),
        )
        for name, command in commands.items()
    }
    supervised.write(programs, instance.config.logging)
    return supervised


def program(instance: Instance, name: str) -> tuple[list[str], dict[str, str]]:
    """Return the command of one process, and the variables that it needs.

    Raises
    ------
    ConfigurationError
        If there is no such process in this server, or it needs a configured broker.
    """
    commands = _commands(instance)
    if name not in commands:
        raise ConfigurationError(f"{name}: null in {instance.file}, so there is none.")
    if instance.config.broker is None:
        raise ConfigurationError(
            "broker: the private Redis belongs to `vserver start`; configure one."
        )
    return commands[name], _environment(instance, name)


def start(instance: Instance, supervised: Supervisor) -> None:
    """Start everything in the background and return once it answers.

    Raises
    ------
    Unavailable
        If it does not answer in time; the message names the logs.
    """
    supervised.start(lambda: answers(instance), _START_SECONDS)


def log_files(instance: Instance) -> dict[str, Path]:
    """Return the log file of each process: of the API the configured one, of others beside it."""
    file = Path(instance.config.logging.file or f"{instance.name}.log")
    names = ["api", "worker", "beat"]
    if instance.config.broker is None:
        names.append("redis")
    if instance.config.flower:
        names.append("flower")
    return {
        name: instance.log_folder
        / (file if name == "api" else file.with_stem(f"{file.stem}-{name}"))
        for name in names
    }


def answers(instance: Instance) -> bool:
    """Tell whether the API has everything it needs."""
    try:
        return httpx2.get(f"{address(instance)}/ready", timeout=2).status_code == 200
    except httpx2.HTTPError:
        return False


def address(instance: Instance) -> str:
    """Return where the API is, seen from this machine."""
    config = instance.config
    where = addresses.with_port(addresses.near(config.ip), config.port)
    return f"http://{where}{config.api_path}"


def flower_password(instance: Instance) -> str:
    """Return the password of Flower's user ``flower``."""
    flower = instance.config.flower
    if flower and flower.password:
        return flower.password.get_secret_value()
    return ensure_secret(instance.folder / "flower.key")


def flower_port(instance: Instance) -> int:
    """Return the port of Flower: the configured one, the one that was free, or the usual one."""
    flower = instance.config.flower
    if flower and flower.port:
        return flower.port
    try:
        return int((instance.folder / _FLOWER_PORT_FILE).read_text())
    except (OSError, ValueError):
        return _FLOWER_PORT


def flower_address(instance: Instance) -> str | None:
    """Return where Flower is, seen from this machine; None if there is none."""
    flower = instance.config.flower
    if flower is None:
        return None
    return f"http://{addresses.with_port(addresses.near(flower.ip), flower_port(instance))}"


def ports(instance: Instance) -> dict[str, tuple[str, int]]:
    """Return where a start has to be able to listen, by the setting that says so."""
    config = instance.config
    found = {"port": (config.ip, config.port)}
    if config.flower and config.flower.port:
        found["flower.port"] = (config.flower.ip, config.flower.port)
    return found


def refuse_taken(instance: Instance, setting: str) -> None:
    """Return if the port of a setting is free.

    Raises
    ------
    ConfigurationError
        If it is not.
    """
    host, port = ports(instance)[setting]
    if reason := _why_taken(host, port):
        ip = setting.replace("port", "ip")
        raise ConfigurationError(
            f"{setting}: {addresses.with_port(host, port)} cannot be used ({reason}); set another "
            f"`{ip}` or `{setting}` in {instance.file}."
        )


def _why_taken(host: str, port: int) -> str | None:
    """Return why nothing can listen on a port, if so."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # What a server that has just ended leaves behind does not take a port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or str(error)
    return None


def _choose_flower_port(instance: Instance) -> None:
    """Find a port for Flower where none is configured: each server of a machine needs its own."""
    flower = instance.config.flower
    if flower is None or flower.port:
        return
    port = flower_port(instance)
    if _why_taken(flower.ip, port):
        family = socket.AF_INET6 if ":" in flower.ip else socket.AF_INET
        with socket.socket(family) as probe:
            probe.bind((flower.ip, 0))
            port = probe.getsockname()[1]
    write_private(instance.folder / _FLOWER_PORT_FILE, str(port))


def _commands(instance: Instance) -> dict[str, list[str]]:
    python = sys.executable
    celery = [python, "-m", "celery", "-A", "vantage6.workers.run"]
    commands = {
        "api": [
            *(python, "-m", "gunicorn", "-c", str(GUNICORN_SETTINGS)),
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
            *(python, "-m", "vantage6.workers.flower"),
            *(f"--address={instance.config.flower.ip}",),
            *(f"--port={flower_port(instance)}", "--max-tasks=10000", "--read-only"),
        ]
    return commands


def _environment(instance: Instance, program: str) -> dict[str, str]:
    variables = {**instance.variables, "PYTHONUNBUFFERED": "1", JSON_VARIABLE: "1"}
    if program == "api":
        # With a heap for each thread, each would keep what its largest body needed.
        variables["MALLOC_ARENA_MAX"] = "1"
    if program == "flower":
        variables["FLOWER_BASIC_AUTH"] = f"flower:{flower_password(instance)}"
    return variables
