"""Databases of every type become frames; what cannot be read is explained in one line."""

import io
import json
import sqlite3
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pandas
import pytest

from vantage6.tools import deserialization, loaders, serialization
from vantage6.tools.data_format import DataFormat
from vantage6.tools.errors import AlgorithmError
from vantage6.tools.exceptions import DeserializationException
from vantage6.tools.mock_client import MockAlgorithmClient
from vantage6.tools.wrapper import CSVWrapper, DockerWrapper, WrapperBase, select_wrapper

FRAME = pandas.DataFrame({"age": [60, 70], "name": ["a", "b"]})
QUERY = {"query": "SELECT * FROM people ORDER BY age"}


@pytest.fixture
def database(tmp_path: Path) -> str:
    """Return the address of a relational database."""
    with sqlite3.connect(tmp_path / "people.sqlite") as connection:
        FRAME.to_sql("people", connection, index=False)
    connection.close()
    return f"sqlite:///{tmp_path / 'people.sqlite'}"


class _Endpoint(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        is_known = parse_qs(body)["query"] == [QUERY["query"]]
        assert self.headers["Accept"] == "text/csv"
        content = FRAME.to_csv(index=False) if is_known else "no such graph\n"
        self.send_response(200 if is_known else 400)
        self.end_headers()
        self.wfile.write(content.encode())

    def log_message(self, *_: Any) -> None:
        """Keep the output of the tests free of requests."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    """Give the address of a SPARQL endpoint."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://user:secret@127.0.0.1:{server.server_port}/sparql"
        server.shutdown()
        thread.join()


def test_comma_separated_file_becomes_a_frame(tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "data.csv", index=False)
    assert loaders.load("csv", str(tmp_path / "data.csv"), {}).equals(FRAME)


def test_sheet_of_a_workbook_becomes_a_frame(tmp_path: Path) -> None:
    file = tmp_path / "data.xlsx"
    with pandas.ExcelWriter(file) as writer:
        FRAME.to_excel(writer, sheet_name="first", index=False)
        FRAME.tail(1).to_excel(writer, sheet_name="second", index=False)
    assert loaders.load("excel", str(file), {}).equals(FRAME)
    assert list(loaders.load("excel", str(file), {"sheet_name": "second"})["age"]) == [70]


def test_parquet_file_becomes_a_frame(tmp_path: Path) -> None:
    FRAME.to_parquet(tmp_path / "data.parquet")
    assert loaders.load("parquet", str(tmp_path / "data.parquet"), {}).equals(FRAME)


@pytest.mark.parametrize("kind", ["sql", "omop"])
def test_answer_of_a_relational_database_becomes_a_frame(database: str, kind: str) -> None:
    assert loaders.load(kind, database, QUERY).equals(FRAME)


def test_answer_of_an_endpoint_becomes_a_frame(endpoint: str) -> None:
    assert loaders.load("sparql", endpoint, QUERY).equals(FRAME)


@pytest.mark.parametrize(
    ("kind", "input_", "message"),
    [
        ("sql", {}, "The input of the task has no 'query', which says what to load."),
        ("sparql", {"query": " "}, "The input of the task has no 'query', which says what to"),
        (
            "sql",
            {"query": "SELECT * FROM nowhere"},
            "The sql database cannot be read: DatabaseError",
        ),
        ("sparql", {"query": "x"}, r"The endpoint answered 400\.$"),
        ("csv", {}, "The csv database cannot be read: "),
        ("excel", {}, "The excel database cannot be read: "),
        ("other", {}, "cannot read databases of type 'other'"),
    ],
)
def test_what_cannot_be_read_is_explained_without_the_password(
    database: str, endpoint: str, kind: str, input_: dict[str, str], message: str
) -> None:
    address = {"sql": database, "sparql": endpoint}.get(kind, "/nowhere")
    with pytest.raises(AlgorithmError, match=message) as refusal:
        loaders.load(kind, address, input_)
    assert "secret" not in str(refusal.value)
    assert "\n" not in str(refusal.value).strip()


def test_missing_library_is_named_with_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(AlgorithmError, match=r"sqlalchemy.*pip install 'vantage6\[excel,parquet"):
        loaders.load("sql", "sqlite://", QUERY)


def test_unreachable_endpoint_is_explained_without_the_password() -> None:
    with pytest.raises(AlgorithmError, match="The sparql database cannot be read") as refusal:
        loaders.load("sparql", "http://user:secret@127.0.0.1:1/", QUERY)
    assert "secret" not in str(refusal.value)


def test_wrappers_are_found_by_type(database: str, tmp_path: Path) -> None:
    FRAME.to_csv(tmp_path / "data.csv", index=False)
    assert isinstance(select_wrapper("csv"), CSVWrapper)
    assert DockerWrapper is CSVWrapper
    assert CSVWrapper.load_data(str(tmp_path / "data.csv"), {}).equals(FRAME)
    for kind in loaders.LOADERS:
        assert isinstance(select_wrapper(kind), WrapperBase)
    assert select_wrapper("other") is None
    sql = select_wrapper("sql")
    assert sql is not None
    assert sql.load_data(database, QUERY).equals(FRAME)


def test_wrapper_of_ones_own_loads_its_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Lines(WrapperBase):
        @staticmethod
        def load_data(database_uri: str, input_data: Any) -> list[str]:
            return Path(database_uri).read_text().split(input_data["between"])

    (tmp_path / "lines_algorithm.py").write_text("def RPC_given(data): return data")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "data").write_text("a|b")
    (tmp_path / "token").write_text("none")
    (tmp_path / "input").write_text('json.{"method": "given", "between": "|"}')
    for name in ("INPUT", "OUTPUT", "TOKEN"):
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name.lower()))
    monkeypatch.setenv("USER_REQUESTED_DATABASE_LABEL", "default")
    monkeypatch.setenv("DEFAULT_DATABASE_URI", str(tmp_path / "data"))
    Lines().wrap_algorithm("lines_algorithm")
    assert (tmp_path / "output").read_text() == 'json.["a", "b"]'
    Lines().wrap_algorithm("lines_algorithm", load_data=False)
    assert (tmp_path / "output").read_text() == "json.null"
    (tmp_path / "input").write_text('json.{"method": "given"}')
    with pytest.raises(SystemExit):
        Lines().wrap_algorithm("lines_algorithm")
    assert capsys.readouterr().err == (
        "reason > The requested database cannot be read: KeyError, for example a column that the "
        "data has not (its text may hold data and stays at the data station)\n"
    )


def test_mocked_organization_asks_its_database(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "def RPC_ages(data): return list(map(int, data['age']))"
    (tmp_path / "ages_algorithm.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    dataset = {"database": database, "type": "sql", "db_input": QUERY}
    client = MockAlgorithmClient([dataset], "ages_algorithm")
    task = client.task.create({"method": "ages"}, [0])
    assert client.result.get(task["id"]) == [[60, 70]]


def test_formats_under_their_old_names() -> None:
    for name in DataFormat:
        written = serialization.serialize({"a": 1}, name)
        assert deserialization.deserialize(io.BytesIO(written), name) == {"a": 1}
    assert json.loads(serialization.serialize_to_json([1])) == [1]
    assert deserialization.deserialize_json(io.BytesIO(b"[1]")) == [1]
    pickled = serialization.serialize_to_pickle([1])
    assert deserialization.deserialize_pickle(io.BytesIO(pickled)) == [1]
    with pytest.raises(DeserializationException):
        deserialization.deserialize_json(io.BytesIO(b"["))
