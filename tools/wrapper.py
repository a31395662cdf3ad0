"""The frame around an algorithm: reads its input and data, calls it, writes its output.

An image starts one of the functions below, for example with
``CMD ["python3", "-c", "from vantage6.tools.wrapper import auto_wrapper; auto_wrapper('mine')"]``.
When something goes wrong the program ends with exit code 1 and a sentence on standard error.
"""

from typing import Any

from vantage6.tools import loaders
from vantage6.tools.container import Container
from vantage6.tools.run import Source, load_input, run, write_output
from vantage6.tools.wrapper_classes import (
    CSVWrapper,
    CsvWrapper,
    DockerWrapper,
    ExcelWrapper,
    MultiDBWrapper,
    OMOPWrapper,
    ParquetWrapper,
    SparqlDockerWrapper,
    SQLWrapper,
    WrapperBase,
    select_wrapper,
)

__all__ = [
    "CSVWrapper",
    "CsvWrapper",
    "DockerWrapper",
    "ExcelWrapper",
    "MultiDBWrapper",
    "OMOPWrapper",
    "ParquetWrapper",
    "SQLWrapper",
    "SparqlDockerWrapper",
    "WrapperBase",
    "auto_wrapper",
    "docker_wrapper",
    "excel_wrapper",
    "load_input",
    "multidb_wrapper",
    "omop_wrapper",
    "parquet_wrapper",
    "select_wrapper",
    "sparql_docker_wrapper",
    "sparql_wrapper",
    "sql_wrapper",
    "write_output",
]


def docker_wrapper(
    module: str,
    load_data: bool = True,
    use_new_client: bool = False,
    log_traceback: bool = False,
    *,
    central_data: bool = True,
    allow_pickle: bool = False,
) -> None:
    """Run an algorithm whose data is a comma-separated file.

    Parameters
    ----------
    module
        Module of the algorithm.
    load_data
        Load the requested database; otherwise the algorithm gets None.
    use_new_client
        Give central methods an `AlgorithmClient` instead of a `ContainerClient`.
    log_traceback
        Write where in the algorithm an error came up.
    central_data
        Load the database for central methods too; one that only combines the answers of others
        is quicker without, and gets None.
    allow_pickle
        Read pickles too: inputs, and what sub-tasks answer. Without it JSON is all that is read.
        They are read as data: plain values, arrays and frames. Such an algorithm needs stations
        with ``policies.allow_pickle``.
    """
    _run_on_one(
        "csv",
        module,
        load_data,
        use_new_client,
        log_traceback,
        central_data=central_data,
        allow_pickle=allow_pickle,
    )


def auto_wrapper(
    module: str,
    load_data: bool = True,
    use_new_client: bool = False,
    log_traceback: bool = False,
    *,
    central_data: bool = True,
    allow_pickle: bool = False,
) -> None:
    """Run an algorithm whose data is of the type that the node declares; see `docker_wrapper`."""
    _run_on_one(
        None,
        module,
        load_data,
        use_new_client,
        log_traceback,
        central_data=central_data,
        allow_pickle=allow_pickle,
    )


def parquet_wrapper(
    module: str,
    use_new_client: bool = False,
    log_traceback: bool = False,
    *,
    allow_pickle: bool = False,
) -> None:
    """Run an algorithm whose data is a Parquet file; see `docker_wrapper`."""
    run(module, _of_type("parquet"), use_new_client, log_traceback, allow_pickle=allow_pickle)


def excel_wrapper(
    module: str,
    use_new_client: bool = False,
    log_traceback: bool = False,
    *,
    allow_pickle: bool = False,
) -> None:
    """Run an algorithm whose data is a workbook; see `docker_wrapper`."""
    run(module, _of_type("excel"), use_new_client, log_traceback, allow_pickle=allow_pickle)


def sparql_wrapper(
    module: str,
    use_new_client: bool = False,
    log_traceback: bool = False,
    *,
    allow_pickle: bool = False,
) -> None:
    """Run an algorithm whose data is what an endpoint answers to ``query`` in the input.

    See `docker_wrapper`.
    """
    run(module, _of_type("sparql"), use_new_client, log_traceback, allow_pickle=allow_pickle)


def sql_wrapper(
    module: str,
    use_new_client: bool = False,
    log_traceback: bool = False,
    *,
    allow_pickle: bool = False,
) -> None:
    """Run an algorithm whose data is what a database answers to ``query`` in the input.

    See `docker_wrapper`.
    """
    run(module, _of_type("sql"), use_new_client, log_traceback, allow_pickle=allow_pickle)


def omop_wrapper(
    module: str,
    use_new_client: bool = False,
    log_traceback: bool = False,
    *,
    allow_pickle: bool = False,
) -> None:
    """Run an algorithm whose data comes from an OMOP database; see `sql_wrapper`."""
    run(module, _of_type("omop"), use_new_client, log_traceback, allow_pickle=allow_pickle)


#: Another name by which images know it.
sparql_docker_wrapper = sparql_wrapper


def multidb_wrapper(
    module: str,
    use_new_client: bool = False,
    log_traceback: bool = False,
    *,
    allow_pickle: bool = False,
) -> None:
    """Run an algorithm that gets the address of each database by label; see `docker_wrapper`."""

    def source(container: Container, _: dict[str, Any]) -> Any:
        return loaders.addresses(container)

    run(module, source, use_new_client, log_traceback, allow_pickle=allow_pickle)


def _run_on_one(
    database_type: str | None,
    module: str,
    load_data: bool,
    use_new_client: bool,
    log_traceback: bool,
    *,
    central_data: bool,
    allow_pickle: bool,
) -> None:
    source = _of_type(database_type) if load_data else _nothing
    run(
        module,
        source,
        use_new_client,
        log_traceback,
        source if central_data else _nothing,
        allow_pickle=allow_pickle,
    )


def _of_type(database_type: str | None) -> Source:
    return lambda container, input_data: loaders.load_requested(
        container, input_data, database_type
    )


def _nothing(_: Container, __: dict[str, Any]) -> None:
    return None
