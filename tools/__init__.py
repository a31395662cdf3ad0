"""What runs inside an algorithm container, around the functions of the algorithm."""

from vantage6.tools.disclosure import floors, parties

__all__ = ["floors", "parties"]
