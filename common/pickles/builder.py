"""Makes the objects that the nodes of a pickle stand for, with constructors that check."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from vantage6.common.errors import PickleRefused, SerializationError
from vantage6.common.pickles import keys
from vantage6.common.pickles.budget import Budget
from vantage6.common.pickles.nodes import Call, Members, Name, Pairs

#: What is the same as a node and as a value.
PLAIN = frozenset({bool, bytes, float, int, str, type(None)})
#: So deep may containers stand in each other.
DEEPEST = 100
#: The state of an object of pandas has some ten entries.
_MOST_FIELDS = 50
_ABSENT, _UNFINISHED = object(), object()

Kind = TypeVar("Kind")


class Part:
    """Something that is of use inside of another object only."""


class Builder:
    """Makes the objects of one pickle.

    Parameters
    ----------
    budget
        What they may take.
    makers
        How a name becomes an object; gets this builder and the call.
    constants
        Names that stand for one value, and how to get it.
    """

    def __init__(
        self,
        budget: Budget,
        makers: dict[str, "Maker"],
        constants: dict[str, Callable[[], Any]],
    ) -> None:
        self.budget = budget
        self._makers = makers
        self._constants = constants
        #: What was made of a node, by its id: one that stands in many places is made once.
        self._done: dict[int, Any] = {}
        self._depth = 0

    def value(self, node: Any) -> Any:
        """Return what a node stands for, as a researcher gets it."""
        if type(node) in PLAIN:
            return node
        made = self.part(node)
        if isinstance(made, Part):
            raise PickleRefused("This pickle has a part of an object alone, which is not allowed.")
        return made

    def part(self, node: Any) -> Any:
        """Return what a node stands for, which may be of use inside of another object only."""
        if type(node) in PLAIN:
            return node
        made = self._done.get(id(node), _ABSENT)
        if made is not _ABSENT:
            if made is _UNFINISHED:
                raise PickleRefused("This pickle has an object that holds itself: not allowed.")
            return made
        if self._depth >= DEEPEST:
            raise SerializationError("This pickle cannot be read: it is nested too deeply.")
        self._depth += 1
        self._done[id(node)] = _UNFINISHED
        made = self._done[id(node)] = _BUILDERS[type(node)](self, node)
        self._depth -= 1
        return made

    def of(self, kind: type[Kind], node: Any) -> Kind:
        """Return what a node stands for, if it is of a kind."""
        made = self.part(node)
        if not isinstance(made, kind) or (kind is int and isinstance(made, bool)):
            raise SerializationError(f"This pickle cannot be read: no {kind.__name__} where one is")
        return made

    def fields(self, node: Any) -> dict[str, Any]:
        """Return the nodes of the state of an object by their names."""
        if type(node) is not Pairs or len(node.pairs) > _MOST_FIELDS:
            raise SerializationError("This pickle cannot be read: an object has a strange state.")
        return {self.of(str, name): value for name, value in node.pairs}

    def nodes(self, node: Any, length: int) -> tuple[Any, ...]:
        """Return the nodes in a tuple of a known length."""
        if type(node) is not tuple or len(node) != length:
            raise SerializationError("This pickle cannot be read: an object has a strange state.")
        return node

    def name(self, node: Any) -> str:
        """Return the text of a name."""
        if type(node) is not Name:
            raise SerializationError("This pickle cannot be read: a name is missing.")
        return node.text

    def label(self, node: Any) -> Any:
        """Return something that can be the name of a column or an index."""
        made = self.value(node)
        keys.check([made])
        return made

    def values(self, nodes: Iterable[Any]) -> list[Any]:
        """Return what each of some nodes stands for, as a researcher gets it."""
        return [node if type(node) in PLAIN else self.value(node) for node in nodes]

    def pairs(self, pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
        """Return a dictionary."""
        found = self.values(key for key, _ in pairs)
        # SECURITY: before they are hashed.
        keys.check(found)
        return dict(zip(found, self.values(value for _, value in pairs), strict=True))

    def members(self, nodes: Iterable[Any]) -> list[Any]:
        """Return what a set may hold."""
        found = self.values(nodes)
        keys.check(found)
        return found

    def content(self, view: memoryview) -> bytes:
        """Return many bytes of the pickle."""
        self.budget.spend(len(view))
        return bytes(view)

    def call(self, call: Call) -> Any:
        """Return what a call stands for."""
        maker = self._makers.get(call.name.text)
        if maker is None:
            raise PickleRefused(f"This pickle calls {call.name.text}, which is not allowed.")
        return maker(self, call)

    def constant(self, name: Name) -> Any:
        """Return what a name alone stands for."""
        if name.text not in self._constants:
            raise PickleRefused(f"This pickle holds {name.text} itself, which is not allowed.")
        return self._constants[name.text]()


Maker = Callable[[Builder, Call], Any]

_BUILDERS: dict[type, Callable[[Builder, Any], Any]] = {
    list: Builder.values,
    tuple: lambda builder, node: tuple(builder.values(node)),
    bytearray: lambda _, node: node,
    memoryview: lambda builder, node: builder.content(node),
    Pairs: lambda builder, node: builder.pairs(node.pairs),
    Members: lambda builder, node: (frozenset if node.is_frozen else set)(
        builder.members(node.members)
    ),
    Call: Builder.call,
    Name: Builder.constant,
}


def function(make: Callable[..., Any]) -> Maker:
    """Make a maker of a function of the builder and the arguments; nothing else may be given."""

    def maker(builder: Builder, call: Call) -> Any:
        if call.has_state or call.pairs is not None:
            raise PickleRefused(
                f"This pickle gives {call.name.text} a state, which is not allowed."
            )
        return make(builder, *call.given)

    return maker


def stateful(make: Callable[[Builder, tuple[Any, ...], Any], Any]) -> Maker:
    """Make a maker of a function of the builder, the arguments, and the state or None."""

    def maker(builder: Builder, call: Call) -> Any:
        if call.pairs is not None:
            raise PickleRefused(f"This pickle gives {call.name.text} items: not allowed.")
        return make(builder, call.given, call.state)

    return maker
