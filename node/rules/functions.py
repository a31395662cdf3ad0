"""Which functions of an image may be asked for, and which of them only by sub-tasks.

SECURITY: no sentence here names the function that was asked for. It comes from the input, which may
be encrypted on its way, and the server reads the sentence.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from vantage6.common.cards import MOST_VALUES, Card, CardError, read_label
from vantage6.common.config.policies import PolicyConfig
from vantage6.common.disclosure.functions import (
    SUBTASK_ONLY,
    AskedFunction,
    describe_refusal,
    may_be_asked_directly,
)
from vantage6.common.json_values import read_certain
from vantage6.common.task_status import TaskStatus
from vantage6.node.outcomes import RefusalError
from vantage6.node.rules.findings import (
    Finding,
    PolicyRequest,
    Verdict,
    allow,
    leave_open,
    refuse,
)
from vantage6.node.rules.image_lists import ImageList, split_reference

_JSON = b"json."
_UNREADABLE = AskedFunction(None)
_UNREAD = (
    "The node cannot read which function the task asks for, and has rules about functions. Send "
    'the task with data_format="json", each key once, and at most '
    f"{MOST_VALUES:,} values."
)


def read_function(input_: bytes) -> AskedFunction:
    """Return the function that an input asks for.

    SECURITY: of what another reader may take for another function, nothing is read: other formats
    and encodings, and keys that are there twice.

    Parameters
    ----------
    input_
        The plain input.
    """
    text = input_.removeprefix(_JSON)
    document = None if text is input_ else read_certain(text, MOST_VALUES)
    return AskedFunction.of(document) if isinstance(document, dict) else _UNREADABLE


def read_card(label: str | None) -> Card | None:
    """Return the card in the label of an image; None if it has no such label.

    Raises
    ------
    RefusalError
        If it cannot be read. SECURITY: what it forbids is not known then.
    """
    if label is None:
        return None
    try:
        return _read_label(label)
    except CardError as error:
        raise RefusalError(
            TaskStatus.NOT_ALLOWED,
            "card_unreadable",
            "The node cannot read the card of the image, so that it does not know what its "
            "functions share. Tell the author of the image, or ask for the node to be updated.",
        ) from error


class FunctionRules:
    """The rules of a station on functions.

    Parameters
    ----------
    policies
        Where they are written down.
    """

    def __init__(self, policies: PolicyConfig) -> None:
        functions = policies.functions
        self._functions = (
            None
            if functions is None
            else [
                (ImageList([image]), [re.compile(name) for name in names])
                for image, names in functions.items()
            ]
        )
        self._direct = ImageList(policies.direct_partials)

    @property
    def names_functions(self) -> bool:
        """Whether the rules allow functions by name, so that the function has to be known."""
        return self._functions is not None

    def findings(self, request: PolicyRequest) -> Iterator[Finding]:
        """Yield what each rule on functions says."""
        yield self._on_name(request)
        if request.card is not None or request.is_fetched or request.function is not None:
            yield self._on_partial(request)

    def _on_name(self, request: PolicyRequest) -> Finding:
        rule = "policies.functions"
        if self._functions is None:
            return allow(rule, "Every function of an allowed image may be asked for.")
        function = request.function
        if function is None:
            return leave_open(rule, "Only if the function is listed.")
        if function.name is None:
            return refuse(rule, "function_unknown", _UNREAD)
        verdicts = {
            images.judge(request)
            for images, names in self._functions
            if any(name.fullmatch(function.name) for name in names)
        }
        if Verdict.ALLOWED in verdicts:
            return allow(rule, "The function is listed for the image.")
        if Verdict.OPEN in verdicts:
            return leave_open(rule, "Only if the image has a digest for which it is listed.")
        return refuse(
            rule,
            "function_not_allowed",
            "The node does not allow this function of the image. Ask its administrator for the "
            "functions that it allows.",
        )

    def _on_partial(self, request: PolicyRequest) -> Finding:
        rule = "policies.direct_partials"
        if request.card is None and not request.is_fetched:
            text = "Only as far as the card of the image does not keep the function to sub-tasks."
            return leave_open(rule, text)
        card, function = request.card, request.function
        if card is None:
            return allow(rule, "The image has no card, which would keep functions to sub-tasks.")
        if function is None:
            return leave_open(rule, "Only if the function is a central one, or in a sub-task.")
        if function.name is None:
            return refuse(rule, "function_unknown", _UNREAD)
        if may_be_asked_directly(card, function):
            return allow(rule, "The function is a central one.")
        if self._direct and self._direct.judge(request) is Verdict.ALLOWED:
            return allow(rule, "Partial functions of the image may be asked for directly.")
        return _within_run(rule, request, card)


def _within_run(rule: str, request: PolicyRequest, card: Card) -> Finding:
    """Return whether a task is a sub-task of a run of the same image."""
    code, update = SUBTASK_ONLY, "Update the server."
    if request.above is None:
        return refuse(
            rule, code, f"The server does not say which task is above this sub-task. {update}"
        )
    if not request.above:
        return refuse(rule, code, describe_refusal(card))
    parent = request.above[-1].image
    if parent is None:
        return refuse(rule, code, f"The server does not say the image of the task above. {update}")
    # SECURITY: a digest where the references differ, and never a name that is only alike.
    digest = split_reference(parent)[1]
    if parent == request.image or digest in (request.digests or ()):
        return allow(rule, "It is a sub-task of a run of the same image.")
    return refuse(
        rule,
        code,
        "This function is for sub-tasks of the same image only, and the task above it ran another.",
    )


@lru_cache(maxsize=16)
def _read_label(label: str) -> Card:
    return read_label(label)
