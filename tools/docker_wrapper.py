"""The wrapper, under the name by which images know it."""

from vantage6.tools.wrapper import (
    auto_wrapper,
    docker_wrapper,
    excel_wrapper,
    multidb_wrapper,
    omop_wrapper,
    parquet_wrapper,
    sparql_docker_wrapper,
    sparql_wrapper,
    sql_wrapper,
)

__all__ = [
    "auto_wrapper",
    "docker_wrapper",
    "excel_wrapper",
    "multidb_wrapper",
    "omop_wrapper",
    "parquet_wrapper",
    "sparql_docker_wrapper",
    "sparql_wrapper",
    "sql_wrapper",
]
