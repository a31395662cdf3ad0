"""A formula in Wilkinson notation: parsed by `formulaic`, checked by `grammar`, never evaluated."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

from vantage6.algorithms.statistics.models import grammar
from vantage6.algorithms.statistics.models.grammar import Expression
from vantage6.algorithms.statistics.sentences import Refused

_OPERATOR_CHARACTERS = set("+-:*/~")
_UNREADABLE = "it cannot be read as a formula"


@dataclass(frozen=True)
class ModelTerm:
    """A product of factors; without any, the constant."""

    factors: tuple[Expression, ...]
    scale: float


@dataclass(frozen=True)
class ModelFormula:
    """A checked formula."""

    text: str
    outcome: Expression | None
    terms: tuple[ModelTerm, ...]

    @property
    def factors(self) -> list[Expression]:
        """The different factors of all terms, in order."""
        found = {factor.text: factor for term in self.terms for factor in term.factors}
        return list(found.values())

    @property
    def columns(self) -> list[str]:
        """The different columns of the terms, in order; the outcome's are not among them."""
        return list(dict.fromkeys(chain(*(factor.columns for factor in self.factors))))


def parse_formula(text: Any, *, has_outcome: bool) -> ModelFormula:
    """Return a formula whose every factor is allowed.

    Parameters
    ----------
    text
        ``outcome ~ terms``, or terms alone.
    has_outcome
        Which of both it must be.

    Raises
    ------
    Refused
        ``formula_not_allowed``.
    """
    if not isinstance(text, str) or len(text) > grammar.LONGEST:
        raise grammar.refuse("this formula", f"it must be text of at most {grammar.LONGEST} signs")
    return _parse(text, has_outcome)


@lru_cache(maxsize=32)
def _parse(text: str, has_outcome: bool) -> ModelFormula:
    from formulaic import Formula
    from formulaic.errors import FormulaicError
    from formulaic.parser import DefaultFormulaParser

    parser = DefaultFormulaParser(feature_flags={"twosided"})
    names: dict[str, str] = {}
    try:
        _check_tokens(text)
        plain = _with_placeholders(grammar.quoted(text), names)
        _check_size(parser.get_ast(plain), text)
        parsed = Formula(plain, _parser=parser)
        is_two_sided = hasattr(parsed, "lhs")
        if is_two_sided != has_outcome:
            wanted = "outcome ~ terms" if has_outcome else "terms, without an outcome"
            raise grammar.refuse(text, f"here it has the form: {wanted}")
        outcome = _outcome(list(parsed.lhs), text, names) if is_two_sided else None
        terms = [_term(term, names) for term in (parsed.rhs if is_two_sided else parsed)]
    except (FormulaicError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise grammar.refuse(text, _UNREADABLE) from error
    return ModelFormula(text, outcome, tuple(terms))


def _check_tokens(text: str) -> None:
    """Refuse operators and values that are not in the grammar, before terms are expanded."""
    from formulaic.parser.algos.tokenize import tokenize

    for token in tokenize(text):
        kind, word = token.kind.value, token.token
        if kind == "operator" and not set(word) <= _OPERATOR_CHARACTERS:
            raise grammar.refuse(word)
        if kind == "context" and word not in "()":
            raise grammar.refuse(word)
        if kind == "value" and not word.replace(".", "", 1).isdigit():
            raise grammar.refuse(word)
        if kind == "python":
            grammar.parse_expression(word)
        if kind == "name" and word == ".":
            raise grammar.refuse(word)


def _check_size(node: Any, text: str) -> None:
    if _size(node) > grammar.MOST_TERMS:
        raise grammar.refuse(text[:40], f"it makes more than {grammar.MOST_TERMS} terms")


def _size(node: Any) -> int:
    """Return a bound of the number of terms that a parsed formula expands to."""
    if node is None or not hasattr(node, "operator"):
        return 1
    symbol = node.operator.symbol
    if symbol == "**":
        base, power = node.args
        exponent = int(str(power.token))
        # SECURITY: a power is expanded by going through all products.
        return int(min(_size(base) ** min(exponent, 10), 10**9)) if exponent <= 10 else 10**9
    sizes = [_size(argument) for argument in node.args]
    if symbol == ":":
        return sizes[0] * sizes[-1]
    if symbol == "*":
        return sizes[0] + sizes[-1] + sizes[0] * sizes[-1]
    return sum(sizes)


def _with_placeholders(text: str, names: dict[str, str]) -> str:
    """Return a formula whose names in backticks are ASCII, and note what they stand for.

    `formulaic` loses a quoted name that Python would read in another Unicode form.
    """
    pieces = text.split("`")
    for position in range(1, len(pieces), 2):
        placeholder = f"_name_{position}_"
        if placeholder in text or position == len(pieces) - 1:
            raise grammar.refuse(text, _UNREADABLE)
        known = {name: holder for holder, name in names.items()}
        placeholder = known.get(pieces[position], placeholder)
        names[placeholder] = pieces[position]
        pieces[position] = f"`{placeholder}`"
    return "".join(pieces)


def _outcome(terms: list[Any], text: str, names: dict[str, str]) -> Expression:
    if len(terms) != 1 or len(terms[0].factors) != 1:
        raise grammar.refuse(text, "it must have one outcome")
    (factor,) = terms[0].factors
    expression = _factor(factor, names)
    if expression is None or expression.is_category:
        raise grammar.refuse(text, "the outcome must be a number")
    return expression


def _factor(factor: Any, names: dict[str, str]) -> Expression | None:
    """Return a checked factor; None for a number."""
    method = factor.eval_method.value
    if method == "literal":
        return None
    if method == "lookup":
        return grammar.column(names.get(factor.expr, factor.expr))
    text = factor.expr
    for placeholder, name in names.items():
        text = text.replace(f"`{placeholder}`", placeholder).replace(placeholder, f"`{name}`")
    return grammar.parse_expression(text)


def _term(term: Any, names: dict[str, str]) -> ModelTerm:
    scale, factors = 1.0, []
    for factor in term.factors:
        expression = _factor(factor, names)
        if expression is None:
            scale *= float(factor.expr)
        else:
            factors.append(expression)
    return ModelTerm(tuple(factors), scale)


def factor_columns(factors: Iterable[Expression]) -> list[str]:
    """Return the names of columns that some factors read."""
    return list(dict.fromkeys(chain(*(factor.columns for factor in factors))))


__all__ = ["ModelFormula", "ModelTerm", "Refused", "factor_columns", "parse_formula"]
