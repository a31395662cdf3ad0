"""``vserver shell``: Python with the entities of a server."""

import ast
import sys
import traceback
from typing import TYPE_CHECKING, Any

import click

from vantage6.common.cli import console
from vantage6.common.errors import V6Error
from vantage6.server.commands.base import connect, on_instance

if TYPE_CHECKING:
    from vantage6.common.config import Instance

_BANNER = """\
vantage6 shell of {name}. `db` holds Organization, Collaboration, User, Role, Rule, Node, Task and
Result. db.Organization.help() explains one; .save() stores an object. Unlike the API, the shell
checks nothing: it accepts all values that the database can keep.
"""


@click.command()
@on_instance
@click.option("--code", help="Run this and exit.")
def shell(instance: "Instance", code: str | None) -> None:
    """Open a Python shell on the database of a server, which may run meanwhile.

    Code is also read from standard input, where that is no terminal.
    """
    with connect(instance, kicks=True):
        from vantage6.server.shell import namespace

        names = {"__name__": "__main__", **namespace(instance)}
        if code is None and sys.stdin.isatty():
            _interact(instance, names)
        elif not _run(sys.stdin.read() if code is None else code, names):
            sys.exit(1)


def _interact(instance: "Instance", names: dict[str, Any]) -> None:
    from IPython import start_ipython
    from traitlets.config import Config

    config = Config()
    config.TerminalInteractiveShell.banner1 = _BANNER.format(name=instance.name)
    # A mistake is one line.
    config.InteractiveShell.xmode = "Minimal"
    # SECURITY: passwords are typed here.
    config.HistoryManager.hist_file = ":memory:"
    # It would look into relations, each a query, in another thread.
    config.Completer.use_jedi = False
    start_ipython(argv=[], user_ns=names, config=config)


def _run(code: str, names: dict[str, Any]) -> bool:
    """Run a piece of code, show the value of its last line, and tell whether it went well."""
    try:
        body = ast.parse(code, "<shell>").body
        last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), "<shell>", "exec"), names)  # noqa: S102
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "<shell>", "eval"), names)  # noqa: S307
            if value is not None:
                console.say(repr(value))
    except SystemExit:
        raise
    except Exception as error:
        console.error(f"{_line(error)}{_describe(error)}")
        return False
    return True


def _describe(error: Exception) -> str:
    if isinstance(error, V6Error):
        return error.message
    return traceback.format_exception_only(error)[-1].strip()


def _line(error: Exception) -> str:
    """Return where in the code an error comes from, if that is known."""
    steps = traceback.extract_tb(error.__traceback__)
    line = next((step.lineno for step in steps if step.filename == "<shell>"), None)
    if isinstance(error, SyntaxError):
        line = error.lineno
    return f"line {line}: " if line else ""
