"""Base64 between the bytes that are computed with and the text that travels in JSON.

It is converted piece by piece: next to a large payload and its text there is never a third copy.
"""

import base64
import binascii
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass

#: A multiple of 3, so that the texts of the pieces make up the text of the whole.
_PIECE_BYTES = 3 * 2**16
_PIECE_CHARACTERS = _PIECE_BYTES // 3 * 4


@dataclass(frozen=True)
class LazyText:
    """A text that is made while it is read: next to a large payload it takes no memory.

    Parameters
    ----------
    length
        Number of its characters, all of which are ASCII and none of which JSON has to escape.
    pieces
        Makes it; called again each time it is read.
    """

    length: int
    pieces: Callable[[], Iterator[bytes]]

    def __str__(self) -> str:
        text = ""
        for piece in self.pieces():
            # Python extends a text in place that only one variable holds.
            text += piece.decode("ascii")
        return text


def base64_text(data: bytes) -> LazyText:
    """Return data as standard base64, which is made while it is read."""
    return LazyText(base64_length(len(data)), lambda: base64_pieces(pieces(data)))


def base64_length(size: int) -> int:
    """Return the number of characters of so many bytes."""
    return (size + 2) // 3 * 4


def base64_pieces(data: Iterator[bytes | memoryview]) -> Iterator[bytes]:
    """Yield the base64 of pieces, of which all but the last have to be as `pieces` makes them."""
    for piece in data:
        yield binascii.b2a_base64(piece, newline=False)


def bytes_to_base64s(bytes_: bytes) -> str:
    """Return standard base64 with padding and without line breaks (RFC 4648, section 4)."""
    return str(base64_text(bytes_))


def base64s_to_bytes(bytes_string: str) -> bytes:
    """Return the bytes behind a base64 text.

    Characters outside the alphabet are skipped, as existing clients expect.

    Raises
    ------
    ValueError
        If the padding is wrong.
    """
    data = io.BytesIO()
    for piece in decode_pieces(bytes_string):
        data.write(piece)
    return data.getvalue()


def pieces(data: bytes) -> Iterator[memoryview]:
    """Yield data in pieces that can be encoded one by one."""
    view = memoryview(data)
    for start in range(0, len(view), _PIECE_BYTES):
        yield view[start : start + _PIECE_BYTES]


def strictly_decoded_pieces(text: str) -> Iterator[bytes]:
    """Yield the bytes behind standard base64, in pieces.

    Raises
    ------
    ValueError
        If a character does not belong there.
    """
    for position in range(0, len(text), _PIECE_CHARACTERS):
        piece = text[position : position + _PIECE_CHARACTERS]
        if "=" in piece and position + len(piece) < len(text):
            raise ValueError("padding within a text")
        yield binascii.a2b_base64(piece, strict_mode=True)


def decode_pieces(text: str, start: int = 0) -> Iterator[bytes]:
    """Yield the bytes behind a base64 text from some character on, in pieces.

    Raises
    ------
    ValueError
        If the padding is wrong.
    """
    for position in range(start, len(text), _PIECE_CHARACTERS):
        piece = text[position : position + _PIECE_CHARACTERS]
        try:
            yield binascii.a2b_base64(piece, strict_mode=True)
        except binascii.Error:
            # A character to be skipped moves all that follow, so that the rest is one piece.
            yield base64.b64decode(text[position:])
            return
        if piece.endswith("="):
            return
