"""Texts of errors: what pandas says can be a cell of the data, and stays there."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from vantage6.client.exceptions import SubTaskFailed
from vantage6.tools.errors import AlgorithmError, describe_error

Run = Callable[..., CompletedProcess[str]]

ALGORITHM = """
import errno
import functools
from vantage6.tools.errors import AlgorithmError
from vantage6.tools.util import info

def RPC_convert(data):
    return data["name"].astype(float).sum()

def RPC_absent(data):
    return data["agee"]

def RPC_own(data):
    raise AlgorithmError("Fewer than two values.\\nToo few.")

def RPC_from(data):
    try:
        data["name"].astype(float)
    except ValueError as error:
        raise AlgorithmError("No numbers.") from error

def RPC_full(data):
    raise OSError(errno.ENOSPC, "patient 7", "/patient/8")

def RPC_long(data):
    raise ValueError("patient\\nreason > patient")

class Unprintable(Exception):
    def __str__(self):
        raise ValueError("patient 9")

def RPC_unprintable(data):
    raise Unprintable("patient 9")

def RPC_informed(data):
    info("Asking 3 organizations")
    raise AlgorithmError("There is no column 'x'.")

class Object:
    def __call__(self, data, cast=float):
        return data["name"].astype(cast).sum()

RPC_partial = functools.partial(Object(), cast=int)
RPC_object = Object()

def source(container, input_):
    raise ValueError("patient 9")

def central(client, data):
    return 1
"""


@pytest.fixture
def algorithm() -> str:
    return ALGORITHM


@pytest.fixture
def said(run: Run, tmp_path: Path) -> Callable[..., str]:
    """Return a function that gives all that an algorithm prints for a method."""
    (tmp_path / "data.csv").write_text("age,name\n60,Jansen\n70,Smit\n")

    def said(method: str, call: str = "auto_wrapper('mine')", **environment: str) -> str:
        ended = run({"method": method}, call, **environment)
        assert ended.returncode == 1
        return ended.stdout + ended.stderr

    return said


@pytest.mark.parametrize("call", ["auto_wrapper('mine')", "auto_wrapper('mine', log_traceback=1)"])
def test_text_of_pandas_stays_at_the_station(said: Callable[..., str], call: str) -> None:
    told = said("convert", call)
    assert "Jansen" not in told
    assert told.endswith(
        "reason > Error encountered while calling RPC_convert: ValueError (its text may hold data "
        "and stays at the data station)\n"
    )
    assert "Jansen" in said("convert", call, SHARE_ERRORS="true")
    assert "Jansen" not in said("convert", call, SHARE_ERRORS="false")


def test_traceback_without_texts_still_names_the_place(said: Callable[..., str]) -> None:
    told = said("convert", "auto_wrapper('mine', log_traceback=True)")
    assert 'return data["name"].astype(float).sum()' in told


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("absent", "KeyError, for example a column that the data has not"),
        ("own", "RPC_own: Fewer than two values. Too few.\n"),
        ("from", "RPC_from: No numbers.\n"),
        ("full", "OSError: No space left on device\n"),
        ("long", "RPC_long: ValueError (its text"),
    ],
)
def test_each_error_tells_its_kind_and_only_texts_for_people(
    said: Callable[..., str], method: str, words: str
) -> None:
    told = said(method)
    assert words in told
    assert "patient" not in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("method", ["partial", "object"])
@pytest.mark.parametrize("more", ["", ", log_traceback=True"])
def test_what_can_be_called_without_a_name_of_its_own_tells_no_more(
    run: Run, said: Callable[..., str], method: str, more: str
) -> None:
    told = said(method, f"auto_wrapper('mine'{more})")
    assert "Jansen" not in told
    assert f"reason > Error encountered while calling {method}: ValueError (its text may" in told
    wrong = run({"method": method, "args": [1, 2, 3]}, "auto_wrapper('mine')")
    assert f"{method} cannot be called like this: too many positional arguments." in wrong.stderr


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("mine", "ValueError (its text may hold data and stays at the data station)"),
        ("broken", "RuntimeError (its text may hold data and stays at the data station)"),
    ],
)
def test_error_that_is_not_foreseen_is_told_like_any_other(
    said: Callable[..., str], tmp_path: Path, module: str, words: str
) -> None:
    """A source of one's own, and a module that does more than define functions."""
    (tmp_path / "broken.py").write_text("raise RuntimeError('patient 9')")
    call = (
        "from vantage6.tools.run import run; import mine; "
        f"run('{module}', mine.source, False, False)"
    )
    assert said("own", call) == f"reason > {words}\n"
    assert "patient 9" in said("own", call, SHARE_ERRORS="true")


def test_error_without_a_readable_text_tells_its_kind(said: Callable[..., str]) -> None:
    told = said("unprintable")
    assert "RPC_unprintable: Unprintable (its text may" in told
    assert "patient" not in told


def test_file_that_pandas_cannot_read_is_not_quoted(
    said: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "data.csv").write_text('age,name\n1,2,3,Jansen\n"Smit')
    told = said("own")
    assert "The csv database cannot be read: ParserError" in told
    assert "Jansen" not in told


def test_central_method_called_as_a_part_gets_a_hint(run: Run, said: Callable[..., str]) -> None:
    assert said("central").endswith("central is central: add 'master': True to the input.\n")
    ended = run({"method": "own", "master": True}, "auto_wrapper('mine')")
    assert ended.stderr.endswith("own is not central: leave 'master' out of the input.\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"kwargs": {"colunm": 1}}, "got an unexpected keyword argument 'colunm'"),
        ({"args": [1, 2]}, "too many positional arguments"),
        ({"args": 3}, "'args' has to be a list, and 'kwargs' a dictionary"),
    ],
)
def test_wrong_arguments_are_named_before_data_is_touched(run: Run, arguments, words) -> None:
    ended = run({"method": "own", **arguments}, "auto_wrapper('mine')")
    assert f"RPC_own cannot be called like this: {words}." in ended.stderr


def test_errors_of_this_library_are_for_people() -> None:
    assert describe_error(SubTaskFailed("Sub-task 3 failed."), share=False) == "Sub-task 3 failed."
    assert describe_error(AlgorithmError("a"), share=False) == "a"
    assert describe_error(RuntimeError("can't start new thread"), share=False).endswith(
        "new thread"
    )


def test_the_reason_is_the_last_line_of_a_log_that_holds_both_streams(
    said: Callable[..., str], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    both = "import os; os.dup2(os.open('log', os.O_CREAT | os.O_WRONLY), 1); os.dup2(1, 2); "
    assert said("informed", f"{both}auto_wrapper('mine')", PYTHONUNBUFFERED="") == ""
    info, reason = log.read_text().splitlines()
    assert info == "info > Asking 3 organizations"
    assert reason.startswith("reason > Error encountered while calling RPC_informed: There is no")
