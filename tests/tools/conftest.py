"""The wrapper as a node starts it: a process, environment variables, files, an exit code."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path, algorithm: str) -> Run:
    """Return a function that runs a wrapper; its output is in the file ``output``."""
    (tmp_path / "mine.py").write_text(algorithm)
    (tmp_path / "data.csv").write_text("age,name\n60,a\n70,b\n")
    (tmp_path / "output").write_bytes(b"")
    (tmp_path / "token").write_text(
        "e30.eyJzdWIiOnsiaW1hZ2UiOiJpIiwiZGF0YWJhc2UiOiJkIiwibm9kZV9pZCI6MSwiY29sbGFib3Jh"
        "dGlvbl9pZCI6MSwidGFza19pZCI6OX19.c2ln"
    )

    def run(input_, call="docker_wrapper('mine')", **environment):
        data = input_ if isinstance(input_, bytes) else b"json." + json.dumps(input_).encode()
        (tmp_path / "input").write_bytes(data)
        variables = {
            "INPUT_FILE": str(tmp_path / "input"),
            "OUTPUT_FILE": str(tmp_path / "output"),
            "TOKEN_FILE": str(tmp_path / "token"),
            "HOST": "http://127.0.0.1",
            "PORT": "1",
            "API_PATH": "",
            "USER_REQUESTED_DATABASE_LABEL": "default",
            "DEFAULT_DATABASE_URI": str(tmp_path / "data.csv"),
            "DB_LABELS": '["default", "My_Other"]',
            "MY_OTHER_DATABASE_URI": "/mnt/data/other.csv",
            **environment,
        }
        given = {key: value for key, value in variables.items() if value is not None}
        return subprocess.run(
            [sys.executable, "-c", f"from vantage6.tools.docker_wrapper import *; {call}"],
            cwd=tmp_path,
            env={**os.environ, **given},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run
