"""Databases of a node as Python objects, one loader per type of database."""

import io
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

from vantage6.common import dialects
from vantage6.tools.container import Container
from vantage6.tools.errors import AlgorithmError, describe_error, is_shared

#: Makes data from the address of a database and the input of the task.
Loader = Callable[[str, Mapping[str, Any]], Any]


def load_csv(database_uri: str, input_data: Mapping[str, Any]) -> Any:  # noqa: ARG001
    """Return a file of separated values as a frame, also as a spreadsheet writes it."""
    import pandas

    return pandas.read_csv(database_uri, **dialects.options(database_uri))


def load_parquet(database_uri: str, input_data: Mapping[str, Any]) -> Any:  # noqa: ARG001
    """Return a Parquet file as a frame."""
    import pandas

    return pandas.read_parquet(database_uri)


def load_excel(database_uri: str, input_data: Mapping[str, Any]) -> Any:
    """Return a sheet of a workbook as a frame: ``sheet_name`` in the input, or the first."""
    import pandas

    return pandas.read_excel(database_uri, sheet_name=input_data.get("sheet_name", 0))


def load_sql(database_uri: str, input_data: Mapping[str, Any]) -> Any:
    """Return what a database answers to ``query`` in the input, as a frame."""
    import pandas
    import sqlalchemy

    query = sqlalchemy.text(_query(input_data))
    engine = sqlalchemy.create_engine(database_uri)
    try:
        with engine.connect() as connection:
            return pandas.read_sql(query, connection)
    finally:
        engine.dispose()


def load_sparql(database_uri: str, input_data: Mapping[str, Any]) -> Any:
    """Return what an endpoint answers to ``query`` in the input, as a frame."""
    import httpx2
    import pandas

    query = {"query": _query(input_data)}
    reply = httpx2.post(database_uri, data=query, headers={"Accept": "text/csv"}, timeout=_SECONDS)
    # SECURITY: not `raise_for_status`, which would write the address and its password to the log.
    if not reply.is_success:
        said = f": {reply.text[:200]}" if is_shared() else ""
        raise AlgorithmError(f"The endpoint answered {reply.status_code}{said}.")
    return pandas.read_csv(io.StringIO(reply.text))


def _query(input_data: Mapping[str, Any]) -> str:
    query = input_data.get("query")
    if not isinstance(query, str) or not query.strip():
        raise AlgorithmError("The input of the task has no 'query', which says what to load.")
    return query


#: How long an endpoint may think before each piece of its answer.
_SECONDS = 300.0

LOADERS: Mapping[str, Loader] = {
    "csv": load_csv,
    "excel": load_excel,
    "omop": load_sql,
    "parquet": load_parquet,
    "sparql": load_sparql,
    "sql": load_sql,
}

#: What a file is by its ending, where the node declares nothing, or a wrapper is for csv.
_OF_ENDINGS: Mapping[str, str] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "excel",
    ".xls": "excel",
    ".ods": "excel",
}


def load(database_type: str, uri: str, input_data: Mapping[str, Any]) -> Any:
    """Return the data behind an address.

    Parameters
    ----------
    database_type
        One of the keys of ``LOADERS``.
    uri
        Path or address of the database.
    input_data
        Input of the task, where some types look for details.

    Raises
    ------
    AlgorithmError
        If there is no loader for the type, or the data cannot be read.
    """
    if database_type not in LOADERS:
        known = ", ".join(LOADERS)
        raise AlgorithmError(
            f"This algorithm cannot read databases of type {database_type!r}, only {known}."
        )
    # A file that its ending calls otherwise is no text of separated values.
    if database_type == "csv":
        database_type = _OF_ENDINGS.get(PurePath(uri).suffix.lower(), database_type)
    return run_loader(LOADERS[database_type], uri, input_data, database_type)


def run_loader(
    loader: Loader, uri: str, input_data: Mapping[str, Any], database_type: str = "requested"
) -> Any:
    """Return what a loader does, or say in one sentence why it cannot.

    Raises
    ------
    AlgorithmError
        If it raises anything.
    """
    try:
        return loader(uri, input_data)
    except AlgorithmError:
        raise
    except ImportError as error:
        raise AlgorithmError(
            f"The {database_type} database cannot be read: {error}. What is needed comes into the "
            "image with pip install 'vantage6[excel,parquet,sql]'."
        ) from error
    except UnicodeDecodeError as error:
        raise AlgorithmError(
            f"The {database_type} database cannot be read: the file is not UTF-8. Its data station "
            "can save it as UTF-8; a spreadsheet calls that 'CSV UTF-8'."
        ) from error
    except Exception as error:  # each library has errors of its own
        said = describe_error(error, share=is_shared())
        raise AlgorithmError(f"The {database_type} database cannot be read: {said}") from error


def load_requested(
    container: Container, input_data: Mapping[str, Any], database_type: str | None = None
) -> Any:
    """Return the data that the task asks for, by default of the type that the node declares."""
    uri = container.requested_uri()
    return load(database_type or container.requested_type(), uri, input_data)


def addresses(container: Container) -> dict[str, str]:
    """Return the address of each database of the node; nothing is loaded."""
    return {
        label: container.uris[label.upper()]
        for label in container.labels
        if label.upper() in container.uris
    }
