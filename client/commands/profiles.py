"""Sessions of logins, each under a name: tokens that can be taken back, and never a password."""

import json
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click

from vantage6.client.login import Tokens
from vantage6.common.errors import ConfigurationError, Conflict, Invalid, Unauthenticated
from vantage6.common.file_lock import hold
from vantage6.common.identity import WhoAmI
from vantage6.common.secret_files import write_private

#: The profile of a person who has one server.
DEFAULT = "default"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
#: Longer than a renewal of another process takes.
_LOCK_SECONDS = 75.0


@dataclass(frozen=True)
class Profile:
    """A session at a server, and the key that belongs to it."""

    #: Address of the API.
    server: str
    username: str
    whoami: WhoAmI
    tokens: Tokens
    #: The private key file of the organization; None where there is none.
    key: str | None = None
    #: Where public keys of organizations are remembered; None for the usual place.
    known_keys: str | None = None


class ProfileFile:
    """The file of one profile; other processes find renewed tokens there.

    Parameters
    ----------
    name
        Name of the profile.

    Raises
    ------
    Invalid
        If it is no name.
    """

    def __init__(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise Invalid(f"{name!r} cannot name a profile: use letters, digits, '.', '_' and '-'.")
        self.name = name
        self.path = folder() / f"{name}.json"

    def read(self) -> Profile | None:
        """Return the profile; None after a logout.

        Raises
        ------
        ConfigurationError
            If the file is not what was written, or others may read it.
        """
        try:
            self._refuse_others()
            return _parsed(json.loads(self.path.read_text()))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                f"{self.path} cannot be read as a session. Remove it, and log in again."
            ) from error

    def write(self, profile: Profile) -> None:
        """Keep a profile, in place of an earlier one."""
        with self._held():
            self._put(profile)

    def remove(self) -> bool:
        """Forget the profile; tell whether there was one."""
        with self._held():
            found = self.path.exists()
            self.path.unlink(missing_ok=True)
        return found

    @contextmanager
    def alone(self) -> Iterator[Tokens | None]:
        """Hold the tokens alone, and give those of this moment."""
        with self._held():
            found = self.read()
            yield found.tokens if found else None

    def save(self, tokens: Tokens) -> None:
        """Replace the tokens, while they are held."""
        if found := self.read():
            self._put(replace(found, tokens=tokens))

    def _put(self, profile: Profile) -> None:
        write_private(self.path, json.dumps({"version": 1, **asdict(profile)}, indent=1) + "\n")

    @contextmanager
    def _held(self) -> Iterator[None]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with hold(self.path.with_suffix(".lock"), _LOCK_SECONDS):
                yield
        except BlockingIOError as error:
            raise Conflict(
                f"Another vantage6 has held the session {self.name} for more than a minute. "
                "Wait for it, or end it."
            ) from error
        except OSError as error:
            raise ConfigurationError(
                f"The session cannot be kept in {self.path.parent}: {error.strerror}."
            ) from error

    def _refuse_others(self) -> None:
        if sys.platform == "win32":
            return
        found = self.path.stat()
        # SECURITY: who reads the file can do everything that the account may.
        if found.st_mode & _OTHERS or found.st_uid != os.geteuid():
            raise ConfigurationError(
                f"{self.path} can be read by others. Log out, log in again, and find out who "
                "changed it."
            )


def folder() -> Path:
    """Return where the sessions of this user are."""
    return Path(click.get_app_dir("vantage6")) / "sessions"


def names() -> list[str]:
    """Return the names of all profiles."""
    return sorted(file.stem for file in folder().glob("*.json") if _NAME.fullmatch(file.stem))


def find(name: str | None) -> tuple[ProfileFile, Profile]:
    """Return the profile of a name; without one the default, or else the only one.

    Raises
    ------
    Unauthenticated
        If there is no such login.
    Invalid
        If it is not clear which one is meant.
    """
    known = names()
    if name is None:
        if DEFAULT not in known and len(known) > 1:
            raise Invalid(f"Say which login you mean, with --profile: {', '.join(known)}.")
        name = known[0] if known and DEFAULT not in known else DEFAULT
    file = ProfileFile(name)
    found = file.read()
    if found is None:
        here = f" (there are: {', '.join(known)})" if known and name != DEFAULT else ""
        named = "" if name == DEFAULT else f" --profile {name}"
        raise Unauthenticated(
            f"You are not logged in{f' as profile {name}' if named else ''}{here}. Call "
            f"`vantage6 login ADDRESS --user NAME{named}`."
        )
    return file, found


def _parsed(content: dict[str, Any]) -> Profile:
    return Profile(
        server=str(content["server"]),
        username=str(content["username"]),
        whoami=WhoAmI(*content["whoami"]),
        tokens=Tokens(*content["tokens"]),
        key=content["key"],
        known_keys=content["known_keys"],
    )
