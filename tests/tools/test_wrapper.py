"""The wrapper as a node starts it: a process, environment variables, files, an exit code."""

import base64
import json
import pickle
import subprocess
from collections.abc import Callable
from inspect import signature
from pathlib import Path

import pandas
import pytest

from vantage6.tools import wrapper

ALGORITHM = """
import pandas
from vantage6.tools.card import card
from vantage6.tools.disclosure import organization
from vantage6.tools.util import info

def RPC_sum(data, column, factor=1):
    info("summing")
    return {"sum": data[column].sum() * factor}

def RPC_frame(data):
    return pandas.DataFrame(data)

def RPC_given(data):
    return data

@card(database="none")
def RPC_without(data):
    return [data, organization()]

def RPC_fail(data):
    raise RuntimeError("the reason")

def RPC_odd(data):
    return object()

def reads_pickles(client, data):
    return client._allow_pickle

def central(client, data, *args):
    rows = None if data is None else len(data)
    return [type(client).__name__, client.task_id, rows, *args]
"""

_ALLOWING = "auto_wrapper('mine', allow_pickle=True)"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def algorithm() -> str:
    return ALGORITHM


def _output(tmp_path: Path) -> bytes:
    return (tmp_path / "output").read_bytes()


@pytest.mark.parametrize("call", ["docker_wrapper('mine')", "auto_wrapper('mine')"])
def test_answer_is_json_by_default(run: Run, tmp_path: Path, call: str) -> None:
    ended = run({"method": "sum", "args": ["age"], "kwargs": {"factor": 2}}, call)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "info > summing\n", "")
    assert _output(tmp_path) == b'json.{"sum": 260}'


@pytest.mark.parametrize("prefix", [b"", b"pickle.", b"PICKLE."])
def test_input_is_no_pickle_unless_the_author_allows_it(
    run: Run, tmp_path: Path, prefix: bytes
) -> None:
    content = prefix + pickle.dumps({"method": "sum", "kwargs": {"column": "age"}})
    ended = run(content)
    assert (ended.returncode, _output(tmp_path)) == (1, b"")
    assert "data_format='json' in client.task.create" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert run(content, "docker_wrapper('mine', allow_pickle=True)").returncode == 0
    # As 3.11 answers: a pickle without a name in front.
    assert pickle.loads(_output(tmp_path)) == {"sum": 130}
    asking = pickle.dumps({"method": "given", "output_format": "json"})
    assert run(asking, "docker_wrapper('mine', load_data=False, allow_pickle=True)").returncode == 0
    assert _output(tmp_path) == b"json.null"
    in_json = run({"method": "given"}, "docker_wrapper('mine', load_data=False, allow_pickle=True)")
    assert (in_json.returncode, _output(tmp_path)) == (0, b"json.null")


@pytest.mark.parametrize(
    "call",
    [
        "auto_wrapper('mine', allow_pickle=True)",
        "multidb_wrapper('mine', allow_pickle=True)",
        "multidb_wrapper('mine')",
        "auto_wrapper('mine')",
        "import vantage6.tools.wrapper as w; w.MultiDBWrapper().wrap_algorithm('mine')",
        "import vantage6.tools.wrapper as w; w.MultiDBWrapper().wrap_algorithm('mine', "
        "allow_pickle=True)",
    ],
)
def test_every_wrapper_is_told_about_pickles(run: Run, call: str) -> None:
    ended = run(pickle.dumps({"method": "reads_pickles", "master": True}), call)
    assert (ended.returncode == 0) == ("allow_pickle" in call), ended.stderr


def test_a_central_method_reads_pickles_only_where_the_author_allows_it(
    run: Run, tmp_path: Path
) -> None:
    for call, allowed in (("auto_wrapper('mine')", False), (_ALLOWING, True)):
        assert run({"method": "reads_pickles", "master": True}, call).returncode == 0
        assert json.loads(_output(tmp_path).removeprefix(b"json.")) is allowed


def test_every_wrapper_has_the_same_parameter_for_pickles() -> None:
    functions = [getattr(wrapper, name) for name in wrapper.__all__ if name.endswith("_wrapper")]
    for function in [*functions, wrapper.WrapperBase.wrap_algorithm]:
        if function is wrapper.select_wrapper:
            continue
        parameter = signature(function).parameters["allow_pickle"]
        assert (parameter.kind, parameter.default) == (parameter.KEYWORD_ONLY, False)


