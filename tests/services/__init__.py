"""The real services that tests use: found, started on loopback, and stopped."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

#: Where Debian keeps programs that are not on everybody's PATH; the newest PostgreSQL first.
_FOLDERS = [
    *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True),
    "/usr/sbin",
    "/sbin",
]


def missing(what: str) -> NoReturn:
    """Skip the running test, or fail it on a machine that has to run everything (``CI`` is set)."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and CI runs every test", pytrace=False)
    pytest.skip(f"{what} is missing; `make test` installs it, or says how")


def needs(program: str) -> str:
    """Return the path of a program; a missing one skips the test, or fails it in CI."""
    path = shutil.which(program, path=os.pathsep.join([os.environ["PATH"], *_FOLDERS]))
    return path or missing(program)


#: Where nobody listens, and no test ever will: a port that is free now may be another test's soon,
#: which then meets all who still look for the broker that was to be away.
NO_BROKER = "redis://127.0.0.1:9/0"
