"""What the commands of a data station have in common."""

import functools
from typing import Any

from vantage6.common.cli import exits
from vantage6.common.cli.selection import about_instance
from vantage6.common.selection import Selection

#: Turns errors into one line and an exit code.
said_plainly = functools.partial(exits.plainly, "vnode")


def _find(selection: Selection) -> Any:
    from vantage6.node.instance import Instance

    return Instance.find(selection)


#: Lets a command be about one node: it gets the `Instance` that its options select.
on_node = about_instance("vnode", _find)
