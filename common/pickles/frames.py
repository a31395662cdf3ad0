"""Frames and columns with an index, of the blocks in which pandas keeps them."""

from dataclasses import dataclass
from typing import Any

from vantage6.common.errors import PickleRefused, SerializationError
from vantage6.common.pickles.builder import Builder, Maker, Part, function, stateful
from vantage6.common.pickles.columns import OBJECT, Times

_KINDS = "biufcO"
_COLUMN = 128


@dataclass(frozen=True)
class Block(Part):
    """Columns of one kind, and which ones of the frame they are."""

    #: One row for each column; alone without that dimension.
    values: Any
    places: Any


@dataclass(frozen=True)
class Blocks(Part):
    """Everything that a frame or a column holds."""

    blocks: tuple[Block, ...]
    axes: tuple[Any, ...]


def _block(builder: Builder, values: Any, places: Any, _: Any) -> Block:
    return Block(_values(builder, values), _places(builder, places))


def _values(builder: Builder, node: Any) -> Any:
    """Return the values of a block, if they are such as pandas keeps."""
    import numpy
    import pandas

    made = builder.part(node)
    if isinstance(made, numpy.ndarray) and made.dtype.kind in "mM":
        made = Times(made, None)
    if not isinstance(made, Times | pandas.api.extensions.ExtensionArray) and not (
        isinstance(made, numpy.ndarray) and made.dtype.kind in _KINDS
    ):
        raise SerializationError("This pickle cannot be read: a column has no values.")
    return made


def _places(builder: Builder, node: Any) -> Any:
    """Return where in a frame the columns of a block stand."""
    import numpy

    made = builder.part(node)
    if isinstance(made, slice):
        # Where the columns stand backwards, the last place is the first column and has no end.
        step = 1 if made.step is None else made.step
        return range(made.start, -1 if made.stop is None and step < 0 else made.stop, step)
    if isinstance(made, numpy.ndarray) and made.dtype.kind == "i" and made.ndim == 1:
        return made.tolist()
    raise SerializationError("This pickle cannot be read: columns have strange places.")


def _blocks(builder: Builder, given: tuple[Any, ...], state: Any) -> Blocks:
    """Return blocks that arguments describe, or a state as of version 0.14.1 of pandas."""
    if state is None:
        blocks, axes = builder.nodes(given, 2)
        made = [builder.of(Block, block) for block in _several(blocks)]
    else:
        described = builder.fields(builder.nodes(state, 4)[3])["0.14.1"]
        fields = builder.fields(described)
        axes, made = fields["axes"], []
        for block in _several(fields["blocks"]):
            parts = builder.fields(block)
            made.append(
                Block(_values(builder, parts["values"]), _places(builder, parts["mgr_locs"]))
            )
    import pandas

    builder.budget.spend(OBJECT + _COLUMN * len(made))
    return Blocks(tuple(made), tuple(builder.of(pandas.Index, axis) for axis in _several(axes)))


def _several(node: Any) -> Any:
    if type(node) not in (list, tuple):
        raise SerializationError("This pickle cannot be read: a frame has a strange state.")
    return node


def _frame(builder: Builder, given: tuple[Any, ...], state: Any) -> Any:
    """Return a frame."""
    import pandas

    fields, blocks = _content(builder, given, state, 2)
    names, index = blocks.axes
    columns: list[Any] = [None] * len(names)
    builder.budget.spend(_COLUMN * len(names))
    whole = _single(blocks, names, index)
    if whole is None:
        for block in blocks.blocks:
            for place, column in zip(block.places, _apart(block, len(index)), strict=True):
                if not 0 <= place < len(columns) or columns[place] is not None:
                    raise SerializationError("This pickle cannot be read: a column is there twice.")
                columns[place] = _column(builder, column, index)
        if any(column is None for column in columns):
            raise SerializationError("This pickle cannot be read: a column is missing.")
        whole = pandas.DataFrame(dict(enumerate(columns)), index=index)
    whole.columns = names
    return _finish(builder, whole, fields)


def _content(
    builder: Builder, given: tuple[Any, ...], state: Any, dimensions: int
) -> tuple[dict[str, Any], Blocks]:
    if given:
        raise PickleRefused("This pickle makes a frame in a way that is not allowed.")
    fields = builder.fields(state)
    blocks = builder.of(Blocks, fields["_mgr"] if "_mgr" in fields else fields["_data"])
    if len(blocks.axes) != dimensions:
        raise SerializationError("This pickle cannot be read: a frame has strange axes.")
    builder.budget.spend(OBJECT)
    return fields, blocks


def _single(blocks: Blocks, names: Any, index: Any) -> Any:
    """Return the frame of one block of numbers, without a copy; None if it has other blocks."""
    import numpy
    import pandas

    if len(blocks.blocks) != 1 or not len(names):
        return None
    (block,) = blocks.blocks
    values = block.values
    if not isinstance(values, numpy.ndarray) or len(block.places) != len(names):
        return None
    if list(block.places) != list(range(len(names))):
        return None
    if values.shape != (len(names), len(index)):
        raise SerializationError("This pickle cannot be read: a frame has a strange shape.")
    return pandas.DataFrame(values.T, index=index, dtype=values.dtype, copy=False)


def _apart(block: Block, rows: int) -> list[Any]:
    """Return the columns of a block."""
    import numpy

    values = block.values
    inner = values.values if isinstance(values, Times) else values
    shape = (len(block.places), rows)
    if isinstance(inner, numpy.ndarray) and inner.ndim == 2 and inner.shape == shape:
        parts = list(inner)
        if isinstance(values, Times):
            return [Times(part, values.zone) for part in parts]
        return parts
    if len(block.places) != 1 or inner.shape != (rows,):
        raise SerializationError("This pickle cannot be read: a frame has a strange shape.")
    return [values]


def _column(builder: Builder, values: Any, index: Any) -> Any:
    """Return one column with its index."""
    import numpy
    import pandas

    if isinstance(values, Times):
        values = values.index().array
    builder.budget.spend(values.nbytes)
    # Told, because pandas would make texts of objects that all are some.
    dtype = values.dtype if isinstance(values, numpy.ndarray) else None
    return pandas.Series(values, index=index, dtype=dtype, copy=False)


def _series(builder: Builder, given: tuple[Any, ...], state: Any) -> Any:
    """Return a column."""
    fields, blocks = _content(builder, given, state, 1)
    (index,), (block,) = blocks.axes, blocks.blocks
    (values,) = _apart(Block(block.values, range(1)), len(index))
    if getattr(values, "ndim", 1) != 1:
        raise SerializationError("This pickle cannot be read: a column has a strange shape.")
    made = _column(builder, values, index)
    made.name = builder.label(fields["_name"] if "_name" in fields else fields.get("name"))
    return _finish(builder, made, fields)


def _finish(builder: Builder, made: Any, fields: dict[str, Any]) -> Any:
    """Return a frame or a column with what is said of it."""
    made.attrs.update(builder.of(dict, fields["attrs"]) if "attrs" in fields else {})
    flags = builder.fields(fields["_flags"]) if "_flags" in fields else {}
    if not builder.of(bool, flags.get("allows_duplicate_labels", True)):
        return made.set_flags(allows_duplicate_labels=False)
    return made


MAKERS: dict[str, Maker] = {
    "pandas._unpickle_block": function(_block),
    "pandas.BlockManager": stateful(_blocks),
    "pandas.SingleBlockManager": stateful(_blocks),
    "pandas.DataFrame": stateful(_frame),
    "pandas.Series": stateful(_series),
}
