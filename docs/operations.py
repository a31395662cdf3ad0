"""The page that lists what the HTTP API offers."""

import re
from itertools import groupby
from typing import Any

from vantage6.api.openapi import document
from vantage6.api.routes import ROUTES

_INTRODUCTION = """\
# HTTP API

Every server documents its API by itself, for reading and trying out, without internet: `/apidocs`
(Swagger UI), `/redoc`, and `/openapi.json` for programs. The same document is
{download}`here <../tests/api/openapi.json>`; a test holds it equal to the server's.

All paths stand below `api_path`, which is `/api` by default. A request carries an access token as
`Authorization: Bearer <token>`. The token of an algorithm counts only beside that of its node, in
`X-Node-Authorization: Bearer <token>`.

```console
$ curl -s https://server.example/api/token/user \\
    -H 'Content-Type: application/json' -d '{"username": "researcher", "password": "..."}'
{"access_token": "...", "refresh_token": "...", ...}
```

A refusal is JSON with `msg` for people, `code` for programs, and `request_id`, which finds the
request in the server's log. Lists come in pages: `page`, `per_page`, and `include=metadata` for the
links to the other pages. [The differences from 3.11](compatibility.md) have a page of their own.

A request that creates something, other than a user or a node, may carry an `Idempotency-Key`: a
UUID that is new for each request. A client whose connection breaks sends the same request again
under the same key. The server then repeats its first answer for 24 hours, with the header
`Idempotency-Replayed: ?1`, and creates nothing. The same key with another body is refused with 422,
`key_reused`. Our clients do this by themselves. Nodes send no key with the sub-tasks of their
algorithms: one that is sent again after a lost answer is a second sub-task."""


def page() -> str:
    """Return the list of all operations."""
    paths = document(ROUTES, "/api")["paths"]
    rows = [(path, verb, paths[path][verb]) for path in paths for verb in paths[path]]
    lines = [_INTRODUCTION]
    for tag, operations in groupby(sorted(rows, key=_place), key=lambda row: row[2]["tags"][0]):
        lines += ["", f"## {tag}", "", "| | path | effect | callers |", "|---|---|---|---|"]
        lines += [_row(path, verb, operation) for path, verb, operation in operations]
    return "\n".join(lines) + "\n"


def _place(row: tuple[str, str, dict[str, Any]]) -> tuple[str, str]:
    return row[2]["tags"][0], row[0]


def _row(path: str, verb: str, operation: dict[str, Any]) -> str:
    (callers,) = re.findall(r"For: ([^\n]*)", operation["description"])
    summary = operation["summary"].replace("|", "\\|")
    return f"| {verb.upper()} | `{path}` | {summary} | {callers.rstrip('.')} |"
