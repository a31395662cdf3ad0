"""Every reason to refuse, to stop or to warn: a code for programs and a sentence for people."""

from typing import Any

SENTENCES = {
    # The request does not fit the data.
    "infinite_value": "Column {column!r} has infinite values.",
    "infinite_term": "The term {term} is infinite or undefined for some records.",
    "not_numeric": "Column {column!r} holds {kind}, not numbers. Convert it at the station.",
    "kinds_differ": (
        "Column {column!r} holds {kind} at organization {organization} "
        "and {other_kind} at organization {other}."
    ),
    "unknown_column": "There is no column {column!r}. The columns are: {columns}.",
    "negative_weight": "Weights in column {column!r} are negative for some records.",
    "no_records": "No organization has a complete record.",
    "too_many_levels": (
        "Column {column!r} has more than {levels} levels: it looks like an identifier."
    ),
    "unknown_level": "Column {column!r} has values that are not among the given levels.",
    "formula_not_allowed": "{part!r} cannot be used in a formula here: {reason}.",
    "design_differs": (
        "The organizations built different models; their versions are {versions}. "
        "Use the same image everywhere."
    ),
    "bad_argument": "{sentence}",
    "outcome_out_of_range": "{sentence}",
    "constant_outcome": "The outcome is the same everywhere.",
    "start_not_found": "No valid start was found; give start.",
    "not_two_groups": "Column {column!r} has {levels} levels; a t-test compares two.",
    "rank_not_offered": "Ranks need the records of all organizations at once.",
    "negative_time": "Times are negative for some records.",
    "not_an_event": "Column {column!r} must be 0 or 1.",
    "no_events": "No organization has an event.",
    "pooled_refused": (
        "Risk sets of one organization are nearly its records. "
        "Use the stratified model, or secure sums."
    ),
    "exact_refused": (
        "Exact survival times of one organization are nearly its records. "
        "Use method 'grid', or secure sums."
    ),
    "local_fit_failed": "The model could not be fitted at this station: {reason}.",
    # The station's floors.
    "too_few_records": "Fewer than {records} complete records: too few to keep them private.",
    "small_cell": "Column {column!r} splits the records into groups of fewer than {cell}.",
    "too_many_parameters": "{parameters} more than {share} % of the records.",
    "too_few_degrees_of_freedom": ("{parameters} fewer than {residual_df} degrees of freedom."),
    "dominance": "One or two records make up most of column {column!r}.",
    "concentrated": "The weights of this step rest on fewer than {effective} records.",
    "too_fine": "Edges of column {column!r} must be multiples of {step}.",
    "too_few_organizations": (
        "This station takes part only together with at least {parties} organizations."
    ),
    "floors_unreadable": "The floors of this station cannot be read; it refuses until they can.",
    "place_unknown": (
        "The node of this station does not say which of the organizations asked it is. Update it."
    ),
    # The analysis as a whole.
    "organizations_missing": "Organization {organization} takes no part: {message}{advice}",
    # Warnings.
    "empty": "Organization {organization} has no complete record.",
    "one_organization": "Only one organization took part: this is its own result.",
    "masked": "{what} are hidden because they are small.",
    "constant": "Term {term!r} has the same value everywhere and was dropped.",
    "collinear": "Term {term!r} is determined by the terms before it and was dropped.",
    "absent_level": "Term {term!r} has no record and was dropped.",
    "separation": "The outcome is determined by the terms ({terms}): no finite estimate exists.",
    "not_converged": (
        "The estimates still changed after {rounds} rounds. "
        "Raise max_iterations, or simplify the model."
    ),
    "perfect_fit": "The model reproduces the outcome: there is no spread left to estimate errors.",
    "no_overdispersion": (
        "The counts vary no more than a Poisson model allows: use family 'poisson'."
    ),
    "quantile_in_tail": (
        "Too few values lie beyond the {percent} % quantile of column {column!r} "
        "at some organization."
    ),
    "constant_column": "Column {column!r} has the same value everywhere.",
    "small_expected": "The smallest expected count is {expected}: read Fisher's test.",
    "fisher_not_offered": "Fisher's test is offered for tables of two by two only.",
    "masked_cells": (
        "{cells} cells are hidden because they are small; no test can be computed. Merge levels."
    ),
    "no_spread": "A group has fewer than two records, or no value differs within the groups.",
    "close_components": "Some components have nearly equal variance: their loadings are arbitrary.",
    "coarsened": "Intervals of time were merged until no organization shows a small count.",
    "few_studies": "A random-effects estimate from {k} organizations is unsure; 5 is few.",
    "term_absent": "Term {term!r} has no estimate at organization {organization}.",
}

#: Codes of floors and of absence: the request is right, but the organization takes no part.
FLOOR_CODES = frozenset(
    {
        "too_few_records",
        "small_cell",
        "too_many_parameters",
        "too_few_degrees_of_freedom",
        "dominance",
        "concentrated",
        "too_fine",
        "too_few_organizations",
        "floors_unreadable",
        "local_fit_failed",
        "failed",
    }
)


def sentence(code: str, /, **values: Any) -> str:
    """Return the sentence of a code with its values filled in."""
    return SENTENCES[code].format(**values)


class Refused(Exception):
    """A station does not answer this request; neither code nor sentence holds data."""

    def __init__(self, code: str, /, **values: Any) -> None:
        self.code = "infinite_value" if code == "infinite_term" else code
        self.message = sentence(code, **values)
        super().__init__(self.message)


class Stopped(Exception):
    """An analysis ends without a result."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


def stop(code: str, /, **values: Any) -> Stopped:
    """Return the error with which a central function ends."""
    return Stopped(code, sentence(code, **values))
