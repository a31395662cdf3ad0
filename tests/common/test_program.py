"""What both programs do before any command: help, version, and a part that is not installed."""

import subprocess
import sys
from importlib.metadata import requires

import click
import pytest
from click.testing import CliRunner
from packaging.requirements import Requirement

from vantage6.client.cli import main as vantage6
from vantage6.common import __version__
from vantage6.common.cli.program import LazyProgram, Program
from vantage6.node.cli import main as vnode
from vantage6.server.cli import main as vserver

#: What an extra brings, by the names of modules, where they differ from those of the packages.
_MODULES = {"pyyaml": "yaml", "psycopg": "psycopg", "pyjwt": "jwt", "argon2-cffi": "argon2"}
#: Runs a program where the parts of the extras are not installed.
_BARE = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
from vantage6.{program}.cli import main
sys.argv = {arguments!r}
main()
"""


def _of_extras() -> set[str]:
    """Return the modules that only the extras bring."""
    bare, others = set[str](), set[str]()
    for line in requires("vantage6") or ():
        one = Requirement(line)
        is_bare = one.marker is None or one.marker.evaluate({"extra": ""})
        (bare if is_bare else others).add(
            _MODULES.get(one.name.lower(), one.name.replace("-", "_"))
        )
    return others - bare


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("node", ["vnode", "list"]),
        ("node", ["vnode", "start", "--name", "x"]),
        ("node", ["vnode", "new", "--name", "x"]),
        ("server", ["vserver", "list"]),
        ("server", ["vserver", "start", "--name", "x"]),
        ("server", ["vserver", "config", "schema"]),
    ],
)
def test_a_part_that_is_missing_is_named_in_one_line(program: str, arguments: list[str]) -> None:
    bare = _BARE.format(missing=_of_extras(), program=program, arguments=arguments)
    done = subprocess.run(
        [sys.executable, "-c", bare], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert f"pip install '.[{program}]'" in done.stderr


@pytest.mark.parametrize("program", ["client", "node", "server"])
@pytest.mark.parametrize("word", ["-h", "--version"])
def test_help_and_version_need_no_part(program: str, word: str) -> None:
    bare = _BARE.format(missing=_of_extras(), program=program, arguments=[program, word])
    done = subprocess.run(
        [sys.executable, "-c", bare], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "program", [vantage6, vnode, vserver], ids=["vantage6", "vnode", "vserver"]
)
def test_every_command_shows_its_help_in_both_ways(program: click.Group) -> None:
    assert CliRunner().invoke(program, ["--version"]).output == f"{__version__}\n"
    for name in program.list_commands(click.Context(program)):
        shown = [CliRunner().invoke(program, [name, word]).output for word in ("-h", "--help")]
        assert shown[0] == shown[1]
        assert "Usage:" in shown[0]


def test_a_part_of_our_own_that_is_missing_is_a_mistake_of_ours() -> None:
    @click.group(cls=Program, extra="node")
    def main() -> None:
        """Do nothing."""

    @main.command()
    def broken() -> None:
        import vantage6.no_such_part  # type: ignore[import-not-found]  # noqa: F401

    done = CliRunner().invoke(main, ["broken"])
    assert isinstance(done.exception, ModuleNotFoundError)


def test_the_help_of_the_researchers_command_imports_no_command() -> None:
    script = """
import sys
from vantage6.client.cli import main
try:
    main(["--help"])
except SystemExit:
    pass
found = [name for name in sys.modules if name.startswith(("vantage6.client.", "httpx2", "rich"))]
print(found, file=sys.stderr)
"""
    words = [sys.executable, "-c", script]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == "['vantage6.client.cli']\n"


def test_the_help_says_of_each_command_what_the_command_says_of_itself() -> None:
    assert isinstance(vantage6, LazyProgram)
    context = click.Context(vantage6)
    for one in vantage6.mounted.values():
        command = vantage6.get_command(context, one.name)
        assert command is not None
        assert command.name == one.name
        assert command.get_short_help_str(200) == one.summary


def test_every_program_runs_as_a_module() -> None:
    for name in ("vantage6.client", "vantage6.node", "vantage6.server"):
        words = [sys.executable, "-m", name, "--version"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
        assert done.stdout == f"{__version__}\n"
