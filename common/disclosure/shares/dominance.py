"""Sums that one or two records make up."""

from vantage6.common.disclosure.shares.context import ColumnTotals

#: What is left of a sum after its two largest contributions, as a part of the largest, at least
#: (p-percent rule).
P_PERCENT = 0.10


#: What a person looks at where a station has no bound.
USUAL = 0.90


def is_dominated(totals: ColumnTotals, bound: float) -> bool:
    """Tell whether the two largest values of a column without negative ones make up its sum.

    The (n, k) rule with n = 2 and k the bound, and the p-percent rule with 10 %
    (Hundepool et al. 2012, *Statistical Disclosure Control*, section 4.2.2).
    """
    if totals.total <= 0:
        return False
    largest_two = totals.largest + totals.second
    rest = totals.total - largest_two
    return largest_two > bound * totals.total or rest < P_PERCENT * totals.largest
