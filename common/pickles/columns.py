"""The kinds of columns that pandas adds to those of numpy, and single times."""

import math
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from vantage6.common.errors import PickleRefused, SerializationError
from vantage6.common.pickles.arrays import array_of
from vantage6.common.pickles.builder import Builder, Maker, Part, function, stateful
from vantage6.common.pickles.nodes import Call, Name
from vantage6.common.pickles.python import zone_of
from vantage6.common.pickles.texts import Texts

#: What an object of pandas takes beside its values, in memory and in time.
OBJECT = 512
_INTEGERS = [f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)]
_FLOATS = ["Float32", "Float64"]
_MASKED = {"IntegerArray": "iu", "FloatingArray": "f", "BooleanArray": "b"}
#: How pandas numbers the units of its times.
_UNITS: dict[int, Any] = {7: "s", 8: "ms", 9: "us", 10: "ns"}
#: Steps of an index of times that are kept. The others are left out: pandas can infer them.
_STEPS = ("Day", "Hour", "Minute", "Second", "Milli", "Micro", "Nano")
_STEPS_LEFT_OUT = (
    *("BusinessDay", "BusinessHour", "BusinessMonthBegin", "BusinessMonthEnd"),
    *("BQuarterBegin", "BQuarterEnd", "BYearBegin", "BYearEnd", "MonthBegin", "MonthEnd"),
    *("QuarterBegin", "QuarterEnd", "SemiMonthBegin", "SemiMonthEnd", "Week"),
    *("YearBegin", "YearEnd"),
)
#: Kinds of columns that keep their values in an array of numpy.
_BACKED = (
    *("Categorical", "DatetimeArray", "TimedeltaArray"),
    *("StringArray", "StringArrayNumpySemantics"),
)


@dataclass(frozen=True)
class Zoned(Part):
    """The kind of times in a time zone."""

    unit: str
    zone: tzinfo


@dataclass(frozen=True)
class Step(Part):
    """The step of an index of times, and None where it is left out."""

    offset: Any


@dataclass(frozen=True)
class Times(Part):
    """Times or durations, in one column or several."""

    values: Any
    zone: tzinfo | None
    step: Any = None

    def index(self, name: Any = None, step: Any = None) -> Any:
        """Return an index of a single column."""
        import pandas

        step = self.step if step is None else step
        if self.values.dtype.kind == "m":
            return pandas.TimedeltaIndex(self.values, freq=step, name=name)
        if self.zone is None:
            return pandas.DatetimeIndex(self.values, freq=step, name=name)
        found = pandas.DatetimeIndex(self.values, name=name).tz_localize("UTC")
        found = found.tz_convert(self.zone)
        return found if step is None else pandas.DatetimeIndex(found, freq=step, name=name)


def _wrap(builder: Builder, given: tuple[Any, ...], state: Any) -> Any:
    """Return an array of pandas that keeps its values in one of numpy."""
    if len(given) != 3 or type(state) is not tuple or not 2 <= len(state) <= 3:
        raise SerializationError("This pickle cannot be read: a column has a strange state.")
    return _make_in(builder, builder.name(given[0]).partition(".")[2], *state)


def _older(kind: str) -> Maker:
    """Make a maker of such an array as pandas wrote them before version 1.3."""

    def make(builder: Builder, _: tuple[Any, ...], state: Any) -> Any:
        fields = builder.fields(state)
        (values,) = (fields[name] for name in ("_codes", "_data", "_ndarray") if name in fields)
        return _make_in(builder, kind, fields["_dtype"], values, state)

    return stateful(make)


def _make_in(builder: Builder, kind: str, dtype: Any, values: Any, *rest: Any) -> Any:
    """Return an array of pandas of a kind, of the array of numpy that keeps its values."""
    if kind == "Categorical":
        return _categorical(builder, values, dtype)
    if kind in ("DatetimeArray", "TimedeltaArray"):
        return _times(builder, values, dtype, rest)
    if kind in ("StringArray", "StringArrayNumpySemantics"):
        return _texts_of_objects(builder, values, dtype)
    raise PickleRefused(f"This pickle has a column of {kind}, which is not allowed.")


def _categorical(builder: Builder, codes: Any, dtype: Any) -> Any:
    import pandas

    codes = array_of(builder, codes, "i")
    kind = builder.of(pandas.CategoricalDtype, dtype)
    builder.budget.spend(OBJECT + codes.nbytes)
    return pandas.Categorical.from_codes(codes, dtype=kind)


def _times(builder: Builder, values: Any, dtype: Any, rest: tuple[Any, ...]) -> Times:
    import numpy

    kind = builder.part(dtype)
    made = builder.of(numpy.ndarray, values)
    if made.dtype.kind not in "mM" or numpy.datetime_data(made.dtype) not in [
        (unit, 1) for unit in _UNITS.values()
    ]:
        raise SerializationError("This pickle cannot be read: times are of a strange unit.")
    if isinstance(kind, Zoned) and made.dtype == numpy.dtype(f"M8[{kind.unit}]"):
        zone = kind.zone
    elif isinstance(kind, numpy.dtype) and kind == made.dtype:
        zone = None
    else:
        raise SerializationError("This pickle cannot be read: times are not of their own kind.")
    fields = builder.fields(rest[0]) if rest else {}
    return Times(made, zone, step_of(builder, fields.get("_freq")))


def step_of(builder: Builder, node: Any) -> Any:
    """Return the step that a node stands for, or None."""
    return None if node is None else builder.of(Step, node).offset


