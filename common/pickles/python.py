"""The objects of Python that a pickle may hold, beside those with an operation of their own."""

import datetime
import zoneinfo
from collections import OrderedDict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from vantage6.common.errors import PickleRefused, SerializationError
from vantage6.common.pickles.builder import Builder, Maker, function
from vantage6.common.pickles.nodes import Call

_LONGEST_NUMBER = 1000
#: Names that only say what another one means.
NAMED = frozenset(
    {"builtins.getattr", "builtins.object", "copyreg._reconstructor", "zoneinfo.ZoneInfo"}
)


def _encode(builder: Builder, text: Any, encoding: Any) -> bytes:
    """Return the bytes that older protocols write as a text."""
    if encoding != "latin1" or type(text) is not str:
        raise PickleRefused("This pickle encodes a text in a way that is not allowed.")
    builder.budget.spend(len(text))
    return text.encode("latin1")


def _bytes(_: Builder) -> bytes:
    return b""


def _utc(_: Builder) -> datetime.timezone:
    return datetime.UTC


def _bytearray(builder: Builder, content: Any = b"", encoding: Any = None) -> bytearray:
    if encoding is not None:
        content = _encode(builder, content, str(encoding).replace("-", ""))
    content = builder.of(bytes, content)
    builder.budget.spend(len(content))
    return bytearray(content)


def _set(kind: type) -> Callable[..., Any]:
    def make(builder: Builder, members: Any = ()) -> Any:
        if type(members) not in (list, tuple):
            raise SerializationError("This pickle cannot be read: a set of no list.")
        builder.budget.spend(100 * len(members))
        return kind(builder.members(members))

    return make


def _numbers(kind: Callable[..., Any], *numbers: type) -> Callable[..., Any]:
    """Make a constructor of something that a few numbers or None describe."""

    def make(_: Builder, *given: Any) -> Any:
        if not all(isinstance(number, numbers) for number in given):
            raise SerializationError("This pickle cannot be read: a number is missing.")
        return kind(*given)

    return make


def _decimal(_: Builder, text: Any) -> Decimal:
    if type(text) is not str or len(text) > _LONGEST_NUMBER:
        raise SerializationError("This pickle cannot be read: a decimal number is no text.")
    return Decimal(text)


def _date(builder: Builder, content: Any) -> datetime.date:
    high, low, month, day = _octets(builder, content, 4)
    return datetime.date(high << 8 | low, month, day)


def _time(builder: Builder, content: Any, zone: Any = None) -> datetime.time:
    hour, minute, second, *rest = _octets(builder, content, 6)
    return datetime.time(
        hour & 0x7F, minute, second, _microsecond(rest), _zone(builder, zone), fold=hour >> 7
    )


def _datetime(builder: Builder, content: Any, zone: Any = None) -> datetime.datetime:
    high, low, month, day, hour, minute, second, *rest = _octets(builder, content, 10)
    date = (high << 8 | low, month & 0x7F, day)
    made = datetime.datetime(  # noqa: DTZ001 - without a zone where the pickle has none
        *date, hour, minute, second, _microsecond(rest), _zone(builder, zone), fold=month >> 7
    )
    if type(zone) is not Call or zone.name.text != "pytz._p" or len(zone.given) < 2:
        return made
    # pytz has a zone for each offset that a place ever had; elsewhere the time tells the offset.
    offset = datetime.timedelta(seconds=builder.of(int, zone.given[1]))
    for fold in (0, 1):
        if made.replace(fold=fold).utcoffset() == offset:
            return made.replace(fold=fold)
    raise SerializationError("This pickle cannot be read: a time does not exist in its zone.")


def _octets(builder: Builder, content: Any, length: int) -> bytes:
    found = builder.of(bytes, content)
    if len(found) != length:
        raise SerializationError("This pickle cannot be read: a date has a strange length.")
    return found


def _microsecond(octets: list[int]) -> int:
    return int.from_bytes(bytes(octets), "big")


def _zone(builder: Builder, node: Any) -> datetime.tzinfo | None:
    return None if node is None else zone_of(builder, node)


def zone_of(builder: Builder, node: Any) -> datetime.tzinfo:
    """Return the time zone that a node stands for."""
    return builder.of(datetime.tzinfo, node)  # type: ignore[type-abstract]


def _offset(builder: Builder, offset: Any, *name: Any) -> datetime.timezone:
    if not all(type(text) is str for text in name):
        raise SerializationError("This pickle cannot be read: the name of a zone is no text.")
    return datetime.timezone(builder.of(datetime.timedelta, offset), *name)


def _named_zone(_: Builder, name: Any, *__: Any) -> zoneinfo.ZoneInfo:
    # ZoneInfo itself refuses what would leave its folder.
    if type(name) is not str or len(name) > 100:
        raise SerializationError("This pickle cannot be read: the name of a zone is no text.")
    return zoneinfo.ZoneInfo(name)


def _minutes(builder: Builder, minutes: Any) -> datetime.timezone:
    return datetime.timezone(datetime.timedelta(minutes=builder.of(int, minutes)))


def _order(builder: Builder, call: Call) -> OrderedDict[Any, Any]:
    if call.given or call.has_state:
        raise PickleRefused("This pickle makes an OrderedDict in a way that is not allowed.")
    return OrderedDict(builder.pairs(call.pairs or []))


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "_codecs.encode": _encode,
    "builtins.bytearray": _bytearray,
    "builtins.bytes": _bytes,
    "builtins.complex": _numbers(complex, float),
    "builtins.frozenset": _set(frozenset),
    "builtins.range": _numbers(range, int),
    "builtins.set": _set(set),
    "builtins.slice": _numbers(slice, int, type(None)),
    "datetime.date": _date,
    "datetime.datetime": _datetime,
    "datetime.time": _time,
    "datetime.timedelta": _numbers(datetime.timedelta, int),
    "datetime.timezone": _offset,
    "decimal.Decimal": _decimal,
    # pandas 1 and 2 have their zones of a library that is not needed to name one.
    "pytz._UTC": _utc,
    "pytz._FixedOffset": _minutes,
    "pytz._p": _named_zone,
    "zoneinfo.ZoneInfo._unpickle": _named_zone,
}
MAKERS: dict[str, Maker] = {
    "collections.OrderedDict": _order,
    **{name: function(make) for name, make in _FUNCTIONS.items()},
}
