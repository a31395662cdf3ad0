"""The indexes of pandas."""

from typing import Any

from vantage6.common.errors import PickleRefused, SerializationError
from vantage6.common.pickles import keys
from vantage6.common.pickles.arrays import array_of
from vantage6.common.pickles.builder import Builder, Maker, function
from vantage6.common.pickles.columns import OBJECT, Times, step_of

_OF_VALUES = ("Index", "Int64Index", "UInt64Index", "Float64Index")
_OF_TIMES = ("DatetimeIndex", "TimedeltaIndex")
_MOST_LEVELS = 1000
#: Ends of a range: far enough that no step beyond them leaves 64 bits.
_FARTHEST = 2**62


def _index(builder: Builder, kind: Any, described: Any) -> Any:
    """Return the index that its kind and its parts describe."""
    import pandas

    kind = builder.name(kind).partition(".")[2]
    fields = builder.fields(described)
    builder.budget.spend(OBJECT)
    if kind == "MultiIndex":
        return _of_levels(builder, fields)
    name = builder.label(fields.get("name"))
    if kind == "RangeIndex":
        return _of_range(builder, fields, name)
    made = builder.part(fields["data"])
    if kind in _OF_TIMES:
        return _of_times(builder, made, fields, name)
    if kind == "CategoricalIndex":
        return pandas.CategoricalIndex(builder.of(pandas.Categorical, fields["data"]), name=name)
    if kind not in _OF_VALUES:
        raise PickleRefused(f"This pickle has an index of {kind}, which is not allowed.")
    return _of_values(builder, made, fields["data"], name)


def _of_values(builder: Builder, made: Any, node: Any, name: Any) -> Any:
    import numpy
    import pandas

    if isinstance(made, pandas.api.extensions.ExtensionArray):
        builder.budget.spend(made.nbytes)
        return pandas.Index(made, name=name)
    made = array_of(builder, node, "biufcO")
    builder.budget.spend(made.nbytes)
    if made.dtype == numpy.dtype("O"):
        # SECURITY: pandas hashes them as soon as it looks for one.
        keys.check(made)
        return pandas.Index(made, dtype=object, name=name, tupleize_cols=False)
    return pandas.Index(made, name=name)


def _of_range(builder: Builder, fields: dict[str, Any], name: Any) -> Any:
    import pandas

    ends = [builder.of(int, fields[end]) for end in ("start", "stop", "step")]
    if not all(-_FARTHEST < end < _FARTHEST for end in ends):
        raise SerializationError("This pickle cannot be read: a range is too wide.")
    builder.budget.bound(len(range(*ends)))
    return pandas.RangeIndex(*ends, name=name)


def _of_levels(builder: Builder, fields: dict[str, Any]) -> Any:
    import pandas

    levels, codes, names = (list(fields[field]) for field in ("levels", "codes", "names"))
    if not len(levels) == len(codes) == len(names) <= _MOST_LEVELS:
        raise SerializationError("This pickle cannot be read: an index has strange levels.")
    builder.budget.spend(OBJECT * len(levels))
    numbers = [array_of(builder, code, "i") for code in codes]
    builder.budget.spend(sum(code.nbytes for code in numbers))
    return pandas.MultiIndex(
        levels=[builder.of(pandas.Index, level) for level in levels],
        codes=numbers,
        names=[builder.label(name) for name in names],
        # SECURITY: otherwise a code reaches as far as it likes.
        verify_integrity=True,
    )


def _of_times(builder: Builder, made: Any, fields: dict[str, Any], name: Any) -> Any:
    if not isinstance(made, Times) or made.values.ndim != 1:
        raise SerializationError("This pickle cannot be read: an index of times has none.")
    builder.budget.spend(made.values.nbytes)
    return made.index(name, step_of(builder, fields.get("freq")))


MAKERS: dict[str, Maker] = {
    f"pandas.{name}": function(_index)
    for name in ("_new_Index", "_new_DatetimeIndex", "_new_TimedeltaIndex")
}
NAMED = frozenset(
    f"pandas.{kind}"
    for kind in (*_OF_VALUES, *_OF_TIMES, "RangeIndex", "MultiIndex", "CategoricalIndex")
)
