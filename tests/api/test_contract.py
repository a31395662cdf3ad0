"""Whatever the documentation permits is answered as it promises, whoever asks.

schemathesis makes the requests from the document itself, valid ones and broken ones. Half of the
ids are those of rows that exist, so that requests get further than to a 404.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, checks
from schemathesis.specs.openapi import checks as openapi_checks

from tests.api.client import Algorithm, Who
from tests.api.conftest import Server
from tests.campaign import EFFORT, effort
from tests.models.factories import make_task, make_user
from vantage6.api.openapi import document
from vantage6.api.routes import ROUTES
from vantage6.models.rules import DEFAULT_ROLES

pytestmark = [pytest.mark.slow, pytest.mark.campaign]

SCHEMA = schemathesis.openapi.from_dict(document(ROUTES, "/api"))
OPERATIONS = {found.ok().label: found.ok() for found in SCHEMA.get_all_operations()}
ROLES = [name for name, _, _ in DEFAULT_ROLES if name not in ("node", "container")]
CALLERS = ["nobody", *ROLES, "node", "algorithm"]
#: Requests for each operation and caller.
EXAMPLES = effort(5)
#: What depends on parts that these tests do not start answers 5xx, as documented.
ELSEWHERE = {"GET /ready", "GET /vpn", "POST /vpn/update"}
PROMISES = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
]
KNOWN_IDS = st.integers(1, 5)


@pytest.fixture
def broker_url(redis_url: str) -> str:
    """Give a real broker."""
    return redis_url


@pytest.fixture
def callers(server: Server) -> dict[str, Who]:
    """Give one of everybody; all of Amsterdam."""
    world = server.world
    task = make_task(world.north, [world.amsterdam, world.berlin])
    make_task(world.south, [world.berlin, world.cairo])
    return {
        "nobody": None,
        **{role: make_user(world.amsterdam, role) for role in ROLES},
        "node": world.amsterdam_north,
        "algorithm": Algorithm(world.amsterdam_north, task),
    }


@pytest.fixture
def headers(server: Server, callers: dict[str, Who]) -> dict[str, dict[str, str]]:
    """Give what each caller sends."""
    return {
        name: {"Authorization": f"Bearer {server.api.token(who)}"} if who else {}
        for name, who in callers.items()
    }


@pytest.fixture
def app(server: Server) -> Iterator[Any]:
    """Give the server's application, in a thread of its own as under gunicorn."""
    # Nobody publishes here: as at the end of a server, no request waits for a message.
    server.service.wakeups.serve_while(lambda: False)
    with ThreadPoolExecutor(1) as thread:
        yield lambda *call: thread.submit(server.api.app, *call).result(60)


def requests(operation: Any) -> st.SearchStrategy[Case]:
    """Return requests to an operation, valid ones and broken ones."""
    kinds = [operation.as_strategy(generation_mode=GenerationMode.POSITIVE)]
    if operation.body or operation.query or operation.path_parameters:
        kinds.append(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    return st.one_of(kinds)


def with_known_ids(value: Any, draw: Any) -> Any:
    """Return a part of a request in which some ids are those of rows that exist."""
    if isinstance(value, list):
        return [with_known_ids(item, draw) for item in value]
    if not isinstance(value, dict):
        return value
    changed = {}
    for key, item in value.items():
        if key == "id" or key.endswith("_id"):
            item = draw(st.just(item) | KNOWN_IDS)
        elif key.endswith("_ids") or key in ("roles", "rules"):
            item = draw(st.just(item) | st.lists(KNOWN_IDS, min_size=1, max_size=3))
        changed[key] = with_known_ids(item, draw)
    return changed


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_answer_is_as_documented(
    app: Any,
    headers: dict[str, dict[str, str]],
    operation: str,
    caller: str,
    light_passwords: None,
):
    promises = PROMISES[1:] if operation in ELSEWHERE else PROMISES

    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=EFFORT == 1,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(requests(OPERATIONS[operation]), st.data())
    def ask(case: Case, data: st.DataObject) -> None:
        case.path_parameters = with_known_ids(case.path_parameters, data.draw)
        case.query = with_known_ids(case.query, data.draw)
        case.body = with_known_ids(case.body, data.draw)
        case.headers.pop("Authorization", None)
        answer = case.call(app=app, headers=headers[caller])
        case.validate_response(answer, checks=promises)

    ask()
