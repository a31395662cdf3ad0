"""Arrays and numbers of numpy, of bytes whose kind, length and content are checked.

SECURITY: numpy believes a state that it is restored from. An object array whose dtype claims to
hold no objects takes any number for the address of one. So no state gets there: a dtype is made
of a text of a few letters, and an array of bytes that have its length.
"""

import math
import re
from typing import Any

from vantage6.common.errors import PickleRefused, SerializationError
from vantage6.common.pickles.builder import PLAIN, Builder, Maker, function, stateful

#: Everything that has a fixed size, and what has the size of its texts.
_TEXT = re.compile(r"b1|[iu][1248]|f[248]|c8|c16|[SU]\d{1,9}|O8|[mM]8", re.ASCII)
_UNITS = frozenset(["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as"])
_ORDERS = frozenset("<>=|")
_MOST_DIMENSIONS = 32
_LARGEST_LETTER = 0x10FFFF


def _dtype(builder: Builder, given: tuple[Any, ...], state: Any) -> Any:
    """Return the dtype that a text and a state describe."""
    import numpy

    text = given[0] if given else None
    if type(text) is not str or not _TEXT.fullmatch(text) or not _are_flags(given[1:]):
        raise PickleRefused(f"This pickle has the dtype {str(text)[:40]!r}, which is not allowed.")
    if state is None:
        if text[0] in "mM":
            raise PickleRefused("This pickle has times without a unit, which is not allowed.")
        return numpy.dtype(text)
    version, order, base, names, fields, size, _, flags, *metadata = builder.of(tuple, state)
    if text[0] in "mM":
        text += _unit(builder, metadata)
    made = numpy.dtype(text)
    if order != "|" and order in _ORDERS and made.byteorder != "|":
        made = made.newbyteorder(order)
    # SECURITY: what a dtype says of itself has to be what it is; it is never made so.
    if (
        version not in (3, 4)
        or order not in _ORDERS
        or not (base is names is fields is None)
        or size not in (-1, made.itemsize)
        or type(flags) is not int
        or flags != made.flags
    ):
        raise PickleRefused("This pickle has a dtype that is not what it claims: not allowed.")
    return made


def _are_flags(values: tuple[Any, ...]) -> bool:
    return len(values) == 2 and all(type(value) in (bool, int) for value in values)


def _unit(builder: Builder, metadata: list[Any]) -> str:
    """Return the unit of times as part of the text of a dtype."""
    if len(metadata) == 1 and type(metadata[0]) is tuple and len(metadata[0]) == 2:
        parts = builder.of(tuple, metadata[0][1])
        if len(parts) == 4 and type(parts[0]) is bytes:
            unit, count = parts[0].decode("ascii"), parts[1]
            if unit in _UNITS and type(count) is int and 0 < count < 10**9 and parts[2:] == (1, 1):
                return f"[{count}{unit}]"
    raise PickleRefused("This pickle has times of an unknown unit, which is not allowed.")


def _reconstruct(builder: Builder, given: tuple[Any, ...], state: Any) -> Any:
    """Return an array that is described by its state."""
    if len(given) != 3 or builder.name(given[0]) != "numpy.ndarray" or given[1] != (0,):
        raise PickleRefused("This pickle makes an array in a way that is not allowed.")
    _, shape, dtype, is_fortran, content = builder.nodes(state, 5)
    kind = dtype_of(builder, dtype)
    if kind.kind == "O":
        # The items stand in the same order whatever their order in memory was.
        return _of_objects(builder, kind, _shape(builder, shape), content)
    order = "F" if builder.of(bool, is_fortran) else "C"
    return _of_bytes(builder, kind, _shape(builder, shape), content, order)


def _from_buffer(
    builder: Builder, content: Any, dtype: Any, shape: Any, order: Any, axes: Any = None
) -> Any:
    """Return an array that is described by the arguments of a call."""
    kind = dtype_of(builder, dtype)
    if order not in ("C", "F", "K") or kind.kind == "O":
        raise PickleRefused("This pickle has an array in an order that is not allowed.")
    sizes = _shape(builder, shape)
    made = _of_bytes(builder, kind, sizes, content, "F" if order == "F" else "C")
    if axes is None:
        return made
    axes = builder.of(tuple, axes)
    if sorted(axes) != list(range(len(sizes))):
        raise SerializationError("This pickle cannot be read: an array has strange axes.")
    return made.transpose(axes)


