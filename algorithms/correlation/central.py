"""`correlation` and `pca`, from one matrix of sums of products about the pooled means."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from vantage6.algorithms.statistics.analysis import Analysis, Sites, central
from vantage6.algorithms.statistics.annotations import Count, Level, NumericColumns, Organizations
from vantage6.algorithms.statistics.arguments import bad, check_confidence, check_names
from vantage6.algorithms.statistics.coefficients import finite, quantile, two_sided
from vantage6.algorithms.statistics.descriptions import Descriptions
from vantage6.algorithms.statistics.groups import ALL
from vantage6.algorithms.statistics.sentences import stop
from vantage6.algorithms.statistics.sums import Array, square

#: Gap between two eigenvalues, as a share of the largest, below which loadings are arbitrary.
CLOSE = 1e-6
#: A column whose squares about its mean are this share of those about 0 is constant.
CONSTANT = 1e-28


@dataclass(frozen=True)
class _Products:
    n: int
    means: Array
    #: Sums of products about the means.
    matrix: Array
    #: Columns with more than one value.
    varies: list[bool]

    def correlations(self) -> Array:
        scale = np.sqrt(np.diag(self.matrix))
        with np.errstate(invalid="ignore", divide="ignore"):
            found: Array = np.clip(self.matrix / np.outer(scale, scale), -1, 1)
        np.fill_diagonal(found, 1.0)
        for j, does_vary in enumerate(self.varies):
            if not does_vary:
                found[j, :] = found[:, j] = math.nan
        return found


def _products(analysis: Analysis, columns: list[str]) -> _Products:
    first = Descriptions(analysis, columns, None, {}, complete=True, numeric=True)
    if first.numeric != columns:
        raise stop("no_records")
    sums = first.moments()[ALL]
    for organization in analysis.used:
        used = first.count(organization, ALL, columns[0])
        analysis.count(organization, analysis.records[organization][0], used)
    n = analysis.check_records()
    s = np.array(sums["s"])
    squares = square(sums["q"])
    matrix = squares - np.outer(s, s) / n
    centres = [first.centre(ALL, name) for name in columns]
    means = np.array([math.fsum([c, x / n]) for c, x in zip(centres, s.tolist(), strict=True)])
    varies = [
        bool(matrix[j, j] > CONSTANT * max(n * means[j] ** 2, squares[j, j]))
        for j in range(len(columns))
    ]
    for name, does_vary in zip(columns, varies, strict=True):
        if not does_vary:
            analysis.warn("constant_column", column=name)
    return _Products(n, means, matrix, varies)


def _rows(matrix: Array) -> list[list[float | None]]:
    return [[finite(value) for value in row] for row in matrix]


@central
def correlation(
    sites: Sites,
    *,
    columns: NumericColumns,
    method: Literal["pearson"] = "pearson",
    organization_ids: Organizations | None = None,
    min_organizations: Count | None = None,
    confidence: Level = 0.95,
) -> dict[str, Any]:
    """Correlate columns, over records that have a value in all of them.

    Parameters
    ----------
    sites
        The organizations.
    columns
        Two or more columns with numbers.
    method
        ``"pearson"``. Ranks are not offered: they need all records at once.
    organization_ids
        The organizations that take part; without it, all of the collaboration.
    min_organizations
        With how many the analysis goes on if others drop out; without it, all have to answer.
    confidence
        Level of the intervals, from 0.5 to 0.999.

    Returns
    -------
    dict
        Under ``result``: ``columns``, ``n``, ``mean``, ``sd``, ``matrix``, ``statistics`` (t),
        ``p_values``, and ``ci``: ``level``, ``lower``, ``upper``.

    Notes
    -----
    Intervals by Fisher's z (1921).
    """
    check_confidence(confidence)
    if method != "pearson":
        raise stop("rank_not_offered")
    if len(check_names("columns", columns)) < 2:
        raise bad("columns is a list of two or more names.")
    analysis = Analysis("correlation", sites, organization_ids, min_organizations)
    products = _products(analysis, columns)
    n, found = products.n, products.correlations()
    size = len(columns)
    statistics, p_values, lower, upper = (np.full((size, size), math.nan) for _ in range(4))
    for i in range(size):
        for j in range(size):
            r = found[i, j]
            if i == j or not math.isfinite(r) or n < 3:
                continue
            if abs(r) < 1:
                statistics[i, j] = r * math.sqrt((n - 2) / (1 - r * r))
                p_values[i, j] = two_sided(statistics[i, j], n - 2)
            else:
                p_values[i, j] = 0.0
            if n > 3 and abs(r) < 1:
                reach = quantile(confidence, None) / math.sqrt(n - 3)
                lower[i, j] = math.tanh(math.atanh(r) - reach)
                upper[i, j] = math.tanh(math.atanh(r) + reach)
    sd = (
        np.sqrt(np.diag(products.matrix).clip(min=0) / (n - 1))
        if n > 1
        else products.means * math.nan
    )
    return analysis.answer(
        {
            "columns": columns,
            "n": n,
            "mean": products.means.tolist(),
            "sd": [finite(value) for value in sd],
            "matrix": _rows(found),
            "statistics": _rows(statistics),
            "p_values": _rows(p_values),
            "ci": {"level": confidence, "lower": _rows(lower), "upper": _rows(upper)},
        }
    )


@central
def pca(
    sites: Sites,
    *,
    columns: NumericColumns,
    scale: bool = True,
    organization_ids: Organizations | None = None,
    min_organizations: Count | None = None,
) -> dict[str, Any]:
    """Find the principal components of columns, over records that have a value in all of them.

    Parameters
    ----------
    sites
        The organizations.
    columns
        Two or more columns with numbers.
    scale
        Of correlations; otherwise of covariances, in squared units of the columns.
    organization_ids
        The organizations that take part; without it, all of the collaboration.
    min_organizations
        With how many the analysis goes on if others drop out; without it, all have to answer.

    Returns
    -------
    dict
        Under ``result``: ``columns``, ``n``, ``center``, ``scale``, ``standard_deviations``,
        ``variance_share`` and ``loadings`` (column x component; in each component the loading
        with the largest absolute value is positive). There are no scores: they are records.

    Notes
    -----
    Pearson 1901; Hotelling 1933. Eigenvalues below 0 are rounding and become 0.
    """
    if not isinstance(scale, bool):
        raise bad("scale is true or false.")
    if len(check_names("columns", columns)) < 2:
        raise bad("columns is a list of two or more names.")
    analysis = Analysis("pca", sites, organization_ids, min_organizations)
    products = _products(analysis, columns)
    n = products.n
    sd = (
        np.sqrt(np.diag(products.matrix).clip(min=0) / (n - 1))
        if n > 1
        else products.means * math.nan
    )
    result: dict[str, Any] = {
        "columns": columns,
        "n": n,
        "center": products.means.tolist(),
        "scale": [finite(value) for value in sd] if scale else None,
        "standard_deviations": None,
        "variance_share": None,
        "loadings": None,
    }
    if n < 2 or (scale and not all(products.varies)):
        return analysis.answer(result)
    matrix = products.correlations() if scale else products.matrix / (n - 1)
    values, vectors = np.linalg.eigh(matrix)
    values, vectors = values[::-1].clip(min=0), vectors[:, ::-1]
    for j in range(len(columns)):
        largest = int(np.argmax(np.abs(vectors[:, j]) >= np.abs(vectors[:, j]).max() * (1 - 1e-12)))
        if vectors[largest, j] < 0:
            vectors[:, j] = -vectors[:, j]
    if values[0] > 0 and np.any(-np.diff(values) < CLOSE * values[0]):
        analysis.warn("close_components")
    whole = math.fsum(values.tolist())
    result["standard_deviations"] = np.sqrt(values).tolist()
    result["variance_share"] = [finite(value / whole) if whole else None for value in values]
    result["loadings"] = vectors.tolist()
    return analysis.answer(result)
