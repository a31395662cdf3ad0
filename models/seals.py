"""What the database keeps but must not tell: it is sealed with a key that lies elsewhere."""

import base64
import hashlib
from functools import cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from vantage6.common.errors import NotConfigured
from vantage6.common.secret_files import ensure_secret
from vantage6.models.database import db

#: File in the data folder of a server. Processes that share a database need the same one.
KEY_FILE = "otp.key"


class CannotOpen(NotConfigured):
    """The file with the key is not the one that this was sealed with; restore it from a backup."""

    code = "wrong_seal"


def seal(text: str) -> str:
    """Return a text as it may be kept in the database."""
    return _key(_file()).encrypt(text.encode()).decode()


def unseal(text: str) -> str:
    """Return a text that was sealed.

    Raises
    ------
    CannotOpen
        If it was sealed with another key, or was changed.
    """
    # A new one would not help.
    if not _file().exists():
        raise CannotOpen
    try:
        return _key(_file()).decrypt(text.encode()).decode()
    except InvalidToken as error:
        raise CannotOpen from error


def _file() -> Path:
    folder: Path = db.folder
    return folder / KEY_FILE


@cache
def _key(file: Path) -> Fernet:
    digest = hashlib.sha256(ensure_secret(file).encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
