"""One request that waits for a person at the station, in plain values."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from vantage6.common import clock
from vantage6.common.disclosure.functions import AskedFunction
from vantage6.node.requests.asked import Asked

#: Longest arguments that are kept for people to read.
MOST_ARGUMENTS = 65_536
#: Longest name of a person or an image.
MOST_NAME = 500
_MOST_FINDINGS = 100


class State(StrEnum):
    """How far the decision on a request is."""

    WAITING = "waiting"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Requester:
    """A person or organization that asks. None is what the server does not say."""

    organization_id: int | None = None
    organization: str | None = None
    user_id: int | None = None
    user: str | None = None
    #: Of the key of the organization that receives the output.
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """What one rule of the station says of a request."""

    rule: str
    verdict: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What one person at the station has said."""

    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Denial:
    """A no, with its sentence for the researcher."""

    by: str
    at: str
    sentence: str


@dataclass(frozen=True, slots=True)
class HeldRequest:
    """One request that waits for a person, in plain values."""

    result_id: int
    task_id: int
    run_id: int
    #: When it was held, and when its time is over; ISO 8601, UTC.
    since: str
    until: str
    requester: Requester
    image: str
    #: What the image is known by; empty where it is not at the station yet.
    digests: tuple[str, ...]
    #: The function; None where the input names none in a form that is read.
    function: str | None
    is_central: bool
    #: The arguments as JSON, or the beginning of the input where they cannot be read.
    arguments: str
    input_bytes: int
    input_hash: str
    databases: tuple[str, ...]
    #: What the rules of the station say.
    findings: tuple[Rule, ...] = ()
    #: Of a sub-task: in whose names the tasks above were sent, the first one first.
    above: tuple[Requester, ...] = ()
    #: The organizations that passed the question on; None where the server does not say it.
    through: tuple[int, ...] | None = ()
    #: The organizations that are asked together, as the server says; None where it does not.
    parties: tuple[int, ...] | None = None
    #: Whether the arguments are cut, because they are long.
    is_cut: bool = False
    #: Whether the arguments are the JSON of what the input holds.
    is_readable: bool = True
    #: Why a person is asked.
    why: str = ""
    #: A random word that stands for exactly what a person was shown; another request of the same
    #: result has another one.
    code: str = ""
    #: How many different people have to approve.
    approvals_needed: int = 1
    approvals: tuple[Answer, ...] = ()
    denial: Denial | None = None

    @property
    def digest(self) -> str | None:
        """One digest of the image, to be shown."""
        return self.digests[0] if self.digests else None

    @property
    def first(self) -> Requester:
        """Who asked for the first task of the run."""
        return self.above[0] if self.above else self.requester

    @property
    def is_shown_whole(self) -> bool:
        """Whether a person can read all arguments."""
        return self.is_readable and not self.is_cut

    @property
    def users(self) -> frozenset[str]:
        """Names of the users that ask, in a form to be compared."""
        return same_people(one.user for one in (self.requester, *self.above) if one.user)

    def state(self, now: datetime | None = None) -> State:
        """Return how far the decision is."""
        if self.denial is not None:
            return State.DENIED
        if len(same_people(answer.by for answer in self.approvals)) >= self.approvals_needed:
            return State.APPROVED
        is_over = (now or clock.now()) >= clock.parse(self.until)
        return State.EXPIRED if is_over else State.WAITING

    def asks_the_same(self, other: "HeldRequest") -> bool:
        """Tell whether another request is this very one, so that its answers count.

        SECURITY: everything that a person looks at is compared. A server that changes the input
        of a result after it was approved gets no approval for that.
        """
        return self._subject() == other._subject()

    def _subject(self) -> tuple[Any, ...]:
        return (
            self.result_id,
            self.task_id,
            self.run_id,
            self.requester,
            self.above,
            self.image,
            self.input_hash,
            self.databases,
            self.parties,
        )

    def as_question(self) -> Asked:
        """Return what is compared with grants, as far as this tells it."""
        first = self.first
        arguments = None if self.is_cut or not self.is_readable else json.loads(self.arguments)
        return Asked(
            digests=frozenset(self.digests),
            function=AskedFunction(self.function, is_central=self.is_central),
            organization_id=first.organization_id or 0,
            user_id=first.user_id,
            database=self.databases[0] if self.databases else "",
            arguments=arguments,
            through=self.through,
        )

    def to_json(self) -> dict[str, Any]:
        """Return a form that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises
        ------
        ValueError, KeyError, TypeError
            If it is something else.
        """
        denial, parties = values["denial"], values.get("parties")
        request = cls(
            **values
            | {
                "requester": Requester(**values["requester"]),
                "above": tuple(Requester(**one) for one in values["above"]),
                "digests": tuple(values["digests"]),
                "through": None if values["through"] is None else tuple(values["through"]),
                "databases": tuple(values["databases"]),
                "parties": None if parties is None else tuple(parties),
                "findings": tuple(Rule(**one) for one in values["findings"]),
                "approvals": tuple(Answer(**one) for one in values["approvals"]),
                "denial": Denial(**denial) if denial else None,
            }
        )
        clock.parse(request.until)
        request.as_question()
        if request.approvals_needed < 1:
            raise ValueError("approvals_needed")
        return request


def same_people(names: Iterable[str]) -> frozenset[str]:
    """Return names of accounts in a form in which those of one person are the same."""
    return frozenset(name.strip().casefold() for name in names) - {""}


def arguments_for_people(arguments: Any, input_: bytes) -> tuple[str, bool]:
    """Return arguments as text to read, and whether that is cut.

    Parameters
    ----------
    arguments
        The arguments by name; None where they cannot be read.
    input_
        The plain input.
    """
    if arguments is None:
        text = input_[: MOST_ARGUMENTS + 1].decode("utf-8", "backslashreplace")
    else:
        text = json.dumps(arguments, ensure_ascii=False)
    return text[:MOST_ARGUMENTS], len(text) > MOST_ARGUMENTS


def keep_answers(request: HeldRequest, before: HeldRequest) -> HeldRequest:
    """Return a request with what was answered to it before."""
    digests = request.digests or before.digests
    # SECURITY: an approval was for the image that the person was shown. Where its digest was not
    # known, it was to fetch the image, and a person is asked again with the digest.
    is_same = before.digests == digests or not set(before.digests).isdisjoint(digests)
    return replace(
        request,
        since=before.since,
        until=before.until,
        digests=digests,
        approvals=before.approvals if is_same else (),
        code=before.code if is_same else request.code,
        denial=before.denial,
    )


def cut_texts(request: HeldRequest) -> HeldRequest:
    """Return a request whose texts from outside have a limit."""

    def cut(one: Requester) -> Requester:
        return replace(
            one,
            organization=one.organization and one.organization[:MOST_NAME],
            user=one.user and one.user[:MOST_NAME],
        )

    return replace(
        request,
        requester=cut(request.requester),
        above=tuple(map(cut, request.above)),
        image=request.image[:MOST_NAME],
        findings=request.findings[:_MOST_FINDINGS],
        arguments=request.arguments[:MOST_ARGUMENTS],
        is_cut=request.is_cut or len(request.arguments) > MOST_ARGUMENTS,
    )
