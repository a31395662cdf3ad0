"""Makes the card of an algorithm's module from its functions, and compares it with a file."""

import importlib
import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from types import ModuleType
from typing import Any, get_type_hints

from vantage6.common import cards
from vantage6.common.cards import Card, CardError
from vantage6.tools.argument_schemas import schema_of
from vantage6.tools.card import ATTRIBUTE, Facts, Image
from vantage6.tools.dispatch_rpc import PREFIX
from vantage6.tools.docstrings import Docstring, parse

_MOST_DIFFERENCES = 20


def build(module: ModuleType | str) -> Card:
    """Return the card of a module.

    Each public function that the module defines is in it, as a task can ask for each: those with
    the prefix ``RPC_`` as partial functions, the others as central ones.

    Parameters
    ----------
    module
        The module of the algorithm, or its name.

    Raises
    ------
    CardError
        If a function has arguments that a card cannot describe.
    """
    if isinstance(module, str):
        module = importlib.import_module(module)
    image: Image = getattr(module, ATTRIBUTE, None) or Image(
        module.__name__.rpartition(".")[2].lower(), "0"
    )
    told = parse(module.__doc__)
    functions = [_describe(name, function) for name, function in _functions(module)]
    if not functions:
        raise CardError(f"The module {module.__name__} defines no function that a task can use.")
    document = {"card": 1} | asdict(image) | {"functions": functions}
    document["title"] = image.title or told.summary
    document["description"] = image.description or told.text
    return cards.parse(_drop_empty(document))


def find_differences(built: Card, written: Card) -> tuple[str, ...]:
    """Return in sentences how a card that was written differs from the one of the code."""
    found = _differences(json.loads(cards.write(built)), json.loads(cards.write(written)), "")
    return tuple(line for line, _ in zip(found, range(_MOST_DIFFERENCES), strict=False))


def _functions(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, found in vars(module).items():
        is_own = inspect.isfunction(found) and found.__module__ == module.__name__
        if is_own and not name.startswith("_"):
            yield name, found


def _describe(name: str, function: Callable[..., Any]) -> dict[str, Any]:
    facts: Facts = getattr(function, ATTRIBUTE, None) or Facts()
    told = parse(function.__doc__)
    is_central = not name.startswith(PREFIX)
    said = asdict(facts)
    rounds = said.pop("rounds")
    description = facts.description or _about(told)
    return _drop_empty(
        {
            "name": name.removeprefix(PREFIX),
            "kind": "central" if is_central else "partial",
            **said,
            "title": facts.title or told.summary,
            "description": description,
            "rounds": rounds and {"at_least": rounds[0], "at_most": rounds[1]},
            "arguments": _arguments(name, function, told, 2 if is_central else 1),
        }
    )


def _about(told: Docstring) -> str:
    parts = [told.text, told.sections.get("Notes", ""), told.sections.get("References", "")]
    if returns := told.sections.get("Returns", ""):
        # The first line is the type.
        parts.append("Returns: " + inspect.cleandoc(returns.partition("\n")[2]))
    return "\n\n".join(part for part in parts if part)


def _arguments(
    name: str, function: Callable[..., Any], told: Docstring, given: int
) -> dict[str, Any]:
    """Return the schema of the arguments behind those that the frame gives."""
    hints = get_type_hints(function, include_extras=True)
    parameters = [*inspect.signature(function).parameters.values()]
    if len(parameters) < given:
        wanted = "client and data" if given == 2 else "data"
        raise CardError(f"The function {name} does not take {wanted} first.")
    properties = {}
    for parameter in parameters[given:]:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise CardError(f"The function {name} takes any arguments: name each of them.")
        try:
            schema = schema_of(hints.get(parameter.name, Any), parameter.default)
        except CardError as error:
            raise CardError(f"Argument {parameter.name} of {name}: {error.message}") from error
        said = {
            "title": parameter.name.replace("_", " ").capitalize(),
            "description": told.parameters.get(parameter.name, ""),
        }
        properties[parameter.name] = _drop_empty(said) | schema
    required = [
        parameter.name
        for parameter in parameters[given:]
        if parameter.default is inspect.Parameter.empty
    ]
    return {
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def _drop_empty(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said, without what is empty; tuples as lists."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in document.items()
        if value not in ("", None, (), [])
    }


def _differences(built: Any, written: Any, path: str) -> Iterator[str]:
    where = path or "The card"
    if isinstance(built, dict) and isinstance(written, dict):
        for key in dict.fromkeys([*built, *written]):
            inner = f"{path}/{key}"
            if key not in written:
                yield f"{inner} is only in the code."
            elif key not in built:
                yield f"{inner} is only in the file."
            else:
                yield from _differences(built[key], written[key], inner)
        is_ordered = path.endswith("/properties")
        if is_ordered and built.keys() == written.keys() and list(built) != list(written):
            yield f"{where} has another order in the code: {', '.join(built)}."
    elif isinstance(built, list) and isinstance(written, list) and path.endswith("/functions"):
        yield from _differences(_by_name(built), _by_name(written), path)
    elif built != written:
        yield f"{where} is {_short(built)} in the code, and {_short(written)} in the file."


def _by_name(functions: list[Any]) -> dict[str, Any]:
    return {f"{one['name']} ({one['kind']})": one for one in functions}


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."
