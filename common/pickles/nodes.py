"""What a pickle says, as data: a name is a text, a call is written down and never made."""

from typing import Any

#: So much of a text of a pickle stands in a message.
_SHOWN = 200


def shorten(text: str) -> str:
    """Return the beginning of a text of a pickle, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:_SHOWN])


class Name:
    """The name of something outside of the pickle. It is never looked up."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Call:
    """Something that a pickle wants to have made.

    Parameters
    ----------
    name
        What should make it.
    given
        The arguments, which are nodes themselves.
    """

    __slots__ = ("given", "has_state", "name", "pairs", "state")

    def __init__(self, name: Name, given: tuple[Any, ...]) -> None:
        self.name = name
        self.given = given
        self.has_state = False
        self.state: Any = None
        #: Key and value of what the pickle puts into it, if it does.
        self.pairs: list[tuple[Any, Any]] | None = None


class Pairs:
    """A dictionary before its keys are known to be harmless."""

    __slots__ = ("pairs",)

    def __init__(self) -> None:
        self.pairs: list[tuple[Any, Any]] = []


class Members:
    """A set before its members are known to be harmless."""

    __slots__ = ("is_frozen", "members")

    def __init__(self, members: list[Any], is_frozen: bool) -> None:
        self.members = members
        self.is_frozen = is_frozen
