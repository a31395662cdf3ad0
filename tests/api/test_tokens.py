"""Tokens: what they say, which are refused and how, and those of nodes and algorithms."""

import uuid
from datetime import timedelta
from typing import Any

import jwt
import pytest

from tests.api.client import Algorithm, Api
from tests.api.conftest import Server
from tests.models.factories import IMAGE, World, finish, make_task, make_user, result_of
from vantage6.common.clock import now
from vantage6.common.identity import NODE_AUTHORIZATION, WRONG_NODE_TOKEN
from vantage6.common.secret_files import hash_secret
from vantage6.models.store import nodes, tasks, users
from vantage6.models.tables import Node, User


def claims(token: str) -> dict[str, Any]:
    """Return what a token says, as clients read it: without checking it."""
    return jwt.decode(token, options={"verify_signature": False})


def forged(server: Server, **changes: Any) -> str:
    """Return a token signed by the server that says something else than usual."""
    said = {
        "sub": 1,
        "client_type": "user",
        "type": "access",
        "iat": now(),
        "exp": now() + timedelta(hours=1),
        "sid": 1,
        "jti": str(uuid.uuid4()),
    } | changes
    said = {name: value for name, value in said.items() if value is not None}
    return jwt.encode(said, server.api.tokens.secret, algorithm="HS256")


# What is refused


def test_a_request_without_token_is_refused(api: Api):
    assert api.get("/task").problem == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("Basic cm9vdDpyb290", (401, "unauthenticated")),
        ("bearer x", (401, "unauthenticated")),
        ("Bearer", (422, "bad_token")),
        ("Bearer ", (422, "bad_token")),
        ("Bearer a b", (422, "bad_token")),
        ("Bearer nonsense", (422, "bad_token")),
        ("Bearer a.b.c", (422, "bad_token")),
        ("Bearer \xe9.\xe9.\xe9", (422, "bad_token")),
    ],
)
def test_a_header_that_is_no_token_is_refused(api: Api, header: str, problem: tuple[int, str]):
    assert api.get("/task", Authorization=header).problem == problem


def test_a_token_signed_by_somebody_else_is_refused(api: Api, root: User):
    key = "somebody else's key, which is long enough"
    token = jwt.encode(claims(api.token(root)), key, algorithm="HS256")
    assert api.get("/task", token).problem == (422, "bad_token")


def test_a_token_without_signature_is_refused(api: Api, root: User):
    token = jwt.encode(claims(api.token(root)), "", algorithm="none")
    assert api.get("/task", token).problem == (422, "bad_token")


@pytest.mark.parametrize("missing", ["exp", "iat", "sub", "jti", "type"])
def test_a_token_must_say_everything(server: Server, root: User, missing: str):
    token = forged(server, **{"sub": root.id, missing: None})
    assert server.api.get("/task", token).problem == (422, "bad_token")


def test_an_expired_token_is_refused(server: Server, root: User):
    token = forged(server, sub=root.id, exp=now() - timedelta(seconds=1))
    assert server.api.get("/task", token).problem == (401, "token_expired")


def test_tokens_are_not_interchangeable(api: Api, root: User):
    access, refresh = api.pair(root)
    assert api.get("/task", refresh).problem == (422, "bad_token")
    assert api.post("/token/refresh", access).problem == (422, "bad_token")


@pytest.mark.parametrize(
    "changes", [{"sub": 999}, {"sub": "1"}, {"client_type": "king"}, {"client_type": "container"}]
)
def test_a_token_of_nobody_is_refused(server: Server, root: User, changes: dict[str, Any]):
    token = forged(server, **{"sub": root.id, **changes})
    shown = beside(server.api, server.world.amsterdam_north)
    assert server.api.get("/task", token, **shown).problem == (401, "identity_gone")


