"""The files of the built pages, as the API and ``vantage6 ui`` serve them."""

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

#: Below it lie all pages; the build writes it into their files.
ADDRESS = "/app/"
#: SECURITY: scripts, styles and connections of this server alone; no text becomes a script.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_INDEX = "index.html"
#: In this folder each name has a hash of the content, so that a name never changes its meaning.
_HASHED = "assets/"
_FOREVER = "public, max-age=31536000, immutable"
_ASK_FIRST = "no-cache"
_NEVER = "no-store"
_KINDS = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "png": "image/png",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
}
#: What gzip makes no smaller.
_COMPRESSED = {"png", "woff2"}


@dataclass(frozen=True)
class File:
    """A file of the pages.

    Parameters
    ----------
    name
        Its path below the folder of the pages.
    content
        Its bytes.
    """

    name: str
    content: bytes

    @property
    def kind(self) -> str:
        """Its media type."""
        return _KINDS[self._extension]

    @property
    def caching(self) -> str:
        """For how long a browser may keep it."""
        if self._extension == "html":
            return _NEVER
        return _FOREVER if self.name.startswith(_HASHED) else _ASK_FIRST

    @cached_property
    def digest(self) -> str:
        """Its SHA-256 digest."""
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def compressed(self) -> bytes | None:
        """Its bytes for a client that knows gzip, if that makes fewer of them."""
        if self._extension in _COMPRESSED:
            return None
        found = gzip.compress(self.content, mtime=0)
        return found if len(found) < len(self.content) else None

    @property
    def _extension(self) -> str:
        return self.name.rpartition(".")[2]


class Site:
    """The files of the built pages, read once.

    SECURITY: what is served was in the folder of the build when the program started. No path of a
    request ever reaches the file system.

    Parameters
    ----------
    folder
        What `vantage6.web.built` returns.
    """

    def __init__(self, folder: Path) -> None:
        self.files = {file.name: file for file in _read(folder)}

    def find(self, path: str) -> File | None:
        """Return the file at a path, or the first page for an address of the pages themselves.

        Parameters
        ----------
        path
            Below `ADDRESS`, decoded.
        """
        if path.startswith(_HASHED):
            return self.files.get(path)
        return self.files.get(path) or self.files[_INDEX]

    @cached_property
    def digest(self) -> str:
        """The SHA-256 digest of all names and contents."""
        lines = (f"{file.digest}  {name}\n" for name, file in sorted(self.files.items()))
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def _read(folder: Path, prefix: str = "") -> Iterator[File]:
    for entry in folder.iterdir():
        # SECURITY: the build makes no links; one leads out of its folder.
        if entry.is_symlink():
            continue
        if entry.is_dir():
            yield from _read(entry, f"{prefix}{entry.name}/")
        elif entry.name.rpartition(".")[2] in _KINDS:
            yield File(prefix + entry.name, entry.read_bytes())
