"""Whatever is sent, the answer is JSON with a reason, and never a failure of the server."""

import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tests.api.client import Answer, Api, documented
from tests.campaign import effort
from tests.models.cards import shelve
from tests.models.factories import World, make_task, result_of
from vantage6.api.openapi import document
from vantage6.api.routes import ROUTES
from vantage6.models import database
from vantage6.models.tables import User

OPERATIONS = [
    (verb.upper(), path, operation)
    for path, verbs in document(ROUTES, "/api")["paths"].items()
    for verb, operation in verbs.items()
]
WITH_BODY = [
    (verb, path)
    for verb, path, operation in OPERATIONS
    # Without a VPN it does not matter what is sent; test_vpn.py sends it with one.
    if "requestBody" in operation and path != "/vpn/update"
]
LISTS = [
    (path, [parameter["name"] for parameter in operation["parameters"]])
    for _, path, operation in OPERATIONS
    if any(parameter["in"] == "query" for parameter in operation["parameters"])
]

#: What is no JSON, or JSON of another kind.
BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"7",
    b'"text"',
    b"\xff\xfe",
    b'{"id": "\\ud800"}',
    b'{"id": 1e999}',
    b'{"id": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    b'{"id": ' + b"9" * 5000 + b"}",
]
#: What might be written into a query.
VALUES = [
    "",
    "0",
    "9" * 30,
    "x",
    "%00",
    "%FF",
    "%25",
    "%5C",
    '";--',
    "%F0%9F%98%80",
]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def uri(request: pytest.FixtureRequest, tmp_path) -> Any:
    """Run with both databases: each has values of its own that it cannot store or compare."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'server.sqlite'}"
    else:
        with request.getfixturevalue("postgres").database() as uri:
            yield uri


def callers(world: World, root: User, method: str, path: str) -> Any:
    """Return somebody who may call a route."""
    kinds = documented(method, path)[0].callers
    return None if not kinds else root if "user" in kinds else world.amsterdam_north


def test_malformed_bodies_are_refused(api: Api, world: World, root: User):
    result = result_of(make_task(world.north, [world.amsterdam]), world.amsterdam)
    assert shelve(world.north).id == result.id
    for method, template in WITH_BODY:
        path = template.replace("{id}", str(result.id))
        who = callers(world, root, method, path)
        for raw in BODIES:
            answer = api.send(
                method, path, who, raw=raw, headers={"Content-Type": "application/json"}
            )
            # An object in which all fields may be absent is a good one.
            assert answer.status == 400 or raw.startswith(b'{"id"'), (method, path, raw[:20])
            assert answer.status < 500


def test_every_query_is_answered(api: Api, world: World, root: User):
    task = make_task(world.north, [world.amsterdam])
    for template, names in LISTS:
        path = template.replace("{id}", str(task.id))
        for name in names:
            if name == "id":
                continue
            for value in VALUES:
                answer = api.get(path, root, query=f"{name}={value}")
                if path == "/change" and answer.status == 503:
                    # A good query waits for the broker, which is away here.
                    assert answer.problem == (503, "unavailable")
                    continue
                assert answer.status < 500, (path, name, value)
            twice = api.get(path, root, query=f"{name}=1&{name}=2&x")
            assert twice.status < 500 or path == "/change", (path, name)


def test_ids_beyond_all_databases_are_not_found(api: Api, world: World, root: User):
    for verb, template, _ in OPERATIONS:
        # The inbox of a node is for the node alone, whether it exists or not.
        if "{id}" not in template or verb != "GET" or template == "/node/{id}/inbox":
            continue
        for number in ("0", "999999", str(2**31), str(2**63), "9" * 40):
            path = template.replace("{id}", number)
            answer = api.send(verb, path, root)
            assert answer.status == 404, path
        for word in ("-1", "x", "1.0", "0x1", "%31x", "1/"):
            assert api.send(verb, template.replace("{id}", word), root).status == 404


@pytest.mark.parametrize(
    "path", ["/nothing", "/user/", "/task/1/nothing", "/api/api", "//", "/%00"]
)
def test_unknown_routes_answer_json(api: Api, path: str):
    answer = api.get(path)
    assert answer.problem == (404, "http_404")


def test_a_wrong_verb_says_which_are_right(api: Api):
    answer = api.send("PUT", "/task", body={})
    assert answer.problem == (405, "http_405")
    assert {"GET", "POST"} <= set(answer.headers["allow"].split(", "))
    options = api.send("OPTIONS", "/nothing")
    assert options.status == 404


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "json"])
def test_another_content_type_is_refused(api: Api, kind: str | None):
    headers = {"Content-Type": kind} if kind else {}
    answer = api.send("POST", "/token/user", raw=b'{"username": "x"}', headers=headers)
    assert answer.problem == (415, "http_415")


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "Application/JSON"]
)
def test_json_may_say_its_charset(api: Api, kind: str):
    sent = b'{"username": "x", "password": "y"}'
    answer = api.send("POST", "/token/user", raw=sent, headers={"Content-Type": kind})
    assert answer.problem == (401, "wrong_password")


def test_a_body_may_be_as_large_as_configured(api: Api, world: World, researcher: User):
    targets = [{"id": world.amsterdam.id, "input": "x" * 2**20}]
    body = {"collaboration_id": world.north.id, "organizations": targets, "image": "i"}
    answer = api.post("/task", researcher, body)
    assert answer.problem == (413, "http_413")
    assert "1048576 bytes" in answer.json["msg"]
    targets[0]["input"] = "x" * (2**20 - len(json.dumps(body)) + 2**20)
    assert len(json.dumps(body)) == 2**20
    assert api.post("/task", researcher, body).status == 201


def test_who_has_not_logged_in_sends_little(api: Api):
    body = {"username": "ada", "password": "p" * 2**16}
    assert api.post("/token/user", None, body).problem == (413, "http_413")


def test_a_refusal_never_repeats_what_was_sent(api: Api, root: User):
    body = {"username": 7, "password": ["my-secret-password"], "email": {"x": "my-secret-mail"}}
    answer = api.post("/user", root, body)
    assert answer.problem == (400, "invalid")
    assert "my-secret" not in answer.text


def test_several_mistakes_are_named_at_once(api: Api, root: User):
    message = api.post("/user", root, {"username": "x"}).json["msg"]
    assert all(name in message for name in ("firstname", "lastname", "password", "email"))


@pytest.mark.parametrize("given", ["abc-123.X_y", "a" * 64])
def test_a_harmless_request_id_is_taken_over(api: Api, given: str):
    answer = api.get("/nothing", **{"X-Request-ID": given})
    assert answer.headers["x-request-id"] == answer.json["request_id"] == given


@pytest.mark.parametrize("given", ["", "a" * 65, "a b", "<script>", "a\tb"])
def test_another_request_id_is_replaced(api: Api, given: str):
    answer = api.get("/nothing", **{"X-Request-ID": given})
    assert answer.headers["x-request-id"] != given
    assert len(answer.json["request_id"]) == 32


def test_a_failure_of_the_server_is_json_too(api: Api, world: World, root: User):
    result = result_of(make_task(world.north, [world.amsterdam]), world.amsterdam)
    database.db.execute_sql("UPDATE result SET status = 'splendid'")
    with capture_logs() as events:
        answer = api.get(f"/result/{result.id}", root)
    assert answer.problem == (500, "server_error")
    assert "splendid" not in answer.text
    about_requests = [event["event"] for event in events if event["event"].startswith("request ")]
    assert about_requests == ["request failed", "request answered"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(("method", "template"), WITH_BODY)
@settings(
    max_examples=effort(15),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_no_object_fails_the_server(
    api: Api, world: World, root: User, method: str, template: str, data: st.DataObject
):
    path = template.replace("{id}", str(world.amsterdam.id))
    fields = list(documented(method, path)[0].body.model_fields)
    body = data.draw(st.dictionaries(st.sampled_from(fields), _JSON))
    assert api.send(method, path, callers(world, root, method, path), body).status < 500


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[" * 40_000, "invalid"),
        (b'{"name": ' * 8_000, "invalid"),
        (b'{"collaboration_id": ' + b"1" * 900_000 + b"}", "invalid"),
        (b'{"collaboration_id": 1e' + b"9" * 900_000 + b"}", "invalid"),
        (b'{"x": [' + b"[]," * 60_000 + b"[]]}", "too_many_values"),
        (b'{"x": [' + b"0," * 60_000 + b"0]}", "too_many_values"),
        (b"{" + b'"x": 0,' * 60_000 + b'"x": 0}', "too_many_values"),
        (b'{"x": "' + b'\\"[,' * 200_000 + b'"}', "invalid"),
        (b'{"x": "' + b"\\\\" * 400_000, "invalid"),
        (b'{"x": "' + b'\\"' * 30_000, "invalid"),
        (b'{"x": "' + b'\\"' * 30_000 + b"\\", "invalid"),
    ],
    ids=[
        *("lists", "objects", "digits", "exponent", "many lists", "many numbers", "many keys"),
        *("marks in a text", "a text without end", "quotation marks in it", "half a mark"),
    ],
)
def test_a_body_that_costs_more_than_it_seems_is_refused_at_once(
    api: Api, researcher: User, body: bytes, code: str
):
    def cost(sent: bytes) -> tuple[Answer, float]:
        headers = {"Content-Type": "application/json"}
        started = time.process_time()
        answer = api.send("POST", "/task", researcher, raw=sent, headers=headers)
        return answer, time.process_time() - started

    # Of the processor's time, so that other work of the machine does not count.
    harmless = max(cost(b'{"x": "' + b"x" * len(body) + b'"}')[1] for _ in range(3))
    answer, taken = cost(body)
    assert answer.problem == (400, code)
    assert taken < 50 * harmless, (taken, harmless)
