"""`ttest` compares two groups, `anova` any number of them."""

import math
from dataclasses import dataclass
from typing import Any

from vantage6.algorithms.statistics.analysis import Analysis, Sites, central
from vantage6.algorithms.statistics.annotations import (
    Column,
    Count,
    Level,
    NumericColumn,
    Organizations,
)
from vantage6.algorithms.statistics.arguments import (
    bad,
    check_confidence,
    check_levels,
    check_name,
)
from vantage6.algorithms.statistics.coefficients import finite, quantile, two_sided
from vantage6.algorithms.statistics.descriptions import Descriptions, spread
from vantage6.algorithms.statistics.sentences import stop


@dataclass(frozen=True)
class Group:
    """One group, its mean split into a centre and the rest, so that differences lose no digit."""

    level: str
    n: int
    centre: float
    rest: float
    squares: float

    @property
    def mean(self) -> float:
        """The mean."""
        return math.fsum([self.centre, self.rest])

    @property
    def variance(self) -> float:
        """The variance, NaN for fewer than two values."""
        return self.squares / (self.n - 1) if self.n > 1 else math.nan

    def minus(self, centre: float) -> float:
        """Return the mean less a number."""
        return math.fsum([self.centre, -centre, self.rest])


def _groups(
    analysis: Analysis, column: str, group: str, levels: dict[str, list[Any]] | None
) -> list[Group]:
    check_name("column", column)
    check_name("group", group)
    if column == group:
        raise bad("column and group are different columns.")
    first = Descriptions(
        analysis, [column], group, check_levels(levels), complete=True, numeric=True
    )
    if analysis.function == "ttest" and len(first.groups) != 2:
        raise stop("not_two_groups", column=group, levels=len(first.groups))
    sums = first.moments()
    analysis.check_records()
    found = []
    for level in first.groups:
        n, (s,), (q,) = sums[level]["n"], sums[level]["s"], sums[level]["q"]
        centre = first.centre(level, column)
        squares = spread(centre, n, s, q)[1] if n else 0.0
        found.append(Group(level, n, centre, s / n if n else math.nan, squares))
    for organization in analysis.used:
        used = sum(first.count(organization, level, column) for level in first.groups)
        analysis.count(organization, analysis.records[organization][0], used)
    return found


@central
def ttest(
    sites: Sites,
    *,
    column: NumericColumn,
    group: Column,
    levels: dict[str, list[Any]] | None = None,
    organization_ids: Organizations | None = None,
    min_organizations: Count | None = None,
    confidence: Level = 0.95,
) -> dict[str, Any]:
    """Compare the means of two groups.

    Not for pairs: a pair lies at one organization and is a column of differences there.

    Parameters
    ----------
    sites
        The organizations.
    column
        Column with numbers.
    group
        Column with two levels.
    levels
        The order of the groups: the difference is the first mean less the second.
    organization_ids
        The organizations that take part; without it, all of the collaboration.
    min_organizations
        With how many the analysis goes on if others drop out; without it, all have to answer.
    confidence
        Level of the intervals, from 0.5 to 0.999.

    Returns
    -------
    dict
        Under ``result``: ``levels``, ``n``, ``mean``, ``sd``, ``difference`` (first less second),
        ``standard_error``, ``statistic``, ``df``, ``p_value``, ``ci``; ``equal``: Student's test.

    Notes
    -----
    Welch 1947, degrees of freedom of Satterthwaite 1946.
    """
    check_confidence(confidence)
    analysis = Analysis("ttest", sites, organization_ids, min_organizations)
    one, two = _groups(analysis, column, group, levels)
    difference = math.fsum([one.centre, -two.centre, one.rest, -two.rest])
    result: dict[str, Any] = {
        "levels": [one.level, two.level],
        "n": [one.n, two.n],
        "mean": [finite(one.mean), finite(two.mean)],
        "sd": [finite(math.sqrt(g.variance)) for g in (one, two)],
        "difference": finite(difference),
    }
    if min(one.n, two.n) < 2 or one.squares + two.squares == 0:
        analysis.warn("no_spread")
        return analysis.answer(result | _test(difference, math.nan, math.nan, confidence))
    parts = [g.variance / g.n for g in (one, two)]
    error = math.sqrt(math.fsum(parts))
    df = math.fsum(parts) ** 2 / math.fsum(
        part**2 / (g.n - 1) for part, g in zip(parts, (one, two), strict=True)
    )
    pooled_df = one.n + two.n - 2
    variance = math.fsum([one.squares, two.squares]) / pooled_df
    equal_error = math.sqrt(variance * (1 / one.n + 1 / two.n))
    result |= _test(difference, error, df, confidence)
    equal = _test(difference, equal_error, pooled_df, confidence)
    return analysis.answer(result | {"equal": equal})


