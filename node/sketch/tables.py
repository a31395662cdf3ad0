"""The station's own tables, read in parts so that memory does not grow with them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vantage6.common import dialects

#: Cells that are read at once.
_CELLS = 2_000_000
_MOST_ROWS = 50_000
_ENDINGS = {".parquet": "parquet", ".pq": "parquet", ".xlsx": "excel", ".xls": "excel"}
READABLE = frozenset({"csv", "parquet", "excel", "sql"})


def kind_of(path: Path, type_: str | None) -> str | None:
    """Return how a file is read; None if the node cannot."""
    kind = type_ or "csv"
    if kind == "csv":
        kind = _ENDINGS.get(path.suffix.lower(), kind)
    return kind if kind in READABLE and path.is_file() else None


def read_parts(path: Path, kind: str) -> Iterator[tuple[int, Any]]:
    """Yield the parts of the tables in a file: the number of the table, and a frame.

    Raises
    ------
    Exception
        Each library has errors of its own for a file that it cannot read.
    """
    yield from {"csv": _csv, "parquet": _parquet, "excel": _excel, "sql": _sqlite}[kind](path)


def read_columns(path: Path, kind: str) -> list[str] | None:
    """Return the names of the columns; None for a kind whose names are not read without its rows.

    Raises
    ------
    Exception
        Each library has errors of its own for a file that it cannot read.
    """
    if kind == "csv":
        import pandas

        return [str(name) for name in pandas.read_csv(path, nrows=0, **dialects.options(str(path)))]
    if kind == "parquet":
        import pyarrow.parquet

        return [str(name) for name in pyarrow.parquet.read_schema(path).names]
    return None


def _csv(path: Path) -> Iterator[tuple[int, Any]]:
    import pandas

    options = dialects.options(str(path))
    names = pandas.read_csv(path, nrows=0, **options).columns
    rows = min(_MOST_ROWS, max(1000, _CELLS // max(len(names), 1)))
    with pandas.read_csv(path, chunksize=rows, **options) as parts:
        for part in parts:
            yield 0, part


def _parquet(path: Path) -> Iterator[tuple[int, Any]]:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        rows = min(_MOST_ROWS, max(1000, _CELLS // max(len(file.schema_arrow.names), 1)))
        for batch in file.iter_batches(rows):
            yield 0, batch.to_pandas()


def _excel(path: Path) -> Iterator[tuple[int, Any]]:
    import pandas

    yield from enumerate(pandas.read_excel(path, sheet_name=None).values())


def _sqlite(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield the tables of a file of SQLite."""
    import sqlite3

    import pandas

    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        for table, (name,) in enumerate(connection.execute(query).fetchall()):
            quoted = '"' + name.replace('"', '""') + '"'
            parts = pandas.read_sql_query(
                f"SELECT * FROM {quoted}",  # noqa: S608
                connection,
                chunksize=_MOST_ROWS,
            )
            for part in parts:
                yield table, part
    finally:
        connection.close()
