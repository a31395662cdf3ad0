"""Collaborations and organizations, named by their names or ids."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vantage6.common.errors import NotFound

if TYPE_CHECKING:
    from vantage6.client.client import UserClient

Document = dict[str, Any]

#: Organizations in the sentences of functions, which know no names.
_NUMBERED = re.compile(r"\borganization (\d{1,9})\b", re.IGNORECASE)
_MOST_EXPLAINED = 10


def collaborations(client: "UserClient") -> list[Document]:
    """Return the collaborations of the own organization."""
    found: list[Document] = client.collaboration.list()
    return found


def find_collaboration(client: "UserClient", text: str | None) -> Document:
    """Return a collaboration; without a name, the only one there is.

    Raises
    ------
    NotFound
        If it is not clear which one is meant.
    """
    known = collaborations(client)
    if text is None:
        if len(known) == 1:
            return known[0]
        raise NotFound(
            f"Name a collaboration with --collaboration. There are: {_named(known)}."
            if known
            else "Your organization is in no collaboration."
        )
    if text.isdecimal() and int(text) not in {one["id"] for one in known}:
        # Who administers a server may use others, too.
        found: Document = client.collaboration.get(int(text))
        return found
    return find_one(known, text, "collaboration")


def members_of(client: "UserClient", collaboration_id: int) -> list[Document]:
    """Return the organizations of a collaboration, by their ids."""
    found: list[Document] = client.request(f"collaboration/{collaboration_id}/organization")
    return sorted(found, key=lambda one: int(one["id"]))


def find_members(members: Sequence[Document], texts: Iterable[str]) -> list[Document]:
    """Return the organizations of a collaboration that are named, each once.

    Raises
    ------
    NotFound
        If one of them is not there.
    """
    found = {one["id"]: one for text in texts for one in [find_one(members, text, "organization")]}
    return list(found.values())


def find_one(known: Sequence[Document], text: str, kind: str) -> Document:
    """Return the thing of a name or id.

    Raises
    ------
    NotFound
        If there is none, or more than one.
    """
    # SECURITY: digits are always an id, or a thing could be named like the id of another one.
    key: Any = int(text) if text.isdecimal() else text
    field = "id" if text.isdecimal() else "name"
    found = [one for one in known if one[field] == key]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFound(f"Several {kind}s are called {text!r}; say which by id: {_named(found)}.")
    raise NotFound(f"There is no {kind} {text!r}. There are: {_named(known)}.")


def names_of(members: Iterable[Document]) -> Mapping[int, str]:
    """Return the names of organizations by id."""
    return {one["id"]: one["name"] for one in members}


def named(names: Mapping[int, str], id_: int) -> Document:
    """Return id and name of an organization; its number stands for a name that is not known."""
    return {"id": id_, "name": names.get(id_, f"organization {id_}")}


def explained(text: str, names: Mapping[int, str]) -> str:
    """Return which organizations a text means by their numbers, as a sentence each."""
    found = dict.fromkeys(int(id_) for id_ in _NUMBERED.findall(text))
    known = [f"Organization {id_} is {names[id_]}." for id_ in found if id_ in names]
    return " ".join(known[:_MOST_EXPLAINED])


def _named(known: Iterable[Document]) -> str:
    return ", ".join(f"{one['name']} (id {one['id']})" for one in known) or "none"