def test_answer_is_a_pickle_where_the_input_asks_for_it(run: Run, tmp_path: Path) -> None:
    input_ = {"method": "sum", "kwargs": {"column": "age"}, "output_format": "pickle"}
    assert run(input_).returncode == 0
    assert pickle.loads(_output(tmp_path).removeprefix(b"pickle.")) == {"sum": 130}


def test_frame_becomes_json(run: Run, tmp_path: Path) -> None:
    assert run({"method": "frame"}).returncode == 0
    expected = pandas.DataFrame({"age": [60, 70], "name": ["a", "b"]}).to_json()
    assert json.loads(_output(tmp_path).removeprefix(b"json.")) == json.loads(expected)


@pytest.mark.parametrize(
    ("call", "client"),
    [
        ("docker_wrapper('mine')", "ContainerClient"),
        ("docker_wrapper('mine', use_new_client=True)", "AlgorithmClient"),
    ],
)
def test_central_method_gets_a_client(run: Run, tmp_path: Path, call: str, client: str) -> None:
    ended = run({"method": "central", "master": True, "args": [5]}, call)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert json.loads(_output(tmp_path).removeprefix(b"json.")) == [client, 9, 2, 5]


def test_central_method_may_do_without_data(run: Run, tmp_path: Path) -> None:
    ended = run({"method": "central", "master": True}, "auto_wrapper('mine', central_data=False)")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert json.loads(_output(tmp_path).removeprefix(b"json.")) == ["ContainerClient", 9, None]


@pytest.mark.parametrize(
    "call", ["docker_wrapper('mine')", "auto_wrapper('mine')", "multidb_wrapper('mine')"]
)
def test_no_database_is_opened_for_a_function_whose_card_says_none(
    run: Run, tmp_path: Path, call: str
) -> None:
    absent = {"DEFAULT_DATABASE_URI": str(tmp_path / "absent.csv")}
    assert run({"method": "given"}, "auto_wrapper('mine')", **absent).returncode == 1
    ended = run({"method": "without"}, call, **absent)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert _output(tmp_path) == b"json.[null, null]"


@pytest.mark.parametrize(
    ("said", "own"),
    [
        ({"sub": {"organization_id": 7}}, "7"),
        ({"identity": {"organization_id": 7}}, "7"),
        ({"sub": {"organization_id": True}}, "null"),
        ({"sub": {"organization_id": "7"}}, "null"),
        ({"sub": 7}, "null"),
        (None, "null"),
    ],
    ids=range(6),
)
def test_the_organization_is_that_of_the_token(
    run: Run, tmp_path: Path, said: object, own: str
) -> None:
    payload = "" if said is None else base64.urlsafe_b64encode(json.dumps(said).encode()).decode()
    (tmp_path / "own").write_text(f"e30.{payload}.c2ln")
    asked = {"method": "without", "organization_id": 9}
    ended = run(asked, TOKEN_FILE=str(tmp_path / "own"))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert _output(tmp_path) == f"json.[null, {own}]".encode()


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("docker_wrapper('mine', load_data=False)", None),
        ("multidb_wrapper('mine')", {"default": "data.csv", "My_Other": "/mnt/data/other.csv"}),
    ],
)
def test_data_is_not_always_loaded(run: Run, tmp_path: Path, call: str, expected: object) -> None:
    assert run({"method": "given"}, call).returncode == 0
    given = json.loads(_output(tmp_path).removeprefix(b"json."))
    if given:
        given["default"] = Path(given["default"]).name
    assert given == expected


