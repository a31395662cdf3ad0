"""A real mail server on the loopback interface, which keeps what it gets."""

import asyncio
import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from tests.services.certificate import write_certificate
from vantage6.sandbox.ports import free_port

Security = Literal["plain", "starttls", "tls"]
# It tells everything that it is sent, which the server itself must not.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)

USERNAME, PASSWORD = "support@example.org", "smtp-password-of-the-server"


class MailServer:
    """Takes mails of those who log in.

    Parameters
    ----------
    folder
        Where its certificate goes.
    security
        How it encrypts.
    """

    def __init__(self, folder: Path, security: Security = "plain") -> None:
        certificate, key = write_certificate(folder)
        self.port = free_port()
        self.security = security
        #: What a configuration says to reach it.
        self.settings: dict[str, Any] = {
            "server": "127.0.0.1",
            "port": self.port,
            "username": USERNAME,
            "password": PASSWORD,
            "use_tls": security == "starttls",
            "use_ssl": security == "tls",
            "ca_file": str(certificate),
        }
        self.mails: list[EmailMessage] = []
        #: To whom each was addressed.
        self.receivers: list[list[str]] = []
        #: What is answered instead of taking a mail.
        self.refusal: str | None = None
        #: Let senders wait for an answer that does not come.
        self.hangs = False
        #: How many wait.
        self.hanging = 0
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            ssl_context=context if security == "tls" else None,
            tls_context=context if security == "starttls" else None,
            require_starttls=security == "starttls",
            authenticator=_known,
            # Without encryption it warns of passwords, which stay on this machine here.
            auth_required=security == "starttls",
            auth_require_tls=security == "starttls",
        )

    async def handle_DATA(  # noqa: N802
        self, _: Any, session: Session, envelope: Envelope
    ) -> str:
        """Take a mail of somebody who logged in."""
        if not session.authenticated:
            return "530 log in first"
        self.hanging += 1
        try:
            while self.hangs:
                await asyncio.sleep(0.01)
        finally:
            self.hanging -= 1
        if self.refusal is not None:
            return self.refusal
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        self.receivers.append(list(envelope.rcpt_tos))
        return "250 taken"

    @contextmanager
    def running(self) -> Iterator["MailServer"]:
        """Serve."""
        self._controller.start()
        try:
            yield self
        finally:
            self.hangs = False
            self._controller.stop()


def text_of(mail: EmailMessage) -> str:
    """Return the text of a mail."""
    content: str = mail.get_content()
    return content.replace("\r\n", "\n")


def token_in(mail: EmailMessage) -> str:
    """Return the token in a mail: the line that is nothing else."""
    (token,) = [line for line in text_of(mail).splitlines() if len(line) == 43 and " " not in line]
    return token


def _known(_: Any, __: Any, ___: Any, mechanism: str, given: Any) -> AuthResult:
    assert mechanism in ("LOGIN", "PLAIN")
    assert isinstance(given, LoginPassword)
    right = (given.login, given.password) == (USERNAME.encode(), PASSWORD.encode())
    # Not handled: the refusal is left to the library.
    return AuthResult(success=right, handled=False)
