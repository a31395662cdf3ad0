"""The algorithm of the documentation works as the page says, and so does its image's command."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.docs.markdown import DOCS, blocks
from tests.seeds.session import Session

pytestmark = pytest.mark.slow

BLOCKS = blocks(DOCS / "algorithms.md")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with closing(Session(tmp_path, {})) as session:
        yield session


def test_every_piece_of_python_runs_in_the_order_of_the_page(session: Session) -> None:
    for block in BLOCKS:
        if block.language == "python":
            printed = "".join(outcome.printed for outcome in session.run(block.text))
            assert printed == (block.shows or ""), block.line


def test_the_command_of_the_image_computes(session: Session) -> None:
    session.run(BLOCKS[0].text)
    (dockerfile,) = [block.text for block in BLOCKS if block.language == "dockerfile"]
    (command,) = re.findall(r"^CMD (\[.*\])$", dockerfile, re.MULTILINE)
    folder = session.folder
    (folder / "data.csv").write_text("age\n50\n55\n\n")
    input_ = {"method": "moments", "kwargs": {"column_name": "age"}}
    (folder / "input").write_text("json." + json.dumps(input_))
    subprocess.run(
        [sys.executable, *ast.literal_eval(command)[1:]],
        cwd=folder,
        env={
            **os.environ,
            "INPUT_FILE": str(folder / "input"),
            "OUTPUT_FILE": str(folder / "output"),
            "TOKEN_FILE": str(folder / "input"),
            "DEFAULT_DATABASE_URI": str(folder / "data.csv"),
            "USER_REQUESTED_DATABASE_LABEL": "default",
        },
        check=True,
        timeout=60,
    )
    answer = (folder / "output").read_text()
    assert json.loads(answer.removeprefix("json.")) == {
        "count": 2,
        "total": 105.0,
        "squares": 5525.0,
    }


def test_the_image_takes_no_packages_that_were_made_for_another_python() -> None:
    (dockerfile,) = [block.text for block in BLOCKS if block.language == "dockerfile"]
    (version,) = re.findall(r"^FROM python:(\d+\.\d+)-", dockerfile, re.MULTILINE)
    needed = re.search(r"python_requires = >=(.+)", (DOCS.parent / "setup.cfg").read_text())
    assert needed
    assert [*map(int, version.split("."))] >= [*map(int, needed[1].split("."))]
    # Only the wheel of this project is collected outside of the image; it suits every Python.
    commands = "".join(block.text for block in BLOCKS if block.language == "console")
    (collecting,) = re.findall(r"pip wheel (.*)", commands)
    assert "--no-deps" in collecting
    (installing,) = re.findall(r"pip install (.*)", dockerfile)
    assert "--no-index" not in installing
