"""The first round of every model, seen from the central function: levels, centres, design."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vantage6.algorithms.statistics import levels as level_order
from vantage6.algorithms.statistics.analysis import Analysis
from vantage6.algorithms.statistics.arguments import check_levels
from vantage6.algorithms.statistics.descriptions import check_kinds
from vantage6.algorithms.statistics.models.centring import plan
from vantage6.algorithms.statistics.models.design import Design
from vantage6.algorithms.statistics.models.formula import parse_formula
from vantage6.algorithms.statistics.models.whitening import Whitening, whiten
from vantage6.algorithms.statistics.sentences import stop
from vantage6.algorithms.statistics.sums import Array, product_total, square, total


class Preparation:
    """What all organizations agreed on, and the way from centred to own coefficients.

    Parameters
    ----------
    analysis
        Asks the first round.
    arguments
        Of `model_prepare`.
    """

    def __init__(self, analysis: Analysis, **arguments: Any) -> None:
        self.analysis = analysis
        is_survival = arguments.get("time") is not None
        formula = parse_formula(arguments["formula"], has_outcome=not is_survival)
        self.given = check_levels(arguments.get("levels"))
        self.parts = analysis.ask("model_prepare", **arguments)
        for organization, part in self.parts.items():
            analysis.count(organization, part["rows"], part["n"])
        self.n = analysis.check_records()
        # Levels have one text at all organizations, whatever their columns hold.
        coded = {f.columns[0] for f in formula.factors if f.is_category} | set(self.given)
        check_kinds(
            {
                o: {name: kind for name, kind in part["kinds"].items() if name not in coded}
                for o, part in self.parts.items()
            }
        )
        self.levels = {}
        for name in next(iter(self.parts.values()))["levels"] | _all_levels(self.parts):
            found = [
                level for part in self.parts.values() for level in part["levels"].get(name, {})
            ]
            self.levels[name] = self.given.get(name) or level_order.ordered(found)
        self.centres = {
            name: total(part[group].get(name, 0.0) for part in self.parts.values()) / self.n
            for group in ("factors", "products")
            for name in sorted({key for part in self.parts.values() for key in part[group]})
        }
        self.design = Design(formula, self.levels, has_baseline=is_survival)
        self.centring = plan(self.design)
        self.way_back = self.centring.way_back(self.design, self.centres)

    @property
    def arguments(self) -> dict[str, Any]:
        """Levels and centres, as every later round gets them."""
        return {"levels": self.levels, "centres": self.centres}

    @property
    def reference(self) -> dict[str, str]:
        """The first level of each categorical column."""
        return {name: levels[0] for name, levels in self.levels.items()}

    @property
    def has_constant(self) -> bool:
        """Whether the constant is a combination of columns."""
        return self.centring.constant is not None

    def constant(self) -> Array:
        """Return the constant in terms of columns (p numbers)."""
        vector = np.zeros(self.design.size)
        for j, coefficient in (self.centring.constant or {}).items():
            vector[j] = coefficient
        return vector

    def check_sizes(self, parts: Mapping[int, Mapping[str, Any]]) -> None:
        """Stop if an organization built another model than this one."""
        if any(part["p"] != self.design.size for part in parts.values()):
            raise stop("design_differs", versions=self.analysis.site_versions())

    def whiten(self, cross: Sequence[float], spread: Array | None = None) -> Whitening:
        """Return the first basis, and warn of the columns that had to go."""
        whitening = whiten(square(cross), self.design.intercept, spread)
        for j, reason in sorted(self.dropped(whitening).items()):
            self.analysis.warn(reason, term=self.design.names[j])
        return whitening

    def dropped(self, whitening: Whitening) -> dict[int, str]:
        """Return why columns were dropped, in words of the answer."""
        reasons = {}
        for j, reason in whitening.dropped.items():
            empty = "absent_level" if self.design.columns[j].coding else "constant"
            reasons[j] = empty if reason == "empty" else reason
        return reasons

    def coefficients(self, centred: Array) -> Array:
        """Return the coefficients of the columns as they are (p numbers)."""
        return product_total(self.way_back, centred)

    def covariance(self, basis: Array, scale: float) -> Array:
        """Return the covariance of the coefficients for a basis of the centred columns."""
        root = product_total(self.way_back, basis)
        covariance: Array = root @ root.T * scale
        return covariance


def _all_levels(parts: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    return {name: None for part in parts.values() for name in part["levels"]}
