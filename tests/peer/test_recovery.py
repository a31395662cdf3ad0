"""Lost passwords and second factors, at a server that sends mails and asks for codes."""

import re
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pyotp
import pytest
from aiosmtpd.controller import Controller

from tests.peer.calls import Call, refused, returned
from tests.peer.published import PublishedClient, Raised
from tests.peer.worlds import ROOT, ROOTS, World
from vantage6.sandbox.federation import PASSWORD, Federation
from vantage6.sandbox.ports import free_port

NEW_PASSWORD = "Another-password-2"


class Mailbox:
    """Keeps the mails that lead back into accounts."""

    def __init__(self) -> None:
        self._received: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.content, policy=policy.default)
        # What tells of a change that was made brings nobody any further; 3.11 sends no such mails.
        if not mail["Subject"].startswith("Your account was changed"):
            self._received.append(mail)
        return "250 OK"

    def token_to(self, address: str, seconds: float = 20) -> str:
        """Wait for a mail to somebody, take it out, and return the token in it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for mail in self._received:
                if mail["To"] and address in mail["To"]:
                    self._received.remove(mail)
                    return self._token_in(mail)
            time.sleep(0.05)
        raise AssertionError(f"no mail to {address} came")

    def is_empty(self) -> bool:
        """Whether no mail waits."""
        return not self._received

    def _token_in(self, mail: EmailMessage) -> str:
        body = mail.get_body(("plain",))
        assert body is not None
        found = re.search(r"^\s*(\S{20,})\s*$", body.get_content(), re.MULTILINE)
        assert found, body.get_content()
        return found[1]


class Person:
    """Somebody with an authenticator app, who logs in with a published client."""

    def __init__(self, world: World, username: str, password: str = PASSWORD) -> None:
        self.username, self.password = username, password
        self.email = f"{username}@example.org"
        self.client = world.client()
        self.secret = ""
        self._ahead = 0

    def enrol(self) -> None:
        """Log in for the first time, which shows the secret."""
        self.client.authenticate(self.username, self.password)
        self.take_secret(self.client.printed)

    def take_secret(self, shown: str) -> None:
        """Put the secret that is shown somewhere into the app."""
        found = re.search(r"\b[A-Z2-7]{32}\b", shown)
        assert found, shown
        self.secret, self._ahead = found[0], 0

    def code(self) -> str:
        """Return a code that was not used yet; a secret is good for two of them here."""
        assert self._ahead < 2
        self._ahead += 1
        return pyotp.TOTP(self.secret).at(int(time.time()), counter_offset=self._ahead - 1)

    def log_in(self) -> None:
        """Log in with a code."""
        self.client.authenticate(self.username, self.password, self.code())


@pytest.fixture(scope="module")
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    """Give a mail server on loopback."""
    mailbox, port = Mailbox(), free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield mailbox, port
    finally:
        controller.stop()


@pytest.fixture(scope="module")
def mails(mailbox: tuple[Mailbox, int]) -> Mailbox:
    """Return what was mailed."""
    return mailbox[0]


@pytest.fixture(scope="module")
def careful(
    python: Path, tmp_path_factory: pytest.TempPathFactory, mailbox: tuple[Mailbox, int]
) -> Iterator[World]:
    """Give a server that asks for a second factor and sends mails."""
    folder = tmp_path_factory.mktemp("careful")
    smtp = {
        "server": "127.0.0.1",
        "port": mailbox[1],
        "sender": "server@example.org",
        "use_tls": False,
    }
    settings = {"flower": None, "two_factor_auth": True, "smtp": smtp}
    federation = Federation(folder / "federation", {}, settings=settings)
    world = World(python, folder, federation)
    try:
        federation.start_server()
        federation.wait_until_ready()
        yield world
    finally:
        world.close()
        federation.stop()


@pytest.fixture(scope="module")
def administrator(careful: World) -> Person:
    """Return root, who is logged in."""
    root = Person(careful, "root", "root")
    root.enrol()
    root.log_in()
    return root


@pytest.fixture
def person(careful: World, administrator: Person, tmp_path: Path) -> Person:
    """Return a new user, who never logged in."""
    person = Person(careful, tmp_path.name)
    administrator.client.user.create(person.username, "Per", "Son", PASSWORD, person.email, ROOTS)
    return person


# The second factor


def test_the_first_login_shows_a_secret_and_does_not_log_in(person: Person) -> None:
    assert person.client.authenticate(person.username, PASSWORD) is None
    person.take_secret(person.client.printed)
    assert "█" in person.client.printed
    assert person.client.read("token") is None


def test_a_code_logs_in_once(administrator: Person, person: Person) -> None:
    assert administrator.client.read("whoami")[1] == ROOT
    person.enrol()
    code = person.code()
    person.client.authenticate(person.username, PASSWORD, code)
    assert person.client.read("whoami")[2] == "Per"
    # 3.11 takes the same code again for a minute.
    with pytest.raises(Raised, match="AuthenticationException"):
        person.client.authenticate(person.username, PASSWORD, code)


def test_a_login_without_the_code_says_what_is_missing(person: Person) -> None:
    person.enrol()
    person.log_in()
    with pytest.raises(Raised, match=r"^Exception: .+"):
        person.client.authenticate(person.username, PASSWORD)
    assert person.client.exchanged == [("POST", "/api/token/user", 200)]


def test_a_wrong_code_is_refused(person: Person) -> None:
    person.enrol()
    wrong = f"{(int(person.code()) + 1) % 1_000_000:06}"
    with pytest.raises(Raised, match="AuthenticationException"):
        person.client.authenticate(person.username, PASSWORD, wrong)


def test_a_second_factor_is_replaced_by_mail(mails: Mailbox, person: Person) -> None:
    person.enrol()
    person.log_in()
    # The client of 3.11 does not show the codes of the first login; any client asks for new ones.
    asked = {"endpoint": "recover/2fa/codes", "json": {"mfa_code": person.code()}, "method": "post"}
    codes = person.client.request(**asked)["recovery_codes"]
    old, names = person.secret, {"username": person.username, "password": PASSWORD}
    returned(person.client, "util.reset_two_factor_auth", {"msg": str}, **names)
    token = mails.token_to(person.email)
    # The mail alone is not enough.
    refused(person.client, 401, "util.set_two_factor_auth", token=token)
    given = {"token": f"{token} {codes[0]}"}
    shown = {"qr_uri": lambda uri: uri.startswith("otpauth://totp/"), "otp_secret": str, "msg": str}
    answer = returned(person.client, "util.set_two_factor_auth", shown, **given)
    assert "█" in person.client.printed
    person.take_secret(answer["otp_secret"])
    assert person.secret != old
    person.log_in()
    # 3.11 takes a token as often as it is sent until it expires.
    refused(person.client, 400, "util.set_two_factor_auth", **given)


def test_a_second_factor_is_not_replaced_without_the_password(
    mails: Mailbox, person: Person
) -> None:
    given = {"email": person.email, "password": "wrong"}
    refused(person.client, 401, "util.reset_two_factor_auth", **given)
    with pytest.raises(Raised, match="AssertionError"):
        person.client.util.reset_two_factor_auth(PASSWORD)
    assert mails.is_empty()


def test_nonsense_replaces_no_second_factor(careful: World) -> None:
    refused(careful.client(), 400, "util.set_two_factor_auth", token="nonsense")


# The password


@pytest.mark.parametrize("named_by", ["username", "email"])
def test_a_password_is_replaced_by_mail(mails: Mailbox, person: Person, named_by: str) -> None:
    names = {named_by: getattr(person, named_by)}
    returned(person.client, "util.reset_my_password", {"msg": str}, **names)
    given = {"token": mails.token_to(person.email), "password": NEW_PASSWORD}
    returned(person.client, "util.set_my_password", {"msg": str}, **given)
    with pytest.raises(Raised, match="AuthenticationException"):
        person.client.authenticate(person.username, PASSWORD)
    person.password = NEW_PASSWORD
    person.enrol()
    person.log_in()
    assert person.client.read("whoami")[2] == "Per"


def not_set(client: PublishedClient, token: str, password: str) -> None:
    """Fail unless a password is refused; the client stumbles over it because nobody logged in."""
    given = {"token": token, "password": password}
    Call("", "util.set_my_password", given, status=400, raises="AssertionError").check(client)


def test_a_token_replaces_one_password_by_a_good_one(mails: Mailbox, person: Person) -> None:
    person.client.util.reset_my_password(username=person.username)
    token = mails.token_to(person.email)
    not_set(person.client, token, "short")
    person.client.util.set_my_password(token, NEW_PASSWORD)
    not_set(person.client, token, PASSWORD)
    not_set(person.client, "nonsense", PASSWORD)


def test_a_token_for_the_password_is_none_for_the_second_factor(
    mails: Mailbox, person: Person
) -> None:
    person.client.util.reset_my_password(username=person.username)
    token = mails.token_to(person.email)
    refused(person.client, 400, "util.set_two_factor_auth", token=token)


def test_nobody_learns_whether_an_account_exists(
    careful: World, mails: Mailbox, person: Person
) -> None:
    client = careful.client()
    of_somebody = client.util.reset_my_password(username=person.username)
    mails.token_to(person.email)
    of_nobody = client.util.reset_my_password(username="nobody")
    assert of_somebody["msg"] == of_nobody["msg"]
    with pytest.raises(Raised, match="AssertionError"):
        client.util.reset_my_password()
    assert mails.is_empty()