def test_a_token_dies_with_its_user_and_its_node(api: Api, world: World, root: User):
    user_token, node_token = api.token(root), api.token(world.amsterdam_north)
    make_user(world.amsterdam, "Root")
    users.delete(root)
    nodes.delete(world.amsterdam_north)
    assert api.get("/task", user_token).problem == (401, "identity_gone")
    assert api.get("/task", node_token).problem == (401, "identity_gone")


def test_rights_are_those_of_the_moment(api: Api, world: World):
    user = make_user(world.amsterdam, "Viewer")
    token = api.token(user)
    assert api.get("/task", token).status == 200
    user.user_roles.model.delete().execute()
    assert api.get("/task", token).problem == (401, "forbidden")


# Nodes


def test_a_node_logs_in_with_its_key(api: Api, world: World):
    node = world.amsterdam_north
    key = "a-key-that-somebody-chose"
    nodes.update(node, {"api_key": hash_secret(key)})
    answer = api.post("/token/node", body={"api_key": key})
    said = claims(answer.json["access_token"])
    assert (said["sub"], said["client_type"], said["type"]) == (node.id, "node", "access")
    assert (said["fresh"], said["roles"]) == (False, [])
    assert answer.headers["jwt-token"] == answer.json["access_token"]
    assert answer.json["node_url"] == f"/api/node/{node.id}"
    assert answer.json["refresh_url"] == "/api/token/refresh"
    assert api.get(f"/node/{node.id}", answer.json["access_token"]).status == 200
    assert Node.get_by_id(node.id).last_seen is not None


def test_an_unknown_key_is_refused(api: Api, world: World):
    assert api.post("/token/node", body={"api_key": "x"}).problem == (401, "wrong_api_key")
    assert api.post("/token/node", body={}).problem == (400, "invalid")
    # A node without key matches nothing, not even nothing.
    nodes.update(world.amsterdam_north, {"api_key": None})
    assert api.post("/token/node", body={"api_key": ""}).problem == (401, "wrong_api_key")


def test_the_hash_of_a_key_is_no_key(api: Api, world: World):
    body = {"api_key": world.amsterdam_north.api_key}
    assert api.post("/token/node", body=body).problem == (401, "wrong_api_key")


# Refreshing


@pytest.mark.parametrize("kind", ["user", "node"])
def test_a_refresh_gives_new_tokens(api: Api, world: World, root: User, kind: str):
    who = root if kind == "user" else world.amsterdam_north
    _, refresh = api.pair(who)
    answer = api.post("/token/refresh", refresh)
    assert set(answer.json) == {"access_token", "refresh_token", "refresh_url", f"{kind}_url"}
    assert answer.json["refresh_token"] != refresh
    assert "jwt-token" not in answer.headers
    assert api.get("/organization", answer.json["access_token"]).status == 200
    assert api.post("/token/refresh", answer.json["refresh_token"]).status == 200


def test_lives_of_tokens(server: Server, root: User):
    access, refresh = server.api.pair(root)
    for token, hours in ((access, 6), (refresh, 48)):
        said = claims(token)
        assert said["exp"] - int(said["iat"]) == hours * 3600


# Algorithms


@pytest.fixture
def algorithm(world: World) -> Algorithm:
    """Give an algorithm that runs at Amsterdam."""
    return Algorithm(world.amsterdam_north, make_task(world.north, [world.amsterdam]))


def ask(api: Api, node: Node, task: int, image: str = IMAGE) -> Any:
    return api.post("/token/container", node, {"task_id": task, "image": image})


def test_a_container_token_says_what_algorithms_read(api: Api, world: World, algorithm: Algorithm):
    answer = ask(api, algorithm.node, algorithm.task.id)
    assert claims(answer.json["container_token"])["sub"] == {
        "client_type": "container",
        "node_id": algorithm.node.id,
        "organization_id": world.amsterdam.id,
        "collaboration_id": world.north.id,
        "task_id": algorithm.task.id,
        "image": IMAGE,
        "database": "default",
    }
    token = answer.json["container_token"]
    assert api.get("/task", token, **beside(api, algorithm.node)).status == 200


