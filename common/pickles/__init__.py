"""Reads Python pickles of plain values, numpy and pandas without doing what they say.

A pickle is a program. Here it is read as data: `machine` writes down what it names and calls.
`builder` and one module each for Python, numpy, pyarrow and pandas check what is written there,
and make the objects themselves with public constructors. Nothing is looked up by a name of the
pickle, and no state of a pickle reaches an object that is not ours.
"""

from typing import Any

from vantage6.common.errors import SerializationError
from vantage6.common.pickles import arrays, columns, frames, indexes, python, texts
from vantage6.common.pickles.budget import Budget
from vantage6.common.pickles.builder import Builder
from vantage6.common.pickles.machine import Machine

_ROOMS = (python, arrays, texts, columns, indexes, frames)
_MAKERS = {name: maker for room in _ROOMS for name, maker in room.MAKERS.items()}
#: Names that a pickle may hold: those of makers, and those that only say what is meant.
NAMES = frozenset(_MAKERS).union(python.NAMED, arrays.NAMED, indexes.NAMED, columns.CONSTANTS)


def read(data: bytes, start: int = 0, *, named: bool = True) -> Any:
    """Return the object behind a pickle.

    Parameters
    ----------
    data
        The bytes that hold it.
    start
        Where it starts.
    named
        It may name things, of those that are allowed. Plain containers, numbers and texts have no
        names.

    Raises
    ------
    PickleRefused
        If it holds something that is not allowed.
    SerializationError
        If it cannot be read.
    """
    try:
        # Bytes, which cannot change meanwhile: arrays are made of parts of them.
        root = Machine(bytes(data), start, NAMES if named else frozenset()).run()
        return Builder(Budget(len(data) - start), _MAKERS, columns.CONSTANTS).value(root)
    except SerializationError:
        raise
    except Exception as error:  # whatever numpy and pandas refuse with
        # SECURITY: what they say can be a value of the pickle, and messages of ours are told on.
        kind = type(error).__name__
        raise SerializationError(f"This pickle cannot be read: {kind}.") from error
