"""Texts and regular expressions in a configuration."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return text


def _texts(value: Any) -> Any:
    """Accept one item for a list, and unquoted numbers for texts."""
    if value is None:
        return ()
    items = value if isinstance(value, list | tuple) else [value]
    return tuple(str(item) if isinstance(item, int) else item for item in items)


Texts = Annotated[tuple[str, ...], BeforeValidator(_texts)]
Expression = Annotated[str, AfterValidator(_expression)]
Expressions = Annotated[tuple[Expression, ...], BeforeValidator(_texts)]
