"""Mails reach a real mail server, whatever its security, and nothing is lost or sent twice."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.common.logfile import Logs, logged_to
from tests.models.factories import World, make_user, messages
from tests.services.smtp import PASSWORD, MailServer, Security, text_of, token_in
from tests.workers.conftest import Workers
from vantage6.broker.connection import client
from vantage6.broker.queues import CELERY_PREFIX, MAIL
from vantage6.common.clock import now
from vantage6.common.config import ServerConfig
from vantage6.common.secret_files import hash_secret
from vantage6.models.store import outbox, recovery, users
from vantage6.models.store.recovery import Change, Mail, Purpose
from vantage6.models.tables import Outbox, RecoveryToken, User
from vantage6.sandbox.ports import free_port
from vantage6.workers import mail as mail_module


@pytest.fixture
def ada(world: World) -> User:
    """Give a user with an address."""
    return make_user(world.amsterdam, username="ada", firstname="Ada", email="ada@example.org")


@pytest.fixture
def smtp(tmp_path: Path) -> Iterator[MailServer]:
    """Give a mail server that does not encrypt."""
    with MailServer(tmp_path).running() as server:
        yield server


@pytest.fixture
def logged(tmp_path: Path) -> Iterator[Logs]:
    with logged_to(tmp_path / "worker.log", "workers") as logged:
        yield logged


def workers_with(url: str, smtp: dict[str, Any] | None, **settings: Any) -> Workers:
    return Workers(url, ServerConfig.model_validate({"smtp": smtp, **settings}))


@pytest.fixture
def workers(smtp: MailServer, redis_url: str) -> Workers:
    """Give workers that send through the mail server."""
    return workers_with(redis_url, smtp.settings)


def waiting(url: str) -> int:
    with client(url) as broker:
        return int(broker.llen(CELERY_PREFIX + MAIL))


def let_all_be_due() -> None:
    Outbox.update(available_at=now() - timedelta(seconds=1)).execute()


def test_a_lost_password_is_answered_with_a_token_that_works_once(
    ada: User, smtp: MailServer, workers: Workers, logged: Logs
):
    message = recovery.request_mail(Mail.PASSWORD_RESET, ada)
    workers.run("send_mail", message, 0)
    (mail,) = smtp.mails
    assert smtp.receivers == [["ada@example.org"]]
    assert (mail["To"], mail["From"]) == ("ada@example.org", "support@example.org")
    assert mail["Subject"] == "Password reset - vantage6"
    text = text_of(mail)
    for fact in ("Hello Ada,", '"ada"', "petronas", "60 minutes", "support@example.org"):
        assert fact in text
    assert "ignore this mail" in text
    token = token_in(mail)
    assert recovery.holder(token, Purpose.PASSWORD) == ada
    assert messages() == []
    assert "mail sent" in logged.text
    for secret in (token, PASSWORD, "ada@example.org"):
        assert secret not in logged.text


def test_what_waits_and_what_is_kept_holds_no_secret(ada: User, smtp: MailServer, workers: Workers):
    message = recovery.request_mail(Mail.PASSWORD_RESET, ada)
    assert set(json.loads(Outbox.get_by_id(message).content)) == {"kind", "user_id", "asked_at"}
    workers.run("send_mail", message, 0)
    row = RecoveryToken.get()
    token = token_in(smtp.mails[0])
    assert row.token == hash_secret(token) != token
    assert len(row.token) == 64
    assert timedelta(minutes=59) < row.expires_at - now() <= timedelta(minutes=60)


def test_a_lost_app_is_answered_with_a_warning_too(ada: User, smtp: MailServer, workers: Workers):
    workers.run("send_mail", recovery.request_mail(Mail.TWO_FACTOR_RESET, ada), 0)
    (mail,) = smtp.mails
    assert mail["Subject"] == "Two-factor authentication reset - vantage6"
    assert "somebody else knows your password" in text_of(mail)
    assert recovery.holder(token_in(mail), Purpose.TWO_FACTOR) == ada


def test_many_failed_logins_are_told_of_with_all_facts(
    ada: User, smtp: MailServer, workers: Workers
):
    message = recovery.request_mail(Mail.LOGINS_FAILED, ada, address="192.0.2.7")
    workers.run("send_mail", message, 0)
    (mail,) = smtp.mails
    text = text_of(mail)
    assert mail["Subject"] == "Failed logins on your account - vantage6"
    for fact in (
        "5 failed",
        "192.0.2.7",
        f"{now():%Y-%m-%d %H:}",
        "15 minutes",
        "reset_my_password",
    ):
        assert fact in text
    assert RecoveryToken.select().count() == 0


@pytest.mark.parametrize("change", list(Change))
def test_a_change_of_an_account_is_told_of(
    ada: User, smtp: MailServer, workers: Workers, change: Change
):
    workers.run("send_mail", recovery.tell(ada, change, "192.0.2.7"), 0)
    workers.run("send_mail", recovery.tell(ada, change, None), 0)
    (mail, by_operator) = smtp.mails
    assert mail["Subject"] == "Your account was changed - vantage6"
    for fact in ("192.0.2.7", f"{now():%Y-%m-%d %H:}", '"ada"', "support@example.org"):
        assert fact in text_of(mail)
    assert "the machine of the server" in text_of(by_operator)
    word = change.split("_")[0].removesuffix("s")
    assert word in text_of(mail)
    assert RecoveryToken.select().count() == 0


def test_a_new_address_is_told_to_the_old_one(ada: User, smtp: MailServer, workers: Workers):
    told = recovery.tell(ada, Change.ADDRESS_CHANGED, "192.0.2.7", "old@example.org")
    workers.run("send_mail", told, 0)
    (mail,) = smtp.mails
    assert mail["To"] == "old@example.org"


def test_a_removed_account_is_told_of_it(ada: User, smtp: MailServer, workers: Workers):
    told = recovery.tell(ada, Change.REMOVED, "192.0.2.7", "old@example.org")
    users.delete(ada)
    workers.run("send_mail", told, 0)
    (mail,) = smtp.mails
    assert mail["To"] == "old@example.org"
    assert '"ada"' in text_of(mail)


@pytest.mark.parametrize("kind", [Mail.PASSWORD_RESET, Mail.TWO_FACTOR_RESET])
def test_mails_that_open_an_account_go_to_the_old_address_for_a_day(
    ada: User, smtp: MailServer, workers: Workers, kind: Mail
):
    def receiver() -> str:
        workers.run("send_mail", recovery.request_mail(kind, ada), 0)
        return str(smtp.mails[-1]["To"])

    before = ada.email
    changed = users.update(ada, {"email": "new@example.org"}, is_held=True)
    assert receiver() == before
    # Twice is no way around.
    users.update(changed, {"email": "newer@example.org"}, is_held=True)
    assert receiver() == before
    User.update(email_held_until=now()).execute()
    assert receiver() == "newer@example.org"


def test_settings_decide_life_sender_and_support(ada: User, smtp: MailServer, redis_url: str):
    settings = smtp.settings | {"sender": "robot@example.org", "email_token_validity_minutes": 7}
    workers = workers_with(redis_url, settings, support_email="help@example.org")
    workers.run("send_mail", recovery.request_mail(Mail.PASSWORD_RESET, ada), 0)
    (mail,) = smtp.mails
    assert mail["From"] == "robot@example.org"
    assert "7 minutes" in text_of(mail)
    assert "Write to help@example.org." in text_of(mail)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mails_are_encrypted_for_a_server_with_the_right_certificate_only(
    ada: User, tmp_path: Path, redis_url: str, security: Security
):
    with MailServer(tmp_path, security).running() as server:
        workers = workers_with(redis_url, server.settings)
        workers.run("send_mail", recovery.request_mail(Mail.PASSWORD_RESET, ada), 0)
        assert len(server.mails) == 1
        # Nobody vouches for it: the authorities of the operating system do not know it.
        suspicious = workers_with(redis_url, server.settings | {"ca_file": None})
        message = recovery.request_mail(Mail.PASSWORD_RESET, ada)
        suspicious.run("send_mail", message, 0)
        assert len(server.mails) == 1
        assert Outbox.get_by_id(message).error == "SSLCertVerificationError"


def test_a_server_without_encryption_gets_nothing_where_it_is_asked_for(
    ada: User, smtp: MailServer, redis_url: str
):
    workers = workers_with(redis_url, smtp.settings | {"use_tls": True})
    message = recovery.request_mail(Mail.PASSWORD_RESET, ada)
    workers.run("send_mail", message, 0)
    assert smtp.mails == []
    assert Outbox.get_by_id(message).error == "SMTPNotSupportedError"


def test_without_a_mail_server_one_warning_says_so_and_nothing_piles_up(
    ada: User, redis_url: str, logged: Logs
):
    workers = workers_with(redis_url, None)
    workers.run("send_mail", recovery.request_mail(Mail.PASSWORD_RESET, ada), 0)
    assert messages() == []
    assert RecoveryToken.select().count() == 0
    lines = logged.lines("vantage6.workers.mail")
    warnings = [line for line in lines if line["level"] == "warning"]
    assert [line["event"] for line in warnings] == ["mail not sent: no `smtp` is configured"]
    assert warnings[0]["user_id"] == ada.id


def test_nobody_gets_no_mail(world: World, smtp: MailServer, workers: Workers):
    workers.run("send_mail", recovery.request_mail(Mail.PASSWORD_RESET, None), 0)
    gone = make_user(world.amsterdam)
    message = recovery.request_mail(Mail.PASSWORD_RESET, gone)
    User.delete().execute()
    workers.run("send_mail", message, 0)
    assert smtp.mails == []
    assert messages() == []


@pytest.mark.parametrize(
    "email",
    [
        None,
        "",
        "nobody",
        "ada@example.org\nBcc: eve@example.org",
        "ada@example.org\r\n\r\nbody",
        "ada@example.org, eve@example.org",
        "<eve@example.org>",
    ],
)
def test_an_address_that_is_none_gets_nothing(
    world: World, smtp: MailServer, workers: Workers, logged: Logs, email: str | None
):
    user = make_user(world.amsterdam, email=email)
    workers.run("send_mail", recovery.request_mail(Mail.PASSWORD_RESET, user), 0)
    assert smtp.mails == []
    assert messages() == []
    assert "no usable address" in logged.text
    assert "eve@" not in logged.text


@pytest.mark.parametrize(
    "name", ["Ada\r\nBcc: eve@example.org", "$token ${name}", "Ädä", "x" * 255]
)
def test_odd_names_neither_add_headers_nor_receivers(
    world: World, smtp: MailServer, workers: Workers, name: str
):
    user = make_user(world.amsterdam, username=name, firstname=name, email="ada@example.org")
    workers.run("send_mail", recovery.request_mail(Mail.PASSWORD_RESET, user), 0)
    (mail,) = smtp.mails
    assert smtp.receivers == [["ada@example.org"]]
    assert mail["Bcc"] is None
    assert set(mail.keys()) == {
        *("Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted"),
        *("Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
    }
    assert text_of(mail).startswith(f"Hello {' '.join(name.split())[:100]},\n")
    assert recovery.holder(token_in(mail), Purpose.PASSWORD) == user


def test_a_refused_mail_is_sent_later(
    ada: User, smtp: MailServer, workers: Workers, logged: Logs, redis_url: str
):
    smtp.refusal = "451 ada@example.org is busy"
    message = recovery.request_mail(Mail.PASSWORD_RESET, ada)
    workers.run("send_mail", message, 0)
    row = Outbox.get_by_id(message)
    assert (row.attempts, row.error) == (1, "SMTPDataError 451")
    assert timedelta(0) < row.available_at - now() <= timedelta(seconds=1)
    assert "ada@example.org" not in logged.text
    smtp.refusal = None
    let_all_be_due()
    workers.run("relay")
    assert waiting(redis_url) == 1
    workers.run("send_mail", message, 1)
    assert len(smtp.mails) == 1
    assert messages() == []


def test_a_wrong_password_of_the_mail_server_does_not_show(
    ada: User, smtp: MailServer, redis_url: str, logged: Logs
):
    workers = workers_with(redis_url, smtp.settings | {"password": "wröng-password"})
    message = recovery.request_mail(Mail.PASSWORD_RESET, ada)
    workers.run("send_mail", message, 0)
    workers_with(redis_url, smtp.settings | {"password": "wrong-password"}).run(
        "send_mail", message, 1
    )
    assert Outbox.get_by_id(message).error == "SMTPAuthenticationError 535"
    assert "password" not in logged.text


def test_a_mail_that_comes_too_late_is_given_up(
    ada: User, smtp: MailServer, workers: Workers, logged: Logs
):
    message = recovery.request_mail(Mail.PASSWORD_RESET, ada)
    content = json.loads(Outbox.get_by_id(message).content)
    content["asked_at"] = (now() - timedelta(minutes=61)).isoformat()
    Outbox.update(content=json.dumps(content)).execute()
    workers.run("send_mail", message, 0)
    assert smtp.mails == []
    assert messages() == []
    assert "mail given up" in logged.text
    assert "ada@example.org" not in logged.text


def test_an_attempt_is_made_once_however_often_it_is_asked_for(
    ada: User, smtp: MailServer, workers: Workers
):
    smtp.refusal = "451 later"
    message = recovery.request_mail(Mail.PASSWORD_RESET, ada)
    workers.run("send_mail", message, 0)
    smtp.refusal = None
    workers.run("send_mail", message, 0)
    assert smtp.mails == []
    workers.run("send_mail", message, 1)
    workers.run("send_mail", message, 1)
    assert len(smtp.mails) == 1


def test_the_relay_has_a_lost_mail_sent_and_leaves_it_alone_then(
    ada: User, smtp: MailServer, workers: Workers, redis_url: str
):
    message = recovery.request_mail(Mail.PASSWORD_RESET, ada)
    workers.run("relay")
    assert waiting(redis_url) == 0
    let_all_be_due()
    workers.run("relay")
    workers.run("relay")
    assert waiting(redis_url) == 1
    assert smtp.mails == []
    assert Outbox.get_by_id(message).attempts == 0


def test_many_waiting_mails_do_not_hold_up_other_messages(ada: User, workers: Workers):
    for _ in range(120):
        recovery.request_mail(Mail.PASSWORD_RESET, ada)
    later = outbox.add(outbox.Topic.TASK_CREATED, {"task_id": 999})
    let_all_be_due()
    workers.run("relay")
    assert later not in messages()


def test_a_hanging_mail_server_holds_up_one_mail_only(
    ada: User, smtp: MailServer, workers: Workers
):
    first, second = (recovery.request_mail(Mail.PASSWORD_RESET, ada) for _ in range(2))
    smtp.hangs = True
    sender = threading.Thread(target=workers.app.tasks["send_mail"], args=(first, 0))
    sender.start()
    deadline = time.monotonic() + 30
    while not smtp.hanging:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    before = time.monotonic()
    workers.run("send_mail", second, 0)
    assert time.monotonic() - before < 8
    assert Outbox.get_by_id(second).attempts == 0
    smtp.hangs = False
    sender.join(10)
    assert messages() == [second]
    workers.run("send_mail", second, 0)
    assert len(smtp.mails) == 2


def test_a_silent_mail_server_is_not_waited_for_long(
    ada: User, redis_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(mail_module, "TIMEOUT_SECONDS", 0.2)
    message = recovery.request_mail(Mail.PASSWORD_RESET, ada)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = {"server": "127.0.0.1", "port": silent.getsockname()[1]}
        before = time.monotonic()
        workers_with(redis_url, settings).run("send_mail", message, 0)
        assert time.monotonic() - before < 10
    assert Outbox.get_by_id(message).error in ("TimeoutError", "SMTPServerDisconnected")
    assert mail_module._ATTEMPT_SECONDS >= 12 * 10


def test_a_mail_server_that_is_away_postpones(ada: User, redis_url: str):
    message = recovery.request_mail(Mail.PASSWORD_RESET, ada)
    settings = {"server": "127.0.0.1", "port": free_port()}
    workers_with(redis_url, settings).run("send_mail", message, 0)
    assert Outbox.get_by_id(message).error == "ConnectionRefusedError"
