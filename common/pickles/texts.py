"""Texts as pyarrow keeps them: one long run of letters, and where in it each text lies.

SECURITY: pyarrow believes these positions, and reads the memory that is there. They are
checked here, before it sees them.
"""

from dataclasses import dataclass
from typing import Any

from vantage6.common.errors import PickleRefused, SerializationError
from vantage6.common.pickles.builder import Builder, Maker, Part, function

#: The name of each kind, and the kind of number that tells a place.
_PLACES = {"string": "<i4", "utf8": "<i4", "large_string": "<i8", "large_utf8": "<i8"}
_MOST_PARTS = 10_000


@dataclass(frozen=True)
class Kind(Part):
    """A kind of texts."""

    name: str


@dataclass(frozen=True)
class Texts(Part):
    """One array of pyarrow for each part of a column."""

    chunks: tuple[Any, ...]

    def array(self) -> Any:
        """Return all as one array of pyarrow."""
        import pyarrow

        return pyarrow.chunked_array(self.chunks or [pyarrow.array([], pyarrow.large_string())])


def _kind(_: Builder, name: Any) -> Kind:
    if type(name) is not str or name not in _PLACES:
        raise PickleRefused("Of pyarrow only texts are allowed in a pickle.")
    return Kind(name)


def _buffer(builder: Builder, content: Any) -> Any:
    made = builder.part(content)
    if type(made) not in (bytes, bytearray):
        raise SerializationError("This pickle cannot be read: texts have no bytes.")
    return bytes(made)


def _texts(builder: Builder, described: Any) -> Texts:
    """Return the texts that their parts describe."""
    import pyarrow

    kind, length, _, offset, buffers, children, dictionary = builder.nodes(described, 7)
    name = builder.of(Kind, kind).name
    if children not in ([], None) or dictionary is not None or type(buffers) is not list:
        raise PickleRefused("Of pyarrow only texts are allowed in a pickle.")
    missing, places, letters = builder.nodes(tuple(buffers), 3)
    parts = [None if part is None else builder.of(bytes, part) for part in (missing, places)]
    parts.append(b"" if letters is None else builder.of(bytes, letters))
    builder.budget.spend(sum(len(part or b"") for part in parts))
    length, offset = builder.of(int, length), builder.of(int, offset)
    _check(_PLACES[name], length, offset, *parts)
    made = pyarrow.Array.from_buffers(
        pyarrow.type_for_alias(name),
        length,
        [part if part is None else pyarrow.py_buffer(part) for part in parts],
        -1,
        offset,
    )
    made.validate(full=True)  # that the letters are UTF-8
    return Texts((made,))


def _check(layout: str, length: int, offset: int, missing: Any, places: Any, letters: Any) -> None:
    """Refuse texts that do not lie in their letters, one behind the other."""
    import numpy

    end = offset + length
    numbers = numpy.frombuffer(places or b"", numpy.uint8)
    is_sound = offset >= 0 and length >= 0
    if is_sound and missing is not None:
        is_sound = 8 * len(missing) >= end
    if is_sound and (length or len(numbers)):
        size = numpy.dtype(layout).itemsize
        is_sound = len(numbers) >= size * (end + 1)
        if is_sound:
            used = numbers[size * offset : size * (end + 1)].view(layout)
            is_sound = bool(
                used[0] >= 0 and used[-1] <= len(letters) and (used[:-1] <= used[1:]).all()
            )
    if not is_sound:
        raise SerializationError("This pickle cannot be read: texts lie outside of their letters.")


def _chunks(builder: Builder, chunks: Any, kind: Any = None) -> Texts:
    """Return texts in parts."""
    if type(chunks) is not list or len(chunks) > _MOST_PARTS:
        raise SerializationError("This pickle cannot be read: texts have no parts.")
    if kind is not None:
        builder.of(Kind, kind)
    builder.budget.spend(4096 * len(chunks))
    return Texts(tuple(part for chunk in chunks for part in builder.of(Texts, chunk).chunks))


MAKERS: dict[str, Maker] = {
    "pyarrow.type_for_alias": function(_kind),
    "pyarrow.py_buffer": function(_buffer),
    "pyarrow._restore_array": function(_texts),
    "pyarrow.chunked_array": function(_chunks),
}
