"""Databases of a node as Python objects, one loader per type of database."""

from collections.abc import Callable, Mapping
from typing import Any

from vantage6.tools.container import Container
from vantage6.tools.errors import AlgorithmError

#: Makes data from the address of a database and the input of the task.
Loader = Callable[[str, Mapping[str, Any]], Any]


def load_csv(uri: str, _: Mapping[str, Any]) -> Any:
    """Return a comma-separated file as a frame."""
    import pandas

    return pandas.read_csv(uri)


def load_parquet(uri: str, _: Mapping[str, Any]) -> Any:
    """Return a Parquet file as a frame."""
    import pandas

    return pandas.read_parquet(uri)


def load_excel(uri: str, input_data: Mapping[str, Any]) -> Any:
    """Return a sheet of a workbook as a frame: ``sheet_name`` in the input, or the first."""
    import pandas

    return pandas.read_excel(uri, sheet_name=input_data.get("sheet_name", 0))


LOADERS: Mapping[str, Loader] = {"csv": load_csv, "excel": load_excel, "parquet": load_parquet}


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
    try:
        return LOADERS[database_type](uri, input_data)
    except (OSError, ValueError, ImportError) as error:
        raise AlgorithmError(f"The {database_type} database cannot be read: {error}") from error


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