def test_a_container_token_is_for_targets_of_the_task_only(
    api: Api, world: World, algorithm: Algorithm
):
    task = algorithm.task.id
    assert ask(api, algorithm.node, 999).problem == (400, "not_found")
    assert ask(api, algorithm.node, task, f"evil/{IMAGE}").problem == (401, "forbidden")
    assert ask(api, world.berlin_north, task).problem == (401, "forbidden")
    assert ask(api, world.cairo_south, task).problem == (401, "forbidden")
    finish(result_of(algorithm.task, world.amsterdam), algorithm.node)
    assert ask(api, algorithm.node, task).problem == (400, "task_ended")


def test_a_node_does_not_learn_the_image_of_a_foreign_task(api: Api, world: World):
    task = make_task(world.south, [world.cairo])
    right, wrong = (ask(api, world.amsterdam_north, task.id, i) for i in (IMAGE, "guess"))
    assert right.json["msg"] == wrong.json["msg"] == "The task was not sent to this node."


@pytest.mark.parametrize("end", ["finish", "kill", "delete"])
def test_a_container_token_ends_with_its_task(
    api: Api, world: World, algorithm: Algorithm, end: str
):
    assert api.get(f"/task/{algorithm.task.id}", algorithm).status == 200
    if end == "finish":
        finish(result_of(algorithm.task, world.amsterdam), algorithm.node)
    elif end == "kill":
        tasks.kill(algorithm.task.id)
    else:
        tasks.delete(algorithm.task)
    assert api.get("/task", algorithm).problem == (401, "task_ended")


def test_a_container_token_ends_when_its_node_moves_or_goes(
    api: Api, world: World, algorithm: Algorithm
):
    token, shown = api.token(algorithm), beside(api, algorithm.node)
    nodes.update(algorithm.node, {"collaboration": world.south.id})
    assert api.get("/task", token, **shown).problem == (401, "identity_gone")
    nodes.delete(algorithm.node)
    assert api.get("/task", token, **shown).problem == (401, WRONG_NODE_TOKEN)


def beside(api: Api, who: Any) -> dict[str, str]:
    """Return the header in which a node shows its own token."""
    return {NODE_AUTHORIZATION: f"Bearer {api.token(who)}"}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_token_of_an_algorithm_alone_opens_nothing(
    server: Server, api: Api, world: World, algorithm: Algorithm, root: User, method: str
):
    token = api.token(algorithm)
    body = {"collaboration_id": world.north.id, "image": IMAGE}
    body |= {"organizations": [{"id": world.berlin.id, "input": ""}]}
    refused: list[dict[str, str]] = [{}]
    # Another node of the same organization or collaboration, a user, the algorithm itself.
    refused += [beside(api, world.berlin_north), beside(api, world.berlin_south)]
    refused += [beside(api, root), {NODE_AUTHORIZATION: f"Bearer {token}"}]
    refused += [{NODE_AUTHORIZATION: text} for text in ("", "Bearer", "Bearer x", "Basic x")]
    refused += [{NODE_AUTHORIZATION: f"Basic {api.token(algorithm.node)}"}]
    claimed = claims(api.token(algorithm.node))
    for changed in ({"exp": now() - timedelta(seconds=1)}, {"type": "refresh"}):
        refused += [{NODE_AUTHORIZATION: f"Bearer {forged(server, **claimed | changed)}"}]
    for headers in refused:
        answer = api.send(method, "/task", token, body, headers=headers)
        assert answer.problem == (401, WRONG_NODE_TOKEN), headers
    headers = beside(api, algorithm.node)
    assert api.send(method, "/task", token, body, headers=headers).status in (200, 201)


def test_a_container_cannot_refresh(api: Api, algorithm: Algorithm):
    token = api.token(algorithm)
    assert api.post("/token/refresh", token).problem == (422, "bad_token")
