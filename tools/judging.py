"""What a station will say of an answer, for those who write functions, before it is sent.

The rules and the floors are those of the node. What the node knows of its data beside that, such as
single cells and earlier answers, is not compared here.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vantage6.common.disclosure.verdicts import Verdict
from vantage6.common.errors import Forbidden
from vantage6.common.serialization import deserialize, serialize
from vantage6.tools.disclosure import floors

if TYPE_CHECKING:
    from vantage6.common.cards import Card, Function
    from vantage6.common.disclosure.shares import Judged

#: Codes with which an answer does not leave a station.
REFUSED = "output_refused"
HELD = "awaiting_release"


def judge_answer(
    answer: Any,
    function: "Function",
    input_: Mapping[str, Any] | None = None,
    *,
    rows: int | None = None,
) -> "Judged":
    """Return what the rules of this station say of an answer.

    Parameters
    ----------
    answer
        What the function is about to return.
    function
        Its entry in the card of the image.
    input_
        What the function was asked: ``args`` and ``kwargs``. Without it, numbers and texts of the
        question count as those of the data.
    rows
        Records of the database, if they are known.

    Returns
    -------
    Judged
        The verdict, what was found, and the answer that may leave.

    Raises
    ------
    AlgorithmError
        If the floors of the station cannot be read.
    """
    # Imported here because an algorithm that asks nothing needs no cards.
    from vantage6.common.cards import name_arguments
    from vantage6.common.disclosure.shares import Question, judge_shares

    question = Question(rows=rows)
    if input_ is not None:
        question = Question.of(name_arguments(function, input_), rows)
    return judge_shares(deserialize(serialize(answer)), function, floors(), question)


def let_leave(answer: Any, card: "Card", input_: Mapping[str, Any], rows: int | None) -> Any:
    """Return an answer as it leaves a station: the same one, or one with hidden cells.

    Raises
    ------
    Forbidden
        If a station refuses it, or holds it for a person.
    """
    from vantage6.common.disclosure.functions import AskedFunction

    asked = AskedFunction.of(input_)
    function = card.find(asked.name or "", is_central=asked.is_central)
    if function is None:
        return answer
    judged = judge_answer(answer, function, input_, rows=rows)
    if judged.verdict.strictness < Verdict.HELD.strictness:
        return judged.document
    first = next(one for one in judged.findings if one.verdict is judged.verdict)
    at = f" at {first.path}" if first.path else ""
    said = f"The rule {first.rule} is broken{at}: {first.remedy}"
    if judged.verdict is Verdict.HELD:
        raise Forbidden(f"A station would hold this answer for a person. {said}", code=HELD)
    raise Forbidden(f"A station would not let this answer leave. {said}", code=REFUSED)


def refuse_partial(card: "Card", input_: Mapping[str, Any]) -> None:
    """Refuse what a station refuses where no sub-task asks for it.

    Raises
    ------
    Forbidden
        If the function is for sub-tasks.
    """
    from vantage6.common.disclosure.functions import (
        SUBTASK_ONLY,
        AskedFunction,
        describe_refusal,
        may_be_asked_directly,
    )

    if not may_be_asked_directly(card, AskedFunction.of(input_)):
        raise Forbidden(describe_refusal(card), code=SUBTASK_ONLY)
