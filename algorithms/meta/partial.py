"""The estimates of a model that one organization fits to its own records."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

from vantage6.algorithms.glm.central import glm, linear_model
from vantage6.algorithms.glm.partial import glm_step, linear_sums, model_prepare
from vantage6.algorithms.statistics.arguments import bad, check_names
from vantage6.algorithms.statistics.sentences import Refused, Stopped
from vantage6.algorithms.statistics.station import Station, answer
from vantage6.algorithms.survival.central import cox
from vantage6.algorithms.survival.partial import cox_step

__all__ = ["local_model"]

#: Function -> what it is, and the arguments that may be chosen.
MODELS: dict[str, tuple[Callable[..., dict[str, Any]], tuple[str, ...]]] = {
    "linear_model": (linear_model, ("formula", "weights", "levels")),
    "glm": (glm, ("formula", "family", "link", "offset", "weights", "theta", "levels")),
    "cox": (cox, ("time", "event", "formula", "ties", "levels")),
}
_PARTIALS: dict[str, Callable[..., dict[str, Any]]] = {
    function.__name__: function for function in (model_prepare, linear_sums, glm_step, cox_step)
}
#: To the last digit, and enough rounds for it; they cost nothing here.
_TO_THE_END = {"tolerance": 1e-14, "max_iterations": 50}


class _Alone:
    """One station as the only organization; its floors hold, apart from that of parties."""

    def __init__(self, station: Station) -> None:
        self._station = Station(station.data, replace(station.floors, parties=1), (0,))

    def organizations(self) -> list[int]:
        return [0]

    def ask(
        self, method: str, arguments: dict[str, Any], organization_ids: list[int]
    ) -> Mapping[int, Mapping[str, Any]]:
        said = answer(_PARTIALS[method], self._station, arguments)
        return {number: said for number in organization_ids}


def check_model(model: Any) -> tuple[str, dict[str, Any]]:
    """Return function and arguments of a model, if they are such."""
    if not isinstance(model, Mapping) or set(model) != {"function", "arguments"}:
        raise bad("model gives a function and its arguments.")
    function, arguments = model["function"], model["arguments"]
    if function not in MODELS:
        raise bad(f"function is one of: {', '.join(MODELS)}.")
    allowed = MODELS[function][1]
    if not isinstance(arguments, Mapping) or not set(arguments) <= set(allowed):
        raise bad(f"arguments of {function} are: {', '.join(allowed)}.")
    return function, dict(arguments)


def local_model(
    station: Station,
    function: Literal["linear_model", "glm", "cox"],
    arguments: dict[str, Any],
    terms: list[str] | None = None,
) -> dict[str, Any]:
    """Return the estimates of a model of the station's own records.

    This is not a sum over records: the estimates of the organization leave it.

    Parameters
    ----------
    function, arguments
        ``"linear_model"``, ``"glm"`` or ``"cox"``, and its arguments.
    terms
        Which estimates; all if none are named.

    Returns
    -------
    dict
        ``n``, ``df`` and ``terms``: term -> ``estimate`` and ``standard_error``.
    """
    name, chosen = check_model({"function": function, "arguments": arguments})
    wanted = None if terms is None else check_names("terms", terms)
    fit = MODELS[name][0]
    try:
        found = fit(_Alone(station), **chosen, **({} if fit is linear_model else _TO_THE_END))
    except Stopped as stopped:
        cause = stopped.__cause__
        if isinstance(cause, Refused):
            raise cause from stopped
        raise _refusal(stopped) from stopped
    if not found["converged"]:
        reasons = [warning["code"] for warning in found["warnings"]]
        is_separated = "separation" in reasons
        reason = "the outcome is determined by the terms" if is_separated else "no convergence"
        raise Refused("local_fit_failed", reason=reason)
    result = found["result"]
    rows = [
        row
        for row in result["coefficients"]
        if row["dropped"] is None and (wanted is None or row["term"] in wanted)
    ]
    parameters = sum(row["dropped"] is None for row in result["coefficients"])
    return {
        "n": result["n"],
        "df": result.get("df_residual", result["n"] - parameters),
        "terms": {
            row["term"]: {
                "estimate": row["estimate"],
                "standard_error": row["standard_error"],
            }
            for row in rows
        },
    }


def _refusal(stopped: Stopped) -> Refused:
    """Return what ended a local fit as a refusal of this station."""
    prefix = "Organization 0 takes no part: "
    refused = Refused("local_fit_failed", reason="see the code")
    refused.message = stopped.message.removeprefix(prefix)
    refused.code = "local_fit_failed" if stopped.message.startswith(prefix) else stopped.code
    return refused
