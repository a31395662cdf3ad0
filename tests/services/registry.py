"""A private image registry: Debian's, on loopback, with a password."""

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.services import needs
from vantage6.sandbox.ports import free_port

USER, PASSWORD = "station", "registry-password"
#: The password, hashed by bcrypt.
_HASH = "$2b$04$Sggt9R/prS84GVN61IyMP.Izvvud.H8FJN5oBREa8ugFACAX7fL06"
_START_SECONDS = 20
_PASSWORD_WANTED = 401


@contextmanager
def registry(folder: Path) -> Iterator[str]:
    """Give host and port of a registry that keeps its images in a folder."""
    program = needs("docker-registry")
    address = f"127.0.0.1:{free_port()}"
    passwords, configuration = folder / "htpasswd", folder / "registry.yml"
    passwords.write_text(f"{USER}:{_HASH}\n")
    configuration.write_text(
        yaml.safe_dump(
            {
                "version": 0.1,
                "storage": {"filesystem": {"rootdirectory": str(folder / "images")}},
                "http": {"addr": address},
                "auth": {"htpasswd": {"realm": "registry", "path": str(passwords)}},
            }
        )
    )
    with (folder / "registry.log").open("w") as log:
        server = subprocess.Popen([program, "serve", configuration], stdout=log, stderr=log)
        try:
            _wait(address)
            yield address
        finally:
            server.terminate()
            server.wait(30)


def _wait(address: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"http://{address}/v2/", timeout=5).close()
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != _PASSWORD_WANTED:
                raise
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)