def _texts_of_objects(builder: Builder, values: Any, dtype: Any) -> Any:
    import pandas

    made = array_of(builder, values, "O")
    builder.budget.spend(OBJECT + made.nbytes)
    if not all(type(item) is str for item in made[~pandas.isna(made)]):
        raise SerializationError("This pickle cannot be read: a text is none.")
    return pandas.array(made, dtype=_find_storage(builder, dtype, "python"))


def _find_storage(builder: Builder, node: Any, storage: str) -> Any:
    """Return the kind of texts that a node stands for, if they are kept in one way."""
    import pandas

    dtype = builder.of(pandas.StringDtype, node)
    if dtype.storage != storage:
        raise SerializationError("This pickle cannot be read: texts are not of their own kind.")
    return dtype


def _texts(builder: Builder, _: tuple[Any, ...], state: Any) -> Any:
    """Return texts that pyarrow keeps."""
    fields = builder.fields(state)
    texts = fields["_pa_array"] if "_pa_array" in fields else fields["_data"]
    builder.budget.spend(OBJECT)
    made = builder.of(Texts, texts).array()
    return _find_storage(builder, fields["_dtype"], "pyarrow").__from_arrow__(made)


def _mask(kind: str) -> Maker:
    """Make a maker of numbers of which some are missing."""

    def make(builder: Builder, _: tuple[Any, ...], state: Any) -> Any:
        import pandas

        fields = builder.fields(state)
        values = array_of(builder, fields["_data"], _MASKED[kind])
        builder.budget.spend(OBJECT + values.nbytes)
        missing = array_of(builder, fields["_mask"], "b")
        return getattr(pandas.arrays, kind)(values.copy(), missing.copy())

    return stateful(make)


def _text_dtype(builder: Builder, given: tuple[Any, ...], state: Any) -> Any:
    import pandas

    if state is not None:
        fields = builder.fields(state)
        given = (fields["storage"], fields.get("_na_value", Name("pandas.NA")))
    storage, missing, *_ = (*(given or ("python",)), Name("pandas.NA"))
    if storage not in ("python", "pyarrow"):
        raise SerializationError("This pickle cannot be read: texts of an unknown kind.")
    if type(missing) is Name and missing.text == "pandas.NA":
        return pandas.StringDtype(storage)
    if not math.isnan(builder.of(float, missing)):
        raise SerializationError("This pickle cannot be read: a missing text is something.")
    return pandas.StringDtype(storage, na_value=float("nan"))


def _category_dtype(builder: Builder, given: tuple[Any, ...], state: Any) -> Any:
    import pandas

    if state is not None:
        fields = builder.fields(state)
        given = (fields["categories"], fields["ordered"])
    categories, is_ordered = builder.nodes(given, 2)
    builder.budget.spend(OBJECT)
    if not (is_ordered is None or isinstance(is_ordered, bool)):
        raise SerializationError("This pickle cannot be read: an order is neither true nor false.")
    return pandas.CategoricalDtype(builder.of(pandas.Index, categories), is_ordered)


def _zone(builder: Builder, given: tuple[Any, ...], state: Any) -> Zoned:
    if state is not None:
        fields = builder.fields(state)
        given = (fields["unit"], fields["tz"])
    unit, zone = builder.nodes(given, 2)
    return Zoned(builder.of(str, unit), zone_of(builder, zone))


def _dtype(kind: str) -> Maker:
    """Make a maker of a kind of column that its name describes."""

    def make(*_: Any) -> Any:
        import pandas

        return getattr(pandas, kind)()

    return stateful(make)


def _step(builder: Builder, call: Call) -> Step:
    import pandas

    kind = call.name.text.partition(".")[2]
    count = builder.of(int, call.given[0] if call.given else 1)
    return Step(getattr(pandas.offsets, kind)(count) if kind in _STEPS else None)


def _timestamp(builder: Builder, number: Any, _: Any, zone: Any, unit: Any = 10) -> Any:
    import numpy
    import pandas

    moment = numpy.datetime64(builder.of(int, number), _UNITS[builder.of(int, unit)])
    found = pandas.Timestamp(moment)
    return found if zone is None else found.tz_localize("UTC").tz_convert(zone_of(builder, zone))


def _timedelta(builder: Builder, number: Any, unit: Any = 10) -> Any:
    import numpy
    import pandas

    return pandas.Timedelta(
        numpy.timedelta64(builder.of(int, number), _UNITS[builder.of(int, unit)])
    )


def _no_time(*_: Any) -> Any:
    import pandas

    return pandas.NaT


MAKERS: dict[str, Maker] = {
    "pandas.__pyx_unpickle_NDArrayBacked": stateful(_wrap),
    **{f"pandas.{kind}": _older(kind) for kind in _BACKED},
    "pandas.ArrowStringArray": stateful(_texts),
    "pandas.ArrowStringArrayNumpySemantics": stateful(_texts),
    "pandas.CategoricalDtype": stateful(_category_dtype),
    "pandas.DatetimeTZDtype": stateful(_zone),
    "pandas.StringDtype": stateful(_text_dtype),
    **{f"pandas.{kind}": _mask(kind) for kind in _MASKED},
    **{f"pandas.{kind}Dtype": _dtype(f"{kind}Dtype") for kind in [*_INTEGERS, *_FLOATS, "Boolean"]},
    **{f"pandas.{kind}": _step for kind in (*_STEPS, *_STEPS_LEFT_OUT)},
    "pandas._unpickle_timestamp": function(_timestamp),
    "pandas._timedelta_unpickle": function(_timedelta),
    "pandas.__nat_unpickle": function(_no_time),
    "pandas._nat_unpickle": function(_no_time),
}


def _missing() -> Any:
    import pandas

    return pandas.NA


CONSTANTS = {"pandas.NA": _missing}
