"""The sets of rules for outputs, in the order in which they are asked."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import ParamSpec

from vantage6.common import logs
from vantage6.common.disclosure.verdicts import Finding
from vantage6.node.release import walk
from vantage6.node.release.data import Data
from vantage6.node.release.judge import Check, Question
from vantage6.node.release.matrices import Matrices

log = logs.get(__name__)

_Asked = ParamSpec("_Asked")


def all_checks(data: Data | None) -> tuple[Check, ...]:
    """Return what every output is judged by.

    What is judged with a card, and what is compared with earlier answers, has its place here: a
    function of the output and the question that yields findings.

    Parameters
    ----------
    data
        The sketch of the database; None where the output is not compared with data.
    """

    def by_form(output: Path, question: Question) -> Iterator[Finding]:
        if question.floors.cell <= 1:
            return  # the station shows single records, as the preset `open` says
        matrices = Matrices.of(question.card, question.function, question.floors)
        yield from walk.walk(output, question.floors.levels, data, matrices)

    return (by_form,)


def not_to_fail(check: Callable[_Asked, Iterable[Finding]]) -> Callable[_Asked, Iterator[Finding]]:
    """Return a set of rules that holds an output which it cannot judge to the end."""

    def judge_or_hold(*args: _Asked.args, **kwargs: _Asked.kwargs) -> Iterator[Finding]:
        try:
            yield from check(*args, **kwargs)
        except OSError:
            raise
        except Exception:
            # SECURITY: of what the rules could not read, nothing is assumed.
            log.exception("output not judged")
            yield walk.found("not_judged")

    return judge_or_hold
