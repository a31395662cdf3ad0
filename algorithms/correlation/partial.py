"""Sums of one organization for correlations: those of every description of columns."""

from vantage6.algorithms.statistics.groups import describe, moments

__all__ = ["describe", "moments"]
