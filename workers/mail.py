"""Mails: what they say, and their way to a mail server."""

import smtplib
import ssl
import threading
from contextlib import closing, suppress
from datetime import datetime, timedelta
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from importlib.resources import files
from string import Template
from typing import Any

from vantage6.broker import metrics
from vantage6.broker.telemetry import Telemetry
from vantage6.common.clock import now, parse
from vantage6.common.config import ServerConfig
from vantage6.common.config.server import SmtpConfig
from vantage6.common.logs import get
from vantage6.models.database import session
from vantage6.models.store import held_addresses, outbox, recovery, users
from vantage6.models.store.recovery import Change, Mail, Purpose
from vantage6.models.tables import User

log = get(__name__)

#: Limit on connecting to a mail server and on each of its answers.
TIMEOUT_SECONDS = 10
#: Longer than the dozen answers of one delivery may take together.
_ATTEMPT_SECONDS = 180

_PURPOSES = {
    Mail.PASSWORD_RESET: Purpose.PASSWORD,
    Mail.TWO_FACTOR_RESET: Purpose.TWO_FACTOR,
}
_CHANGES = {
    Change.PASSWORD_CHANGED: "The password was changed.",
    Change.PASSWORD_RESET: "A new password was set with a token from a mail, or by an operator.",
    Change.FACTOR_SET_UP: "A second factor was set up: an authenticator app.",
    Change.FACTOR_RESET: "Another authenticator app may be set up: the second factor was reset.",
    Change.FACTOR_REMOVED: "The second factor was removed by an administrator.",
    Change.CODE_USED: "A recovery code was used instead of the code of an authenticator app.",
    Change.ADDRESS_CHANGED: (
        "The e-mail address was changed: all mails, also those for a new password, go to another "
        "address now."
    ),
    Change.ADDRESS_HELD: (
        "The e-mail address was changed, without the password. For "
        f"{held_addresses.HOLD // timedelta(hours=1)} hours, mails for a new password or a new "
        "second factor still come to this address; then they go to the new one. If you do not "
        "know of it, set a new password now, log in, and change the address back."
    ),
    Change.USERNAME_CHANGED: "The username was changed to the one above, which logs in now.",
    Change.REMOVED: "The account was removed with a login of its own. It cannot be brought back.",
    Change.CODES_REPLACED: "New recovery codes were made; the old ones are void.",
}
#: The last one: a password that the protocol cannot carry.
_FAILURES = (smtplib.SMTPException, OSError, UnicodeError)


