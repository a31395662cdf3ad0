"""What a process pays for `vantage6.common`, and what scripts of 3.11 find there."""

import subprocess
import sys
from importlib import import_module

import pytest

from vantage6 import common


def test_importing_the_package_loads_nothing_of_a_terminal() -> None:
    script = (
        "import sys; from vantage6.common import clock, encryption, errors;"
        "print(*sorted({'click', 'rich', 'vantage6.common.compatibility'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == []


def test_every_name_of_the_package_is_found() -> None:
    # As a submodule it hides the builtin of its name from the package.
    import_module("vantage6.common.globals")
    for name in common.__all__:
        assert getattr(common, name) is not None
    assert set(common.__all__) <= set(dir(common))


def test_other_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing_of_the_kind'"):
        _ = common.nothing_of_the_kind  # type: ignore[attr-defined]
