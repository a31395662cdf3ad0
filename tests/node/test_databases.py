"""From a label to what an algorithm sees."""

import json
from pathlib import Path

import pytest

from tests.node.factories import make_config, write_database
from vantage6.common.errors import ConfigurationError
from vantage6.node.databases import Databases
from vantage6.node.outcomes import RefusalError
from vantage6.node.runtime.base import ContainerPaths, RunSpec, environment


def make_databases(base: Path) -> Databases:
    config = make_config(
        databases=[
            {"label": "default", "uri": "patients.csv", "type": "csv"},
            {"label": "my_other", "uri": "postgresql://user:word@host/db", "type": "sql"},
            {"label": "gone", "uri": "gone.csv", "type": "csv"},
        ]
    )
    return Databases(config.databases, base)


def test_relative_path_counts_from_the_configuration(tmp_path: Path) -> None:
    path = write_database(tmp_path)
    database = make_databases(tmp_path).get("default")
    assert database.path == path
    assert database.file_name == "default.csv"


def test_unknown_label_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(RefusalError, match="default, my_other, gone") as caught:
        make_databases(tmp_path).get("typo")
    assert caught.value.reason.code == "unknown_database"


def test_missing_file_is_refused_without_its_path(tmp_path: Path) -> None:
    with pytest.raises(RefusalError) as caught:
        make_databases(tmp_path).get("gone")
    assert caught.value.reason.code == "database_unavailable"
    assert str(tmp_path) not in caught.value.reason.message


def test_only_the_requested_database_has_an_address(tmp_path: Path) -> None:
    write_database(tmp_path)
    databases = make_databases(tmp_path)
    spec = RunSpec(
        result_id=5,
        image="x",
        io=tmp_path,
        output=tmp_path / "output",
        temporary=tmp_path,
        database=databases.get("my_other"),
        labels=tuple(databases.labels),
        extra={"HOST": "http://elsewhere"},
    )
    paths = ContainerPaths("/io", "/tmp", spec.database.uri, "http://127.0.0.1", 8080)
    variables = environment(spec, paths)
    assert variables["MY_OTHER_DATABASE_URI"] == "postgresql://user:word@host/db"
    assert variables["MY_OTHER_DATABASE_TYPE"] == "sql"
    assert json.loads(variables["DB_LABELS"]) == ["default", "my_other", "gone"]
    assert "DEFAULT_DATABASE_URI" not in variables
    assert variables["HOST"] == "http://elsewhere"


def test_mapping_of_old_files_has_no_types(tmp_path: Path) -> None:
    path = write_database(tmp_path)
    config = make_config(databases={"default": str(path)})
    assert Databases(config.databases, tmp_path).get("default").type is None


def test_labels_that_differ_in_case_only_are_refused() -> None:
    entries = [{"label": label, "uri": "x"} for label in ("a", "A")]
    with pytest.raises((ConfigurationError, ValueError), match="twice"):
        make_config(databases=entries)
