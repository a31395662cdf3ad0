"""Where the paths of a card lead in an answer.

SECURITY: keys of an answer can be data. So a finding names the path of the card, with its ``*``,
and never the path in the answer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from vantage6.common.cards import Share, Steps

Key = str | int
Container = dict[str, Any] | list[Any]
_ANY = "*"


@dataclass(frozen=True, slots=True)
class Place:
    """Entries of one container that a share covers."""

    share: Share
    #: Keys from the top of the answer to the container.
    keys: tuple[Key, ...]
    container: Container
    #: The key of the only entry; None for all entries.
    key: Key | None

    @property
    def entries(self) -> list[tuple[Key, Any]]:
        """Keys and values that are covered."""
        if self.key is not None:
            return [(self.key, entry(self.container, self.key))]
        if isinstance(self.container, dict):
            return list(self.container.items())
        return list(enumerate(self.container))

    @property
    def leaves(self) -> list[Any]:
        """All numbers, texts and flags that are covered, in their order."""
        if self.key is None and isinstance(self.container, list):
            values = self.container
        else:
            values = [value for _, value in self.entries]
        return flatten(values)


def before_last_star(place: Place) -> tuple[Key, ...]:
    """Return the keys of a place before the last ``*`` of its path, and those next to it."""
    path = steps(place.share.path)
    keys = place.keys if place.key is None else (*place.keys, place.key)
    end = next((i for i in reversed(range(len(path))) if path[i] == _ANY), len(path))
    while 0 < end < len(path) and path[end - 1] == _ANY:
        end -= 1
    return keys[:end]


def names_of(place: Place) -> tuple[Key, ...]:
    """Return the keys of a place that are names: what else differs is a place in a list."""
    keys = place.keys if place.key is None else (*place.keys, place.key)
    return tuple(key for key in keys if isinstance(key, str))


def entry(container: Any, key: Key) -> Any:
    """Return an entry of a list or an object."""
    return container[key]


def flatten(values: Iterable[Any]) -> list[Any]:
    """Return the leaves below some values, in their order."""
    values = list(values)
    if not any(isinstance(value, dict | list) for value in values):
        return values
    found: list[Any] = []
    stack = values[::-1]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            stack.extend(reversed(value.values()))
        elif isinstance(value, list):
            stack.extend(reversed(value))
        else:
            found.append(value)
    return found


@dataclass(slots=True)
class _Node:
    children: dict[str, "_Node"] = field(default_factory=dict)
    shares: list[Share] = field(default_factory=list)


def steps(path: str) -> tuple[str, ...]:
    """Return the steps of a path, ``*`` for any."""
    return tuple(s.replace("~1", "/").replace("~0", "~") for s in path.split("/")[1:])


class Answer:
    """An answer, with the places of each share.

    Parameters
    ----------
    document
        JSON as Python reads it.
    shares
        What the card declares.
    budget
        Ends the search with `TooMuch`.
    """

    def __init__(self, document: Any, shares: Sequence[Share], budget: Steps) -> None:
        self.document = document
        self._budget = budget
        self.places: list[Place] = []
        #: Card paths under which something stands that no share covers.
        self.undeclared: set[str] = set()
        #: Card paths, and the keys of an object there that the card does not name.
        self.keyed: list[tuple[str, list[str]]] = []
        self._resolved: dict[tuple[str, tuple[Key, ...]], list[Any]] = {}
        root = _Node()
        for share in shares:
            node = root
            for step in steps(share.path):
                node = node.children.setdefault(step, _Node())
            node.shares.append(share)
        for share in root.shares:
            self.places.append(Place(share, (), {"": document}, ""))
        self._enter(document, [root], (), "", covered=False)

    def of(self, place: Place, path: str, key: Key | None = None) -> list[Any]:
        """Return what another path of the card leads to, seen from an entry of a place.

        A ``*`` in the part that both paths have in common stands for the same entry, any other one
        for all entries.

        Parameters
        ----------
        place
            Where to look from.
        path
            The other path.
        key
            The entry of the place; None for all of them.
        """
        return self._resolve(path, steps(path), self.common(place, path, key))

    def common(self, place: Place, path: str, key: Key | None = None) -> tuple[Key, ...]:
        """Return the keys of the part that the path of a place has in common with another one."""
        known = place.keys if key is None else (*place.keys, key)
        bound: list[Key] = []
        for one, two, step in zip(steps(place.share.path), steps(path), known, strict=False):
            if one != two:
                break
            bound.append(step)
        return tuple(bound)

    def entry(self, place: Place, path: str) -> tuple[Container, Key] | None:
        """Return container and key of the one entry that a path leads to; None without one."""
        *way, last = steps(path)
        bound = self.common(place, path)[: len(way)]
        value: Any = self.document
        for depth, step in enumerate(way):
            values = _descend([value], bound[depth] if depth < len(bound) else step, is_any=False)
            if not values:
                return None
            value = values[0]
        return (value, last) if isinstance(value, dict) and last in value else None

    def _resolve(self, path: str, wanted: tuple[str, ...], bound: tuple[Key, ...]) -> list[Any]:
        found = self._resolved.get((path, bound))
        if found is not None:
            # SECURITY: each of many entries may look at all entries of another list.
            self._budget.spend(1 + len(found))
            return found
        values: list[Any] = [self.document]
        for depth, step in enumerate(wanted):
            key: Key = bound[depth] if depth < len(bound) else step
            values = _descend(values, key, is_any=step == _ANY and depth >= len(bound))
            self._budget.spend(1 + len(values))
        self._resolved[path, bound] = found = flatten(values)
        return found

    def _walk(
        self, value: Any, nodes: list[_Node], keys: tuple[Key, ...], path: str, covered: bool
    ) -> None:
        """Find the places below a container.

        Parameters
        ----------
        value, nodes
            The container, and where the paths of the card stand.
        keys, path
            The way here in the answer, and in the card.
        covered
            Whether a share covers the container as a whole.
        """
        self._budget.spend(1 + len(value))
        anything = [node.children[_ANY] for node in nodes if _ANY in node.children]
        named = {step for node in nodes for step in node.children if step != _ANY}
        if isinstance(value, dict) and anything:
            self.keyed.append((f"{path}/*", [key for key in value if key not in named]))
        for node in anything:
            self.places.extend(Place(share, keys, value, None) for share in node.shares)
        covered = covered or any(node.shares for node in anything)
        # Numbers in a list need no further look.
        if covered and not named and not any(node.children for node in anything):
            return
        for key, inner in enumerate(value) if isinstance(value, list) else value.items():
            step = str(key)
            own = [node.children[step] for node in nodes if step in named & node.children.keys()]
            for node in own:
                self.places.extend(Place(share, keys, value, key) for share in node.shares)
            here = f"{path}/{step if own else _ANY}"
            self._enter(inner, [*own, *anything], (*keys, key), here, covered)

    def _enter(
        self, inner: Any, nodes: list[_Node], keys: tuple[Key, ...], path: str, covered: bool
    ) -> None:
        """Go on below an entry, or note that nothing covers it."""
        covered = covered or any(node.shares for node in nodes)
        going_on = [node for node in nodes if node.children]
        if isinstance(inner, dict | list) and going_on:
            self._walk(inner, going_on, keys, path, covered)
        elif not covered and flatten([inner]):
            self.undeclared.add(path)


def _descend(values: list[Any], key: Key, *, is_any: bool) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if is_any and isinstance(value, dict):
            found.extend(value.values())
        elif is_any and isinstance(value, list):
            found.extend(value)
        elif isinstance(value, dict) and key in value:
            found.append(value[key])
        elif isinstance(value, list):
            place = int(key) if isinstance(key, str) and key.isdecimal() else key
            if isinstance(place, int) and place < len(value):
                found.append(value[place])
    return found
