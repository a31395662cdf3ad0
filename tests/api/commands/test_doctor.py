"""The doctor names what is wrong and what to do; the configuration can be checked and shown."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.api.commands.conftest import Operator
from tests.services.smtp import MailServer
from vantage6.common.config import Instance, ServerConfig, instances
from vantage6.models import seals
from vantage6.sandbox.ports import free_port
from vantage6.server.cli import main

SECRET = "from a file, and as long as a key must be"


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """Run with SQLite; what differs with PostgreSQL is asked for by itself."""
    return f"sqlite:///{tmp_path / 'server.sqlite'}"


@pytest.fixture
def operator(operator: Operator) -> Operator:
    """Give an operator of a server that was set up well."""
    operator.set(port=free_port(), root_password="Some-password-1")
    operator.instance.file.chmod(0o600)
    operator.does("migrate")
    return operator


def findings(operator: Operator) -> dict[str, tuple[str, str]]:
    done = operator.run("doctor", "--json")
    found = {one["check"]: (one["state"], one["message"]) for one in json.loads(done.stdout)}
    assert done.exit_code == any(state == "failure" for state, _ in found.values())
    return found


def test_a_good_server_is_well(operator: Operator, redis_url: str):
    operator.set(broker=redis_url)
    found = findings(operator)
    states = {subject: state for subject, (state, _) in found.items()}
    assert states == dict.fromkeys(found, "ok") | {"workers": "skipped", "mail": "skipped"}
    assert operator.does("doctor").count("\n") == len(found)


def test_a_database_of_its_own_is_looked_into(operator: Operator, postgres):
    with postgres.database() as uri:
        operator.set(uri=uri)
        assert findings(operator)["migrations"][0] == "failure"
        operator.does("migrate")
        found = findings(operator)
        assert (found["database"][0], found["migrations"][0]) == ("ok", "ok")
        # Its clock, and not that of Redis, which is away.
        assert found["clock"][0] == "ok"


@pytest.mark.parametrize(
    ("settings", "subject", "said"),
    [
        ({"jwt_secret_key": "super-secret-key!", "type": "test"}, "tokens", "fewer than 32"),
        ({"uri": "postgresql://nobody@127.0.0.1:1/x"}, "database", "does not answer"),
        ({"ip": "192.0.2.1"}, "port", "set another `ip`"),
        ({"smtp": {"server": "127.0.0.1", "port": 1}}, "mail", "127.0.0.1:1 cannot be used"),
        ({}, "broker", "Redis does not answer"),
        ({}, "queues", "cannot be made"),
        ({}, "workers", "does not answer"),
    ],
)
def test_what_is_wrong_is_named(operator: Operator, settings: Any, subject: str, said: str):
    operator.set(**settings)
    state, text = findings(operator)[subject]
    assert state == "failure"
    assert said in text


def test_the_password_of_the_first_user_is_tried(operator: Operator):
    operator.does("user", "reset-password", "root", stdin="Other-password-1\n")
    assert findings(operator)["root"][0] == "ok"
    operator.does("shell", "--code", "u = db.User.get(1); u.password = 'root'; u.save()")
    assert "reset-password root" in findings(operator)["root"][1]


def test_a_lost_key_of_second_factors_is_named(operator: Operator):
    assert findings(operator)["two-factor"] == ("ok", "No user has set up an authenticator app.")
    operator.does("shell", "--code", "u = db.User.get(1); u.otp_secret = 'S' * 32; u.save()")
    assert findings(operator)["two-factor"][0] == "ok"
    (operator.instance.folder / seals.KEY_FILE).unlink()
    state, text = findings(operator)["two-factor"]
    assert state == "failure"
    assert seals.KEY_FILE in text


def test_files_that_others_can_read_are_named(operator: Operator):
    operator.instance.file.chmod(0o644)
    operator.instance.folder.chmod(0o755)
    found = findings(operator)
    assert "chmod 600" in found["configuration"][1]
    assert "chmod 700" in found["data folder"][1]


def test_every_port_that_a_start_needs_is_looked_at(operator: Operator):
    ours, others = socket.create_server(("127.0.0.1", 0)), free_port()
    with ours:
        taken = ours.getsockname()[1]
        operator.set(port=others, flower={"port": taken})
        found = findings(operator)
        assert found["port"][0] == "ok"
        assert found["flower port"][0] == "failure"
        assert f"flower.port: 127.0.0.1:{taken} cannot be used" in found["flower port"][1]
        # A start finds a free one where none is set.
        operator.set(port=others, flower={})
        assert "flower port" not in findings(operator)


def test_server_that_something_else_supervises_is_not_taken_for_a_stranger(
    operator: Operator, redis_url: str, monkeypatch: pytest.MonkeyPatch
):
    # As in a container of the API: the process is there, and no supervisor of ours.
    class Ready(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/api/ready" else 404)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Keep the output of the tests free of requests."""

    with HTTPServer(("127.0.0.1", 0), Ready) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        operator.set(port=server.server_port, broker=redis_url)
        state, message = findings(operator)["port"]
        assert (state, "started otherwise" in message) == ("ok", True)
        found = instances.Found(operator.instance.file, system=False)
        monkeypatch.setattr(instances, "find_all", lambda _: [found])
        assert "Running (started otherwise)" in CliRunner().invoke(main, ["list"]).output
        server.shutdown()
    assert findings(operator)["port"][0] == "ok"
    assert "Not running" in CliRunner().invoke(main, ["list"]).output


