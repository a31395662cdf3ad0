"""What a server needs, looked at piece by piece; each finding says what to do."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import redis

from vantage6.api.identity import passwords
from vantage6.broker import acl, presence
from vantage6.broker.connection import BrokerUnavailable, client
from vantage6.broker.embedded import find_executable
from vantage6.common.cli.doctor import (
    Check,
    Doubtful,
    Failed,
    Finding,
    Skipped,
    findings,
    refuse_shared,
    room,
    same_time,
    writable,
)
from vantage6.common.cli.notices import without_effect
from vantage6.common.config import Instance
from vantage6.common.config.server import LEAST_SECRET_BYTES
from vantage6.common.errors import ConfigurationError, V6Error
from vantage6.models import database, migrate, seals
from vantage6.models.database import db
from vantage6.models.fields import is_sqlite
from vantage6.models.store import second_factors, users
from vantage6.models.store.setup import FIRST_PASSWORD, ROOT
from vantage6.server import supervision
from vantage6.server.setup import describe_narrowing

#: No node has this number; its queue user is made and removed for a test.
_NOBODY = 0
_LEAST_BYTES = 2**30
_MOST_SECONDS_APART = 5
_SMTP_SECONDS = 10


class Doctor:
    """Looks at one server."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._config = instance.config
        self._runs = supervision.supervisor(instance).running() is not None
        self._bound = self._database = False

    def findings(self) -> Iterator[Finding]:
        """Look at everything, one thing after the other."""
        folder = self._instance.folder
        checks: tuple[Check, ...] = (
            ("configuration", self._file),
            *((("old settings", self._old_settings),) if self._config.without_effect else ()),
            ("data folder", lambda: writable(folder, "check its owner, or set data_dir")),
            ("disk", lambda: room(folder, _LEAST_BYTES, "make room, or set data_dir")),
            ("database", self._answers),
            ("migrations", self._migrations),
            ("root", self._root),
            ("rules", self._rules),
            ("two-factor", self._two_factor),
            ("tokens", self._secret),
            ("broker", self._broker),
            ("queues", self._queues),
            ("workers", self._workers),
            *(
                (setting.replace(".", " "), partial(self._port, setting))
                for setting in supervision.ports(self._instance)
            ),
            ("mail", self._mail),
            ("clock", self._clock),
        )
        try:
            yield from findings(checks)
        finally:
            if self._bound:
                database.dispose()

    def _file(self) -> str:
        file = self._instance.file
        refuse_shared(file, 0o600)
        return f"{file} is valid, and closed to others."

    def _old_settings(self) -> str:
        raise Doubtful(without_effect(self._config.without_effect))

    def _answers(self) -> str:
        new = Skipped("It is made by the first start.")
        if self._config.uri.startswith("sqlite") and not self._instance.folder.exists():
            raise new
        database.bind(self._config.uri, folder=self._instance.folder, connections=2)
        self._bound = True
        if is_sqlite(db.obj) and not Path(db.obj.database).exists():
            raise new
        database.connect()
        self._database = True
        return "It answers."

    def _check_connection(self) -> None:
        if not self._database:
            raise Skipped("There is no database to look into.")

    def _migrations(self) -> str:
        self._check_connection()
        try:
            migrate.check()
        except V6Error:
            self._database = False
            raise
        return f"It is at {migrate.list_applied()[-1]}."

    def _root(self) -> str:
        self._check_connection()
        user = users.find_by_name(ROOT)
        if user is not None and passwords.matches(user.password, FIRST_PASSWORD):
            raise Failed(
                "root has the password `root`: `vserver user reset-password root` changes it."
            )
        return "Its password is not `root`."

    def _rules(self) -> str:
        self._check_connection()
        return (
            describe_narrowing()
            or "Root alone holds rules of scope GLOBAL on what belongs to others."
        )

    def _two_factor(self) -> str:
        self._check_connection()
        user = second_factors.any_user()
        if user is None:
            return "No user has set up an authenticator app."
        try:
            second_factors.secret_of(user)
        except seals.CannotOpen as error:
            raise Failed(
                f"The secrets were sealed with another key than the one in {seals.KEY_FILE}: put "
                "that file back into the data folder, from a backup or another process of the "
                "server."
            ) from error
        return f"The key in {seals.KEY_FILE} opens the secrets."

    def _secret(self) -> str:
        secret = self._config.jwt_secret_key
        if secret is None:
            return "Signed with a random key in the data folder."
        if len(secret.get_secret_value().encode()) < LEAST_SECRET_BYTES:
            raise Failed(
                f"`jwt_secret_key` has fewer than {LEAST_SECRET_BYTES} bytes and may be guessed: "
                "take `openssl rand -hex 32`, or leave it out."
            )
        return "Signed with the configured key."

    def _redis(self) -> redis.Redis:
        if self._config.broker is None and not self._runs:
            raise Skipped("The private Redis runs with the server, which does not run.")
        return client(self._instance.broker_url)

    def _broker(self) -> str:
        if self._config.broker is None:
            executable = find_executable()
            if not executable.is_maintained:
                raise Doubtful(executable.advice)
            if not self._runs:
                raise Skipped(f"{executable.name} runs with the server, which does not run.")
        with self._redis() as broker:
            try:
                broker.ping()
            except redis.AuthenticationError as error:
                raise Failed("Redis refuses the user or the password: correct `broker`.") from error
            except (redis.RedisError, OSError) as error:
                raise Failed(
                    f"Redis does not answer ({type(error).__name__}): start it, or correct "
                    "`broker`."
                ) from error
            return f"{_product(broker)} answers."

    def _queues(self) -> str:
        with self._redis() as broker:
            try:
                acl.grant(broker, _NOBODY)
                acl.revoke(broker, _NOBODY)
            except BrokerUnavailable as error:
                raise Failed(
                    "A user for a node cannot be made: the user in `broker` needs ACL SETUSER and "
                    f"ACL DELUSER ({error.__cause__ or error})."
                ) from error
        return "Users for nodes can be made."

    def _workers(self) -> str:
        with self._redis() as broker:
            if presence.workers_online(broker):
                return "They answer."
        if not self._runs:
            raise Skipped("The server does not run.")
        raise Failed("No worker works off its queues: see the log of `worker`.")

    def _port(self, setting: str) -> str:
        _, port = supervision.ports(self._instance)[setting]
        if self._runs and setting != "port":
            return f"{port} is used by this server."
        if self._runs:
            if supervision.answers(self._instance):
                return f"{supervision.address(self._instance)} answers."
            raise Failed(
                f"{supervision.address(self._instance)}/ready does not say yes: ask it why."
            )
        try:
            supervision.refuse_taken(self._instance, setting)
        except ConfigurationError:
            # In a container of the API, or beside another supervisor, it is this server itself.
            if setting == "port" and supervision.answers(self._instance):
                return f"{supervision.address(self._instance)} answers; it was started otherwise."
            raise
        return f"{port} is free."

    def _mail(self) -> str:
        smtp = self._config.smtp
        if smtp is None:
            raise Skipped("No `smtp` is configured: lost passwords cannot be recovered by mail.")
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
            said = f"{type(error).__name__}: {error}"
            raise Failed(f"{where} cannot be used ({said}): correct `smtp`.") from error
        return f"{where} answers."

    def _clock(self) -> str:
        return same_time(self._other_clock(), _MOST_SECONDS_APART)

    def _other_clock(self) -> datetime:
        """Return the time of the database or of Redis, whichever may run elsewhere."""
        if self._database and not is_sqlite(db.obj):
            seconds = db.execute_sql("SELECT extract(epoch FROM clock_timestamp())").fetchone()[0]
            return datetime.fromtimestamp(float(seconds), UTC)
        if self._config.broker is None:
            raise Skipped("Everything runs on this machine.")
        with self._redis() as broker:
            try:
                seconds, _ = broker.time()
            except (redis.RedisError, OSError) as error:
                raise Skipped("Redis does not tell the time.") from error
        return datetime.fromtimestamp(seconds, UTC)


def _product(broker: redis.Redis) -> str:
    """Return what serves as Redis, and its version."""
    # INFO would tell too, and is closed to the server's user.
    said: Any = broker.execute_command("HELLO")  # type: ignore[no-untyped-call]
    pairs = said if isinstance(said, dict) else dict(zip(said[::2], said[1::2], strict=False))
    words = {_text(name): _text(value) for name, value in pairs.items()}
    return f"{words.get('server', 'redis').capitalize()} {words.get('version', '')}".rstrip()


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
