"""What a server needs, looked at piece by piece; each finding says what to do."""

import shutil
import smtplib
import socket
import ssl
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import redis

from vantage6.api import passwords, supervision
from vantage6.broker import acl, presence
from vantage6.broker.connection import BrokerUnavailable, client
from vantage6.common.clock import now
from vantage6.common.config import Instance
from vantage6.common.errors import V6Error
from vantage6.models import database, migrate
from vantage6.models.database import db
from vantage6.models.fields import is_sqlite
from vantage6.models.store import users
from vantage6.models.store.setup import ROOT

#: No node has this number; its queue user is made and removed for a test.
_NOBODY = 0
_LEAST_BYTES = 2**30
_MOST_SECONDS_APART = 5
_LEAST_SECRET = 32
_SMTP_SECONDS = 10


class State(StrEnum):
    """What came of a look."""

    OK = "ok"
    #: There is nothing to look at.
    SKIPPED = "skipped"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """What was found about one thing."""

    subject: str
    state: State
    text: str


class Problem(Exception):
    """Something is not as it should be; the message says what to do."""


class Skipped(Exception):
    """There is nothing to look at; the message says why."""


class Doctor:
    """Looks at one server."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._config = instance.config
        self._runs = supervision.supervisor(instance).running() is not None
        self._database = False

    def findings(self) -> Iterator[Finding]:
        """Look at everything, one thing after the other."""
        looks: tuple[tuple[str, Callable[[], str]], ...] = (
            ("configuration", self._file),
            ("folder", self._folder),
            ("disk", self._disk),
            ("database", self._answers),
            ("migrations", self._migrations),
            ("root", self._root),
            ("tokens", self._secret),
            ("broker", self._broker),
            ("queues", self._queues),
            ("workers", self._workers),
            ("port", self._port),
            ("mail", self._mail),
            ("clock", self._clock),
        )
        for subject, look in looks:
            try:
                yield Finding(subject, State.OK, look())
            except Skipped as reason:
                yield Finding(subject, State.SKIPPED, str(reason))
            except (Problem, V6Error) as problem:
                yield Finding(subject, State.PROBLEM, str(problem))

    def _file(self) -> str:
        file = self._instance.file
        if file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            raise Problem(f"{file} holds secrets and others can read it: chmod 600 {file}")
        return f"{file} is valid"

    def _folder(self) -> str:
        folder = self._instance.folder
        if not folder.exists():
            raise Skipped(f"{folder} is made by the first start")
        try:
            with (folder / ".doctor").open("w"):
                pass
            (folder / ".doctor").unlink()
        except OSError as error:
            raise Problem(
                f"cannot write into {folder}: {error.strerror}; check its owner"
            ) from error
        if folder.stat().st_mode & 0o077:
            raise Problem(f"{folder} holds secrets and is open to others: chmod 700 {folder}")
        return f"{folder} is writable, and closed to others"

    def _disk(self) -> str:
        folder = self._instance.folder
        there: Path = next(path for path in (folder, *folder.parents) if path.exists())
        free = shutil.disk_usage(there).free
        if free < _LEAST_BYTES:
            raise Problem(f"only {free / 2**20:.0f} MiB are free at {there}; make room")
        return f"{free / 2**30:.0f} GiB are free"

    def _answers(self) -> str:
        new = Skipped("it is made by the first start")
        if self._config.uri.startswith("sqlite") and not self._instance.folder.exists():
            raise new
        database.bind(self._config.uri, folder=self._instance.folder, connections=2)
        if is_sqlite(db.obj) and not Path(db.obj.database).exists():
            raise new
        database.connect()
        self._database = True
        return "it answers"

    def _connected(self) -> None:
        if not self._database:
            raise Skipped("there is no database to look into")

    def _migrations(self) -> str:
        self._connected()
        try:
            migrate.check()
        except V6Error:
            self._database = False
            raise
        return f"it is at {migrate.applied()[-1]}"

    def _root(self) -> str:
        self._connected()
        user = users.find_by_name(ROOT)
        if user is not None and passwords.matches(user.password, "root"):
            raise Problem("root has the password `root`: `vserver user reset-password root`")
        return "its password is not `root`"

    def _secret(self) -> str:
        secret = self._config.jwt_secret_key
        if secret is None:
            return "signed with a random key in the data folder"
        if len(secret.get_secret_value().encode()) < _LEAST_SECRET:
            raise Problem(
                f"`jwt_secret_key` has fewer than {_LEAST_SECRET} characters and may be guessed: "
                "take `openssl rand -hex 32`, or leave it out"
            )
        return "signed with the configured key"

    def _redis(self) -> redis.Redis:
        if self._config.broker is None and not self._runs:
            raise Skipped("the private Redis runs with the server, which does not run")
        return client(self._instance.broker_url)

    def _broker(self) -> str:
        with self._redis() as broker:
            try:
                broker.ping()
            except redis.AuthenticationError as error:
                raise Problem("Redis refuses the user or the password in `broker`") from error
            except (redis.RedisError, OSError) as error:
                raise Problem(
                    f"Redis does not answer ({type(error).__name__}); start it"
                ) from error
        return "Redis answers"

    def _queues(self) -> str:
        with self._redis() as broker:
            try:
                acl.grant(broker, _NOBODY)
                acl.revoke(broker, _NOBODY)
            except BrokerUnavailable as error:
                raise Problem(
                    "a user for a node cannot be made; the user in `broker` needs ACL SETUSER and "
                    f"ACL DELUSER ({error.__cause__ or error})"
                ) from error
        return "users for nodes can be made"

    def _workers(self) -> str:
        with self._redis() as broker:
            if presence.workers_online(broker):
                return "they answer"
        if not self._runs:
            raise Skipped("the server does not run")
        raise Problem("no worker works off its queues; see the log of `worker`")

    def _port(self) -> str:
        if self._runs:
            if supervision.answers(self._instance):
                return f"{supervision.address(self._instance)} answers"
            raise Problem(
                f"{supervision.address(self._instance)}/ready does not say yes; ask it why"
            )
        family = socket.AF_INET6 if ":" in self._config.ip else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self._config.ip, self._config.port))
            except OSError as error:
                raise Problem(
                    f"{self._config.ip}:{self._config.port} cannot be used ({error.strerror}); set "
                    "another `ip` or `port`"
                ) from error
        return f"{self._config.port} is free"

    def _mail(self) -> str:
        smtp = self._config.smtp
        if smtp is None:
            raise Skipped("no `smtp` is configured: lost passwords cannot be recovered by mail")
        trusted = ssl.create_default_context(cafile=smtp.ca_file)
        where = f"{smtp.server}:{smtp.port}"
        try:
            connection = (
                smtplib.SMTP_SSL(smtp.server, smtp.port, timeout=_SMTP_SECONDS, context=trusted)
                if smtp.use_ssl
                else smtplib.SMTP(smtp.server, smtp.port, timeout=_SMTP_SECONDS)
            )
            with closing(connection):
                connection.ehlo()
                if smtp.use_tls and not smtp.use_ssl:
                    connection.starttls(context=trusted)
                if smtp.username and smtp.password:
                    connection.login(smtp.username, smtp.password.get_secret_value())
                with suppress(smtplib.SMTPException):
                    connection.quit()
        except (smtplib.SMTPException, OSError) as error:
            raise Problem(f"{where} cannot be used ({type(error).__name__}: {error})") from error
        return f"{where} answers"

    def _clock(self) -> str:
        other = self._other_clock()
        apart = abs((now() - other).total_seconds())
        if apart > _MOST_SECONDS_APART:
            raise Problem(f"clocks are {apart:.0f} s apart; run a time service on both machines")
        return "it agrees with the others"

    def _other_clock(self) -> datetime:
        """Return the time of the database or of Redis, whichever may run elsewhere."""
        if self._database and not is_sqlite(db.obj):
            seconds = db.execute_sql("SELECT extract(epoch FROM clock_timestamp())").fetchone()[0]
            return datetime.fromtimestamp(float(seconds), UTC)
        if self._config.broker is None:
            raise Skipped("everything runs on this machine")
        with self._redis() as broker:
            try:
                seconds, _ = broker.time()
            except (redis.RedisError, OSError) as error:
                raise Skipped("Redis does not tell the time") from error
        return datetime.fromtimestamp(seconds, UTC)
