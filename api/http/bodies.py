"""How the bodies of requests are received: small ones side by side, large ones in turn."""

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import falcon
from falcon import Request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]

from vantage6.api.http import request_slots
from vantage6.api.http.incoming import SMALL_BYTES
from vantage6.api.http.transfers import Transfers, require_room
from vantage6.common.errors import BODY_INCOMPLETE, Invalid
from vantage6.models import database

#: From this size on a body counts as large.
LARGE_BYTES = 2**20
#: Parts in which it arrives; gunicorn copies smaller ones more often.
_PART_BYTES = 2**20


def receive(
    req: Request, limit: int, folder: Path, caller: str, transfers: Transfers, held: ExitStack
) -> bytes:
    """Return the body of a request.

    A small one is here already. Other requests work while a larger one is awaited. A large one
    waits in a file while it arrives, and then for its turn: until it is stored, several times its
    size is in memory. So that grows neither with the number of senders nor with their slowness.

    Parameters
    ----------
    limit
        Largest number of bytes.
    folder
        Where the file is, without a name; not in the one for temporary files, which may be memory.
    caller
        Who sends it.
    transfers
        What is on its way in this process.
    held
        Closed when the request has been served; the next turn begins then.

    Raises
    ------
    falcon.HTTPContentTooLarge
        If there are more bytes; as soon as that is known.
    Invalid
        If the body breaks off.
    Unavailable
        If too many large bodies are on their way, or the disk is nearly full.
    """
    stream = _stream(req)
    if req.content_length is not None and req.content_length <= SMALL_BYTES:
        # SECURITY: it is not waited for in a slot, even if it were not here after all.
        if (connection := req.env.get("gunicorn.socket")) is not None:
            connection.hurry()
        return _read(stream, SMALL_BYTES)
    with request_slots.without_slot_or_connection(req.env), ExitStack() as ends:
        ends.callback(transfers.begin(caller))
        part = _read(stream, min(LARGE_BYTES, limit + 1))
        if len(part) > limit:
            raise too_large(limit)
        if len(part) < LARGE_BYTES:
            require_whole(req, len(part))
            return part
        file = held.enter_context(TemporaryFile(dir=folder))
        size = 0
        while part:
            size += len(part)
            if size > limit:
                raise too_large(limit)
            require_room(folder, len(part))
            file.write(part)
            part = _read(stream, _PART_BYTES)
        require_whole(req, size)
        file.seek(0)
        held.enter_context(transfers.large)
    # Its statements and buffers would keep the body until they are used again.
    held.callback(database.discard)
    return file.read()


def too_large(limit: int) -> falcon.HTTPContentTooLarge:
    """Return the refusal of a body that has more bytes."""
    return falcon.HTTPContentTooLarge(description=f"The body may have {limit} bytes.")


def require_whole(req: Request, size: int) -> None:
    """Refuse a body that has fewer bytes than its sender announced.

    Parameters
    ----------
    size
        Bytes that arrived.

    Raises
    ------
    Invalid
        If there are fewer.
    """
    # SECURITY: a station breaks an upload off when it stops a result; no part of it may be kept.
    if req.content_length is not None and size < req.content_length:
        raise Invalid("The body breaks off.", code=BODY_INCOMPLETE)


def _stream(req: Request) -> Any:
    """Return what ends where the body ends."""
    # A body in chunks has no length; gunicorn finds its end, and says that it does.
    chunked = req.content_length is None and req.env.get("wsgi.input_terminated")
    return req.stream if chunked else req.bounded_stream


def _read(stream: IO[bytes], size: int) -> bytes:
    try:
        return stream.read(size)
    # No server's failure: the sender went away, or sends chunks that are none.
    except (OSError, ParseException) as error:
        raise Invalid("The body breaks off.", code=BODY_INCOMPLETE) from error
