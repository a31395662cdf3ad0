"""The complete records of a station for one model, and the first round of every model."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vantage6.algorithms.statistics import columns as kinds
from vantage6.algorithms.statistics import disclosure
from vantage6.algorithms.statistics.arguments import (
    bad,
    check_levels,
    check_name,
    check_vector,
    is_number,
)
from vantage6.algorithms.statistics.levels import ordered
from vantage6.algorithms.statistics.models.centring import plan
from vantage6.algorithms.statistics.models.combinations import (
    Joint,
    check_joint,
    check_leverage,
    check_parts,
    is_choosing,
)
from vantage6.algorithms.statistics.models.design import Design, is_category, product_name
from vantage6.algorithms.statistics.models.families import Family, check_outcome
from vantage6.algorithms.statistics.models.formula import factor_columns, parse_formula
from vantage6.algorithms.statistics.sentences import Refused
from vantage6.algorithms.statistics.station import Station
from vantage6.algorithms.statistics.sums import Array, total_of


class ModelRecords:
    """Complete records of all columns that a model uses, as arrays.

    Records of weight zero do not count.

    Parameters
    ----------
    station
        Data and floors.
    formula
        ``outcome ~ terms``; only terms if there are `time` and `event`.
    levels
        Agreed levels of categorical columns; with `agree`, those that the caller gave.
    agree
        First round: columns of text are categorical, their levels are found.
    """

    def __init__(
        self,
        station: Station,
        formula: Any,
        levels: Any,
        *,
        weights: str | None = None,
        offset: str | None = None,
        time: str | None = None,
        event: str | None = None,
        agree: bool = False,
    ) -> None:
        for name, value in (("weights", weights), ("offset", offset), ("time", time)):
            check_name(name, value, optional=True)
        check_name("event", event, optional=True)
        if (time is None) != (event is None):
            raise bad("time and event are given together.")
        self.station = station
        self.formula = parse_formula(formula, has_outcome=time is None)
        given = check_levels(levels)
        columns = station.columns
        outcome = self.formula.outcome
        self.kinds = {
            name: columns.kind(name)
            for name in [*self.formula.columns, *(outcome.columns if outcome else ())]
        }
        self.is_survival = time is not None
        categorical = set(given)
        for factor in self.formula.factors:
            is_text = self.kinds[factor.columns[0]] in (kinds.TEXT, kinds.BOOLEAN)
            if factor.is_category or (agree and factor.tree is None and is_text):
                categorical.add(factor.columns[0])
        self.categorical = [name for name in self.formula.columns if name in categorical]
        extra = [name for name in (weights, offset, time, event) if name is not None]
        used = [*self.formula.columns, *factor_columns([outcome] if outcome else []), *extra]
        self.rows = columns.rows
        complete = columns.complete(used)
        #: Complete records of weight zero.
        self.left_out = 0
        if weights is not None:
            values = complete.numbers(weights)
            if np.any(values < 0):
                raise Refused("negative_weight", column=weights)
            complete = complete.take(values > 0)
            self.left_out = int((values == 0).sum())
        self.n = complete.rows
        self.weights = np.ones(self.n) if weights is None else complete.numbers(weights)
        self.is_weighted = weights is not None
        #: The columns that were judged together.
        self.joint: list[Joint] = []
        self.offset = np.zeros(self.n) if offset is None else complete.numbers(offset)
        self._texts = {name: complete.texts(name) for name in self.categorical}
        markers = {name: True for name in self.categorical}
        numeric = [f for f in self.formula.factors if not is_category(f, markers)]
        expressions = [*numeric, *([outcome] if outcome else [])]
        self._values = {name: complete.numbers(name) for name in factor_columns(expressions)}
        self.factors = {f.text: f.numbers(self._values) for f in numeric}
        self.outcome = outcome.numbers(self._values) if outcome else np.zeros(self.n)
        if time is not None and event is not None:
            self._read_survival(complete.numbers(time), complete.numbers(event), event)
        self.levels = {name: given.get(name) or self._found(name) for name in self.categorical}
        self.given = given
        self._weights_name = weights
        self._event_name = event
        self._offset_name = offset

    def _read_survival(self, time: Array, event: Array, name: str) -> None:
        if np.any(time < 0):
            raise Refused("negative_time")
        if not np.all((event == 0) | (event == 1)):
            raise Refused("not_an_event", column=name)
        self.time, self.event = time, event.astype(bool)

    def _found(self, name: str) -> list[str]:
        return ordered(self._texts[name].tolist())

    def level_counts(self, name: str) -> dict[str, int]:
        """Return the number of records of each level that occurs."""
        counts = Counter(self._texts[name].tolist())
        if name in self.given and not set(counts) <= set(self.given[name]):
            raise Refused("unknown_level", column=name)
        return {level: counts[level] for level in self.levels[name] if level in counts}

    def indices(self) -> dict[str, NDArray[np.intp]]:
        """Return the index of level of each record, by categorical column."""
        result = {}
        for name in self.categorical:
            places = {level: i for i, level in enumerate(self.levels[name])}
            texts = self._texts[name].tolist()
            if not set(texts) <= places.keys():
                raise Refused("unknown_level", column=name)
            result[name] = np.array([places[text] for text in texts], dtype=np.intp)
        return result

    def design(self) -> Design:
        """Return the columns of the model with the levels of these records."""
        return Design(self.formula, self.levels, has_baseline=self.is_survival)

    def own_design(self) -> Design | None:
        """Return the columns with the levels that occur here, for the floors of the first round.

        None where a contrast needs a level that this station lacks; the agreed levels have it.
        """
        if not self.n:
            return None
        try:
            return self.design()
        except Refused:
            if set(self.categorical) <= set(self.given):
                raise
            return None

    def is_allowed(self, design: Design | None) -> bool:
        """Apply the floors; tell whether there are records at all."""
        floors = self.station.floors
        if not disclosure.check_records(self.n, floors):
            return False
        for name in self.categorical:
            disclosure.check_levels(name, self.level_counts(name), floors)
        if self.formula.outcome is not None:
            disclosure.check_column(self.formula.outcome.text, self.outcome, floors)
            if self.formula.outcome.tree is not None:
                disclosure.check_function(self.formula.outcome.text, self.outcome, floors)
                check_parts(self.formula.outcome, self._values, floors)
        if self.is_survival:
            events = int(self.event.sum())
            name = str(self._event_name)
            disclosure.check_cells(name, [events, self.n - events], floors)
        if self.is_weighted:
            disclosure.check_column(str(self._weights_name), self.weights, floors)
        if self._offset_name is not None:
            disclosure.check_column(self._offset_name, self.offset, floors)
        disclosure.check_effective(self.weights, floors)
        if 0 < self.left_out < floors.cell:
            raise Refused("small_cell", column=str(self._weights_name), cell=floors.cell)
        self._check_columns(design)
        return True

    def _check_columns(self, design: Design | None) -> None:
        """Apply the floors to the columns, each alone and all together."""
        floors = self.station.floors
        for factor in self.formula.factors:
            if factor.text in self.factors:
                check_parts(factor, self._values, floors)
        # SECURITY: sums of factors and of products leave in the first round, with a design or not.
        columns = {name: ({name}, 1, values) for name, values in self.factors.items()}
        for names, values in self.products().items():
            columns[product_name(names)] = (set(names), len(names), values)
        if design is None:
            disclosure.check_parameters(self.n, len(columns) + 1, floors)
        else:
            disclosure.check_parameters(self.n, design.size, floors)
            matrix = design.matrix(self.n, self.factors, self.indices())
            for column, values in zip(design.columns, matrix.T, strict=True):
                parts = len(column.numeric) + len(column.coding)
                columns[column.name] = (set(column.numeric), parts, values)
        trees = {factor.text: factor.tree for factor in self.formula.factors}
        made = {name for name, tree in trees.items() if tree is not None}
        choosing = {name for name in made if is_choosing(trees[name])}
        joint = self.joint = list(self._groups())
        for name, (numeric, parts, values) in columns.items():
            disclosure.check_column(name, values, floors)
            if numeric & made:
                disclosure.check_function(name, values, floors)
            elif parts > 1:
                disclosure.check_product(name, values, floors)
            joint.append(Joint(name, values, bool(numeric & choosing)))
        check_joint(joint, floors)
        matrix = np.column_stack([np.ones(self.n), *(values for *_, values in columns.values())])
        check_leverage(matrix, floors)

    def _groups(self) -> Iterator[Joint]:
        """Yield levels, outcome and events, which the sums of a model multiply with its columns."""
        for name in self.categorical:
            for level in np.unique(self._texts[name]):
                yield Joint(name, np.asarray(self._texts[name] == level, np.float64))
        outcome = self.formula.outcome
        if outcome is not None:
            yield Joint(outcome.text, self.outcome, is_choosing(outcome.tree))
        if self.is_survival:
            yield Joint(str(self._event_name), self.event.astype(np.float64))

    def products(self) -> dict[frozenset[str], Array]:
        """Return the products of numeric factors that stand alone in a term."""
        found = {}
        for term in self.formula.terms:
            names = frozenset(factor.text for factor in term.factors)
            if len(names) > 1 and names <= self.factors.keys():
                product = np.ones(self.n)
                for name in sorted(names):
                    product = product * self.factors[name]
                found[names] = product
        return found

    def centred(self, design: Design, centres: Any) -> Array:
        """Return the centred columns (n x p)."""
        how = plan(design).how
        needed = {
            name for j, c in enumerate(design.columns) if how[j] == "factor" for name in c.numeric
        }
        needed |= {
            product_name(c.numeric) for j, c in enumerate(design.columns) if how[j] == "mean"
        }
        is_complete = isinstance(centres, Mapping) and all(
            is_number(centres.get(name)) for name in needed
        )
        if not is_complete:
            raise bad("centres gives a number for each numeric factor.")
        return design.matrix(self.n, self.factors, self.indices(), centres, how)


def basis_matrix(basis: Any, size: int) -> Array:
    """Return the basis (p x k) of a request; the columns themselves if it names none."""
    if basis is None:
        return np.eye(size)
    if not isinstance(basis, list) or len(basis) != size:
        raise bad(f"basis is a list of {size} rows.")
    width = len(basis[0]) if basis and isinstance(basis[0], list) else 0
    if width > size:
        raise bad(f"basis has at most {size} columns.")
    rows = [check_vector("a row of basis", row, width) for row in basis]
    return np.array(rows, dtype=np.float64).reshape(size, width)


def model_prepare(
    station: Station,
    formula: str,
    weights: str | None = None,
    offset: str | None = None,
    family: Family | None = None,
    time: str | None = None,
    event: str | None = None,
    levels: dict[str, list[Any]] | None = None,
    exact: bool = False,
    time_unit: float | None = None,
) -> dict[str, Any]:
    """Return what all organizations have to agree on before a model: levels and centres.

    Parameters
    ----------
    formula, weights, offset, family
        Outcome and terms; columns of prior weights and of offsets; the family of a GLM.
    time, event
        For Cox models: columns of times and of events (1 or 0).
    levels
        Column -> its levels, where they are known; no other value may occur.
    exact, time_unit
        Name the times of events too, rounded up to multiples of the unit.

    Returns
    -------
    dict
        ``rows``, ``n``, ``kinds``, ``levels`` (level -> records), ``factors`` and ``products``
        (sums, in units of the columns), ``y`` (sum of the outcome), ``w`` (sums for the null model
        of a `family`) and ``events``. `exact`: ``times`` of events, rounded up to multiples of
        `time_unit`; only from a station without a floor for counts.
    """
    records = ModelRecords(
        station, formula, levels, weights=weights, offset=offset, time=time, event=event, agree=True
    )
    design = records.own_design()
    if family is not None and records.n:
        check_outcome(family, records.outcome)
    records.is_allowed(design)
    missing = station.columns.rows - records.n
    ok: dict[str, Any] = {
        "rows": None if 0 < missing < station.floors.cell else records.rows,
        "n": records.n,
        "kinds": records.kinds,
        "levels": {name: records.level_counts(name) for name in records.categorical},
        "factors": {name: total_of(values) for name, values in records.factors.items()},
        "products": {
            product_name(names): total_of(values) for names, values in records.products().items()
        },
    }
    if time is None:
        ok["y"] = total_of(records.outcome)
    else:
        ok["events"] = int(records.event.sum())
    if time is not None and exact:
        # SECURITY: times are records.
        if station.floors.cell > 1:
            raise Refused("pooled_refused")
        ok["times"] = np.unique(rounded_up(records.time, time_unit)[records.event]).tolist()
    if family is not None:
        w, y, o = records.weights, records.outcome, records.offset
        with np.errstate(over="ignore"):
            exposure = w * np.exp(o)
        if not np.all(np.isfinite(exposure)):
            raise Refused("infinite_value", column=str(offset))
        # SECURITY: a sum of exponentials is that of its largest one.
        disclosure.check_effective(exposure, station.floors)
        ok["w"] = {
            "w": total_of(w),
            "wy": total_of(w * y),
            "wo": total_of(w * o),
            "weo": total_of(exposure),
        }
    return ok


def rounded_up(times: Array, unit: Any) -> Array:
    """Return times as the next multiples of a unit; as they are without one."""
    if unit is None:
        return times
    if not is_number(unit) or unit <= 0:
        raise bad("time_unit is above 0.")
    multiples: Array = np.ceil(times / unit - 1e-9) * unit
    return multiples
