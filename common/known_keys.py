"""Public keys of organizations, remembered from their first use, as OpenSSH keeps `known_hosts`.

The server hands out public keys, and could hand out its own in place of another. A fingerprint
that is written down here decides. First use writes it down; from then on another key is refused
until a person accepts it.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vantage6.common import clock
from vantage6.common.encryption import RSACryptor
from vantage6.common.errors import ConfigurationError, Invalid
from vantage6.common.file_lock import hold
from vantage6.common.secret_files import write_private

FILE_NAME = "known_organizations.json"
#: How a key was learned.
FIRST_USE, PERSON, WRITTEN, OWN = "first use", "person", "configuration", "own key"
_FINGERPRINT = re.compile("(?:[0-9a-f]{2}:){15}[0-9a-f]{2}")
_PORTS = {"http": 80, "https": 443}


class KeyRefused(Invalid):
    """The public key of an organization is not the one that is known."""

    code = "organization_key_changed"


@dataclass(frozen=True, slots=True)
class Pin:
    """One key that is known."""

    fingerprint: str
    #: When it was learned; empty for what the configuration says.
    since: str
    learned: str


def fingerprint(text: str) -> str:
    """Return a fingerprint that a person gave, in the form in which it is compared.

    Raises
    ------
    ValueError
        If it is none.
    """
    plain = text.strip().lower()
    if not _FINGERPRINT.fullmatch(plain):
        raise ValueError(
            "A fingerprint is 16 pairs of hexadecimal digits with colons between them."
        )
    return plain


def fingerprint_of(public_key: str) -> str | None:
    """Return the fingerprint of a public key; None if it is no key."""
    try:
        return RSACryptor.fingerprint(public_key)
    except ValueError:
        return None


def place(address: str) -> str:
    """Return the name of a server in the file: the same for all spellings of its address."""
    parts = urlsplit(address)
    port = parts.port or _PORTS.get(parts.scheme, 0)
    return f"{parts.hostname}:{port}{parts.path.rstrip('/')}"


class KnownKeys:
    """The keys of the organizations of one server. Safe for threads and processes.

    Parameters
    ----------
    file
        Where keys are remembered; several processes may share it.
    server
        Name of the server in the file.
    written
        Fingerprints that the user or the configuration gives, by organization.
    is_closed
        Whether an organization that is not in `written` is refused.
    advice
        What to do about a changed key, with ``{organization}`` and ``{fingerprint}``.
    advice_written
        The same for a key that is in `written`.
    learning
        Called with fingerprints by organization before they are remembered; if it raises `OSError`,
        they are not.
    learned
        Called with them afterwards.
    unwritable
        Called when what is new cannot be remembered; it then counts in this process only.
    """

    def __init__(
        self,
        file: Path,
        server: str = "",
        *,
        written: Mapping[int, str] | None = None,
        is_closed: bool = False,
        advice: str = "",
        advice_written: str = "",
        learning: Callable[[dict[int, str]], None] = lambda fresh: None,  # noqa: ARG005
        learned: Callable[[dict[int, str]], None] = lambda fresh: None,  # noqa: ARG005
        unwritable: Callable[[OSError], None] | None = None,
    ) -> None:
        self.file = file
        self._server = server
        self._written = {
            id_: Pin(fingerprint(text), "", WRITTEN) for id_, text in (written or {}).items()
        }
        self._unwritten: dict[int, Pin] = {}
        self._is_closed = is_closed
        self._advice, self._advice_written = advice, advice_written
        self._learning, self._learned, self._unwritable = learning, learned, unwritable

    def own(self, organization_id: int, public_key: str) -> None:
        """Know the own organization by its private key, which no server can replace."""
        self._written[organization_id] = Pin(RSACryptor.fingerprint(public_key), "", OWN)

    def check(self, organization_id: int, public_key: str) -> str:
        """Return the fingerprint of the key of one organization; see `check_all`."""
        return self.check_all({organization_id: public_key})[organization_id]

    def check_all(self, public_keys: Mapping[int, str]) -> dict[int, str]:
        """Compare keys that the server handed out with those that are known.

        An organization that is met for the first time is remembered.

        Parameters
        ----------
        public_keys
            Keys by organization.

        Returns
        -------
        dict
            Their fingerprints.

        Raises
        ------
        KeyRefused
            If one of them is not the known one.
        ValueError
            If one of them is no key.
        OSError
            If what is new cannot be remembered.
        """
        found = {id_: RSACryptor.fingerprint(key) for id_, key in public_keys.items()}
        known = self.all()
        if fresh := {id_: mark for id_, mark in found.items() if id_ not in known}:
            if self._is_closed:
                raise KeyRefused(self._unknown(fresh), code="organization_key_unknown")
            known = self._learn(fresh)
        # SECURITY: the server may not choose for whom something is encrypted.
        for id_, mark in found.items():
            if known[id_].fingerprint != mark:
                raise KeyRefused(self._changed(id_, known[id_], mark))
        return found

    def accept(self, organization_id: int, text: str) -> None:
        """Know an organization by another key from now on.

        Parameters
        ----------
        organization_id
            The organization.
        text
            The fingerprint of its key, as the organization itself says it.

        Raises
        ------
        Invalid
            If it is no fingerprint, or the configuration says another one.
        """
        try:
            mark = fingerprint(text)
        except ValueError as error:
            raise Invalid(str(error)) from error
        if (pin := self._written.get(organization_id)) and pin.fingerprint != mark:
            raise Invalid(self._changed(organization_id, pin, mark))
        with self._changing() as pins:
            pins[organization_id] = Pin(mark, clock.now().isoformat(), PERSON)

    def all(self) -> dict[int, Pin]:
        """Return what is known, by organization.

        Raises
        ------
        ConfigurationError
            If the file cannot be read.
        """
        return {**self._unwritten, **self._read(self._servers()), **self._written}

    def _learn(self, fresh: Mapping[int, str]) -> dict[int, Pin]:
        now = clock.now().isoformat()
        new = {id_: Pin(mark, now, FIRST_USE) for id_, mark in fresh.items()}
        try:
            with self._changing() as pins:
                # Another process may have met them meanwhile; the first one counts.
                mine = {id_: fresh[id_] for id_ in sorted(new.keys() - pins.keys())}
                if mine:
                    self._learning(mine)
                pins |= {id_: new[id_] for id_ in mine}
        except OSError as error:
            if self._unwritable is None:
                raise
            self._unwritten |= new
            self._unwritable(error)
            return self.all()
        if mine:
            self._learned(mine)
        return self.all()

    @contextmanager
    def _changing(self) -> Iterator[dict[int, Pin]]:
        """Hold the file alone; what is in the mapping at the end is in the file."""
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with hold(self.file.with_suffix(".lock")):
            servers = self._servers()
            pins = self._read(servers)
            before = dict(pins)
            yield pins
            if pins != before:
                servers[self._server] = {str(id_): asdict(pins[id_]) for id_ in sorted(pins)}
                content = {"version": 1, "servers": servers}
                write_private(self.file, json.dumps(content, indent=1) + "\n")

    def _servers(self) -> dict[str, Any]:
        with suppress(FileNotFoundError, NotADirectoryError):
            try:
                return dict(json.loads(self.file.read_text())["servers"])
            except (ValueError, KeyError, TypeError) as error:
                # SECURITY: a broken file must not let all keys be learned anew.
                raise self._broken() from error
        return {}

    def _read(self, servers: Mapping[str, Any]) -> dict[int, Pin]:
        try:
            return {int(id_): Pin(**pin) for id_, pin in servers.get(self._server, {}).items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise self._broken() from error

    def _broken(self) -> ConfigurationError:
        return ConfigurationError(
            f"{self.file} does not hold known organizations any more. Restore it from a copy; or "
            "remove it, and compare the keys that are then learned anew."
        )

    def _changed(self, id_: int, pin: Pin, found: str) -> str:
        when = f"{pin.learned}, {pin.since[:10]}" if pin.since else pin.learned
        advice = {OWN: "", WRITTEN: self._advice_written}.get(pin.learned, self._advice)
        said = (
            f"The public key of organization {id_} has changed. Known: {pin.fingerprint} "
            f"({when}). At the server: {found}. Nothing is encrypted for it. Ask the organization "
            "itself for its fingerprint, not through this server."
        )
        return f"{said} {advice.format(organization=id_, fingerprint=found)}".rstrip()

    def _unknown(self, fresh: Mapping[int, str]) -> str:
        named = ", ".join(f"{id_}: {mark}" for id_, mark in sorted(fresh.items()))
        return (
            f"Keys that the configuration does not name are refused here. At the server: {named}. "
            "Compare them with what the organizations say, and write them into organization_keys."
        )
