"""Accounts with a password, for people who have no account at the station's machine."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from vantage6.common import file_lock
from vantage6.common.durable_files import hand_over, read_json, write_json
from vantage6.common.errors import ConfigurationError
from vantage6.node.console.sessions import Person, Role

LEAST_PASSWORD = 12
#: Longer ones are refused before they cost anything.
_MOST_PASSWORD = 1000
#: Guesses within so many seconds, all accounts together.
_GUESSES, _SECONDS = 10, 60.0
_STEP_SECONDS = 30
#: Digits of a second factor are accepted for so many steps before and after.
_DRIFT = 1
_FILE = "accounts.json"
_LOCK = "accounts.lock"
#: Longest file that is read.
_MOST_BYTES = 2**20


class TooManyGuesses(Exception):
    """Nothing is checked for a while."""


@dataclass(frozen=True, slots=True)
class Account:
    """A name, a password, and what the person may do."""

    name: str
    role: Role
    password: str
    #: The secret of the second factor, if it has one.
    totp: str | None = None


class Accounts:
    """The accounts of one console. Safe for threads.

    Parameters
    ----------
    folder
        Where they are kept.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        # 19 MiB and two passes are what OWASP recommends for one thread.
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._lock = threading.Lock()
        self._guesses: list[float] = []
        #: The last step whose digits were used, by account.
        self._used: dict[str, int] = {}
        self._nobody = self._hasher.hash("\0")

    def all(self) -> dict[str, Account]:
        """Return the accounts by name."""
        try:
            found = read_json(self._path, _MOST_BYTES) or ()
            return {one["name"]: Account(**(one | {"role": Role(one["role"])})) for one in found}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(f"Cannot read {self._path}: {error}.") from error

    def add(self, name: str, role: Role, password: str, *, with_totp: bool) -> str | None:
        """Add or replace an account; return the address of its second factor, for a QR code.

        Raises
        ------
        ConfigurationError
            If the password is too short or too long.
        """
        if not LEAST_PASSWORD <= len(password) <= _MOST_PASSWORD:
            raise ConfigurationError(f"A password has {LEAST_PASSWORD} characters at least.")
        secret = pyotp.random_base32() if with_totp else None
        account = Account(name, role, self._hasher.hash(password), secret)
        with self._changing() as accounts:
            accounts[name] = account
        if secret is None:
            return None
        return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="vantage6 console")

    def remove(self, name: str) -> None:
        """Remove an account.

        Raises
        ------
        ConfigurationError
            If there is no such account.
        """
        with self._changing() as accounts:
            if accounts.pop(name, None) is None:
                raise ConfigurationError(f"The console has no account {name!r}.")

    def check(self, name: str, password: str, digits: str) -> Person | None:
        """Return the person of a name and a password; None if they do not fit.

        Raises
        ------
        TooManyGuesses
            If there were too many within a minute.
        """
        if len(password) > _MOST_PASSWORD:
            return None
        # SECURITY: one at a time, and counted before it is checked.
        with self._lock:
            self._count_guess()
            account = self.all().get(name)
            if not self._fits(account.password if account else self._nobody, password):
                return None
            if account is None or not self._digits_fit(account, digits):
                return None
            # People who know a password do not use up the guesses of others.
            self._guesses.pop()
            return Person(account.name, account.role)

    def _count_guess(self) -> None:
        now = time.monotonic()
        self._guesses = [then for then in self._guesses if now - then < _SECONDS]
        if len(self._guesses) >= _GUESSES:
            raise TooManyGuesses
        self._guesses.append(now)

    def _fits(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False

    def _digits_fit(self, account: Account, digits: str) -> bool:
        if account.totp is None:
            return True
        totp, step = pyotp.TOTP(account.totp), int(time.time() / _STEP_SECONDS)
        for one in range(step - _DRIFT, step + _DRIFT + 1):
            is_right = pyotp.utils.strings_equal(digits.strip(), totp.generate_otp(one))
            # SECURITY: digits are good for one login.
            if is_right and one > self._used.get(account.name, -1):
                self._used[account.name] = one
                return True
        return False

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Account]]:
        """Give the accounts to be changed, and write what comes of it: one process at a time."""
        folder = self._path.parent
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        # What root makes is for the account of the node, whose console reads it.
        node = folder.parent
        hand_over(folder, node)
        with file_lock.hold(folder / _LOCK):
            hand_over(folder / _LOCK, node)
            accounts = self.all()
            yield accounts
            found = [asdict(one) for one in accounts.values()]
            write_json(self._path, found, _MOST_BYTES, owner_of=node)
