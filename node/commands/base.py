"""What the commands of a data station have in common."""

import functools
from collections.abc import Callable
from typing import Any

from vantage6.common import exits
from vantage6.common.selection import Selection, instance_options

#: Turns errors into one line and an exit code.
said_plainly = functools.partial(exits.plainly, "vnode")


def on_node(function: Callable[..., None]) -> Callable[..., None]:
    """Let a command be about one node: it gets the `Instance` that its options select."""

    @instance_options
    @functools.wraps(function)
    def command(*args: Any, selection: Selection, **options: Any) -> None:
        with said_plainly():
            from vantage6.node.instance import Instance

            function(Instance.find(selection), *args, **options)

    return command
