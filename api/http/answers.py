"""How answers are sent: small ones from memory, large ones from a file, as slowly as clients read.

Large texts of results are read when their place in the answer is written, and are then in the file:
of a whole list, at most 1 MiB of them or one text is in memory at a time.
"""

import uuid
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Generic, TypeVar

import falcon
from falcon import Request, Response
from pydantic_core import to_json

from vantage6.api.http import request_slots
from vantage6.api.http.bodies import LARGE_BYTES
from vantage6.api.http.transfers import Transfers, require_room
from vantage6.common.errors import Invalid
from vantage6.models import database
from vantage6.models.store import payloads
from vantage6.models.store.payloads import LargeText

Item = TypeVar("Item")

#: From this size on an answer counts as one of the large ones.
LARGE_ANSWER_BYTES = 2**17
#: From this size on it is in a file until it is sent.
_FILE_BYTES = 2**20
_PART_BYTES = 2**18
#: No answer is larger.
MOST_BYTES = 2**31


class Batches(Generic[Item]):
    """A list that is made and written in parts; ``before`` and ``after`` stand around it."""

    def __init__(self, parts: Iterable[list[Item]], before: bytes = b"[", after: bytes = b"]"):
        self.parts, self.before, self.after = parts, before, after


@dataclass(frozen=True)
class Sending:
    """Where the answer to a request goes.

    Parameters
    ----------
    req, resp
        The request and its answer.
    folder
        Where the files of large answers are, without names.
    caller
        Who reads it.
    transfers
        What is on its way in this process.
    """

    req: Request
    resp: Response
    folder: Path
    caller: str
    transfers: Transfers

    def send(self, value: Any) -> None:
        """Send a value as JSON, in which instances of `LargeText` stand for their texts."""
        self.resp.content_type = falcon.MEDIA_JSON
        if not isinstance(value, Batches):
            marks = _Marks()
            written = to_json(value, fallback=marks)
            if not marks.texts and len(written) <= LARGE_ANSWER_BYTES:
                self.resp.data = written
                return
            self._send_file(lambda file: self._write(file, written, marks))
            return
        self._send_file(lambda file: self._write_batches(file, value))

    def send_file(self, path: Any) -> None:
        """Send a file as it is."""
        self._stream(path.open("rb"))

    def _send_file(self, write: Callable[[IO[bytes]], None]) -> None:
        file: Any = SpooledTemporaryFile(_FILE_BYTES, dir=str(self.folder))  # noqa: SIM115
        try:
            write(file)
        except BaseException:
            file.close()
            raise
        self._stream(file)

    def _write_batches(self, file: IO[bytes], batches: Batches[Any]) -> None:
        file.write(batches.before)
        separator = b""
        for part in batches.parts:
            marks = _Marks()
            written = to_json(part, fallback=marks)[1:-1]
            if written:
                file.write(separator)
                self._write(file, written, marks)
                separator = b","
        file.write(batches.after)

    def _write(self, file: IO[bytes], written: bytes, marks: "_Marks") -> None:
        """Write JSON with the texts in the places that are marked for them."""
        if file.tell() + len(written) + sum(text.size for text in marks.texts) > MOST_BYTES:
            raise Invalid(
                "The answer is too large; ask for a part of it, with page and per_page, or leave "
                "the texts out, with payload=false.",
                code="answer_too_large",
            )
        self._require_room(file, len(written))
        pieces = written.split(marks.mark)
        file.write(pieces[0])
        after = iter(pieces[1:])
        for some in _portions(marks.texts):
            if some[0].size < LARGE_BYTES:
                self._require_room(file, sum(text.size for text in some))
                for content in payloads.texts(some):
                    file.write(to_json(content))
                    file.write(next(after))
            else:
                self._write_large(file, some[0])
                file.write(next(after))

    def _write_large(self, file: IO[bytes], text: LargeText) -> None:
        """Write a text that is in memory several times while it is written."""
        with ExitStack() as held:
            with request_slots.without_slot_or_connection(self.req.env):
                held.enter_context(self.transfers.large)
            self._require_room(file, text.size)
            file.write(to_json(payloads.text(text)))
            # What the database keeps of it goes, too.
            database.discard()
        database.connect()

    def _require_room(self, file: IO[bytes], size: int) -> None:
        if file.tell() + size > _FILE_BYTES:
            require_room(self.folder, size)

    def _stream(self, file: IO[bytes]) -> None:
        size = file.seek(0, 2)
        file.seek(0)
        end = self.transfers.begin(self.caller) if size > LARGE_ANSWER_BYTES else _nothing
        self.resp.stream = _Stream(file, end)
        self.resp.content_length = size


class _Marks:
    """Marks the places of large texts in JSON, in their order."""

    def __init__(self) -> None:
        name = uuid.uuid4().hex
        self._name = name
        self.mark = f'"{name}"'.encode()
        self.texts: list[LargeText] = []

    def __call__(self, value: Any) -> str:
        if not isinstance(value, LargeText):
            raise TypeError(f"An answer cannot hold a {type(value).__name__}.")
        self.texts.append(value)
        return self._name


def _portions(texts: Sequence[LargeText]) -> Iterator[list[LargeText]]:
    """Yield texts in their order, as many at once as make up one that is large."""
    portion: list[LargeText] = []
    size = 0
    for text in texts:
        size += text.size
        if portion and size >= LARGE_BYTES:
            yield portion
            portion, size = [], text.size
        portion.append(text)
    if portion:
        yield portion


class _Stream:
    """The parts of a file, which is closed once they are sent or the client is gone."""

    def __init__(self, file: IO[bytes], end: Callable[[], None]) -> None:
        self._file = file
        self._end = weakref.finalize(self, _close, file, end)

    def __iter__(self) -> Iterator[bytes]:
        while part := self._file.read(_PART_BYTES):
            yield part

    def close(self) -> None:
        """Close the file; called once by who sends."""
        self._end()


def _close(file: IO[bytes], end: Callable[[], None]) -> None:
    file.close()
    end()


def _nothing() -> None:
    """Count nothing: a small answer does not last."""
