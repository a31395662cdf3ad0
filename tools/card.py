"""What signatures and docstrings do not say of an algorithm, for its card.

Type hints say what arguments are, numpy docstrings describe them; `card` adds what a function calls
and shares, `Image` what the module is. `vantage6.tools.card_building` makes the card of it. Nothing
here costs an algorithm anything when it runs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar

#: Where a function keeps its `Facts`, and a module its `Image`.
ATTRIBUTE = "__card__"

Called = TypeVar("Called", bound=Callable[..., Any])


class Schema:
    """JSON Schema keywords of an argument, within ``Annotated``.

    Parameters
    ----------
    keywords
        Such as ``minimum=1`` or ``minLength=3``; ``x_is`` and ``x_types`` for ``x-is`` and
        ``x-types``.
    """

    def __init__(self, **keywords: Any) -> None:
        self.keywords = {name.replace("x_", "x-", 1): value for name, value in keywords.items()}


#: The name of a column.
Column = Annotated[str, Schema(x_is="column")]
#: Names of columns.
Columns = Annotated[list[str], Schema(x_is="columns")]
#: A formula in Wilkinson notation.
Formula = Annotated[str, Schema(x_is="formula")]
#: Ids of organizations.
Organizations = Annotated[list[int], Schema(x_is="organizations")]
#: The level of intervals.
Level = Annotated[float, Schema(x_is="level", minimum=0.5, maximum=0.999)]
#: The name of a column with weights.
Weights = Annotated[str, Schema(x_is="weights")]


@dataclass(frozen=True, slots=True)
class Facts:
    """What `card` says of a function; empty where it says nothing."""

    title: str = ""
    description: str = ""
    since: str = ""
    stability: Literal["stable", "experimental"] = "experimental"
    database: Literal["one", "none"] = "one"
    calls: Sequence[str] = ()
    rounds: tuple[int, int | None] | None = None
    minimum_organizations: int = 1
    shares: Sequence[Mapping[str, Any]] = ()
    views: Sequence[Mapping[str, Any]] = ()
    examples: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Image:
    """What a module says of the image that runs it, as ``__card__ = Image(...)``."""

    name: str
    version: str
    title: str = ""
    description: str = ""
    licence: str = ""
    source: str = ""
    contact: str = ""
    images: Sequence[str] = field(default=())


def card(**facts: Any) -> Callable[[Called], Called]:
    """Say what neither the signature nor the docstring of a function says.

    Parameters
    ----------
    facts
        The fields of `Facts`: ``calls``, ``rounds``, ``minimum_organizations``, ``database`` and
        ``views`` of a central function; ``shares`` of a partial one.
    """
    said = Facts(**facts)

    def decorate(function: Called) -> Called:
        setattr(function, ATTRIBUTE, said)
        return function

    return decorate


def share(
    path: str,
    class_: str,
    of: str | None = None,
    note: str = "",
    *,
    masked: str | None = None,
    parameters: str | None = None,
    at: str | None = None,
    cumulative: bool = False,
) -> dict[str, Any]:
    """Return an entry of ``shares``.

    Parameters
    ----------
    path
        JSON Pointer into the answer, with ``*`` for any entry.
    class_
        What it is, such as ``count`` or ``sum``; see the documentation of cards.
    of
        Path of the number of records behind it.
    note
        For people.
    masked
        Path of the number of hidden entries of its table; a hidden entry is null.
    parameters
        Path of the number of parameters of its model.
    at
        Path of the probabilities of its quantiles.
    cumulative
        Whether each number includes those before it.
    """
    said = {
        "path": path,
        "class": class_,
        "of": of,
        "masked": masked,
        "parameters": parameters,
        "at": at,
        "cumulative": cumulative,
        "note": note,
    }
    return {name: value for name, value in said.items() if value or name in ("path", "class")}
