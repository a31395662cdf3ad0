"""Reads the operations of a pickle into nodes. It calls nothing, and looks nothing up.

An operation takes a bounded time and makes at most one object, so that time and memory grow with
the length of the pickle and with nothing that stands in it.
"""

from collections.abc import Callable
from struct import Struct
from typing import Any

from vantage6.common.errors import PickleRefused, SerializationError
from vantage6.common.pickles.nodes import Call, Members, Name, Pairs, shorten

_STOP = 0x2E
#: How many containers every pickle may have, and one more for so many bytes of it. Each takes a
#: hundred bytes or two, and an empty one stands in one byte.
_CONTAINERS, _BYTES_EACH = 10**6, 4
_MOST_MARKS = 1000
_LONGEST_FLOAT = 100
#: So many bytes are worth not copying.
_MANY = 2**16
_NEWEST_PROTOCOL = 5
#: Names by which older and newer versions call the same thing.
_RENAMED = {
    "copy_reg._reconstructor": "copyreg._reconstructor",
    "builtins.xrange": "builtins.range",
}
#: Calls that are no object of their own.
_SPECIAL = frozenset({"builtins.getattr", "copyreg._reconstructor"})
#: What counts as one: where in these libraries something lives changes with their versions.
_LIBRARIES = ("numpy", "pandas", "pyarrow")

_INT2, _INT4, _UINT4, _UINT8, _DOUBLE = map(Struct, ("<H", "<i", "<I", "<Q", ">d"))


