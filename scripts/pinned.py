"""Print what an installation needs, each in one version: ``pinned.py [--versions] EXTRA...``.

The versions and their hashes are those of constraints.txt; an extra may also be `build`, for what
builds this project. With ``--versions`` the hashes are left out, for ``pip --constraint``. Uses
nothing but Python, because nothing else is there yet.
"""

import configparser
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def canonical(name: str) -> str:
    """Return the name of a distribution as an index spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted(extra: str) -> Iterator[str]:
    """Yield the requirements that an extra adds, as they are written; comments are left out."""
    if extra == "build":
        with (ROOT / "pyproject.toml").open("rb") as file:
            yield from tomllib.load(file)["build-system"]["requires"]
        return
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    text = setup["options"]["install_requires"]
    if extra:
        text += setup["options.extras_require"][extra]
    yield from (line for raw in text.splitlines() if (line := raw.partition("#")[0].strip()))


def blocks() -> dict[str, list[str]]:
    """Return the lines of constraints.txt by distribution."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if name := _NAME.match(line):
            # A distribution may stand there once for each version of Python.
            lines = found.setdefault(canonical(name[0]), [])
        if not line.startswith("#"):
            lines.append(line)
    return found


def closure(names: set[str], pinned: dict[str, list[str]]) -> set[str]:
    """Return distributions and everything that they need, by what stands below each: ``# via``."""
    needed_by = {
        name: {
            canonical(word[0])
            for line in lines
            if line.strip().startswith("#")
            and (word := _NAME.match(line.strip(" #").removeprefix("via").strip()))
        }
        for name, lines in pinned.items()
    }
    found = set(names)
    while more := {name for name, users in needed_by.items() if users & found} - found:
        found |= more
    return found


def main() -> None:
    """Print the lines."""
    extras = sys.argv[1:]
    versions = "--versions" in extras
    pinned = blocks()
    names = {
        canonical(name[0])
        for extra in extras
        if extra != "--versions"
        for text in wanted(extra)
        if (name := _NAME.match(text))
    }
    if missing := sorted(names - pinned.keys()):
        sys.exit(f"constraints.txt lacks {', '.join(missing)}: run `make constraints`.")
    for name in sorted(closure(names, pinned)):
        for line in pinned[name]:
            if line.strip().startswith("#") or (versions and not _NAME.match(line)):
                continue
            print(line.removesuffix(" \\") if versions else line)


if __name__ == "__main__":
    main()
