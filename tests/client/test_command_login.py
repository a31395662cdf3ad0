"""``vantage6 login``, ``logout`` and ``whoami``: a session in a private file, and no password."""

import json
import stat
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.client.command import Command
from vantage6.client import Client, RSACryptor
from vantage6.client.commands import profiles
from vantage6.client.commands.login import api_address
from vantage6.common.clock import now
from vantage6.common.errors import Unauthenticated
from vantage6.common.token_claims import claims
from vantage6.models.store.sessions import GRACE
from vantage6.models.tables import Session


def files(home: Path) -> list[Path]:
    return [path for path in (home / ".config").rglob("*") if path.is_file()]


def test_login_keeps_a_session_that_only_the_user_reads_and_never_the_password(
    command: Command, home: Path
) -> None:
    said = command.log_in()
    assert "Logged in as ada of Amsterdam" in said
    for path in files(home):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"secret" not in path.read_bytes()
    folder = home / ".config" / "vantage6" / "sessions"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name for path in files(home)} == {"default.json", "default.lock"}


def test_whoami_tells_account_organization_and_key(command: Command, home: Path) -> None:
    key = home / "key.pem"
    RSACryptor.create_new_rsa_key(key)
    command.log_in("--key", key)
    said = command.json("whoami")
    assert said["username"] == "ada"
    assert said["organization"]["name"] == "Amsterdam"
    assert said["roles"] == ["Root"]
    assert said["key"] == str(key)
    assert said["fingerprint"] == RSACryptor.fingerprint(RSACryptor(key).public_key_str)
    assert said["fingerprint"] in command.ok("whoami")


def test_logout_ends_the_session_at_the_server(command: Command) -> None:
    command.log_in()
    tokens = profiles.find(None)[1].tokens
    assert "Logged out ada" in command.ok("logout")
    with closing(Client(command.live.client.base_path, None, "", raise_errors=True)) as client:
        client.resume(tokens, command.live.client.identity)
        with pytest.raises(Unauthenticated):
            client.user.list()
    done = command.run("whoami")
    assert (done.exit_code, done.stdout) == (3, "")
    assert "vantage6 login" in done.stderr


def test_a_new_login_ends_the_session_before_it(command: Command) -> None:
    command.log_in()
    tokens = profiles.find(None)[1].tokens
    command.log_in()
    with closing(Client(command.live.client.base_path, None, "", raise_errors=True)) as client:
        client.resume(tokens, command.live.client.identity)
        with pytest.raises(Unauthenticated):
            client.user.list()
    command.ok("whoami")


def test_a_wrong_password_is_one_line_and_leaves_nothing(command: Command, home: Path) -> None:
    address = command.live.client.base_path
    done = command.run("login", address, "--user", "ada", answers="wrong\n")
    assert done.exit_code == 3
    assert done.stderr.count("\n") == 1
    assert not list(home.rglob("*.json"))


def test_the_password_may_stand_in_a_file(command: Command, home: Path) -> None:
    (home / "password").write_text("secret\n")
    address = command.live.client.base_path
    command.ok("login", address, "--user", "ada", "--password-file", home / "password")
    done = command.run("login", address, "--user", "ada", "--password-file", home / "none")
    assert done.exit_code == 2


def test_a_key_that_is_not_the_organizations_ends_the_login(command: Command, home: Path) -> None:
    for name in ("first.pem", "second.pem"):
        RSACryptor.create_new_rsa_key(home / name)
    command.log_in("--key", home / "first.pem")
    sessions = Session.select().count()
    address = command.live.client.base_path
    words = ("login", address, "--user", "ada", "--key", home / "second.pem")
    done = command.run(*words, answers="secret\n")
    assert done.exit_code == 5
    assert "is not the key of Amsterdam" in done.stderr
    assert Session.select().count() == sessions
    assert profiles.find(None)[1].key == str(home / "first.pem")


