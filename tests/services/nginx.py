"""nginx with the configuration of the deployment, on loopback."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services import needs
from tests.services.certificate import write_certificate
from tests.services.process import Process
from vantage6.sandbox.ports import free_port

CONFIGURATION = Path(__file__).parents[2] / "compose" / "nginx.conf"


@contextmanager
def nginx(folder: Path, api_port: int) -> Iterator[tuple[int, Path]]:
    """Run it before an API; give the port of HTTPS and the certificate."""
    port = free_port()
    write_certificate(folder)
    text = CONFIGURATION.read_text()
    # Only what names things of the deployment's own network.
    for pattern, ours in (
        (r"resolver .*;", ""),
        (r"set \$api api;", "set $api 127.0.0.1;"),
        (r"\$api:5000", f"$api:{api_port}"),
        (r"listen 8443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        (r"/tmp/", f"{folder}/"),
        (r"/run/tls/", f"{folder}/"),
    ):
        text, count = re.subn(pattern, ours, text)
        assert count, pattern
    file = folder / "nginx.conf"
    file.write_text(text)
    # As root it would give its work to a user that does not see the folder.
    user = "user root;" if os.geteuid() == 0 else ""
    command = [needs("nginx"), "-e", "stderr", "-c", str(file), "-g", f"daemon off; {user}"]
    process = Process(command, folder / "nginx.log")
    try:
        process.wait_until(lambda: (folder / "nginx.pid").exists())
        yield port, folder / "certificate.pem"
    finally:
        process.stop()
