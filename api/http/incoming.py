"""A request on its way: the bytes that came so far, and whether there is enough to begin with."""

import re

#: The head of a request is no longer than this.
HEAD_BYTES = 2**16
#: Bodies up to this size are received before anything is done for a request.
SMALL_BYTES = 2**16

# SECURITY: each number that the server takes is known here, however it is written. Of a longer one
# the first digits do: they say that it is large.
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*0*(\d{1,12})")
_EXPECT = re.compile(rb"(\r\nexpect:[ \t]*100-continue[ \t]*)(?=\r\n)", re.IGNORECASE)
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")

#: What a client waits for that asks before it sends a body.
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class TooLong(Exception):
    """The head of a request does not end."""


class Incoming:
    """The bytes of one request, from its first to the last one of its head and of a small body."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.wants_word = False
        self._head = 0
        self._length: int | None = None
        self._chunk = 0

    def add(self, some: bytes) -> bool:
        """Add bytes, and tell whether a thread can begin: it waits for a large body only.

        Raises
        ------
        TooLong
            If the head is larger than it may be.
        """
        searched = max(0, len(self.data) - 3)
        self.data += some
        if not self._head:
            # One empty line may come before a request.
            end = self.data.find(b"\r\n\r\n", searched)
            if end < 0:
                if len(self.data) > HEAD_BYTES:
                    raise TooLong
                return False
            self._read_head(end + 4)
        if self._length is not None:
            return self._length > SMALL_BYTES or len(self.data) >= self._head + self._length
        return self._has_last_chunk() or len(self.data) > self._head + SMALL_BYTES

    def _read_head(self, end: int) -> None:
        """Note where the body begins and how long it is; None stands for chunks."""
        head = bytes(self.data[:end])
        words = head.lower()
        if b"\r\nexpect:" in words:
            # The word is given here: the server would give it once more.
            head, count = _EXPECT.subn(b"", head)
            self.data[:end] = head
            self.wants_word = count > 0
        self._head = self._chunk = len(head)
        if b"\r\ntransfer-encoding:" not in words:
            found = _LENGTH.search(words)
            self._length = int(found[1]) if found else 0

    def _has_last_chunk(self) -> bool:
        """Tell whether all chunks are there, or something that is none, which is refused later."""
        while (line := _CHUNK.match(self.data, self._chunk)) is not None:
            size = int(line[1], 16)
            if not size:
                rest = self.data[line.end() : line.end() + HEAD_BYTES]
                return rest.startswith(b"\r\n") or b"\r\n\r\n" in rest
            after = line.end() + size + 2
            if after > len(self.data):
                return False
            self._chunk = after
        return b"\r\n" in self.data[self._chunk : self._chunk + HEAD_BYTES]
