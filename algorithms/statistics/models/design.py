"""The columns of a model, the same at every organization: products of factors and codings.

Names, order and coding of categories are those of `formulaic`, which sees a made-up frame with the
agreed levels and no record.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vantage6.algorithms.statistics.levels import canonical_text
from vantage6.algorithms.statistics.models import grammar
from vantage6.algorithms.statistics.models.formula import ModelFormula
from vantage6.algorithms.statistics.sums import Array

Levels = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Column:
    """One column: scale · Π numeric factors · Π coding of a level."""

    name: str
    numeric: frozenset[str]
    scale: float
    #: Categorical column -> its number for each level. A column coded twice is multiplied.
    coding: Mapping[str, Array]

    @property
    def is_constant(self) -> bool:
        """Whether it is the intercept."""
        return not self.numeric and not self.coding


class Design:
    """The columns of a formula with agreed levels."""

    def __init__(
        self, formula: ModelFormula, levels: Levels, *, has_baseline: bool = False
    ) -> None:
        self.formula = formula
        self.levels = {name: list(values) for name, values in levels.items()}
        #: Whether a baseline takes the place of an intercept (Cox).
        self.has_baseline = has_baseline
        columns = _build(formula, self.levels)
        if has_baseline:
            columns = [column for column in columns if not column.is_constant]
        self.columns = columns
        self.intercept = next((j for j, c in enumerate(columns) if c.is_constant), None)

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return [column.name for column in self.columns]

    @property
    def size(self) -> int:
        """Number of columns, p."""
        return len(self.columns)

    @cached_property
    def numeric(self) -> list[grammar.Expression]:
        """The numeric factors."""
        return [f for f in self.formula.factors if not is_category(f, self.levels)]

    @cached_property
    def products(self) -> list[frozenset[str]]:
        """Products of several numeric factors that stand alone in a column."""
        found = {c.numeric for c in self.columns if len(c.numeric) > 1 and not c.coding}
        return sorted(found, key=product_name)

    def matrix(
        self,
        count: int,
        factors: Mapping[str, Array],
        indices: Mapping[str, NDArray[np.intp]],
        centres: Mapping[str, float] | None = None,
        centred: Sequence[str] | None = None,
    ) -> Array:
        """Return the columns for some records.

        Parameters
        ----------
        count
            Number of records.
        factors
            Numeric factor -> value for each record.
        indices
            Categorical column -> index of level for each record.
        centres
            What is subtracted, by factor and by product; None for the columns as they are.
        centred
            For each column, ``"factor"``, ``"mean"`` or ``"raw"``.
        """
        result = np.empty((count, self.size))
        for j, column in enumerate(self.columns):
            values = np.full(count, column.scale)
            how = centred[j] if centred is not None else "raw"
            for name in sorted(column.numeric):
                shift = centres[name] if how == "factor" and centres is not None else 0.0
                values = values * (factors[name] - shift)
            if how == "mean" and centres is not None:
                values = values - column.scale * centres[product_name(column.numeric)]
            for name, coding in column.coding.items():
                values = values * coding[indices[name]]
            result[:, j] = values
        return result


def product_name(factors: frozenset[str]) -> str:
    """Return the name under which the mean of a product travels."""
    return ":".join(sorted(factors))


def is_category(factor: grammar.Expression, levels: Mapping[str, Any]) -> bool:
    """Tell whether a factor stands for a categorical column."""
    return factor.is_category or (factor.tree is None and factor.columns[0] in levels)


#: Columns of a model.
MOST_COLUMNS = 2000
#: A reference that is a number; levels are texts.
_NUMBERED = re.compile(r"(contr\.(?:treatment|sas)\((?:base=)?)(-?\d+(?:\.\d+)?)\)")
#: Designs of this process by formula and levels: each round builds the same.
_BUILT: dict[tuple[Any, ...], list[Column]] = {}
_MOST_BUILT = 64


def _build(formula: ModelFormula, levels: Levels) -> list[Column]:
    key = (formula.text, *((name, *values) for name, values in sorted(levels.items())))
    if key not in _BUILT:
        if len(_BUILT) >= _MOST_BUILT:
            _BUILT.clear()
        _BUILT[key] = _build_anew(formula, levels)
    return list(_BUILT[key])


def _build_anew(formula: ModelFormula, levels: Levels) -> list[Column]:
    # SECURITY: products of categories grow without bound; nothing is built before this check.
    bound = sum(
        math.prod(len(levels[f.columns[0]]) for f in term.factors if f.columns[0] in levels)
        for term in formula.terms
    )
    if bound > MOST_COLUMNS:
        raise grammar.refuse(formula.text[:40], f"it makes more than {MOST_COLUMNS} columns")
    structure, codings = _structure(formula, levels)
    sources = {factor.text: factor.columns[0] for factor in formula.factors}
    columns = []
    for scoped_terms, names in structure:
        position = 0
        for factors, scale in scoped_terms:
            numeric = frozenset(text for text, _ in factors if text not in codings)
            categories = [(text, reduced) for text, reduced in factors if text in codings]
            matrices = [codings[text][reduced] for text, reduced in categories]
            # The first factor changes fastest, as in R.
            for reverse in product(*(range(m.shape[1]) for m in reversed(matrices))):
                coding: dict[str, Array] = {}
                for (text, _), matrix, j in zip(categories, matrices, reverse[::-1], strict=True):
                    source = sources[text]
                    vector = matrix[:, j]
                    coding[source] = coding[source] * vector if source in coding else vector
                columns.append(Column(names[position].replace("`", ""), numeric, scale, coding))
                position += 1
        if position != len(names):
            raise grammar.refuse(formula.text, "its columns cannot be told apart")
    return columns


def _structure(formula: ModelFormula, levels: Levels) -> tuple[list[Any], dict[str, Any]]:
    """Ask `formulaic` for the coded terms, and for the coding of each category."""
    import pandas as pd
    from formulaic import SimpleFormula
    from formulaic.errors import FormulaicError
    from formulaic.parser.types import Factor, Term

    length = max([len(values) for values in levels.values()] + [1])
    frame: dict[str, Any] = {}
    categories = {f.text for f in formula.factors if is_category(f, levels)}
    for factor in formula.factors:
        if factor.text not in categories:
            # SECURITY: a number stands for the expression, so nothing of it is evaluated.
            frame[factor.text] = np.ones(length)
    # Names in backticks get ASCII ones, see `formula`.
    aliases = {
        f"_category_{i}_": name
        for i, name in enumerate(levels)
        if not (name.isidentifier() and name.isascii())
    }
    called = {name: alias for alias, name in aliases.items()}
    texts = {f.text: _called(f, called) for f in formula.factors}
    originals = {text: original for original, text in texts.items()}
    for name, values in levels.items():
        cycled = [values[i % len(values)] for i in range(length)]
        series = pd.Series(pd.Categorical(cycled, categories=list(values)))
        frame[name] = series
        if name in called:
            frame[called[name]] = series
    terms = []
    for term in formula.terms:
        factors = [
            Factor(texts[f.text], eval_method="python" if f.is_category else "lookup")
            for f in term.factors
        ]
        if term.scale != 1 or not factors:
            factors.append(Factor(_literal(term.scale), eval_method="literal"))
        terms.append(Term(factors))
    try:
        matrix = SimpleFormula(terms, _ordering="none").get_model_matrix(
            pd.DataFrame(frame, index=range(length)), context={}, na_action="ignore"
        )
        specification = matrix.model_spec
        codings = {
            originals[factor.expr]: {
                reduced: state.get_coding_matrix(reduced_rank=reduced).to_numpy(float)
                for reduced in (False, True)
            }
            for factor, state in specification.factor_contrasts.items()
        }
    except (FormulaicError, ValueError, KeyError, TypeError) as error:
        raise grammar.refuse(formula.text, "its contrasts do not fit the levels") from error
    structure = [
        (
            [
                (
                    [(originals[s.factor.expr], s.reduced) for s in scoped.factors],
                    float(scoped.scale),
                )
                for scoped in term.scoped_terms
            ],
            [_named(name, aliases) for name in term.columns],
        )
        for term in specification.structure
    ]
    return structure, codings


def _called(factor: grammar.Expression, called: Mapping[str, str]) -> str:
    """Return the text of a factor with the alias of its column, and its reference as a level."""
    if not factor.is_category:
        return factor.text
    column = factor.columns[0]
    text = factor.text.replace(f"`{column}`", called.get(column, column))
    return _NUMBERED.sub(lambda found: f"{found[1]}{canonical_text(float(found[2]))!r})", text)


def _named(text: str, aliases: Mapping[str, str]) -> str:
    for alias, name in aliases.items():
        text = text.replace(alias, name)
    return text


def _literal(scale: float) -> str:
    return str(int(scale)) if math.isfinite(scale) and scale == int(scale) else repr(scale)
