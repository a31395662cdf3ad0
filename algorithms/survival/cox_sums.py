"""Sums of one organization for Cox models."""

import math
from typing import Any, get_args

import numpy as np

from vantage6.algorithms.statistics import disclosure
from vantage6.algorithms.statistics.arguments import bad, check_choice, check_edges, check_vector
from vantage6.algorithms.statistics.models.combinations import (
    ALMOST_ALONE,
    check_joint_weights,
    check_weighted,
)
from vantage6.algorithms.statistics.models.records import ModelRecords, basis_matrix, rounded_up
from vantage6.algorithms.statistics.sentences import Refused
from vantage6.algorithms.statistics.station import Station
from vantage6.algorithms.statistics.sums import Array, triangle
from vantage6.algorithms.survival.risk import Ties, likelihood, risk_sets

TIES = get_args(Ties)


def _cox_records(
    station: Station,
    formula: str,
    time: str,
    event: str,
    levels: Any,
    centres: Any,
    basis: Any,
    beta: Any,
) -> tuple[ModelRecords, int, Array, Array]:
    """Return records, number of columns, columns in the basis, and linear predictor."""
    records = ModelRecords(station, formula, levels, time=time, event=event)
    design = records.design()
    records.is_allowed(design)
    columns = records.centred(design, centres)
    eta = columns @ np.array(check_vector("beta", beta, design.size))
    # SECURITY: a chosen beta would put all weight of the risk sets on one record.
    top = eta.max(initial=-math.inf)
    if records.n and math.isfinite(top):
        risk = np.exp(eta - top)
        disclosure.check_effective(risk, station.floors)
        check_weighted(columns, risk, station.floors, ALMOST_ALONE)
        check_joint_weights(records.joint, risk, station.floors)
    return records, design.size, columns @ basis_matrix(basis, design.size), eta


def cox_step(
    station: Station,
    formula: str,
    time: str,
    event: str,
    ties: Ties,
    levels: dict[str, list[str]],
    centres: dict[str, float],
    basis: list[list[float]] | None,
    beta: list[float],
) -> dict[str, Any]:
    """Return log partial likelihood, score and information of this organization as a stratum.

    Parameters
    ----------
    formula, time, event
        Terms; columns of times and of events (1 or 0).
    levels, centres
        What all organizations agreed on after `model_prepare`.
    ties
        ``"efron"`` (1977) or ``"breslow"`` (1974). Times are tied if they are equal.
    basis, beta
        p x k, and p coefficients of the centred columns.

    Returns
    -------
    dict
        ``n``, ``events``, ``p``, ``valid``, and if it is: ``loglik``, ``score`` (k), ``info``
        (triangle).
    """
    check_choice("ties", ties, TIES)
    records, size, columns, eta = _cox_records(
        station, formula, time, event, levels, centres, basis, beta
    )
    said = {"n": records.n, "events": int(records.event.sum()), "p": size}
    # The likelihood of a stratum does not change with a constant.
    eta = eta - eta.max(initial=0.0) if records.n and np.all(np.isfinite(eta)) else eta
    if not np.all(np.isfinite(np.exp(eta))):
        return said | {"valid": False}
    with np.errstate(all="ignore"):
        try:
            found = likelihood(
                risk_sets(records.time, records.event, columns, eta), columns.shape[1], ties
            )
        except (ValueError, ZeroDivisionError):
            return said | {"valid": False}
    if not (math.isfinite(found.value) and np.all(np.isfinite(found.info))):
        return said | {"valid": False}
    return said | {
        "valid": True,
        "loglik": found.value,
        "score": found.score.tolist(),
        "info": triangle(found.info),
    }


def cox_sums(
    station: Station,
    formula: str,
    time: str,
    event: str,
    levels: dict[str, list[str]],
    centres: dict[str, float],
    basis: list[list[float]] | None,
    beta: list[float],
    times: list[float],
    time_unit: float | None = None,
) -> dict[str, Any]:
    """Return the sums over risk sets at agreed times, for a baseline that all share.

    Only from a station without a floor for counts: these sums are nearly its records.

    Parameters
    ----------
    formula, time, event
        Terms; columns of times and of events (1 or 0).
    levels, centres
        What all organizations agreed on after `model_prepare`.
    basis, beta
        p x k, and p coefficients of the centred columns.
    times, time_unit
        The times of all events, rising; the unit up to which times are rounded.

    Returns
    -------
    dict
        ``n``, ``events``, ``p``, ``valid`` and ``sums``: for each time S0, S1, S2, D0, D1, D2, d,
        Σx and Σxβ (see `risk.RiskSet`; matrices as triangles).
    """
    if station.floors.cell > 1:
        raise Refused("pooled_refused")
    agreed = np.array(check_edges("times", times))
    records, size, columns, eta = _cox_records(
        station, formula, time, event, levels, centres, basis, beta
    )
    said = {"n": records.n, "events": int(records.event.sum()), "p": size}
    with np.errstate(over="ignore"):
        if not np.all(np.isfinite(np.exp(eta))):
            return said | {"valid": False}
    moments = rounded_up(records.time, time_unit)
    if not set(moments[records.event].tolist()) <= set(agreed.tolist()):
        raise bad("times holds the times of all events.")
    sums = [
        [
            one.risk[0],
            one.risk[1].tolist(),
            triangle(one.risk[2]),
            one.dead[0],
            one.dead[1].tolist(),
            triangle(one.dead[2]),
            one.count,
            one.x.tolist(),
            one.eta,
        ]
        for one in risk_sets(moments, records.event, columns, eta, agreed)
    ]
    return said | {"valid": True, "sums": sums}
