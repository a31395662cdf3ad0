"""What runs inside an algorithm container, around the functions of the algorithm."""

from vantage6.tools.disclosure import floors, parties
from vantage6.tools.judging import judge_answer

__all__ = ["floors", "judge_answer", "parties"]
