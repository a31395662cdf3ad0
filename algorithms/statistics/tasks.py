"""Central and partial functions in the form in which the frame of an image calls them."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from vantage6.algorithms.statistics.sentences import Refused, Stopped
from vantage6.algorithms.statistics.station import Station, answer, refusal
from vantage6.tools.disclosure import floors, organization, parties
from vantage6.tools.dispatch_rpc import PREFIX
from vantage6.tools.errors import AlgorithmError

Function = Callable[..., dict[str, Any]]


def as_central(function: Function, module: str) -> Function:
    """Return a function of a client and of data that asks the client's collaboration.

    Parameters
    ----------
    function
        Takes `Sites`, then arguments by name.
    module
        Where tasks find the function that is returned.
    """

    @wraps(function)
    def run(client: Any, data: Any, /, **arguments: Any) -> dict[str, Any]:
        # A partial function, which most runs are of, needs no client.
        from vantage6.algorithms.statistics.collaboration import Collaboration

        del data
        try:
            return function(Collaboration(client), **arguments)
        except Stopped as stopped:
            raise AlgorithmError(f"{stopped.code}: {stopped.message}") from stopped

    _describe(run, function, module, "client", "data")
    return run


def as_partial(function: Function, module: str) -> Function:
    """Return a function of data that answers under the floors of the station.

    Parameters
    ----------
    function
        Takes a `Station`, then arguments by name.
    module
        Where tasks find the function that is returned.
    """

    @wraps(function)
    def run(data: Any, /, **arguments: Any) -> dict[str, Any]:
        try:
            station = Station(data, floors(), parties(), organization())
        except AlgorithmError:
            # SECURITY: floors that cannot be read may be stricter than the default ones.
            return refusal(Refused("floors_unreadable"))
        return answer(function, station, arguments)

    _describe(run, function, module, "data")
    run.__name__ = run.__qualname__ = PREFIX + function.__name__
    return run


def _describe(run: Function, function: Function, module: str, *given: str) -> None:
    """Show the arguments of a function behind what the frame gives."""
    signature = inspect.signature(function)
    kept = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in list(signature.parameters.values())[1:]
    ]
    first = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in given]
    run.__signature__ = signature.replace(parameters=first + kept)  # type: ignore[attr-defined]
    names = {"return", *(parameter.name for parameter in kept)}
    hints = function.__annotations__.items()
    run.__annotations__ = {name: kind for name, kind in hints if name in names}
    run.__module__ = module