def test_a_configuration_that_cannot_be_used_is_a_finding(operator: Operator):
    operator.instance.file.write_text("application: {prot: 1}")
    state, message = findings(operator)["configuration"]
    assert state == "failure"
    assert "application.prot" in message


def test_a_server_that_never_ran_has_no_problems(operator: Operator, tmp_path: Path):
    operator.set(data_dir=str(tmp_path / "new"), uri="sqlite:///new.sqlite", broker=None)
    assert {state for state, _ in findings(operator).values()} == {"ok", "skipped"}
    assert not (tmp_path / "new").exists()


def test_a_mail_server_that_answers_is_well(operator: Operator, tmp_path: Path):
    with MailServer(tmp_path).running() as mails:
        operator.set(smtp={"server": "127.0.0.1", "port": mails.port, "use_tls": False})
        assert findings(operator)["mail"][0] == "ok"


# Configuration


def test_a_configuration_is_checked(operator: Operator):
    assert "is valid" in operator.does("config", "check")
    operator.instance.file.write_text("application: {prot: 1}")
    assert "application.prot" in operator.refused("config", "check", code=10)


def test_what_counts_is_shown_without_secrets(operator: Operator):
    operator.set(
        uri="postgresql://user:hush@host/x", jwt_secret_key="hush" * 9, smtp={"password": "hush"}
    )
    shown = operator.does("config", "show")
    assert "hush" not in shown
    assert "port: " in shown
    assert "lease_seconds: 180" in shown


def test_the_schema_names_every_key():
    schema = json.loads(CliRunner().invoke(main, ["config", "schema"]).stdout)
    assert set(schema["properties"]) == set(ServerConfig.model_fields)


def test_secrets_come_from_files_and_variables(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "key").write_text(SECRET + "\n")
    monkeypatch.setenv("MAIL_PASSWORD", "from a variable")
    operator.instance.file.write_text(
        "application:\n  jwt_secret_key: !file key\n  smtp: {password: !env MAIL_PASSWORD}\n"
        "environments: {prod: {jwt_secret_key: !file /nowhere}}\n"
    )
    config = Instance.load(operator.instance.file).config
    assert config.jwt_secret_key.get_secret_value() == SECRET
    assert config.smtp.password.get_secret_value() == "from a variable"
    said = operator.refused("config", "check", "--environment", "prod", code=10)
    assert "line 4: !file /nowhere: No such file" in said
    monkeypatch.delenv("MAIL_PASSWORD")
    assert "line 3: !env MAIL_PASSWORD" in operator.refused("config", "check", code=10)
