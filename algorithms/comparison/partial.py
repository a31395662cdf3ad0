"""Sums of one organization for means of groups: those of every description of columns."""

from vantage6.algorithms.statistics.groups import describe, moments

__all__ = ["describe", "moments"]
