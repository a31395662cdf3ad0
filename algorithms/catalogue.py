"""All statistical functions by the names that tasks use."""

from collections.abc import Callable
from typing import Any

from vantage6.algorithms.comparison.central import anova, ttest
from vantage6.algorithms.correlation.central import correlation, pca
from vantage6.algorithms.crosstab.central import crosstab
from vantage6.algorithms.crosstab.partial import crosstab_counts, crosstab_levels
from vantage6.algorithms.glm.central import glm, linear_model
from vantage6.algorithms.glm.partial import glm_step, linear_sums, model_prepare
from vantage6.algorithms.meta.central import meta_analysis
from vantage6.algorithms.meta.partial import local_model
from vantage6.algorithms.summary.central import histogram, summary
from vantage6.algorithms.summary.partial import counts, describe, histogram_counts, moments
from vantage6.algorithms.survival.central import cox, kaplan_meier
from vantage6.algorithms.survival.partial import (
    cox_step,
    cox_sums,
    log_rank,
    survival_bins,
    survival_counts,
    survival_prepare,
)

Function = Callable[..., dict[str, Any]]


def _by_name(*functions: Function) -> dict[str, Function]:
    return {function.__name__: function for function in functions}


#: Take `Sites` and arguments by name, return an answer or raise `Stopped`.
CENTRAL = _by_name(
    summary,
    histogram,
    crosstab,
    ttest,
    anova,
    correlation,
    pca,
    linear_model,
    glm,
    cox,
    kaplan_meier,
    meta_analysis,
)
#: Take a `Station` and arguments by name; called through `statistics.station.answer`.
PARTIAL = _by_name(
    describe,
    moments,
    counts,
    histogram_counts,
    crosstab_levels,
    crosstab_counts,
    model_prepare,
    linear_sums,
    glm_step,
    cox_step,
    cox_sums,
    survival_prepare,
    survival_bins,
    survival_counts,
    log_rank,
    local_model,
)
