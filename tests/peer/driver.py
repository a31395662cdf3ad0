"""Runs in the environment of the published client, and does what the tests say on its input.

It never sees this checkout: it is started with ``python -I``. Each line of the input is one thing
to do and each line of the output what came of it, as JSON.
"""

import base64
import io
import json
import os
import sys
import traceback

# The client writes to standard output, which is ours: it gets another one, which can be shown.
lines = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
printed = sys.stdout = io.StringIO()

import requests  # noqa: E402

import vantage6.client  # noqa: E402
from vantage6.client import ContainerClient, UserClient  # noqa: E402
from vantage6.client.algorithm_client import AlgorithmClient  # noqa: E402

KINDS = {
    "UserClient": UserClient,
    "ContainerClient": ContainerClient,
    "AlgorithmClient": AlgorithmClient,
}


#: What the proxy of a node adds to the requests of an algorithm, where a test stands for it.
ADDED = json.loads(os.environ.get("PEER_HEADERS", "{}"))

#: Method, path and status of the requests since the last call.
exchanged = []


def observed(send):
    """Return the function that sends requests, which now also writes them down."""

    def send_and_note(session, request, **settings):
        request.headers.update(ADDED)
        response = send(session, request, **settings)
        exchanged.append([request.method, request.path_url, response.status_code])
        return response

    return send_and_note


def plain(value):
    """Return a value as JSON can say it; what JSON has no word for is marked."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, tuple):
        return {"$tuple": [plain(one) for one in value]}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if hasattr(value, "item"):  # a number of NumPy, as algorithms return them
        return plain(value.item())
    return {"$object": type(value).__name__}


def found(client, path):
    """Return what a dotted path leads to."""
    for name in path.split("."):
        client = getattr(client, name)
    return client


def do(client, told):
    """Call, read or write a member of the client."""
    if "call" in told:
        return found(client, told["call"])(*told["args"], **told["kwargs"])
    if "read" in told:
        return found(client, told["read"])
    setattr(client, told["write"], told["value"])
    return None


def say(answer):
    """Answer the tests."""
    answer = {**answer, "printed": printed.getvalue(), "exchanged": exchanged}
    lines.write(json.dumps(answer) + "\n")
    exchanged.clear()
    printed.seek(0)
    printed.truncate()


def main():
    """Make the client that the arguments ask for, and serve until the input ends."""
    kind, given = sys.argv[1], json.loads(sys.argv[2])
    requests.Session.send = observed(requests.Session.send)
    client = KINDS[kind](*given["args"], **given["kwargs"])
    say({"returned": vantage6.client.__file__})
    for line in sys.stdin:
        try:
            answer = {"returned": plain(do(client, json.loads(line)))}
        except Exception as error:
            traceback.print_exc()
            answer = {"raised": type(error).__name__, "message": str(error)}
        say(answer)


main()