def test_a_session_file_that_others_read_is_refused(command: Command) -> None:
    command.log_in()
    profiles.ProfileFile("default").path.chmod(0o644)
    done = command.run("whoami")
    assert done.exit_code == 2
    assert "can be read by others" in done.stderr


def test_profiles_keep_several_logins_apart(command: Command) -> None:
    command.log_in("--profile", "study")
    assert command.json("whoami")["username"] == "ada"  # the only one there is
    command.log_in("--profile", "other")
    done = command.run("whoami")
    assert done.exit_code == 2
    assert "other, study" in done.stderr
    command.ok("whoami", "--profile", "study")
    command.log_in()
    command.ok("whoami")
    command.ok("logout", "--profile", "study")
    assert command.run("whoami", "--profile", "study").exit_code == 3
    assert command.run("whoami", "--profile", "../x").exit_code == 2


def test_a_renewed_token_is_kept_for_the_next_command(command: Command) -> None:
    command.log_in()
    file, profile = profiles.find(None)
    with closing(Client(profile.server, None, "", raise_errors=True)) as client:
        client.resume(profile.tokens, profile.whoami, file)
        client.refresh_token()
        kept = file.read()
        assert kept is not None
        assert kept.tokens == client.tokens != profile.tokens
    command.ok("whoami")


def test_processes_that_renew_one_after_the_other_do_not_end_the_session(
    command: Command,
) -> None:
    command.log_in()
    file, profile = profiles.find(None)
    clients = [Client(profile.server, None, "", raise_errors=True) for _ in range(3)]
    for client in clients:
        # All hold the tokens of the login; only the first one renews. A second use of the same
        # refresh token ends the session, once a minute has passed.
        Session.update(renewed_at=now() - 2 * GRACE).execute()
        client.resume(profile.tokens, profile.whoami, file)
        client.refresh_token()
    kept = file.read()
    assert kept is not None
    assert {client.tokens for client in clients} == {kept.tokens}
    assert Session.get_by_id(claims(clients[0].token or "")["sid"]).generation == 1
    for client in clients:
        assert client.user.list()
        client.close()


def test_a_renewal_after_a_logout_does_not_bring_the_session_back(command: Command) -> None:
    command.log_in()
    file, profile = profiles.find(None)
    with closing(Client(profile.server, None, "", raise_errors=True)) as client:
        client.resume(profile.tokens, profile.whoami, file)
        command.ok("logout")
        with pytest.raises(Unauthenticated):
            client.refresh_token()
    assert not file.path.exists()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://server.example", "https://server.example/api"),
        ("https://server.example/", "https://server.example"),
        ("http://127.0.0.1:5000/api", "http://127.0.0.1:5000/api"),
        ("https://server.example/v6/api/", "https://server.example/v6/api"),
    ],
)
def test_the_address_needs_no_path(text: str, address: str) -> None:
    assert api_address(text) == address


def test_an_address_without_tls_is_warned_of_but_not_on_this_machine(command: Command) -> None:
    assert "TLS" not in command.run("login", "http://127.0.0.1:1", "--user", "a").stderr
    assert "TLS" not in command.run("login", "http://localhost:1", "--user", "a").stderr
    for host in ("v6.invalid", "localhost.v6.invalid", "127.0.0.1.v6.invalid"):
        done = command.run("login", f"http://{host}:1", "--user", "a", answers="")
        assert "no TLS" in done.stderr
        assert done.exit_code == 2  # no password


def test_a_server_that_is_away_is_told_from_a_refusal(command: Command, home: Path) -> None:
    command.log_in()
    file, profile = profiles.find(None)
    file.write(replace(profile, server="http://127.0.0.1:1/api"))
    done = command.run("stations", "--json")
    assert done.exit_code == 4
    assert json.loads(done.stdout)["error"]["code"] == "no_reply"
    assert done.stderr.startswith("vantage6: ")
    done = command.run("logout")
    assert done.exit_code == 0
    assert "the server was not told" in done.stderr
    assert not list(home.rglob("default.json"))
