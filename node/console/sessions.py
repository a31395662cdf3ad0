"""How a person gets in: a link that opens once, and the session that follows.

A link is a file in the node's data folder, named by the hash of its secret. So only an account that
may write there can make one, and whether the console runs does not matter.
"""

import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from vantage6.common.secret_files import hash_secret, write_private

#: Time for which a link opens.
LINK_SECONDS = 600
#: Longest session, and longest pause within one.
SESSION_SECONDS, IDLE_SECONDS = 8 * 3600, 3600
#: Links and sessions that are kept at once; the oldest go first.
_MOST_LINKS, _MOST_SESSIONS = 20, 50


class Role(StrEnum):
    """What a person may do in the console."""

    #: Everything that the commands can do.
    OWNER = "owner"
    #: Look, and nothing else.
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Person:
    """A person at the console."""

    name: str
    role: Role


class Links:
    """The links that are not opened yet.

    Parameters
    ----------
    folder
        Where they are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self, person: Person) -> str:
        """Return the secret of a new link for a person."""
        self._folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        self._prune()
        secret = secrets.token_urlsafe(32)
        until = time.time() + LINK_SECONDS
        content = {"name": person.name, "role": person.role, "until": until}
        write_private(self._folder / hash_secret(secret), json.dumps(content))
        return secret

    def open(self, secret: str) -> Person | None:
        """Return the person of a link, which is gone then; None if there is no such link."""
        path = self._folder / hash_secret(secret)
        try:
            content = json.loads(path.read_text())
            # SECURITY: of two that open it at once, one finds the file gone.
            path.unlink()
            person = Person(content["name"], Role(content["role"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return person if time.time() < content["until"] else None

    def _prune(self) -> None:
        found = sorted(self._folder.iterdir(), key=lambda path: path.stat().st_mtime)
        oldest = time.time() - LINK_SECONDS
        for index, path in enumerate(found):
            if path.stat().st_mtime < oldest or index < len(found) - _MOST_LINKS:
                with suppress(FileNotFoundError):
                    path.unlink()


@dataclass(slots=True)
class Session:
    """One person in one browser."""

    #: The first part of all its addresses. The cookie is for these alone.
    place: str
    person: Person
    #: A secret in each form, which other pages cannot know.
    form_secret: str
    until: float
    used: float

    def knows(self, form_secret: str) -> bool:
        """Tell whether a form comes from a page of this session."""
        return hmac.compare_digest(self.form_secret.encode(), form_secret.encode())


class Sessions:
    """The sessions of one console. Safe for threads; they end with its process.

    Parameters
    ----------
    now
        Seconds that only grow.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        #: By the hash of the secret in the cookie.
        self._sessions: dict[str, Session] = {}

    def begin(self, person: Person) -> tuple[Session, str]:
        """Return a new session, and the secret for its cookie."""
        now, secret = self._now(), secrets.token_urlsafe(32)
        # SECURITY: a browser sends a cookie to every port of a host. It goes to addresses below
        # this place only, which a page of another program on this machine cannot guess.
        place, form_secret = secrets.token_urlsafe(16), secrets.token_urlsafe(32)
        session = Session(place, person, form_secret, now + SESSION_SECONDS, now)
        with self._lock:
            while len(self._sessions) >= _MOST_SESSIONS:
                self._sessions.pop(next(iter(self._sessions)))
            self._sessions[hash_secret(secret)] = session
        return session, secret

    def find(self, place: str, secret: str) -> Session | None:
        """Return the session of a cookie at its own place."""
        now, key = self._now(), hash_secret(secret)
        with self._lock:
            session = self._sessions.get(key)
            if session is None or not hmac.compare_digest(
                session.place.encode(), place.encode("utf-8", "replace")
            ):
                return None
            if now >= session.until or now - session.used >= IDLE_SECONDS:
                del self._sessions[key]
                return None
            session.used = now
            return session

    def end(self, session: Session) -> None:
        """End a session."""
        with self._lock:
            for key in [key for key, one in self._sessions.items() if one is session]:
                del self._sessions[key]
