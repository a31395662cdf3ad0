"""A login is a session: it is listed, it ends, and then none of its tokens opens anything."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest

from tests.api.client import Algorithm, Answer, Api, logged_in
from tests.api.conftest import Server, configured
from tests.models.factories import World, again, counted, make_task, make_user, side_by_side
from vantage6.api.app import create_app
from vantage6.api.identity import passwords
from vantage6.api.identity.tokens import Tokens
from vantage6.common.clock import now
from vantage6.common.errors import Unauthenticated
from vantage6.common.identity import NODE_AUTHORIZATION, WRONG_NODE_TOKEN
from vantage6.models import database
from vantage6.models.store import recovery, second_factors, sessions, users
from vantage6.models.store.recovery import Purpose
from vantage6.models.tables import Node, Session, User

PASSWORD, NEW = "Right-horse-1", "New-password-1"


@pytest.fixture
def uri(database_uri: str) -> str:
    """Run with both databases: that a token is replaced once depends on them."""
    return database_uri


@pytest.fixture
def ada(world: World, light_passwords: None) -> User:
    """Give a user who can log in."""
    return make_user(world.amsterdam, username="ada", password=passwords.hash_password(PASSWORD))


def log_in(api: Api, password: str = PASSWORD, username: str = "ada") -> dict[str, Any]:
    answer = api.post("/token/user", body={"username": username, "password": password})
    assert answer.status == 200, answer.text
    return answer.json


def refresh(api: Api, token: str) -> Answer:
    return api.post("/token/refresh", token)


def later(seconds: float) -> None:
    """Let time pass for all sessions."""
    for row in Session.select():
        row.renewed_at -= timedelta(seconds=seconds)
        row.began_at -= timedelta(seconds=seconds)
        row.save()


def works(api: Api, tokens: dict[str, Any], user: User) -> bool:
    return api.get(f"/user/{user.id}", tokens["access_token"]).status == 200


def said(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


# Listed and ended


def test_a_login_is_listed_with_where_it_came_from(api: Api, ada: User):
    api.headers["User-Agent"] = "a client" * 40
    first, second = log_in(api), log_in(api)
    newer, older = api.get("/session", second["access_token"]).json
    assert newer["id"] == said(second["access_token"])["sid"]
    assert older["id"] == said(first["access_token"])["sid"]
    assert (newer["is_current"], older["is_current"]) == (True, False)
    assert newer["address"] == "127.0.0.1"
    assert newer["agent"] == ("a client" * 40)[:200]
    assert newer["user_id"] == ada.id
    assert len(api.get("/session", second["access_token"], "page=1&per_page=1").json) == 1


def test_an_ended_session_is_locked_out_at_once(api: Api, ada: User):
    lost, kept = log_in(api), log_in(api)
    session = said(lost["access_token"])["sid"]
    assert api.delete(f"/session/{session}", kept["access_token"]).status == 200
    assert api.get(f"/user/{ada.id}", lost["access_token"]).problem == (401, "session_ended")
    assert refresh(api, lost["refresh_token"]).problem == (401, "session_ended")
    assert works(api, kept, ada)
    assert api.delete(f"/session/{session}", kept["access_token"]).problem == (404, "not_found")


def test_all_other_sessions_are_ended_at_once(api: Api, ada: User):
    others, kept = [log_in(api) for _ in range(3)], log_in(api)
    api.delete("/session", kept["access_token"])
    assert not any(works(api, tokens, ada) for tokens in others)
    assert works(api, kept, ada)
    # A logout.
    own = said(kept["access_token"])["sid"]
    assert api.delete(f"/session/{own}", kept["access_token"]).status == 200
    assert not works(api, kept, ada)


def test_sessions_of_others_are_for_who_may_do_as_much(api: Api, world: World, ada: User):
    log_in(api)
    root = make_user(world.berlin, "Root")
    admin = make_user(world.amsterdam, "Organization Admin")
    stranger = make_user(world.berlin, "Organization Admin")
    of_ada = f"user_id={ada.id}"
    (row,) = api.get("/session", admin, of_ada).json
    for other in (stranger, make_user(world.amsterdam, "Viewer")):
        assert api.get("/session", other, of_ada).problem == (401, "forbidden")
        assert api.delete(f"/session/{row['id']}", other).problem == (401, "forbidden")
        assert api.delete("/session", other, of_ada).problem == (401, "forbidden")
    mighty = make_user(world.amsterdam, "Root")
    theirs = logged_in(mighty).id
    assert api.get("/session", admin, f"user_id={mighty.id}").problem == (401, "forbidden")
    assert api.delete(f"/session/{theirs}", admin).problem == (401, "forbidden")
    assert api.get("/session", root, f"user_id={mighty.id}").json[0]["id"] == theirs
    # Those of nodes end with their key.
    assert api.delete(f"/session/{logged_in(world.amsterdam_north).id}", root).status == 404
    assert api.delete("/session", admin, of_ada).status == 200
    assert api.get("/session", admin, of_ada).json == []


def test_of_one_account_so_many_are_kept(ada: User, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sessions, "_MOST", 3)

    def begin(hours: float = 1) -> int:
        until = now() + timedelta(hours=hours)
        return sessions.begin(again(ada), until=until, address="192.0.2.1", agent=None).id

    expired = begin(-1)
    begun = [begin() for _ in range(5)]
    assert [row.id for row in Session.select().order_by(Session.id)] == begun[-3:]
    assert expired not in begun


# Replaced passwords, factors and keys


def test_a_changed_password_ends_every_session_but_its_own(api: Api, ada: User):
    thief, owner = log_in(api), log_in(api)
    body = {"current_password": PASSWORD, "new_password": NEW}
    assert api.patch("/password/change", owner["access_token"], body).status == 200
    assert not works(api, thief, ada)
    assert refresh(api, thief["refresh_token"]).problem == (401, "session_ended")
    assert works(api, owner, ada)
    assert works(api, refresh(api, owner["refresh_token"]).json, ada)


def test_who_logs_in_while_the_password_changes_gets_no_session(
    api: Api, ada: User, monkeypatch: pytest.MonkeyPatch
):
    owner = logged_in(ada)
    succeeded = users.login_succeeded

    def slow(user: User) -> None:
        succeeded(user)
        recovery.change_password(again(ada), "another hash", owner.id)

    monkeypatch.setattr(users, "login_succeeded", slow)
    answer = api.post("/token/user", body={"username": "ada", "password": PASSWORD})
    assert answer.problem == (401, "token_revoked")
    assert [row.id for row in Session.select()] == [owner.id]


@pytest.mark.parametrize(
    "change",
    [
        lambda user: recovery.reset_password(recovery.issue(user, Purpose.PASSWORD, 60), "!"),
        lambda user: recovery.replace_password(user, "!"),
        lambda user: second_factors.remove(user),
        lambda user: second_factors.use_step(again(user), 7),
    ],
    ids=["reset password", "operator", "factor removed", "factor set up"],
)
def test_a_new_password_or_factor_ends_every_session(
    api: Api, ada: User, change: Callable[[User], Any]
):
    tokens = log_in(api)
    second_factors.propose(ada, "S" * 32)
    change(ada)
    assert not works(api, tokens, ada)
    assert refresh(api, tokens["refresh_token"]).status == 401
    assert Session.select().count() == 0


def test_a_new_key_locks_out_who_logged_in_with_the_old_one(api: Api, world: World, root: User):
    node, task = world.amsterdam_north, make_task(world.north, [world.amsterdam])
    algorithm = api.token(Algorithm(node, task))

    def new_key() -> str:
        return api.post("/recover/node", root, {"id": node.id}).json["api_key"]

    def tokens(key: str) -> dict[str, Any]:
        return api.post("/token/node", body={"api_key": key}).json

    old = tokens(new_key())
    assert api.get(f"/node/{node.id}", old["access_token"]).status == 200
    key = new_key()
    refused = (401, "token_revoked")
    assert api.get(f"/node/{node.id}", old["access_token"]).problem == refused
    assert refresh(api, old["refresh_token"]).problem == refused
    fresh = tokens(key)
    # What it computes was asked for by whoever had the key.
    beside = {NODE_AUTHORIZATION: f"Bearer {fresh['access_token']}"}
    assert api.get("/task", algorithm, **beside).problem == refused
    beside = {NODE_AUTHORIZATION: f"Bearer {old['access_token']}"}
    assert api.get("/task", algorithm, **beside).problem == (401, WRONG_NODE_TOKEN)
    assert api.get(f"/node/{node.id}", fresh["access_token"]).status == 200
    assert api.get("/task", Algorithm(node, task)).status == 200
    other = world.berlin_north
    assert api.get(f"/node/{other.id}", other).status == 200


# Replaced refresh tokens


def test_a_refresh_token_is_replaced(api: Api, ada: User):
    first = log_in(api)
    later(61)
    second = refresh(api, first["refresh_token"]).json
    assert said(second["refresh_token"])["generation"] == 1
    assert works(api, first, ada)
    assert works(api, second, ada)
    later(61)
    assert refresh(api, second["refresh_token"]).status == 200


def test_a_replaced_refresh_token_ends_the_session(api: Api, ada: User):
    """Of two who hold it one has a copy; which one, nobody can tell."""
    stolen = log_in(api)
    later(61)
    owner = refresh(api, stolen["refresh_token"]).json
    later(61)
    assert refresh(api, stolen["refresh_token"]).problem == (401, "token_reused")
    assert not works(api, owner, ada)
    assert refresh(api, owner["refresh_token"]).problem == (401, "session_ended")
    # A login is another session.
    assert works(api, log_in(api), ada)


def test_a_client_whose_answer_was_lost_asks_again(api: Api, ada: User):
    first = log_in(api)
    later(61)
    answers = [refresh(api, first["refresh_token"]).json for _ in range(3)]
    assert {said(one["refresh_token"])["generation"] for one in answers} == {1}
    later(61)
    for one in answers:
        assert works(api, refresh(api, one["refresh_token"]).json, ada)


def test_a_client_that_renews_after_every_refusal_stays(api: Api, ada: User):
    """As clients of 3.11 do, with each of their threads."""
    tokens = [log_in(api)] * 2
    for _ in range(5):
        tokens[0] = refresh(api, tokens[0]["refresh_token"]).json
    tokens[1] = refresh(api, tokens[1]["refresh_token"]).json
    assert all(works(api, one, ada) for one in tokens)


def test_of_refreshes_side_by_side_all_get_the_same_generation(ada: User):
    login = logged_in(ada)
    later(61)
    until = now() + timedelta(hours=1)
    renewals = [lambda: sessions.renew(login.id, 0, until=until)] * 6
    assert side_by_side(*renewals) == [1] * 6


def test_a_token_of_the_future_ends_the_session(ada: User):
    login = logged_in(ada)
    with pytest.raises(Unauthenticated, match="used before"):
        sessions.renew(login.id, 1, until=now())
    assert Session.select().count() == 0


# How long


def test_a_session_of_a_user_lasts_so_long_and_no_longer(server: Server, ada: User):
    short = configured(server.instance, longest_session_hours=1)
    tokens = Tokens.from_config(short.config, short.folder)
    database.dispose()
    api = Api(create_app(short), tokens)
    database.connect()
    first = log_in(api)
    for token in (first["access_token"], first["refresh_token"]):
        assert 3590 < said(token)["exp"] - now().timestamp() <= 3600
    login = logged_in(ada)
    aged = type(login)(login.id, now() - timedelta(hours=0.9))
    access = refresh(api, api.pair(ada, aged)[1]).json["access_token"]
    assert 350 < said(access)["exp"] - now().timestamp() <= 360
    # The setting counts, not what it was at the login.
    _, older = server.api.pair(ada, type(login)(login.id, now() - timedelta(hours=1.1)))
    assert refresh(api, older).problem == (401, "session_ended")
    node = server.world.amsterdam_north
    aged = type(login)(logged_in(node).id, now() - timedelta(days=400))
    assert refresh(api, api.pair(node, aged)[1]).status == 200


# What is no session


def test_a_token_of_an_earlier_version_has_expired(server: Server, ada: User):
    """Nodes then log in again by themselves."""
    for token in server.api.pair(ada):
        claims = said(token)
        for missing in ({}, {"sid": "1"}, {"sid": None}):
            kept = {name: claims[name] for name in claims if name != "sid"} | missing
            old = jwt.encode(kept, server.api.tokens.secret, algorithm="HS256")
            path = "/token/refresh" if claims["type"] == "refresh" else "/session"
            method = "POST" if claims["type"] == "refresh" else "GET"
            assert server.api.send(method, path, old).problem == (401, "token_expired")


@pytest.mark.parametrize("other", ["user", "node"])
def test_a_session_is_for_its_holder_only(api: Api, world: World, ada: User, other: str):
    holder = make_user(world.amsterdam) if other == "user" else world.amsterdam_north
    token, _ = api.pair(ada, logged_in(holder))
    assert api.get(f"/user/{ada.id}", token).problem == (401, "session_ended")


def test_sessions_go_with_their_holder(world: World, ada: User):
    logged_in(ada)
    logged_in(world.amsterdam_north)
    users.delete(ada)
    Node.delete().where(Node.id == world.amsterdam_north.id).execute()
    assert Session.select().count() == 0


def test_to_look_a_session_up_costs_no_statement(api: Api, world: World, ada: User):
    """It comes with the user, or with the node."""
    User.update(last_seen=now()).execute()
    Node.update(last_seen=now()).execute()
    for who, table in ((ada, "account"), (world.amsterdam_north, "node")):
        token = api.token(who)
        with counted() as asked:
            api.get("/organization/999", token)
        (looked_up,) = [event.sql for event in asked if '"session"' in event.sql]
        assert f'FROM "{table}"' in looked_up
        assert len(asked) <= (3 if who is ada else 2), asked
