"""The environment of the published client: both packages are called vantage6."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.services import missing, needs

_REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def python() -> Path:
    """Return the Python of an environment that holds the published client and nothing of ours.

    It is made once and kept; without an index of packages the test is skipped, or fails in CI.
    """
    # Its dependencies have no wheels for a later Python.
    base = sys.executable if sys.version_info[:2] == (3, 11) else needs("python3.11")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vantage6"
    cache.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()[:16]
    folder = cache / f"peer-3.11.1-{digest}"
    program, complete = folder / "bin" / "python", folder / "complete"
    with (cache / "peer.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # A link to a Python that was removed does not exist either.
        if not (complete.exists() and program.exists()):
            shutil.rmtree(folder, ignore_errors=True)
            _install(base, folder, program)
            complete.touch()
    return program


def _install(base: str, folder: Path, program: Path) -> None:
    """Make the environment. Only wheels, but for qrcode: nothing is compiled here."""
    pip = [str(program), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for command in (
        [base, "-m", "venv", str(folder)],
        [*pip, "--only-binary", ":all:", "--no-binary", "qrcode", "-r", str(_REQUIREMENTS)],
    ):
        done = subprocess.run(
            command,
            # As an environment variable it also holds for what builds qrcode.
            env={**os.environ, "PIP_CONSTRAINT": str(_REQUIREMENTS)},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        if done.returncode:
            said = " ".join(done.stderr.split()[-40:])
            missing(f"vantage6-client 3.11.1, from an index of packages ({said}),")
