"""Which functions of an image serve only the sub-tasks of its own central functions.

One call of a partial function with arguments of one's own choice can read a single record.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vantage6.common.cards import Card

#: Code of a refusal of a function that is for sub-tasks.
SUBTASK_ONLY = "subtask_only"
#: What wrappers put before the name of a function that is not central.
_PREFIX = "RPC_"
#: No card has a longer name.
_LONGEST_NAME = 100
_SHOWN_NAMES = 20


@dataclass(frozen=True, slots=True)
class AskedFunction:
    """The function that an input asks for."""

    #: Without prefix; None where the input names none in a form that is read.
    name: str | None
    #: Whether it is asked for as a central one.
    is_central: bool = False

    @classmethod
    def of(cls, input_: Mapping[str, Any]) -> "AskedFunction":
        """Return the function that an input asks for, which is read already."""
        name, master = input_.get("method"), input_.get("master")
        # SECURITY: wrappers take any true value for "central".
        if not isinstance(name, str) or not (master is None or isinstance(master, bool)):
            return cls(None)
        is_plain = not name.startswith(_PREFIX)
        while name.startswith(_PREFIX):
            name = name.removeprefix(_PREFIX)
        if not name or len(name) > _LONGEST_NAME:
            return cls(None)
        # SECURITY: with `master`, a wrapper finds a function by its whole name, prefix included.
        return cls(name, is_central=master is True and is_plain)


def may_be_asked_directly(card: Card, function: AskedFunction) -> bool:
    """Tell whether a function is a central one.

    SECURITY: what the card does not name as central is as good as a partial function.
    """
    name = function.name
    is_named = function.is_central and name is not None
    return is_named and card.find(name or "", is_central=True) is not None


def describe_refusal(card: Card) -> str:
    """Return a sentence for a task that asks directly for a function that is for sub-tasks."""
    names = [function.name for function in card.functions if function.is_central]
    more = len(names) - _SHOWN_NAMES
    shown = ", ".join(names[:_SHOWN_NAMES]) + (f", and {more} more" if more > 0 else "")
    known = f": {shown}" if names else ""
    return (
        "This function is for sub-tasks of the same image only. Ask for a central function, with "
        f"'master': True{known}."
    )
