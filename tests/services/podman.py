"""Podman's API socket, which speaks Docker's language."""

import os
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.services import missing, needs
from tests.services.process import Process

_CONFIGURATION = """
[containers]
default_ulimits = ["nofile=1024:1024"]
[network]
network_backend = "netavark"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
#: Of the machine, as ordinary users may have no access to that of the tests.
_PYTHON = "/usr/bin/python3"
#: Podman raises a limit that nobody asked for, which the root of a sandbox may not.
_RUNTIME = """#!{python}
import json, os, pathlib, sys
for flag in {{"--bundle", "-b"}} & set(sys.argv):
    file = pathlib.Path(sys.argv[sys.argv.index(flag) + 1], "config.json")
    config = json.loads(file.read_text())
    limits = config["process"].get("rlimits", [])
    config["process"]["rlimits"] = [one for one in limits if one["type"] != "RLIMIT_NPROC"]
    file.write_text(json.dumps(config))
os.execv({runc!r}, sys.argv)
"""


def prepared(folder: Path) -> tuple[str, dict[str, str], list[str]]:
    """Return program, variables and options of a Podman that keeps everything in a folder."""
    program, runc = needs("podman"), needs("runc")
    configuration, runtime = folder / "containers.conf", folder / "runc"
    configuration.write_text(_CONFIGURATION)
    runtime.write_text(_RUNTIME.format(python=_PYTHON, runc=runc))
    runtime.chmod(0o755)
    options = [f"--root={folder}/images", f"--runroot={folder}/run", f"--runtime={runtime}"]
    return program, {"CONTAINERS_CONF": str(configuration)}, options


@contextmanager
def engine() -> Iterator[str]:
    """Give the address of a Podman of its own, with images and containers in a new folder."""
    if os.getuid() != 0:
        missing("root, for Podman with limits")
    # Podman takes no path of more than 50 characters, and pytest's are longer.
    with TemporaryDirectory(prefix="v6-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        program, variables, options = prepared(folder)
        environment = os.environ | variables
        address = f"unix://{folder}/podman.sock"
        command = [program, *options, "system", "service", "--time=0", address]
        try:
            with service(command, folder / "podman.log", folder / "podman.sock", environment):
                yield address
        finally:
            reset = [program, *options, "system", "reset", "--force"]
            subprocess.run(reset, env=environment, check=False, timeout=120)
            # Podman mounts the folder on itself, and leaves it so.
            mounted = ["umount", "--lazy", str(folder / "images/overlay")]
            subprocess.run(mounted, check=False, timeout=60, capture_output=True)


@contextmanager
def service(
    command: Sequence[str],
    log: Path,
    path: Path,
    environment: Mapping[str, str],
    seconds: float = 20,
) -> Iterator[None]:
    """Run an engine until the block ends; one that does not come up fails with its last words.

    Parameters
    ----------
    command
        Program and arguments.
    log
        File of what it writes; it runs in that folder, where its monitors of containers write.
    path
        Unix socket on which it will listen.
    environment
        All its variables.
    seconds
        How long it may take.
    """
    process = Process(command, log, environment=environment)
    try:
        process.wait_until(lambda: _listens(path), seconds=seconds)
        yield
    finally:
        process.stop(seconds=60)


def _listens(path: Path) -> bool:
    """Tell whether somebody listens on a Unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0
