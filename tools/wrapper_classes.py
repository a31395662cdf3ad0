"""The wrappers of 3.11 as classes; a way of loading data of one's own is a class of one's own.

>>> class OfOurs(WrapperBase):
...     @staticmethod
...     def load_data(database_uri, input_data):
...         return pandas.read_json(database_uri)
>>> OfOurs().wrap_algorithm("my_algorithm")
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from vantage6.tools import loaders
from vantage6.tools.container import Container
from vantage6.tools.run import run


class WrapperBase(ABC):
    """Runs an algorithm whose data one method loads."""

    def wrap_algorithm(
        self,
        module: str,
        load_data: bool = True,
        use_new_client: bool = False,
        log_traceback: bool = False,
        *,
        allow_pickle: bool = False,
    ) -> None:
        """Run an algorithm.

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
        allow_pickle
            Read pickles too: inputs, and what sub-tasks answer.
        """

        def source(container: Container, input_data: dict[str, Any]) -> Any:
            if not load_data:
                return None
            return loaders.run_loader(self.load_data, container.requested_uri(), input_data)

        run(module, source, use_new_client, log_traceback, allow_pickle=allow_pickle)

    @staticmethod
    @abstractmethod
    def load_data(database_uri: str, input_data: Mapping[str, Any]) -> Any:
        """Return the data behind an address.

        Parameters
        ----------
        database_uri
            Path or address of the database.
        input_data
            Input of the task, where some types look for details.
        """


class CSVWrapper(WrapperBase):
    """Runs an algorithm on a comma-separated file."""

    load_data = staticmethod(loaders.load_csv)


CsvWrapper = DockerWrapper = CSVWrapper


class ExcelWrapper(WrapperBase):
    """Runs an algorithm on a sheet of a workbook."""

    load_data = staticmethod(loaders.load_excel)


class ParquetWrapper(WrapperBase):
    """Runs an algorithm on a Parquet file."""

    load_data = staticmethod(loaders.load_parquet)


class SparqlDockerWrapper(WrapperBase):
    """Runs an algorithm on the answer of a SPARQL endpoint."""

    load_data = staticmethod(loaders.load_sparql)


class SQLWrapper(WrapperBase):
    """Runs an algorithm on the answer of a relational database."""

    load_data = staticmethod(loaders.load_sql)


class OMOPWrapper(WrapperBase):
    """Runs an algorithm on an OMOP database, which is a relational one."""

    load_data = staticmethod(loaders.load_sql)


class MultiDBWrapper(WrapperBase):
    """Runs an algorithm that opens the databases of a node itself."""

    @staticmethod
    def load_data(database_uri: str, input_data: Mapping[str, Any]) -> dict[str, str]:  # noqa: ARG004
        """Return the address of each database by its label; nothing is loaded."""
        return loaders.addresses(Container.from_environment())


_BY_TYPE: Mapping[str, type[WrapperBase]] = {
    "csv": CSVWrapper,
    "excel": ExcelWrapper,
    "omop": OMOPWrapper,
    "parquet": ParquetWrapper,
    "sparql": SparqlDockerWrapper,
    "sql": SQLWrapper,
}


def select_wrapper(database_type: str) -> WrapperBase | None:
    """Return a wrapper for a type of database, if there is one."""
    found = _BY_TYPE.get(database_type)
    return found() if found else None