class Mailer:
    """Sends the mails of the outbox, one at a time.

    Parameters
    ----------
    config
        The server's configuration.
    server
        Name of the server, for the texts.
    telemetry
        What counts the mails.
    """

    def __init__(self, config: ServerConfig, server: str, telemetry: Telemetry) -> None:
        self._config = config
        self._server = server
        self._telemetry = telemetry
        self._busy = threading.Lock()

    def deliver(self, message: int, attempt: int) -> None:
        """Send a mail of the outbox.

        Parameters
        ----------
        message
            Its id.
        attempt
            Number of attempts before this one; the attempt of another worker is left alone.
        """
        # One hanging mail server must not take the threads that tell the nodes. What is not
        # sent now is brought again by the relay.
        if not self._busy.acquire(blocking=False):
            return
        try:
            self._deliver(message, attempt)
        finally:
            self._busy.release()

    def _deliver(self, message: int, attempt: int) -> None:
        with session():
            content = outbox.begin(message, attempt, _ATTEMPT_SECONDS)
            if content is None:
                return
            mail, smtp = self._compose(content), self._config.smtp
            if mail is None or smtp is None:
                outbox.forget(message)
                return
        # The connection to the database is not held while the mail server takes its time.
        failure = _attempt(mail, smtp)
        with session():
            if failure is None:
                outbox.forget(message)
                log.info("mail sent", message=message, kind=content["kind"])
                self._telemetry.count(metrics.MAILS, "sent")
            else:
                outbox.postpone(message, failure, begun=True)
                log.warning("mail postponed", message=message, reason=failure)
                self._telemetry.count(metrics.MAILS, "failed")

    def _compose(self, content: dict[str, Any]) -> EmailMessage | None:
        """Return a mail, or None where there is nothing to send (any more)."""
        about = {"kind": content["kind"], "user_id": content["user_id"]}
        asked_at = parse(content["asked_at"])
        if now() - asked_at > timedelta(minutes=self._config.recovery_minutes):
            log.error("mail given up", **about)
            self._telemetry.count(metrics.MAILS, "given_up")
            return None
        user: User | None
        if content.get("change") == Change.REMOVED:
            # Another account may have its number by now.
            user = User(username=content["username"], email=content["receiver"])
        else:
            user = users.find(content["user_id"]) if content["user_id"] else None
        if user is None:
            return None
        if self._config.smtp is None:
            log.warning("mail not sent: no `smtp` is configured", **about)
            return None
        kind = Mail(content["kind"])
        own = held_addresses.for_recovery(user) if kind in _PURPOSES else user.email
        # The address of before is told that it is one no more.
        receiver = _address(content.get("receiver") or own)
        if receiver is None:
            log.warning("mail not sent: the user has no usable address", **about)
            return None
        return self._write(kind, receiver, self._facts(kind, user, content, asked_at))

    def _facts(
        self, kind: Mail, user: User, content: dict[str, Any], asked_at: datetime
    ) -> dict[str, str]:
        facts = {
            "name": _line(user.firstname) or _line(user.username),
            "username": _line(user.username),
            "server": self._server,
            "support": self._config.support_email or _sender(self._config),
        }
        if kind in _PURPOSES:
            # Made here, so that it stands in no queue and no log.
            minutes = self._config.recovery_minutes
            token = recovery.issue(user, _PURPOSES[kind], minutes)
            return facts | {"token": token, "minutes": str(minutes)}
        facts |= {"address": _line(content["address"]), "moment": f"{asked_at:%Y-%m-%d %H:%M:%S}"}
        if kind is Mail.ACCOUNT_CHANGED:
            return facts | {"change": _CHANGES[Change(content["change"])]}
        policy = self._config.password_policy
        return facts | {
            "attempts": str(policy.max_failed_attempts),
            "lock_minutes": str(policy.inactivation_minutes),
        }

    def _write(self, kind: Mail, receiver: Address, facts: dict[str, str]) -> EmailMessage:
        template = files(__package__).joinpath("mails", f"{kind}.txt").read_text("utf-8")
        subject, _, text = template.partition("\n")
        sender = _sender(self._config)
        mail = EmailMessage()
        mail["Subject"] = subject
        mail["From"] = sender
        mail["To"] = receiver
        mail["Date"] = format_datetime(now())
        mail["Message-ID"] = make_msgid(domain=sender.partition("@")[2])
        # Holiday notices stay away.
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(Template(text).substitute(facts))
        return mail


def _attempt(mail: EmailMessage, smtp: SmtpConfig) -> str | None:
    """Return why a mail could not be sent, without the address that an error may name."""
    try:
        send(mail, smtp)
    except _FAILURES as error:
        code = getattr(error, "smtp_code", None)
        return type(error).__name__ + (f" {code}" if code else "")
    return None


def send(mail: EmailMessage, config: SmtpConfig) -> None:
    """Hand a mail to a mail server.

    Raises
    ------
    smtplib.SMTPException, OSError
        If the server does not take it, is not there, or is not the one that it says it is.
    """
    trusted = ssl.create_default_context(cafile=config.ca_file)
    # The name of this machine would be looked up, for as long as that takes.
    name = str(mail["From"]).partition("@")[2]
    if config.use_ssl:
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            config.server,
            config.port,
            local_hostname=name,
            timeout=TIMEOUT_SECONDS,
            context=trusted,
        )
    else:
        connection = smtplib.SMTP(
            config.server, config.port, local_hostname=name, timeout=TIMEOUT_SECONDS
        )
    with closing(connection):
        if config.use_tls and not config.use_ssl:
            connection.starttls(context=trusted)
        if config.username and config.password:
            connection.login(config.username, config.password.get_secret_value())
        connection.send_message(mail)
        # It is delivered; how the farewell goes makes no difference.
        with suppress(smtplib.SMTPException):
            connection.quit()


def _sender(config: ServerConfig) -> str:
    smtp = config.smtp or SmtpConfig()
    given = (smtp.sender, smtp.username, config.support_email)
    found = next((address for address in given if address and "@" in address), None)
    return found or f"vantage6@{smtp.server}"


def _address(text: str | None) -> Address | None:
    """Return an address that is one, and nothing but one."""
    try:
        address = Address(addr_spec=text or "")
    except (ValueError, IndexError, MessageError):
        return None
    # SECURITY: what follows an address on another line would become headers of ours.
    return address if address.domain and address.addr_spec == text else None


def _line(text: str | None) -> str:
    """Return a name that a user chose, on one line and no longer than a name."""
    return " ".join((text or "").split())[:100]
