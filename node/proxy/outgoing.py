"""What an algorithm may say beside its inputs: built anew, from a closed list of bounded forms.

The server can read all of it. So nothing passes as it came: what has no place in the list is
dropped, and what has one is a number, a word, or a short text that goes into the audit file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from vantage6.common.encoding import base64s_to_bytes
from vantage6.common.errors import Invalid
from vantage6.node.rules.result_audit import check_receivers

#: The name that clients of algorithms give a sub-task, and the only one where inputs are encrypted.
_NAME = "subtask"
_MOST_NAME, _MOST_DESCRIPTION = 128, 512
_IMAGE = re.compile(r"[A-Za-z0-9\[][A-Za-z0-9._/:@\[\]-]{0,499}")
_LABEL = re.compile(r"[\w-]{1,64}")
#: Highest id that a server gives.
MOST_ID = 2**31 - 1

#: What an algorithm may ask for, beside the path.
#: SECURITY: each with its highest value, since a number can carry anything to the server.
_NUMBERS = {"page": 1000, "per_page": 1000, "collaboration_id": 10**6}
_FLAGS = frozenset({"only_children", "only_parent", "include_children", "include_parent"})
_YES_OR_NO = frozenset({"true", "false", "1", "0"})


@dataclass(frozen=True, slots=True)
class SubTask:
    """A sub-task, as it may leave."""

    #: Everything but the organizations.
    body: dict[str, Any]
    #: Each organization, and the plain input that is meant for it.
    inputs: list[tuple[int, bytes]]

    @classmethod
    def of(cls, sent: Any, node_id: int, *, encrypted: bool) -> Self:
        """Return the sub-task that an algorithm asks for; the inputs are taken out of its body.

        Parameters
        ----------
        sent
            The body of the request.
        node_id
            The node that sends it on.
        encrypted
            Whether its inputs are for its receivers only. Then it has no texts of its own.

        Raises
        ------
        Invalid
            If it is of another form.
        """
        receivers = sent.pop("organizations", None) if isinstance(sent, dict) else None
        if not receivers or not isinstance(receivers, list):
            raise Invalid("Organizations missing from input")
        body: dict[str, Any] = {}
        if encrypted:
            # SECURITY: the server would read here what the inputs hide from it.
            body["name"] = _NAME
            body["description"] = f"task from container on node_id={node_id}"
        else:
            body["name"] = _text(sent, "name", _MOST_NAME)
            body["description"] = _text(sent, "description", _MOST_DESCRIPTION)
        if sent.get("collaboration_id") is not None:
            body["collaboration_id"] = _id(sent["collaboration_id"], "The collaboration")
        for name, form in (("image", _IMAGE), ("database", _LABEL)):
            if sent.get(name):
                body[name] = _word(sent[name], name, form)
        inputs = [_input(receiver) for receiver in receivers]
        check_receivers([id_ for id_, _ in inputs])
        return cls({name: value for name, value in body.items() if value is not None}, inputs)

    @property
    def bytes(self) -> int:
        """How much it takes out: one that is the same for many receivers counts once."""
        return sum(map(len, {input_ for _, input_ in self.inputs}))


def parameters_of(asked: Mapping[str, str | list[str]]) -> dict[str, str]:
    """Return the parameters of a request that may leave; others are dropped.

    Raises
    ------
    Invalid
        If a number is too high.
    """
    found = {}
    for name, values in asked.items():
        # Of repeated keys the last one counts, as the servers of the protocol read them.
        value = values[-1] if isinstance(values, list) else values
        if name in _NUMBERS and re.fullmatch("[0-9]{1,10}", value):
            if int(value) > _NUMBERS[name]:
                raise Invalid(f"{name}: {_NUMBERS[name]} is the highest number.")
            found[name] = str(int(value))
        elif name in _FLAGS and value.lower() in _YES_OR_NO:
            found[name] = value.lower()
        # SECURITY: another include would bring in results that nobody has looked at.
        elif (name, values) == ("include", "metadata"):
            found[name] = value
    return found


def _text(sent: Mapping[str, Any], name: str, most: int) -> str | None:
    text = sent.get(name)
    if text is None:
        return None
    if (
        not isinstance(text, str)
        or len(text) > most
        or not re.sub(r"[\t\r\n]", " ", text).isprintable()
    ):
        raise Invalid(f"The {name} of a sub-task is a text of at most {most} characters.")
    return text


def _word(value: Any, name: str, form: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not form.fullmatch(value):
        raise Invalid(f"The {name} of the sub-task is no name of one, or is too long.")
    return value


def _input(receiver: Any) -> tuple[int, bytes]:
    """Return an organization of a sub-task, and the input that is meant for it."""
    try:
        id_, text = receiver["id"], receiver.pop("input", None)
        return _id(id_, "An organization"), base64s_to_bytes(text or "")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Invalid("Each organization needs an `id` and an `input` in base64.") from error


def _id(value: Any, owner: str) -> int:
    try:
        id_ = int(value)
    except (OverflowError, TypeError, ValueError) as error:
        raise Invalid(f"{owner} has a number for its `id`.") from error
    if not 0 < id_ <= MOST_ID:
        raise Invalid(f"{owner} has no `id` as high or as low as that.")
    return id_
