"""What Flower shows of a federation."""

import json
import urllib.request
from base64 import b64encode
from typing import Any

from tests.waiting import eventually
from vantage6.sandbox.federation import Federation


def flower(federation: Federation, path: str) -> Any:
    """Return what Flower answers to its user."""
    login = b64encode(f"flower:{federation.flower_password}".encode()).decode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{federation.flower_port}{path}",
        headers={"Authorization": f"Basic {login}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def wait_until_watched(federation: Federation) -> None:
    """Wait until Flower hears the worker; what happened before, nobody tells it."""
    eventually(lambda: flower(federation, "/api/workers?status=true"), 60)
