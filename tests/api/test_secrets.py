"""Secrets appear neither in answers nor in logs, not even when something fails."""

from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest

from tests.api.client import Api
from tests.api.conftest import Server, configured
from tests.common.logfile import Logs, logged_to
from tests.models.factories import IMAGE, World, make_user
from vantage6.api.app import create_app
from vantage6.api.identity import passwords
from vantage6.common.secret_files import hash_secret
from vantage6.models import database
from vantage6.models.store import nodes, recovery
from vantage6.models.store.recovery import Purpose

PASSWORD = "Secret-password-1"


@pytest.fixture
def logged(tmp_path: Path) -> Iterator[Logs]:
    """Log everything for the time of a test."""
    with logged_to(tmp_path / "server.log", "api") as logged:
        yield logged


def test_no_secret_reaches_a_log(
    api: Api,
    world: World,
    logged: Logs,
    light_passwords: None,
):
    ada = make_user(
        world.amsterdam, "Root", username="ada", password=passwords.hash_password(PASSWORD)
    )
    wrong = {"username": "ada", "password": "Wrong-password-1"}
    tokens = api.post("/token/user", body=wrong | {"password": PASSWORD}).json
    api.post("/token/user", body=wrong)
    node, key = world.cairo_south, "secret-api-key"
    nodes.update(node, {"api_key": hash_secret(key)})
    node_token = api.post("/token/node", body={"api_key": key}).json["access_token"]
    api.post("/token/node", body={"api_key": "another-key"})
    api.post("/token/refresh", tokens["refresh_token"])
    api.post("/token/broker", node_token)
    targets = [{"id": world.amsterdam.id, "input": "secret-input"}]
    body = {"collaboration_id": world.north.id, "organizations": targets, "image": IMAGE}
    task = api.post("/task", tokens["access_token"], body).json
    result = task["results"][0]["id"]
    claimed = api.post(f"/result/{result}/claim", world.amsterdam_north).json
    sent = {"result": "secret-result", "log": "secret-log"}
    api.patch(f"/result/{result}", world.amsterdam_north, sent)
    # A failure, whose traceback is logged.
    database.db.execute_sql("UPDATE result SET status = 'splendid'")
    failed = api.patch(f"/result/{result}", world.amsterdam_north, sent)
    assert failed.status == 500
    text = logged.text
    assert '"event": "request answered"' in text
    assert "Traceback" in text
    assert failed.json["request_id"] in text
    for secret in (
        PASSWORD,
        "Wrong-password-1",
        "$argon2",
        ada.password,
        key,
        "another-key",
        hash_secret(key),
        tokens["access_token"],
        tokens["refresh_token"],
        node_token,
        claimed["container_token"],
        api.tokens.secret,
        "secret-input",
        "secret-result",
        "secret-log",
    ):
        assert secret not in text, secret


def test_no_secret_of_an_account_reaches_a_log(server: Server, logged: Logs, light_passwords: None):
    instance = configured(server.instance, two_factor_auth=True)
    app = create_app(instance)
    database.connect()
    api = Api(app, server.api.tokens)
    ada = make_user(
        server.world.amsterdam, username="ada", password=passwords.hash_password(PASSWORD)
    )
    login = {"username": "ada", "password": PASSWORD}
    secret = api.post("/token/user", body=login).json["otp_secret"]
    code = pyotp.TOTP(secret).now()
    codes = api.post("/token/user", body=login | {"mfa_code": code}).json["recovery_codes"]
    api.post("/token/user", body=login | {"mfa_code": codes[0]})
    api.post("/token/user", body=login | {"mfa_code": "987654"})
    api.post("/recover/lost", body=login)
    api.post("/recover/2fa/lost", body=login)
    new = "Recovered-password-1"
    tokens = [recovery.issue(ada, Purpose.PASSWORD, 60)]
    api.post("/recover/reset", body={"reset_token": tokens[0], "password": new})
    tokens.append(recovery.issue(ada, Purpose.TWO_FACTOR, 60))
    body = {"reset_token": tokens[1], "recovery_code": codes[1]}
    other = api.post("/recover/2fa/reset", body=body).json["otp_secret"]
    changed = {"current_password": new, "new_password": PASSWORD}
    assert api.patch("/password/change", ada, changed).status == 200
    for word in (PASSWORD, new, secret, other, code, "987654", *codes, *tokens, ada.email):
        assert word not in logged.text, word


def test_each_request_is_one_line_that_its_id_finds(api: Api, logged: Logs):
    answer = api.get("/version", **{"X-Request-ID": "find-me"})
    assert answer.status == 200
    (line,) = [record for record in logged.lines() if record.get("request_id") == "find-me"]
    assert (line["event"], line["path"], line["status"]) == (
        "request answered",
        "/api/version",
        200,
    )
    assert (line["process"], line["level"]) == ("api", "info")
    assert line["milliseconds"] >= 0


def test_the_key_that_signs_tokens_is_random_and_private(api: Api, tmp_path: Path):
    file = tmp_path / "data" / "jwt.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(bytes.fromhex(file.read_text())) == 32
    assert api.tokens.secret == file.read_text()


def test_nothing_that_is_listed_holds_a_secret(api: Api, world: World, light_passwords: None):
    root = make_user(world.amsterdam, "Root", password=passwords.hash_password(PASSWORD))
    for path in ("/user", "/node", "/organization", "/collaboration", "/role"):
        text = api.get(path, root).text
        assert "password" not in text
        assert world.amsterdam_north.api_key not in text
        assert "api_key" not in text