def dtype_of(builder: Builder, node: Any) -> Any:
    """Return the dtype that a node stands for."""
    import numpy

    return builder.of(numpy.dtype, node)


def array_of(builder: Builder, node: Any, kinds: str, dimensions: int = 1) -> Any:
    """Return the array that a node stands for, if it is of one of some kinds of dtypes."""
    import numpy

    made = builder.of(numpy.ndarray, node)
    if made.dtype.kind not in kinds or made.ndim != dimensions:
        raise SerializationError(f"This pickle cannot be read: an array is of {made.dtype}.")
    return made


def _shape(builder: Builder, node: Any) -> tuple[int, ...]:
    sizes = (node,) if type(node) is int else builder.of(tuple, node)
    if len(sizes) > _MOST_DIMENSIONS or not all(type(size) is int and size >= 0 for size in sizes):
        raise SerializationError("This pickle cannot be read: an array has a strange shape.")
    # An array of nothing, too, can be many times nothing.
    builder.budget.bound(math.prod(size or 1 for size in sizes))
    return sizes


def _of_bytes(
    builder: Builder, dtype: Any, shape: tuple[int, ...], content: Any, order: Any
) -> Any:
    import numpy

    if type(content) is not memoryview:
        content = builder.part(content)
    if type(content) not in (bytes, bytearray, memoryview):
        raise SerializationError("This pickle cannot be read: an array has no bytes.")
    # SECURITY: exactly as many bytes as the items take, none of which is an address.
    if not dtype.itemsize or len(content) != math.prod(shape) * dtype.itemsize:
        raise SerializationError("This pickle cannot be read: an array has a strange length.")
    builder.budget.spend(len(content))
    if not content:
        return numpy.empty(shape, dtype)
    made = numpy.frombuffer(content, dtype).copy()
    _check_items(made)
    # In the order of this machine, as numpy itself restores most arrays.
    return made.astype(dtype.newbyteorder("="), copy=False).reshape(shape, order=order)


def _check_items(items: Any) -> None:
    """Refuse what no number, text or time is made of."""
    kind = items.dtype.kind
    if kind == "b" and items.view("u1").max() > 1:
        raise SerializationError("This pickle cannot be read: a truth value is none.")
    if kind == "U" and items.view(f"{items.dtype.byteorder}u4").max() > _LARGEST_LETTER:
        raise SerializationError("This pickle cannot be read: a text has an impossible letter.")


def _of_objects(builder: Builder, dtype: Any, shape: tuple[int, ...], content: Any) -> Any:
    import numpy

    count = math.prod(shape)
    if type(content) is not list or len(content) != count:
        raise SerializationError("This pickle cannot be read: an array has a strange length.")
    builder.budget.spend(count * dtype.itemsize)
    items = builder.values(content)
    if not all(type(item) in PLAIN or _is_plain(item) for item in items):
        raise PickleRefused("This pickle has a frame in an array, which is not allowed.")
    # Item by item: numpy would look into those that are lists.
    return numpy.fromiter(items, dtype, count).reshape(shape)


def _is_plain(item: Any) -> bool:
    """Tell whether an item is nothing of pandas that has columns or rows."""
    import numpy

    if isinstance(item, numpy.ndarray | numpy.generic):
        return True
    return not hasattr(item, "dtype") and not hasattr(item, "dtypes")


def _scalar(builder: Builder, dtype: Any, content: Any = b"") -> Any:
    """Return a number or text as one of Python; a time where Python has none as fine."""
    import numpy

    kind, content = dtype_of(builder, dtype), builder.of(bytes, content)
    # SECURITY: an object would be read of an address.
    if kind.kind == "O" or len(content) != kind.itemsize:
        raise PickleRefused("This pickle has a number of a kind that is not allowed.")
    if not content:
        return b"" if kind.kind == "S" else ""
    items = numpy.frombuffer(content, kind)
    _check_items(items)
    item = items[0].item()
    return items[0] if kind.kind in "mM" and type(item) is int else item


NAMED = frozenset({"numpy.ndarray"})
MAKERS: dict[str, Maker] = {
    "numpy.dtype": stateful(_dtype),
    "numpy._reconstruct": stateful(_reconstruct),
    "numpy._frombuffer": function(_from_buffer),
    "numpy.scalar": function(_scalar),
}