def _test(difference: float, error: float, df: float, confidence: float) -> dict[str, Any]:
    if not error > 0:
        empty = {"level": confidence, "lower": None, "upper": None}
        return {
            "standard_error": None,
            "statistic": None,
            "df": None,
            "p_value": None,
            "ci": empty,
        }
    reach = quantile(confidence, df) * error
    return {
        "standard_error": error,
        "statistic": difference / error,
        "df": df,
        "p_value": two_sided(difference / error, df),
        "ci": {"level": confidence, "lower": difference - reach, "upper": difference + reach},
    }


@central
def anova(
    sites: Sites,
    *,
    column: NumericColumn,
    group: Column,
    levels: dict[str, list[Any]] | None = None,
    organization_ids: Organizations | None = None,
    min_organizations: Count | None = None,
) -> dict[str, Any]:
    """Compare the means of several groups.

    Parameters
    ----------
    sites
        The organizations.
    column
        Column with numbers.
    group
        Column of groups.
    levels
        The order of the groups.
    organization_ids
        The organizations that take part; without it, all of the collaboration.
    min_organizations
        With how many the analysis goes on if others drop out; without it, all have to answer.

    Returns
    -------
    dict
        Under ``result``: ``levels``, ``n``, ``mean``, ``sd``, ``between`` and ``within`` (``df``,
        ``sum_of_squares``, ``mean_square``), ``statistic``, ``p_value``, ``eta_squared``; and
        ``welch``, which does not take the variances for equal.

    Notes
    -----
    Fisher's F; Welch 1951.
    """
    from scipy.stats import f

    analysis = Analysis("anova", sites, organization_ids, min_organizations)
    groups = [g for g in _groups(analysis, column, group, levels) if g.n]
    k, n = len(groups), sum(g.n for g in groups)
    shift = groups[0].centre
    away = [g.minus(shift) for g in groups]
    middle = math.fsum(g.n * a for g, a in zip(groups, away, strict=True)) / n
    between = math.fsum(g.n * (a - middle) ** 2 for g, a in zip(groups, away, strict=True))
    within = math.fsum(g.squares for g in groups)
    statistic = math.nan
    if k > 1 and n > k and within > 0:
        statistic = (between / (k - 1)) / (within / (n - k))
    has_spread = all(g.n > 1 and g.squares > 0 for g in groups)
    if not has_spread or not math.isfinite(statistic):
        analysis.warn("no_spread")
    result = {
        "levels": [g.level for g in groups],
        "n": [g.n for g in groups],
        "mean": [g.mean for g in groups],
        "sd": [finite(math.sqrt(g.variance)) for g in groups],
        "between": _squares(between, k - 1),
        "within": _squares(within, n - k),
        "statistic": finite(statistic),
        "p_value": finite(f.sf(statistic, k - 1, n - k)) if math.isfinite(statistic) else None,
        "eta_squared": finite(between / (between + within)) if between + within > 0 else None,
        "welch": _welch(groups, away)
        if has_spread and k > 1
        else {"statistic": None, "df": [k - 1, None], "p_value": None},
    }
    return analysis.answer(result)


def _squares(total: float, df: int) -> dict[str, Any]:
    return {"df": df, "sum_of_squares": total, "mean_square": total / df if df > 0 else None}


def _welch(groups: list[Group], away: list[float]) -> dict[str, Any]:
    from scipy.stats import f

    k = len(groups)
    weights = [g.n / g.variance for g in groups]
    whole = math.fsum(weights)
    middle = math.fsum(w * a for w, a in zip(weights, away, strict=True)) / whole
    between = math.fsum(w * (a - middle) ** 2 for w, a in zip(weights, away, strict=True))
    unsure = math.fsum(
        (1 - w / whole) ** 2 / (g.n - 1) for w, g in zip(weights, groups, strict=True)
    )
    statistic = between / (k - 1) / (1 + 2 * (k - 2) / (k**2 - 1) * unsure)
    df = (k**2 - 1) / (3 * unsure)
    return {"statistic": statistic, "df": [k - 1, df], "p_value": float(f.sf(statistic, k - 1, df))}
