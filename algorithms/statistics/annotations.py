"""Types of arguments, with what forms and checks want to know of them."""

from typing import Annotated

from vantage6.tools.card import (
    Column,
    Columns,
    Formula,
    Level,
    Organizations,
    Schema,
    Weights,
)

__all__ = [
    "Column",
    "Columns",
    "Count",
    "Formula",
    "Iterations",
    "Level",
    "NumericColumn",
    "NumericColumns",
    "Organizations",
    "TimeColumn",
    "Weights",
]

NumericColumn = Annotated[Column, Schema(x_types=["numeric", "boolean"])]
NumericColumns = Annotated[Columns, Schema(x_types=["numeric", "boolean"])]
#: A time under observation is a number.
TimeColumn = Annotated[Column, Schema(x_types=["numeric"])]
#: A number of organizations.
Count = Annotated[int, Schema(minimum=1)]
#: The most steps of an iterative method.
Iterations = Annotated[int, Schema(minimum=1, maximum=50)]
