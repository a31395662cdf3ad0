"""What the card of a function says of its answer, checked against the floors of a station.

A card is written by the author of an image, who is not trusted. So it can only narrow what may be
in an answer: each number has to be of a declared class, and the rules of that class hold. The
functions here are pure, and the same at a node, in the tools for algorithms and in tests.
"""

from vantage6.common.disclosure.shares.context import ColumnTotals, Question
from vantage6.common.disclosure.shares.judging import MOST_BYTES, Judged, is_declared, judge_shares

__all__ = ["MOST_BYTES", "ColumnTotals", "Judged", "Question", "is_declared", "judge_shares"]
