"""The page with the commands and their options, as ``--help`` shows them."""

from collections.abc import Iterator

import click

from vantage6.client.cli import main as vantage6
from vantage6.node.cli import main as vnode
from vantage6.server.cli import main as vserver

#: All programs, by name.
PROGRAMS: dict[str, click.Group] = {"vantage6": vantage6, "vnode": vnode, "vserver": vserver}
#: The same on every terminal.
_COLUMNS = 90


def page() -> str:
    """Return the reference of all commands."""
    lines = [
        "# Commands",
        "",
        "The option `--help`, or `-h`, of each command shows the same; `--version` prints the",
        "version. [Exit codes](exit-codes.md) have a page of their own. Where the folder of the",
        "programs is not on the path, `python -m vantage6.client` is `vantage6`,",
        "`python -m vantage6.node` is `vnode`, and `python -m vantage6.server` is `vserver`.",
        "",
        "A shell completes commands and options after this line in its start file, for `vserver`",
        "and `vantage6` alike; fish takes `fish_source`:",
        "",
        "```console",
        '$ eval "$(_VNODE_COMPLETE=bash_source vnode)"    # ~/.bashrc',
        '$ eval "$(_VNODE_COMPLETE=zsh_source vnode)"     # ~/.zshrc',
        "```",
    ]
    for name, program in PROGRAMS.items():
        lines += ["", f"## {name}"]
        for context in contexts(program, name):
            lines += ["", f"### {context.command_path}", "", "```text", _help(context), "```"]
    return "\n".join(lines) + "\n"


def contexts(
    command: click.Command, name: str, parent: click.Context | None = None
) -> Iterator[click.Context]:
    """Yield a command, or those below a group, in the order of their names."""
    settings = {"terminal_width": _COLUMNS, **command.context_settings}
    context = click.Context(command, parent, info_name=name, **settings)
    if not isinstance(command, click.Group):
        yield context
        return
    for below in command.list_commands(context):
        found = command.get_command(context, below)
        if found is not None and not found.hidden:
            yield from contexts(found, below, context)


def _help(context: click.Context) -> str:
    return context.get_help().strip()
