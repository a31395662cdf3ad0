"""From the input of a task to the function of the algorithm, and its answer."""

import importlib
import inspect
import os
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from vantage6.tools.errors import AlgorithmError, describe_error, is_shared, print_places

#: Stands before the name of a function that a node may be asked for.
PREFIX = "RPC_"


def find(input_data: Mapping[str, Any], module: str) -> Callable[..., Any]:
    """Return the function that an input asks for.

    Parameters
    ----------
    input_data
        ``method`` names it; ``master`` tells that it is a central one, without prefix.
    module
        Module of the algorithm.

    Raises
    ------
    AlgorithmError
        If there is no such module or function.
    """
    try:
        algorithm = importlib.import_module(module)
    except ImportError as error:
        raise AlgorithmError(f"Module {module} cannot be imported: {error}") from error
    if not isinstance(input_data.get("method"), str):
        raise AlgorithmError("The input of the task names no method.")
    is_central = bool(input_data.get("master"))
    name = input_data["method"] if is_central else PREFIX + input_data["method"]
    function = getattr(algorithm, name, None)
    if name.startswith("_") or not callable(function):
        known = ", ".join(_list_methods(algorithm, is_central)) or "none"
        kind = "central methods (with 'master': True)" if is_central else "methods"
        raise AlgorithmError(
            f"The algorithm has no method {input_data['method']!r}. Its {kind}: {known}."
            + _other_kind(algorithm, input_data["method"], is_central)
        )
    return function  # type: ignore[no-any-return]


def call(
    function: Callable[..., Any],
    first: list[Any],
    input_data: Mapping[str, Any],
    log_traceback: bool = False,
    *,
    share_errors: bool = False,
) -> Any:
    """Call a function with what it always gets, then with the arguments in the input.

    Parameters
    ----------
    function
        A function of the algorithm.
    first
        What it always gets.
    input_data
        ``args`` and ``kwargs``.
    log_traceback
        Write where in the algorithm an error came up.
    share_errors
        Tell the texts of all errors, which may hold data.

    Raises
    ------
    AlgorithmError
        If the function raises anything; says what.
    """
    args, kwargs = input_data.get("args") or [], input_data.get("kwargs") or {}
    # An object that can be called has none of its own, and a partial neither.
    name = getattr(function, "__name__", None) or input_data.get("method")
    _check_arguments(function, name, first, args, kwargs)
    try:
        return function(*first, *args, **kwargs)
    except Exception as error:  # the algorithm is somebody else's code
        if log_traceback:
            print_places(error, share=share_errors)
        said = describe_error(error, share=share_errors)
        raise AlgorithmError(f"Error encountered while calling {name}: {said}") from error


def _check_arguments(
    function: Callable[..., Any], name: object, first: list[Any], args: Any, kwargs: Any
) -> None:
    """Refuse arguments that a function does not take, in words that hold no data.

    Raises
    ------
    AlgorithmError
        If it does not take them.
    """
    said = ""
    if not isinstance(args, list | tuple) or not isinstance(kwargs, dict):
        said = "'args' has to be a list, and 'kwargs' a dictionary"
    else:
        try:
            signature = inspect.signature(function)
        except (TypeError, ValueError):  # not everything that can be called has one
            return
        try:
            signature.bind(*first, *args, **kwargs)
        except TypeError as error:
            said = str(error)
    if said:
        raise AlgorithmError(f"{name} cannot be called like this: {said}.")


def dispatch_rpc(
    data: Any,
    input_data: Mapping[str, Any],
    module: str,
    token: str,
    use_new_client: bool = False,
    log_traceback: bool = False,
    *,
    allow_pickle: bool = False,
) -> Any:
    """Call the function that an input asks for and return its answer.

    Parameters
    ----------
    data
        Data of the node.
    input_data
        ``method``, ``master``, ``args`` and ``kwargs``.
    module
        Module of the algorithm.
    token
        Token of the container; a central function gets a client that holds it.
    use_new_client
        Give it an `AlgorithmClient` instead of a `ContainerClient`.
    log_traceback
        Write where in the algorithm an error came up.
    allow_pickle
        Let that client read pickles too.

    Raises
    ------
    AlgorithmError
        If there is no such function, or it raises anything.
    """
    function = find(input_data, module)
    first = [data]
    if input_data.get("master"):
        first.insert(0, _client(token, use_new_client, allow_pickle))
    return call(function, first, input_data, log_traceback, share_errors=is_shared())


def _client(token: str, use_new_client: bool, allow_pickle: bool) -> Any:
    # Imported here because most functions need no client.
    from vantage6.client.algorithm_client import AlgorithmClient
    from vantage6.client.container_client import ContainerClient

    kind = AlgorithmClient if use_new_client else ContainerClient
    host, port, path = (os.environ.get(name, "") for name in ("HOST", "PORT", "API_PATH"))
    return kind(token, host, port, path, allow_pickle=allow_pickle)


def _other_kind(algorithm: ModuleType, name: str, is_central: bool) -> str:
    """Return a hint where a method is of the other kind than the task says."""
    if name not in _list_methods(algorithm, not is_central):
        return ""
    if is_central:
        return f" {name} is not central: leave 'master' out of the input."
    return f" {name} is central: add 'master': True to the input."


def _list_methods(algorithm: ModuleType, is_central: bool) -> list[str]:
    """Return the methods of an algorithm by the names under which a task asks for them."""
    names = [
        name
        for name, value in vars(algorithm).items()
        if not name.startswith("_")
        and isinstance(value, Callable)  # type: ignore[arg-type]
        and not isinstance(value, type)
        and getattr(value, "__module__", None) == algorithm.__name__
    ]
    if is_central:
        return [name for name in names if not name.startswith(PREFIX)]
    return [name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX)]