@pytest.mark.parametrize(
    ("input_", "call", "environment", "message"),
    [
        (
            {"method": "nothing"},
            "docker_wrapper('mine')",
            {},
            "The algorithm has no method 'nothing'. "
            "Its methods: sum, frame, given, without, fail, odd.",
        ),
        (
            {"method": "sum", "master": True},
            "docker_wrapper('mine')",
            {},
            "The algorithm has no method 'sum'. "
            "Its central methods (with 'master': True): reads_pickles, central. "
            "sum is not central: leave 'master' out of the input.",
        ),
        ({}, "docker_wrapper('mine')", {}, "The input of the task names no method."),
        (
            {"method": "fail"},
            "docker_wrapper('mine')",
            {},
            "Error encountered while calling RPC_fail: RuntimeError (its text may hold data and "
            "stays at the data station)",
        ),
        (
            {"method": "sum", "kwargs": {"colunm": "age"}},
            "docker_wrapper('mine')",
            {},
            "RPC_sum cannot be called like this: missing a required argument: 'column'.",
        ),
        (
            {"method": "odd"},
            "docker_wrapper('mine')",
            {},
            "The answer cannot be written. This cannot be written as JSON: "
            "an object of type object has no JSON form. "
            "Let the algorithm return plain numbers, texts, lists and "
            "dictionaries.",
        ),
        (
            {"method": "sum", "args": ["age"], "output_format": "yaml"},
            "docker_wrapper('mine')",
            {},
            "There is no output format 'yaml', only json and pickle.",
        ),
        (
            {"method": "sum"},
            "docker_wrapper('mine')",
            {"USER_REQUESTED_DATABASE_LABEL": None},
            "This node has no database with the requested label. It has: default, My_Other.",
        ),
        (
            {"method": "sum"},
            "docker_wrapper('mine')",
            {"USER_REQUESTED_DATABASE_LABEL": "third"},
            "This node has no database called 'third'. It has: default, My_Other.",
        ),
        (
            {"method": "sum"},
            "auto_wrapper('mine')",
            {"DEFAULT_DATABASE_TYPE": "Other"},
            "This algorithm cannot read databases of type 'other', "
            "only csv, excel, omop, parquet, sparql, sql.",
        ),
        (
            {"method": "sum"},
            "docker_wrapper('absent')",
            {},
            "Module absent cannot be imported: No module named 'absent'",
        ),
        (
            {"method": "sum"},
            "docker_wrapper('mine')",
            {"INPUT_FILE": None},
            "The environment variable INPUT_FILE is not set. This program is started by a node; "
            "use vantage6.tools.mock_client to try an algorithm without one.",
        ),
        (b"json.[1]", "docker_wrapper('mine')", {}, "The input of the task is not a dictionary."),
    ],
)
def test_mistake_is_one_line_on_standard_error(
    run: Run, tmp_path: Path, input_: object, call: str, environment: dict[str, str], message: str
) -> None:
    ended = run(input_, call, **environment)
    assert (ended.returncode, ended.stderr) == (1, f"reason > {message}\n")
    assert _output(tmp_path) == b""


def test_unreadable_data_is_explained(run: Run) -> None:
    ended = run({"method": "sum"}, DEFAULT_DATABASE_URI="/nowhere.csv")
    assert ended.returncode == 1
    assert ended.stderr.startswith("reason > The csv database cannot be read: ")
    assert ended.stderr.count("\n") == 1


def test_traceback_is_written_on_request(run: Run) -> None:
    ended = run({"method": "fail"}, "docker_wrapper('mine', log_traceback=True)")
    assert ended.returncode == 1
    assert "Traceback" in ended.stderr
    assert 'raise RuntimeError("the reason")' in ended.stderr  # the line of the code
    assert "RuntimeError: the reason" not in ended.stderr
    shared = run({"method": "fail"}, "docker_wrapper('mine', log_traceback=True)", SHARE_ERRORS="1")
    assert "RuntimeError: the reason" in shared.stderr
    assert shared.stderr.endswith("calling RPC_fail: RuntimeError: the reason\n")


def test_malicious_pickle_is_refused(run: Run, tmp_path: Path) -> None:
    attack = b"cos\nsystem\n(S'touch hacked'\ntR."
    ended = run(b"pickle." + attack, _ALLOWING)
    assert ended.returncode == 1
    assert "not allowed" in ended.stderr
    assert not (tmp_path / "hacked").exists()


def test_neither_pandas_nor_http_is_imported_without_need(run: Run, tmp_path: Path) -> None:
    (tmp_path / "light.py").write_text("def RPC_given(data): return data")
    look = "import sys; sys.exit(len({'pandas', 'httpx2'} & set(sys.modules)))"
    ended = run({"method": "given"}, f"docker_wrapper('light', load_data=False); {look}")
    assert (ended.returncode, _output(tmp_path)) == (0, b"json.null")
