"""JSON Web Tokens: what they say, how long, and whether they are genuine."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jwt

from vantage6.common.clock import now
from vantage6.common.config import ServerConfig
from vantage6.common.enums import IdentityKind
from vantage6.common.errors import BAD_TOKEN, Unauthenticated, V6Error
from vantage6.common.secret_files import ensure_secret
from vantage6.models.tables import Node, Task

_ALGORITHM = "HS256"
#: A container token dies with its task; this is the bound for a task that never ends.
_CONTAINER_LIFE = timedelta(days=30)


_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Login:
    """What tokens say of the login that they follow from."""

    #: Of the session.
    id: int
    began_at: datetime
    #: How often its refresh token was replaced.
    generation: int = 0


class BadToken(V6Error):
    """The token is malformed, of the wrong kind, or not signed by this server."""

    code = BAD_TOKEN


@dataclass(frozen=True)
class Tokens:
    """Signs and reads tokens."""

    secret: str
    access_life: timedelta
    refresh_life: timedelta
    longest: timedelta

    @classmethod
    def from_config(cls, config: ServerConfig, folder: Path) -> "Tokens":
        """Return what a configuration asks for; a missing key is made and kept in the folder."""
        access = timedelta(hours=24 if config.type == "test" else config.token_expires_hours)
        refresh = max(timedelta(hours=config.refresh_token_expires_hours), access)
        if config.jwt_secret_key is not None:
            secret = config.jwt_secret_key.get_secret_value()
        else:
            secret = ensure_secret(folder / "jwt.key")
        longest = timedelta(hours=config.longest_session_hours)
        return cls(secret, access, refresh, longest)

    def pair(
        self,
        kind: IdentityKind,
        identity: int,
        session: Login,
        roles: Sequence[str] = (),
        moment: datetime | None = None,
    ) -> tuple[str, str]:
        """Return an access token and a refresh token.

        Parameters
        ----------
        kind, identity
            Whose they are.
        session
            The login that they follow from.
        roles
            Names of roles, for information: permissions are looked up at every request.
        moment
            When the holder was found to be who he is; by default this moment.
        """
        moment = moment or now()
        latest = self.latest(kind, session)
        more = {"roles": list(roles), "sid": session.id}
        access = self._sign(kind, identity, "access", moment, self.access_life, latest, more)
        more |= {"generation": session.generation, "auth_time": session.began_at.timestamp()}
        refresh = self._sign(kind, identity, "refresh", moment, self.refresh_life, latest, more)
        return access, refresh

    def latest(self, kind: IdentityKind, session: Login) -> datetime:
        """Return when the last token of a session expires, however often it is renewed.

        That of a node has no end: with its key it could log in again at once.
        """
        return session.began_at + self.longest if kind is IdentityKind.USER else _NEVER

    def renewable_until(self, kind: IdentityKind, session: Login, moment: datetime) -> datetime:
        """Return when a refresh token of a moment expires."""
        return min(moment + self.refresh_life, self.latest(kind, session))

    def for_container(self, node: Node, task: Task) -> str:
        """Return the token of an algorithm that computes a task at a node."""
        subject = {
            "client_type": "container",
            "node_id": node.id,
            "organization_id": node.organization_id,
            "collaboration_id": node.collaboration_id,
            "task_id": task.id,
            "image": task.image,
            "database": task.database,
        }
        return self._sign(IdentityKind.CONTAINER, subject, "access", now(), _CONTAINER_LIFE)

    def read(self, token: str, wanted: str = "access") -> dict[str, Any]:
        """Return the claims of a genuine token.

        Raises
        ------
        Unauthenticated
            If it has expired.
        BadToken
            If it is anything else but a genuine token of the wanted type.
        """
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self.secret,
                # SECURITY: pinned, so that a token cannot choose how it is checked.
                algorithms=[_ALGORITHM],
                options={
                    "require": ["exp", "iat", "sub", "jti"],
                    # Clients of 3.11 need numbers and objects where the standard has a text.
                    "verify_sub": False,
                    # The clocks of two servers differ by more than nothing.
                    "verify_iat": False,
                },
            )
        except jwt.ExpiredSignatureError as error:
            raise Unauthenticated("The token has expired.", code="token_expired") from error
        except jwt.InvalidTokenError as error:
            raise BadToken from error
        if claims.get("type") != wanted:
            raise BadToken(f"This is not a token of type {wanted}.")
        return claims

    def _sign(
        self,
        kind: IdentityKind,
        subject: Any,
        type_: str,
        moment: datetime,
        life: timedelta,
        latest: datetime = _NEVER,
        more: Mapping[str, Any] = MappingProxyType({}),
    ) -> str:
        return jwt.encode(
            {
                "sub": subject,
                "client_type": kind,
                "roles": [],
                "type": type_,
                "fresh": False,
                # Not whole seconds: tokens of the second in which a password is reset differ.
                "iat": moment.timestamp(),
                "nbf": moment,
                "exp": min(moment + life, latest),
                "jti": str(uuid.uuid4()),
                **more,
            },
            self.secret,
            algorithm=_ALGORITHM,
        )
