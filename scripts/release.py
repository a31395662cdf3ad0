"""Build sdist and wheel into a folder, and try the wheel: ``make release``.

The wheel is built from the sdist, and installed without the checkout into a new virtual
environment, beside the versions of constraints.txt. Nothing is published.
"""

import argparse
import configparser
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Folders of the checkout that are no source.
_NO_SOURCES = shutil.ignore_patterns(
    ".*", "build", "dist", "*.egg-info", "__pycache__", "_build", "node_modules"
)
_BUILD = "import sys; from setuptools import build_meta; build_meta.build_{kind}(sys.argv[1])"
#: Reads the web pages of a server as a browser does: the first one, and each file that it names.
_VISIT = """
import re, sys, urllib.request
def read(path):
    with urllib.request.urlopen(sys.argv[1] + path, timeout=20) as answer:
        return answer.read().decode()
names = re.findall(r'(?:src|href)="(/app/[^"]+)"', read("/app/"))
assert any(name.endswith(".js") for name in names), names
print(sum(len(read(name)) for name in [*names, "/app/settings.json"]))
"""
_IMPORT = "import sys, importlib as i; [print(i.import_module(n).__file__) for n in sys.argv[1:]]"


def main() -> None:
    """Build, install and try."""
    parser = argparse.ArgumentParser(description="Build a release and try it.")
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "dist")
    parser.add_argument(
        "--dependencies-of", type=Path, help="use this site-packages instead of installing anew"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        sdist, wheel = build(work)
        python = install(work / "venv", wheel, arguments.dependencies_of)
        check(python, work)
        # Only what was tried, and beside what is there already.
        folder = arguments.folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        for file in (sdist, wheel):
            print(shutil.copy(file, folder))


def build(work: Path) -> tuple[Path, Path]:
    """Return the sdist, and the wheel that is built from nothing but it."""
    if not (ROOT / "web" / "built" / "index.html").is_file():
        raise SystemExit("The web pages are not built; call `make web` first.")
    folder = work / "dist"
    folder.mkdir()
    # A copy, so that neither an old build/ gets into the files nor a new one into the checkout.
    shutil.copytree(ROOT, work / "checkout", ignore=_NO_SOURCES)
    _run(sys.executable, "-c", _BUILD.format(kind="sdist"), folder, folder=work / "checkout")
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(work / "sdist", filter="data")
    (source,) = (work / "sdist").iterdir()
    _run(sys.executable, "-c", _BUILD.format(kind="wheel"), folder, folder=source)
    (wheel,) = folder.glob("*.whl")
    if not wheel.name.endswith("-py3-none-any.whl"):
        raise SystemExit(f"{wheel.name} does not suit every machine.")
    return sdist, wheel


def install(folder: Path, wheel: Path, dependencies: Path | None) -> Path:
    """Return the Python of a new environment that holds the wheel and what it needs."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    if dependencies is None:
        pinned = folder / "pinned.txt"
        pinned.write_text(_run(sys.executable, ROOT / "scripts" / "pinned.py", "all"))
        # SECURITY: only files whose hashes constraints.txt has.
        _run(*pip, "--require-hashes", "--requirement", pinned)
    else:
        (packages,) = folder.glob("lib/python*/site-packages")
        (packages / "dependencies.pth").write_text(f"{dependencies}\n")
    _run(*pip, wheel)
    return python


def check(python: Path, work: Path) -> None:
    """Run the programs, import every package, and compute a federated average."""
    place = work / "elsewhere"
    place.mkdir()
    for program in ("vantage6", "vnode", "vserver"):
        _run(python.parent / program, "--version", folder=place)
        _run(python.parent / program, "--help", folder=place)
    for where in _run(python, "-c", _IMPORT, *packages(), folder=place).splitlines():
        if not Path(where).is_relative_to(python.parent.parent):
            raise SystemExit(f"{where} does not come from the wheel.")
    compute(python.parent / "vantage6", place)


def compute(command: Path, place: Path) -> None:
    """Start a sandbox from the wheel alone, compute the average, and look at the web pages."""
    _run(command, "sandbox", "start", folder=place)
    try:
        said = _run(command, "run", "master", "--arg", "column_name=age", folder=place)
        if said != "average  56\n":
            raise SystemExit(f"The sandbox does not work with the wheel:\n{said}")
        state = json.loads(_run(command, "sandbox", "status", "--json", folder=place))
        _run(command.parent / "python", "-c", _VISIT, state["server"].removesuffix("/api"))
    finally:
        _run(command, "sandbox", "stop", "--remove", folder=place)


def packages() -> list[str]:
    """Return the packages that a release has to hold."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    return setup["options"]["packages"].split()


def _run(*command: object, folder: Path | None = None) -> str:
    words: Sequence[str] = [str(word) for word in command]
    done = subprocess.run(
        words,
        cwd=folder,
        # Nothing of the environment leads to the checkout, and no engine is needed.
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith("PYTHON")},
            "DOCKER_HOST": "unix:///nowhere",
            # What is kept of a login, and the sandbox, is not the user's.
            **({"HOME": str(folder)} if folder else {}),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
