"""A sub-task over a network that fails: created once, and waited for until it is there."""

import os
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from vantage6.client import ContainerClient
from vantage6.common.errors import Unavailable

_ATTEMPTS = 100
#: After this time a creation whose answer was lost has come about, or never will.
_PAUSE_SECONDS = 1.0


def ask(organizations: list[int], answer: Any) -> list[Any]:
    """Return what organizations answer when they are asked for an answer."""
    token = Path(os.environ["TOKEN_FILE"]).read_text()
    host, port, path = (os.environ[name] for name in ("HOST", "PORT", "API_PATH"))
    with closing(ContainerClient(token, host, port, path)) as client:
        assert client.task_id is not None
        for _ in range(_ATTEMPTS):
            try:
                made = client.get_task(client.task_id)["children"]
                task = (
                    made[0] if made else client.create_new_task({"answer": answer}, organizations)
                )
                return client.wait_for_results(task["id"])
            except Unavailable:
                time.sleep(_PAUSE_SECONDS)
        raise TimeoutError("nobody could be asked")
