"""What only we may know: secrets, and files that only the user of this process may read."""

import hashlib
import os
import secrets
from pathlib import Path
from tempfile import NamedTemporaryFile


def hash_secret(secret: str) -> str:
    """Return the form in which a random secret is kept: SHA-256 in hex.

    It cannot be guessed, so that a fast hash is enough, and can be looked up.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def write_private(path: Path, text: str) -> None:
    """Replace a file as a whole, readable by its owner only from its first moment on."""
    fresh = _fresh(path, text)
    fresh.replace(path)


def ensure_secret(path: Path) -> str:
    """Return the secret in a file; of several processes, the first one makes it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = _fresh(path, secrets.token_hex(32))
        try:
            # Unlike a file that is opened and then filled, a link is never seen empty.
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text().strip()


def _fresh(path: Path, text: str) -> Path:
    with NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(text)
    return Path(file.name)
