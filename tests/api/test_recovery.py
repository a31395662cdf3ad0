"""People get back into their accounts with mailed tokens, and nobody else does."""

import time
from datetime import timedelta
from typing import Any

import pytest

from tests.api.client import Answer, Api
from tests.models.factories import World, again, make_user, messages, side_by_side
from vantage6.api.identity import passwords
from vantage6.common.clock import now
from vantage6.common.errors import Unauthenticated
from vantage6.models.store import outbox, recovery, sessions, users
from vantage6.models.store.outbox import Topic
from vantage6.models.store.recovery import Purpose
from vantage6.models.tables import Outbox, RecoveryToken, User

PASSWORD, NEW = "Right-horse-1", "New-password-1"


@pytest.fixture
def uri(database_uri: str) -> str:
    """Run with both databases: that a token is used once depends on them."""
    return database_uri


@pytest.fixture
def ada(world: World, light_passwords: None) -> User:
    """Give a user who can log in."""
    return make_user(
        world.amsterdam,
        username="ada",
        email="ada@example.org",
        password=passwords.hash_password(PASSWORD),
    )


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give a list of what is hashed or compared with a hash from here on."""
    done: list[str] = []
    alone = passwords._alone

    def noted(work: Any, *arguments: str, **more: Any) -> Any:
        done.append(work.__name__)
        return alone(work, *arguments, **more)

    monkeypatch.setattr(passwords, "_alone", noted)
    return done


def log_in(api: Api, password: str = PASSWORD) -> Answer:
    return api.post("/token/user", body={"username": "ada", "password": password})


def mails() -> list[dict[str, Any]]:
    """Return the mails that wait."""
    found = [outbox.find(message) for message in messages()]
    return [mail.content for mail in found if mail and mail.topic is Topic.MAIL]


def without_id(answer: Answer) -> tuple[int, Any]:
    return answer.status, {key: answer.json[key] for key in set(answer.json) - {"request_id"}}


def reset(api: Api, token: str, password: str = NEW) -> Answer:
    return api.post("/recover/reset", body={"reset_token": token, "password": password})


# Lost passwords


@pytest.mark.parametrize(
    "body",
    [
        {"username": "ada"},
        {"username": "ada", "email": None},
        {"username": None, "email": "ada@example.org"},
        {"username": "", "email": "ada@example.org"},
        {"username": "ada", "email": "nobody@example.org"},
    ],
)
def test_a_lost_password_asks_for_a_mail(api: Api, ada: User, body: dict[str, Any]):
    assert api.post("/recover/lost", body=body).status == 200
    (mail,) = mails()
    assert (mail["kind"], mail["user_id"]) == ("password_reset", ada.id)
    assert RecoveryToken.select().count() == 0


def test_the_answer_and_the_work_do_not_tell_whether_there_is_an_account(
    api: Api, ada: User, hashing: list[str]
):
    known = api.post("/recover/lost", body={"username": "ada"})
    unknown = api.post("/recover/lost", body={"username": "nobody", "email": "ada@example.org"})
    nowhere = api.post("/recover/lost", body={"email": "nobody@example.org"})
    assert known.text == unknown.text == nowhere.text
    assert [mail["user_id"] for mail in mails()] == [ada.id, None, None]
    assert hashing == []


@pytest.mark.parametrize("body", [{}, {"username": "", "email": None}, {"username": True}])
def test_somebody_must_be_named(api: Api, ada: User, body: dict[str, Any]):
    assert api.post("/recover/lost", body=body).problem == (400, "invalid")
    assert api.post("/recover/2fa/lost", body=body | {"password": PASSWORD}).status == 400
    assert api.post("/recover/2fa/lost", body={"username": "ada"}).status == 400


# New passwords


def test_a_token_sets_a_new_password_and_ends_every_session(api: Api, ada: User):
    before = log_in(api).json
    for _ in range(5):
        log_in(api, "wrong")
    token = recovery.issue(ada, Purpose.PASSWORD, 60)
    assert log_in(api).status == 429
    assert reset(api, token).status == 200
    assert again(ada).failed_login_attempts == 0
    me = f"/user/{ada.id}"
    assert api.get(me, before["access_token"]).problem == (401, "token_revoked")
    refused = api.post("/token/refresh", before["refresh_token"])
    assert refused.problem == (401, "token_revoked")
    assert log_in(api).status == 401
    after = log_in(api, NEW).json
    assert api.get(me, after["access_token"]).status == 200
    renewed = api.post("/token/refresh", after["refresh_token"]).json
    assert api.get(me, renewed["access_token"]).status == 200


def test_tokens_of_the_same_second_are_told_apart(api: Api, ada: User):
    """Whether before or after the reset is known to the microsecond."""
    me = f"/user/{ada.id}"
    for _ in range(5):
        before = api.token(ada)
        recovery.reset_password(recovery.issue(ada, Purpose.PASSWORD, 60), "!")
        after = api.token(ada)
        assert api.get(me, before).problem == (401, "token_revoked")
        assert api.get(me, after).status == 200


def test_other_identities_keep_their_tokens(api: Api, world: World, ada: User):
    bob, node = make_user(world.amsterdam), world.amsterdam_north
    tokens = api.token(bob), api.token(node)
    reset(api, recovery.issue(ada, Purpose.PASSWORD, 60))
    assert api.get(f"/user/{bob.id}", tokens[0]).status == 200
    assert api.get(f"/node/{node.id}", tokens[1]).status == 200


def test_a_token_works_once_and_takes_all_others_along(api: Api, ada: User):
    tokens = [recovery.issue(ada, Purpose.PASSWORD, 60) for _ in range(2)]
    other = recovery.issue(ada, Purpose.TWO_FACTOR, 60)
    assert reset(api, tokens[1]).status == 200
    for token in tokens:
        assert reset(api, token).problem == (400, "wrong_token")
    # Somebody got it with the old password.
    answer = api.post("/recover/2fa/reset", body={"reset_token": other})
    assert answer.problem == (400, "wrong_token")


def test_of_two_who_use_a_token_at_once_one_succeeds(ada: User):
    token = recovery.issue(ada, Purpose.PASSWORD, 60)
    outcomes = side_by_side(
        *[lambda hash_=hash_: recovery.reset_password(token, hash_) for hash_ in "abcd"]
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == [*["Invalid"] * 3, "User"]


def test_a_token_is_good_for_one_purpose(api: Api, ada: User):
    password, app = (recovery.issue(ada, purpose, 60) for purpose in Purpose)
    assert reset(api, app).problem == (400, "wrong_token")
    answer = api.post("/recover/2fa/reset", body={"reset_token": password})
    assert answer.problem == (400, "wrong_token")
    assert again(ada).otp_secret is None
    assert log_in(api).status == 200


@pytest.mark.parametrize("token", ["x", "x" * 43, "é\n", "'; --"])
def test_an_unknown_token_is_refused_before_anything_is_hashed(
    api: Api, ada: User, hashing: list[str], token: str
):
    assert reset(api, token).problem == (400, "wrong_token")
    answer = api.post("/recover/2fa/reset", body={"reset_token": token})
    assert answer.problem == (400, "wrong_token")
    assert hashing == []


def test_an_expired_token_says_so_for_a_day(api: Api, ada: User):
    token = recovery.issue(ada, Purpose.PASSWORD, 60)
    RecoveryToken.update(expires_at=now()).execute()
    assert reset(api, token).problem == (401, "token_expired")
    recovery.issue(ada, Purpose.PASSWORD, 60)
    assert reset(api, token).problem == (401, "token_expired")
    RecoveryToken.update(expires_at=now() - timedelta(days=2)).execute()
    recovery.issue(ada, Purpose.PASSWORD, 60)
    assert reset(api, token).problem == (400, "wrong_token")
    assert RecoveryToken.select().count() == 1


def test_a_weak_password_does_not_use_the_token_up(api: Api, ada: User):
    token = recovery.issue(ada, Purpose.PASSWORD, 60)
    assert reset(api, token, "weak").problem == (400, "weak_password")
    assert reset(api, token).status == 200


def test_a_token_dies_with_its_user(api: Api, ada: User):
    token = recovery.issue(ada, Purpose.PASSWORD, 60)
    User.delete().where(User.id == ada.id).execute()
    assert reset(api, token).problem == (400, "wrong_token")


@pytest.mark.parametrize(
    "body", [{}, {"reset_token": "x"}, {"password": NEW}, {"reset_token": "", "password": NEW}]
)
def test_an_incomplete_reset_is_refused(api: Api, ada: User, body: dict[str, str]):
    assert api.post("/recover/reset", body=body).problem == (400, "invalid")


# Lost apps


def test_a_lost_app_needs_the_password(api: Api, ada: User, hashing: list[str]):
    def lost(**body: Any) -> Answer:
        return api.post("/recover/2fa/lost", body=body)

    wrong = lost(username="ada", password="wrong")
    unknown = lost(username="nobody", password=PASSWORD)
    assert wrong.problem == (401, "wrong_password")
    assert without_id(wrong) == without_id(unknown)
    assert hashing == ["_verify"] * 2
    assert mails() == []
    answer = lost(email="ada@example.org", password=PASSWORD)
    assert answer.json == api.post("/recover/lost", body={"username": "nobody"}).json
    assert [mail["kind"] for mail in mails()] == ["two_factor_reset", "password_reset"]


def test_wrong_passwords_for_a_lost_app_count_as_those_of_a_login(api: Api, ada: User):
    for _ in range(5):
        api.post("/recover/2fa/lost", body={"username": "ada", "password": "wrong"})
    assert log_in(api).status == 429
    assert [mail["kind"] for mail in mails()] == ["logins_failed"]


# Changed passwords


def change(api: Api, who: Any, current: str, new: str) -> Answer:
    body = {"current_password": current, "new_password": new}
    return api.patch("/password/change", who, body)


def test_a_changed_password_leaves_its_owner_logged_in(api: Api, ada: User):
    tokens = log_in(api).json
    token = recovery.issue(ada, Purpose.PASSWORD, 60)
    assert change(api, tokens["access_token"], PASSWORD, NEW).status == 200
    assert api.get(f"/user/{ada.id}", tokens["access_token"]).status == 200
    assert api.post("/token/refresh", tokens["refresh_token"]).status == 200
    assert (log_in(api).status, log_in(api, NEW).status) == (401, 200)
    # What was mailed to replace the old one replaces the new one no longer.
    assert reset(api, token).problem == (400, "wrong_token")


def test_a_change_does_not_undo_a_reset_that_came_between(ada: User):
    stale = again(ada)
    recovery.reset_password(recovery.issue(ada, Purpose.PASSWORD, 60), "new hash")
    with pytest.raises(Unauthenticated):
        recovery.change_password(stale, "hash of somebody who knows the old one")
    assert again(ada).password == "new hash"


def test_a_password_with_an_outdated_hash_is_changed_as_well(
    api: Api, ada: User, monkeypatch: pytest.MonkeyPatch
):
    stronger = passwords.PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", stronger)
    assert change(api, ada, PASSWORD, NEW).status == 200
    assert log_in(api, NEW).status == 200


def test_guesses_at_the_current_password_count_as_those_of_a_login(api: Api, ada: User):
    for _ in range(5):
        assert change(api, ada, "wrong", NEW).problem == (401, "wrong_password")
    assert change(api, ada, PASSWORD, NEW).problem == (429, "rate_limited")
    assert log_in(api).status == 429
    assert [mail["kind"] for mail in mails()] == ["logins_failed"]


def test_a_new_password_must_be_new_and_good(api: Api, ada: User):
    assert change(api, ada, PASSWORD, PASSWORD).problem == (400, "same_password")
    assert change(api, ada, PASSWORD, "weak").problem == (400, "weak_password")
    assert change(api, ada, "", NEW).problem == (400, "invalid")
    assert api.patch("/password/change", ada, {}).problem == (400, "invalid")
    assert log_in(api).status == 200


# Guesses


def test_of_many_guesses_an_account_is_told_once_in_a_while(
    api: Api, ada: User, monkeypatch: pytest.MonkeyPatch
):
    for _ in range(8):
        log_in(api, "wrong")
    (mail,) = mails()
    assert set(mail) == {"kind", "user_id", "asked_at", "address"}
    assert (mail["kind"], mail["user_id"]) == ("logins_failed", ada.id)
    assert mail["address"] == "127.0.0.1"
    User.update(last_failed_login_at=now() - timedelta(minutes=16)).execute()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 16 * 60)
    for _ in range(8):
        log_in(api, "wrong")
    assert len(mails()) == 2


def test_guesses_side_by_side_are_told_of_once(ada: User):
    side_by_side(*[lambda: recovery.login_failed(ada, 5, 15, "192.0.2.1")] * 8)
    assert again(ada).failed_login_attempts == 8
    assert len(mails()) == 1


def test_after_a_reset_guesses_at_the_old_password_count_no_more(api: Api, ada: User):
    for _ in range(5):
        log_in(api, "wrong")
    assert reset(api, recovery.issue(ada, Purpose.PASSWORD, 60)).status == 200
    assert log_in(api, NEW).status == 200


def test_a_reset_that_comes_while_somebody_logs_in_voids_that_login_too(
    api: Api, ada: User, monkeypatch: pytest.MonkeyPatch
):
    matches = passwords.matches

    def slow(kept: str | None, *given: Any) -> bool:
        right = matches(kept, *given)
        if kept is not None:
            recovery.reset_password(recovery.issue(ada, Purpose.PASSWORD, 60), "!")
        return right

    monkeypatch.setattr(passwords, "matches", slow)
    assert log_in(api).problem == (401, "token_revoked")


def test_a_reset_that_comes_at_the_end_of_a_login_voids_it_too(
    api: Api, ada: User, monkeypatch: pytest.MonkeyPatch
):
    begin = sessions.begin

    def slow(*args: Any, **kwargs: Any) -> Any:
        row = begin(*args, **kwargs)
        recovery.reset_password(recovery.issue(ada, Purpose.PASSWORD, 60), "!")
        return row

    monkeypatch.setattr(sessions, "begin", slow)
    tokens = log_in(api).json
    assert api.get(f"/user/{ada.id}", tokens["access_token"]).problem == (401, "token_revoked")


def test_a_renewed_hash_does_not_bring_an_old_password_back(ada: User):
    stale = again(ada)
    recovery.reset_password(recovery.issue(ada, Purpose.PASSWORD, 60), "new hash")
    users.rehash(stale, "another hash of the old password")
    assert again(ada).password == "new hash"


# Keys of nodes


def test_a_new_key_replaces_the_old_one(api: Api, world: World, root: User):
    node = world.amsterdam_north
    keys = [api.post("/recover/node", root, {"id": node.id}).json["api_key"] for _ in range(2)]
    assert api.post("/token/node", body={"api_key": keys[0]}).status == 401
    assert api.post("/token/node", body={"api_key": keys[1]}).status == 200
    assert keys[1] not in again(node).api_key


def test_only_a_node_that_exists_gets_a_key(api: Api, world: World, root: User):
    assert api.post("/recover/node", root, {"id": 999}).status == 404
    assert api.post("/recover/node", root, {}).status == 400
    assert api.post("/recover/node", make_user(world.amsterdam), {"id": 999}).status == 401


def test_nothing_that_is_asked_for_is_a_secret(api: Api, ada: User):
    api.post("/recover/lost", body={"username": "ada"})
    api.post("/recover/2fa/lost", body={"username": "ada", "password": PASSWORD})
    for row in Outbox.select():
        assert PASSWORD not in row.content
        assert "argon2" not in row.content
