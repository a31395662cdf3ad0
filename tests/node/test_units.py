"""The units for systemd are units."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services import missing

UNITS = sorted((Path(__file__).parents[2] / "compose" / "systemd").glob("*.service"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_unit_is_valid(tmp_path: Path, unit: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        missing("systemd-analyze")
    command = unit.name.partition("@")[0]
    text = unit.read_text().replace(f"/opt/vantage6/bin/{command}", sys.executable)
    instance = tmp_path / unit.name.replace("@", "@mine")
    instance.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", instance],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr


def test_both_commands_have_a_unit() -> None:
    assert [unit.name for unit in UNITS] == ["vnode@.service", "vserver@.service"]
