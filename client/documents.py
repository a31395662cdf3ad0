"""Documents from a file or an address, with a bound on size and time."""

import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from vantage6.client.network import Network, distrust
from vantage6.common.errors import Invalid

#: How long an answer may take as a whole, and how long its sender may be silent.
_SECONDS, _SILENT_SECONDS = 60.0, 10.0


def read_document(source: str | Path, most_bytes: int) -> bytes:
    """Return the content of a file, or of an address that begins with ``https://``.

    Parameters
    ----------
    source
        Path or address.
    most_bytes
        More is refused.

    Raises
    ------
    Invalid
        If it cannot be read, or is too large.
    """
    if isinstance(source, str) and "://" in source:
        return _fetch(source, most_bytes)
    path = Path(source).expanduser()
    try:
        # A pipe or a device would be waited for.
        if not path.is_file():
            path.stat()  # raises where there is nothing
            raise Invalid(f"{path} is not a file.")
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.") from error
    return _bounded(str(path), content, most_bytes)


def _fetch(address: str, most_bytes: int) -> bytes:
    """Return the content of an address.

    SECURITY: https only, and no other address than the one that was given: the user should
    know where the card is from.
    """
    where = urlsplit(address)
    if where.scheme.lower() != "https" or not where.hostname:
        raise Invalid(f"{address}: the address has to begin with https://.")
    content = bytearray()
    until = time.monotonic() + _SECONDS
    try:
        with (
            Network().client(timeout=_SILENT_SECONDS, follow_redirects=False) as http,
            # SECURITY: a compressed answer can unpack to any size.
            http.stream("GET", address, headers={"Accept-Encoding": "identity"}) as answer,
        ):
            if 300 <= answer.status_code < 400:
                elsewhere = answer.headers.get("location", "another address")
                raise Invalid(f"{address} leads to {elsewhere}. Give that address, if it is meant.")
            if answer.status_code != 200:
                raise Invalid(f"{address} answers {answer.status_code}.")
            # In the pieces that come: a larger one would be waited for.
            for piece in answer.iter_raw():
                content += piece
                if len(content) > most_bytes:
                    break
                if time.monotonic() > until:
                    raise Invalid(f"{address} takes longer than {_SECONDS:g} seconds.")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        advice = distrust(address, error)
        raise Invalid(advice or f"{address} cannot be fetched: {error}") from error
    return _bounded(address, bytes(content), most_bytes)


def _bounded(name: str, content: bytes, most_bytes: int) -> bytes:
    if len(content) > most_bytes:
        raise Invalid(f"{name} is larger than {most_bytes // 1024} kB.")
    return content
