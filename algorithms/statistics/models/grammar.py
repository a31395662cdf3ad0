"""The formulas that are allowed, checked before anything is evaluated, and their numbers.

`formulaic` would run any Python in a formula. It only parses here: every factor must be one of
the few forms below, and numeric factors are computed by this module.
"""

import ast
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vantage6.algorithms.statistics.sentences import Refused
from vantage6.algorithms.statistics.sums import Array

LONGEST = 2000
#: Terms that the operators of a formula may make.
MOST_TERMS = 500
FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "I": lambda values: values,
}
CONTRASTS = ("treatment", "sum", "helmert", "poly", "diff", "sas")
POWERS = (2, 3, 0.5)

_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.true_divide,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}
#: Text in quotes, names in backticks, and other names.
_WORDS = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|[^\W\d]\w*")
_DIFFERS = "it would be computed differently at each organization"
_NO_OUTCOME = "the arguments time and event name the outcome, and formula only the terms"
_UNKNOWN = "only columns, numbers, simple arithmetic and C() are"


def refuse(part: str, reason: str = _UNKNOWN) -> Refused:
    """Return the refusal of a part of a formula."""
    return Refused("formula_not_allowed", part=part, reason=reason)


@dataclass(frozen=True)
class Expression:
    """A checked factor: a number for each record, or a categorical column."""

    text: str
    #: Columns that it reads.
    columns: tuple[str, ...]
    #: Whether it is C(column, ...).
    is_category: bool
    tree: ast.expr | None
    #: Text that stands in the tree -> name of the column it means.
    quoted: Mapping[str, str]

    def numbers(self, columns: Mapping[str, Array]) -> Array:
        """Return the value for each record; infinite or undefined ones are refused."""
        if self.tree is None:
            return columns[self.columns[0]]
        with np.errstate(all="ignore"):
            value = _evaluate(self.tree, columns, self.quoted)
        length = len(next(iter(columns.values()), ()))
        result = np.broadcast_to(np.asarray(value, dtype=np.float64), (length,)).copy()
        if not np.all(np.isfinite(result)):
            raise Refused("infinite_term", term=self.text)
        return result


def column(name: str) -> Expression:
    """Return the factor that is a column as it stands."""
    return Expression(name, (name,), False, None, {})


def quoted(text: str) -> str:
    """Return a formula with names beyond ASCII in backticks.

    Python reads such a name in another Unicode form (NFKC), which may be no column.
    """

    def quote(found: re.Match[str]) -> str:
        word = found.group()
        return word if word.isascii() or word[0] in "`'\"" else f"`{word}`"

    return _WORDS.sub(quote, text)


def parse_expression(text: str) -> Expression:
    """Return the checked form of one factor.

    Raises
    ------
    Refused
        It is more than columns, numbers, ``+ - * /``, ``** 2|3|0.5``, comparisons with a number,
        one of `FUNCTIONS`, or ``C(column, contrast)``.
    """
    names: dict[str, str] = {}
    pieces = quoted(text).split("`")
    if len(pieces) % 2 == 0:
        raise refuse(text)
    code = pieces[0]
    for position in range(1, len(pieces), 2):
        placeholder = f"_column_{position}_"
        if placeholder in text:
            raise refuse(text)
        names[placeholder] = pieces[position]
        code += placeholder + pieces[position + 1]
    try:
        tree = ast.parse(code.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise refuse(text) from error
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "C":
        return Expression(text, (_category(tree, text, names),), True, tree, names)
    read: list[str] = []
    try:
        _check(tree, text, names, read)
    except RecursionError as error:
        raise refuse(text) from error
    if not read:
        raise refuse(text)
    return Expression(text, tuple(dict.fromkeys(read)), False, tree, names)


def _category(tree: ast.Call, text: str, quoted: Mapping[str, str]) -> str:
    if tree.keywords or len(tree.args) not in (1, 2) or not isinstance(tree.args[0], ast.Name):
        raise refuse(text)
    if len(tree.args) == 2:
        contrast = tree.args[1]
        if isinstance(contrast, ast.Call):
            constants = [*contrast.args, *(keyword.value for keyword in contrast.keywords)]
            if not all(_is_constant(constant) for constant in constants):
                raise refuse(text)
            contrast = contrast.func
        is_known = (
            isinstance(contrast, ast.Attribute)
            and isinstance(contrast.value, ast.Name)
            and contrast.value.id == "contr"
            and contrast.attr in CONTRASTS
        )
        if not is_known:
            raise refuse(text)
    name = tree.args[0].id
    return quoted.get(name, name)


def _is_constant(node: ast.expr) -> bool:
    if isinstance(node, ast.List | ast.Tuple):
        return all(_is_constant(item) for item in node.elts)
    return isinstance(node, ast.Constant) and isinstance(node.value, str | int | float)


def _is_number(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        return _is_number(node.operand)
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
        and math.isfinite(node.value)
    )


def _check(node: ast.expr, text: str, quoted: Mapping[str, str], names: list[str]) -> None:
    # SECURITY: a list of what is allowed. All else, such as attributes, subscripts and calls of
    # other functions, could read a single record or run code.
    if _is_number(node):
        return
    if isinstance(node, ast.Name):
        names.append(quoted.get(node.id, node.id))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        _check(node.operand, text, quoted, names)
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        _check(node.left, text, quoted, names)
        _check(node.right, text, quoted, names)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        if not (isinstance(node.right, ast.Constant) and node.right.value in POWERS):
            raise refuse(text, "powers are 2, 3 and 0.5")
        _check(node.left, text, quoted, names)
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        if type(node.ops[0]) not in _COMPARISONS or not _is_number(node.comparators[0]):
            raise refuse(text, "comparisons are < <= > >= with a number")
        _check(node.left, text, quoted, names)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == "Surv":
            raise refuse(text, _NO_OUTCOME)
        if node.func.id not in FUNCTIONS:
            raise refuse(text, _DIFFERS)
        if node.keywords or len(node.args) != 1:
            raise refuse(text)
        _check(node.args[0], text, quoted, names)
    else:
        raise refuse(text)


def _evaluate(node: ast.expr, columns: Mapping[str, Array], quoted: Mapping[str, str]) -> Any:
    if isinstance(node, ast.Constant):
        return float(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return columns[quoted.get(node.id, node.id)]
    if isinstance(node, ast.UnaryOp):
        value = _evaluate(node.operand, columns, quoted)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp):
        left = _evaluate(node.left, columns, quoted)
        if isinstance(node.op, ast.Pow):
            return _power(left, node.right.value)  # type: ignore[attr-defined]
        return _OPERATORS[type(node.op)](left, _evaluate(node.right, columns, quoted))
    if isinstance(node, ast.Compare):
        compare = _COMPARISONS[type(node.ops[0])]
        right = _evaluate(node.comparators[0], columns, quoted)
        return np.asarray(compare(_evaluate(node.left, columns, quoted), right), np.float64)
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise refuse(ast.unparse(node))
    return FUNCTIONS[node.func.id](_evaluate(node.args[0], columns, quoted))


def _power(values: Any, power: float) -> Any:
    if power == 2:
        return values * values
    return values * values * values if power == 3 else np.sqrt(values)
