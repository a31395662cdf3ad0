"""What Python itself makes of a pickle, to compare with; only for pickles that do no harm."""

import importlib
import io
import pickle
import re
import tarfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pandas

from vantage6.common.pickles import NAMES

_FOLDER = Path(__file__).parent
ARCHIVES = sorted(_FOLDER.glob("*.tar.xz"))
#: Kinds of indexes that pandas has no more.
_GONE = {"Int64Index", "UInt64Index", "Float64Index"}


def archived(path: Path) -> Iterator[tuple[str, bytes]]:
    """Give the pickles of an archive, each with its name."""
    with tarfile.open(path) as archive:
        for entry in archive:
            content = archive.extractfile(entry)
            assert content is not None
            yield entry.name, content.read()


class _Reference(pickle.Unpickler):
    """Looks up the names that our reader knows, and no other."""

    def find_class(self, module: str, name: str) -> Any:
        module = {"__builtin__": "builtins", "copy_reg": "copyreg"}.get(module, module)
        name = name.replace("xrange", "range")
        library = module.partition(".")[0]
        home = library if library in ("numpy", "pandas", "pyarrow") else module
        if f"{home}.{name}" not in NAMES:
            raise pickle.UnpicklingError(f"{module}.{name}")
        if name in _GONE:
            return pandas.Index
        if name == "__nat_unpickle":
            return lambda _: pandas.NaT
        module = re.sub(r"^numpy\.core\b", "numpy._core", module)
        return getattr(importlib.import_module(module), name)


def load(data: bytes) -> Any:
    """Return what Python makes of a pickle."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _Reference(io.BytesIO(data)).load()


def difference(found: Any, expected: Any, *, exact: bool = True) -> str | None:
    """Return how two objects differ.

    Parameters
    ----------
    found, expected
        The objects, of which the second may hold numbers of numpy.
    exact
        Look at the units of times and at the kinds of texts as well.
    """
    try:
        _compare(found, expected, exact)
    except (AssertionError, TypeError, ValueError) as error:
        return f"{error}" or "differs"
    return None


def _compare(found: Any, expected: Any, exact: bool) -> None:
    if not exact and isinstance(expected, pandas.DataFrame | pandas.Series | pandas.Index):
        _compare(_listed(found), _listed(expected), exact)
    elif isinstance(expected, pandas.DataFrame):
        pandas.testing.assert_frame_equal(found, expected, check_exact=True)
        assert found.attrs == expected.attrs
        assert found.flags == expected.flags
    elif isinstance(expected, pandas.Series):
        pandas.testing.assert_series_equal(found, expected, check_exact=True)
    elif isinstance(expected, pandas.Index):
        pandas.testing.assert_index_equal(found, expected)
    elif isinstance(expected, numpy.ndarray):
        assert found.dtype.newbyteorder("=") == expected.dtype.newbyteorder("=")
        assert found.shape == expected.shape
        if expected.dtype == object:
            _compare(found.ravel().tolist(), expected.ravel().tolist(), exact)
        else:
            numpy.testing.assert_array_equal(found, expected)
    elif isinstance(expected, dict):
        assert type(found) is type(expected)
        _compare(list(found), list(expected), exact)
        _compare(list(found.values()), list(expected.values()), exact)
    elif isinstance(expected, list | tuple):
        assert type(found) is type(expected)
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            _compare(one, other, exact)
    elif isinstance(expected, numpy.generic) and not isinstance(found, numpy.generic):
        assert repr(found) == repr(expected.item())
    elif found is not expected and repr(found) != repr(expected):
        assert found == expected


def _listed(thing: Any) -> list[Any]:
    """Return what an object of pandas holds, whatever the kinds of its columns."""
    if isinstance(thing, pandas.DataFrame):
        columns = [_listed(thing.iloc[:, place]) for place in range(thing.shape[1])]
        return [_listed(thing.columns), _listed(thing.index), *columns]
    items = [None if item is pandas.NA or item != item else item for item in thing.astype(object)]
    if isinstance(thing, pandas.Series):
        return [thing.name, _listed(thing.index), *items]
    return [*thing.names, *items]