class Machine:
    """Reads one pickle.

    Parameters
    ----------
    data
        The bytes that hold the pickle.
    start
        Where it starts.
    known
        The names that a pickle may use.
    """

    def __init__(self, data: bytes, start: int, known: frozenset[str]) -> None:
        self._data = data
        self._at = start
        self._known = known
        self._containers_left = _CONTAINERS + (len(data) - start) // _BYTES_EACH
        self._stack: list[Any] = []
        #: The stacks below the marks.
        self._below: list[list[Any]] = []
        # A dictionary, so that a high number takes no more room than a low one.
        self._memo: dict[int, Any] = {}
        self._most_remembered = self._containers_left

    def run(self) -> Any:
        """Return the node that stands for the whole pickle."""
        data = self._data
        try:
            while (code := data[self._at]) != _STOP:
                self._at += 1
                step = _STEPS.get(code)
                if step is None:
                    raise PickleRefused(f"This pickle uses operation {code:#04x}: not allowed.")
                step(self)
            return self._stack.pop()
        except IndexError:
            raise SerializationError("This pickle cannot be read: it is incomplete.") from None

    # What stands in the pickle

    def _take(self, length: int) -> bytes:
        start, end = self._at, self._at + length
        if end > len(self._data):
            raise SerializationError("This pickle cannot be read: it ends too early.")
        self._at = end
        return self._data[start:end]

    def _octet(self) -> int:
        number = self._data[self._at]
        self._at += 1
        return number

    def _number(self, layout: Struct) -> Any:
        (number,) = layout.unpack(self._take(layout.size))
        return number

    def _line(self) -> bytes:
        end = self._data.find(b"\n", self._at)
        if end < 0:
            raise SerializationError("This pickle cannot be read: it ends too early.")
        line = self._data[self._at : end]
        self._at = end + 1
        return line

    def _read_sized(self, layout: Struct | None) -> bytes:
        """Return the bytes behind their length, which one byte tells if there is no layout."""
        return self._take(self._octet() if layout is None else self._number(layout))

    def _bytes(self, layout: Struct) -> bytes | memoryview:
        """Return the bytes behind their length; many of them without a copy."""
        length, start = self._number(layout), self._at
        if length < _MANY:
            return self._take(length)
        if start + length > len(self._data):
            raise SerializationError("This pickle cannot be read: it ends too early.")
        self._at += length
        return memoryview(self._data)[start : self._at]

    # What happens on the stack

    def _push(self, node: Any) -> None:
        self._stack.append(node)

    def _contain(self, node: Any) -> None:
        """Push something that holds others."""
        self._containers_left -= 1
        if self._containers_left < 0:
            raise SerializationError("This pickle cannot be read: it has too many containers.")
        self._stack.append(node)

    def _mark(self) -> None:
        if len(self._below) >= _MOST_MARKS:
            raise SerializationError("This pickle cannot be read: it is nested too deeply.")
        self._below.append(self._stack)
        self._stack = []

    def _since_mark(self) -> list[Any]:
        """Return everything above the last mark, and go back below it."""
        found = self._stack
        self._stack = self._below.pop()
        return found

    def _pop(self) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._since_mark()

    def _protocol(self) -> None:
        if self._octet() > _NEWEST_PROTOCOL:
            raise SerializationError("This pickle is of a newer protocol than can be read here.")

    # Numbers and texts

    def _text_integer(self) -> None:
        line = self._line()
        self._push({b"00": False, b"01": True}[line] if line in (b"00", b"01") else int(line))

    def _text_float(self) -> None:
        line = self._line()
        if len(line) > _LONGEST_FLOAT:
            raise SerializationError("This pickle cannot be read: a number has too many digits.")
        self._push(float(line))

    def _long(self, layout: Struct | None) -> None:
        self._push(int.from_bytes(self._read_sized(layout), "little", signed=True))

    def _text(self, layout: Struct | None) -> None:
        self._push(str(self._read_sized(layout), "utf-8", "surrogatepass"))

    # Containers

    def _tuple(self, length: int) -> None:
        if len(self._stack) < length:
            raise IndexError
        made = tuple(self._stack[-length:])
        del self._stack[-length:]
        self._contain(made)

    def _append(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not list:
            raise PickleRefused("This pickle appends to something else than a list: not allowed.")
        target.extend(items)

    def _set_items(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) not in (Pairs, Call) or len(items) % 2:
            raise PickleRefused("This pickle sets items of no dictionary, which is not allowed.")
        if target.pairs is None:
            target.pairs = []
        target.pairs.extend(zip(items[::2], items[1::2], strict=True))

    def _set_item(self) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._set_items([key, value])

    def _dictionary(self) -> None:
        items = self._since_mark()
        self._contain(Pairs())
        self._set_items(items)

    def _add_members(self) -> None:
        members = self._since_mark()
        target = self._stack[-1]
        if type(target) is not Members or target.is_frozen:
            raise PickleRefused("This pickle adds to something else than a set: not allowed.")
        target.members.extend(members)

    # The memo

    def _memoize(self) -> None:
        self._remember(len(self._memo))

    def _remember(self, number: int) -> None:
        if len(self._memo) >= self._most_remembered:
            raise SerializationError("This pickle cannot be read: it remembers too much.")
        self._memo[number] = self._stack[-1]

    def _recall(self, number: int) -> None:
        if number not in self._memo:
            raise SerializationError("This pickle cannot be read: a part of it is missing.")
        self._push(self._memo[number])

    # Names and calls

    def _name(self, module: Any, name: Any) -> None:
        """Write a name down.

        Raises
        ------
        PickleRefused
            If it is not one of the names that a pickle may use.
        """
        if type(module) is not str or type(name) is not str:
            raise PickleRefused("This pickle has a name that is no text, which is not allowed.")
        library = module.partition(".")[0]
        home = library if library in _LIBRARIES else module.replace("__builtin__", "builtins")
        known = _RENAMED.get(f"{home}.{name}", f"{home}.{name}")
        # SECURITY: exact names only. Even these are never looked up: the text is all there is.
        if known not in self._known:
            raise PickleRefused(f"This pickle uses {shorten(f'{module}.{name}')}: not allowed.")
        self._push(Name(known))

    def _stack_name(self) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        self._name(module, name)

    def _call(self) -> None:
        given, name = self._stack.pop(), self._stack.pop()
        if type(name) is not Name or type(given) is not tuple:
            raise PickleRefused("This pickle calls something without a name: not allowed.")
        self._contain(_special(name, given) if name.text in _SPECIAL else Call(name, given))

    def _build(self) -> None:
        state, target = self._stack.pop(), self._stack[-1]
        # SECURITY: a state is written down beside the call, once, and reaches no object.
        if type(target) is not Call or target.has_state:
            raise PickleRefused("This pickle gives a state to no object, which is not allowed.")
        target.state, target.has_state = state, True


def _special(name: Name, given: tuple[Any, ...]) -> Name | Call:
    """Return what a call says that only names something."""
    texts = [node.text if type(node) is Name else node for node in given]
    if name.text == "builtins.getattr":
        # SECURITY: this one attribute, which is a name of its own; no other of anything.
        if texts != ["zoneinfo.ZoneInfo", "_unpickle"]:
            raise PickleRefused("This pickle uses getattr, which is not allowed.")
        return Name("zoneinfo.ZoneInfo._unpickle")
    if len(given) != 3 or type(given[0]) is not Name or texts[1:] != ["builtins.object", None]:
        raise PickleRefused("This pickle uses copyreg in a way that is not allowed.")
    return Call(given[0], ())


Step = Callable[[Machine], None]


def _steps() -> dict[int, Step]:
    """Return what each operation does, by its letter."""
    return {
        ord(letter): step
        for letter, step in (
            ("\x80", Machine._protocol),
            ("\x95", lambda m: m._take(8)),
            ("N", lambda m: m._push(None)),
            ("\x88", lambda m: m._push(True)),
            ("\x89", lambda m: m._push(False)),
            ("I", Machine._text_integer),
            ("L", lambda m: m._push(int(m._line().removesuffix(b"L")))),
            ("J", lambda m: m._push(m._number(_INT4))),
            ("K", lambda m: m._push(m._octet())),
            ("M", lambda m: m._push(m._number(_INT2))),
            ("\x8a", lambda m: m._long(None)),
            ("\x8b", lambda m: m._long(_UINT4)),
            ("F", lambda m: m._text_float()),
            ("G", lambda m: m._push(m._number(_DOUBLE))),
            ("V", lambda m: m._push(str(m._line(), "raw-unicode-escape"))),
            ("\x8c", lambda m: m._text(None)),
            ("X", lambda m: m._text(_UINT4)),
            ("\x8d", lambda m: m._text(_UINT8)),
            ("C", lambda m: m._push(m._read_sized(None))),
            ("B", lambda m: m._push(m._bytes(_UINT4))),
            ("\x8e", lambda m: m._push(m._bytes(_UINT8))),
            ("\x96", lambda m: m._push(bytearray(m._read_sized(_UINT8)))),
            ("(", Machine._mark),
            ("0", Machine._pop),
            ("1", lambda m: m._since_mark() and None),
            ("2", lambda m: m._push(m._stack[-1])),
            (")", lambda m: m._push(())),
            ("\x85", lambda m: m._tuple(1)),
            ("\x86", lambda m: m._tuple(2)),
            ("\x87", lambda m: m._tuple(3)),
            ("t", lambda m: m._contain(tuple(m._since_mark()))),
            ("]", lambda m: m._contain([])),
            ("l", lambda m: m._contain(m._since_mark())),
            ("a", lambda m: m._append([m._stack.pop()])),
            ("e", lambda m: m._append(m._since_mark())),
            ("}", lambda m: m._contain(Pairs())),
            ("d", Machine._dictionary),
            ("s", Machine._set_item),
            ("u", lambda m: m._set_items(m._since_mark())),
            ("\x8f", lambda m: m._contain(Members([], is_frozen=False))),
            ("\x90", Machine._add_members),
            ("\x91", lambda m: m._contain(Members(m._since_mark(), is_frozen=True))),
            ("\x94", Machine._memoize),
            ("p", lambda m: m._remember(int(m._line()))),
            ("q", lambda m: m._remember(m._octet())),
            ("r", lambda m: m._remember(m._number(_UINT4))),
            ("g", lambda m: m._recall(int(m._line()))),
            ("h", lambda m: m._recall(m._octet())),
            ("j", lambda m: m._recall(m._number(_UINT4))),
            ("c", lambda m: m._name(str(m._line(), "utf-8"), str(m._line(), "utf-8"))),
            ("\x93", Machine._stack_name),
            ("R", Machine._call),
            ("\x81", Machine._call),
            ("b", Machine._build),
        )
    }


_STEPS = _steps()
