"""The listener of an algorithm, as it uses it."""

import base64
import json
import urllib.error
import urllib.request
from typing import Any

from vantage6.node.proxy.tokens import Tokens

TOKEN = "own-token"
SERVER_TOKEN = "server-token"
TOKENS = Tokens(SERVER_TOKEN, TOKEN)
OWN_TASK = 3
NODE = 7


class Listener:
    """The listener as an algorithm uses it."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(
        self, method: str, path: str, body: Any = None, token: str | None = TOKEN
    ) -> tuple[int, Any]:
        """Return status and JSON of an answer."""
        return self.send(method, path, None if body is None else json.dumps(body).encode(), token)

    def send(
        self, method: str, path: str, raw: bytes | None, token: str | None = TOKEN
    ) -> tuple[int, Any]:
        """Send bytes, and return status and JSON of the answer."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            data=raw,
            headers={"Content-Type": "application/json"}
            | ({"Authorization": f"Bearer {token}"} if token else {}),
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                assert answer.headers["Content-Type"].startswith("application/json")
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raw = error.read()
                return error.code, json.loads(raw) if raw.startswith(b"{") else raw.decode()


def base64_of(data: bytes) -> str:
    """Return what travels for bytes."""
    return base64.b64encode(data).decode()
