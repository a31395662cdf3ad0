"""The one check of a task's input against a card: in the client, at the server, at the node."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from vantage6.common.cards.bounded import MOST_VALUES, Steps, TooMuch, find_errors, plain
from vantage6.common.cards.card import Card, Function
from vantage6.common.cards.sentences import in_words, listed, shorten
from vantage6.common.json_values import has_more_values, unique_keys

#: Code of a refusal because of arguments.
BAD_ARGUMENTS = "bad_arguments"

_JSON = b"json."
_SHOWN_FAULTS = 5
#: A sentence with the words of a card ends here.
_LONGEST_FAULT = 400
_TOO_MANY = (
    "The arguments are too many to be checked: a function with a card takes about "
    f"{MOST_VALUES:,} values at most."
)
_TOO_MUCH = (
    "The check of the arguments takes too long: they have too many values, are nested too deeply, "
    "or the card has too many alternatives for them. Send fewer values, or tell the author of the "
    "card."
)


def find_faults_of_each(
    known: Sequence[Card], payload: bytes, *, steps: Steps | None = None
) -> tuple[str, ...]:
    """Return what is wrong with an input that fits none of some cards.

    Nothing if it fits one of them, or if there are none. The sentences are those of the first card.

    Parameters
    ----------
    known
        Cards of one image.
    payload
        As in `find_faults`.
    steps
        As in `find_faults`.

    Raises
    ------
    TooMuch
        If the steps that were given are not enough.
    """
    faults: tuple[str, ...] = ()
    for card in known:
        said = find_faults(card, payload, steps=steps)
        if not said:
            return ()
        faults = faults or said
    return faults


def find_faults(card: Card, payload: bytes, *, steps: Steps | None = None) -> tuple[str, ...]:
    """Return what is wrong with the input of a task, in sentences; nothing if all is right.

    SECURITY: no sentence quotes the input, which is encrypted on its way; all words in it are ours
    or those of the card.

    Parameters
    ----------
    card
        The card of the image.
    payload
        The plain input as it is sent, with the name of its format in front.
    steps
        What this check and others may take together. Without it, a check that takes too long is a
        fault.

    Raises
    ------
    TooMuch
        If the steps that were given are not enough.
    """
    # SECURITY: no pickle, which the node does not read, and no other encoding than UTF-8, in which
    # values can be counted before they are parsed.
    body = payload.removeprefix(_JSON)
    if body is payload or json.detect_encoding(body[:4]) != "utf-8":
        return (
            f"The functions of {card.name} take their input as JSON: send the task with "
            "data_format='json'.",
        )
    if has_more_values(body, MOST_VALUES):
        return (_TOO_MANY,)
    if steps is not None:
        steps.spend_on(body)
    try:
        # SECURITY: readers differ in which one of two keys counts, so there are no two.
        input_ = json.loads(body, object_pairs_hook=unique_keys)
    except (ValueError, RecursionError):
        return ("The input of the task is not valid JSON, or has a key twice.",)
    if not isinstance(input_, dict):
        return ("The input of the task is not a dictionary.",)
    return find_faults_of_input(card, input_, steps=steps)


def find_faults_of_input(
    card: Card, input_: Mapping[str, Any], *, steps: Steps | None = None
) -> tuple[str, ...]:
    """Return what is wrong with an input that is read already; see `find_faults`.

    Parameters
    ----------
    card
        The card of the image.
    input_
        ``method``, ``master``, ``args`` and ``kwargs``.
    steps
        As in `find_faults`.

    Raises
    ------
    TooMuch
        If the steps that were given are not enough.
    """
    method, is_central = input_.get("method"), input_.get("master") or False
    if not isinstance(method, str):
        return ("The input of the task names no method.",)
    # SECURITY: readers differ in what else is true.
    if not isinstance(is_central, bool):
        return ("master has to be true or false.",)
    function = card.find(method, is_central=is_central)
    if function is None:
        return (shorten(_unknown(card, method, is_central=is_central), _LONGEST_FAULT),)
    try:
        faults = _compare(function, input_, steps)
    except TooMuch:
        if steps is not None:
            raise
        return (_TOO_MUCH,)
    faults = [shorten(fault, _LONGEST_FAULT) for fault in dict.fromkeys(faults)]
    if len(faults) > _SHOWN_FAULTS:
        faults = [*faults[:_SHOWN_FAULTS], f"{function.name} finds more that does not fit."]
    return tuple(faults)


def is_allowed(function: Function, name: str, value: Any) -> bool:
    """Tell whether a value fits an argument, without a look at the other arguments.

    Parameters
    ----------
    function
        The function.
    name
        One of its parameters.
    value
        The value.
    """
    schema = {"properties": {name: function.arguments["properties"][name]}}
    steps = Steps()
    try:
        return not find_errors(schema, plain({name: value}, steps), steps)
    except TooMuch:
        return False


def name_arguments(function: Function, input_: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of an input by their names; none if they do not fit the function."""
    named, _ = _by_name(function, input_.get("args") or [], input_.get("kwargs") or {})
    return named


def _compare(function: Function, input_: Mapping[str, Any], given: Steps | None) -> list[str]:
    """Return what is wrong with the arguments for a function."""
    args, kwargs = input_.get("args") or [], input_.get("kwargs") or {}
    named, faults = _by_name(function, args, kwargs)
    if faults:
        return faults
    arguments = plain(named, given or Steps())
    errors = find_errors(function.arguments, arguments, given or Steps())
    return [in_words(function, error) for error in errors]


def _unknown(card: Card, method: str, *, is_central: bool) -> str:
    if (other := card.find(method, is_central=not is_central)) is not None:
        change = "without" if is_central else "with"
        return f"{other.name} is a {other.kind} function: ask for it {change} 'master': True."
    kind = "central" if is_central else "partial"
    names = [function.name for function in card.functions if function.kind == kind]
    hint = " (with 'master': True)" if is_central else ""
    return (
        f"{card.name} has no {kind} function of that name. Its {kind} functions{hint}: "
        f"{listed(names)}."
    )


def _by_name(function: Function, args: Any, kwargs: Any) -> tuple[dict[str, Any], list[str]]:
    """Return all arguments by their names, and what is wrong with the way they are given."""
    if not isinstance(args, list | tuple) or not isinstance(kwargs, dict):
        return {}, ["args has to be a list, and kwargs a dictionary."]
    names = function.parameters
    if len(args) > len(names):
        return {}, [f"{function.name} takes at most {len(names)} arguments: {listed(names)}."]
    positional = dict(zip(names, args, strict=False))
    if double := [name for name in positional if name in kwargs]:
        return {}, [f"{function.name} gets an argument twice: {listed(double)}."]
    return {**positional, **kwargs}, []
