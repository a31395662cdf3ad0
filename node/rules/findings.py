"""What the rules of a station look at, and what each of them says."""

from dataclasses import dataclass
from enum import StrEnum

from vantage6.common.cards import Card
from vantage6.common.disclosure.functions import AskedFunction
from vantage6.node.claims import Claim, Requester
from vantage6.node.outcomes import Reason


@dataclass(frozen=True, slots=True)
class PolicyRequest:
    """What the rules look at. None is what is not known yet, or does not exist."""

    image: str
    database: str
    organization_id: int | None = None
    organization: str | None = None
    user_id: int | None = None
    user: str | None = None
    input_bytes: int | None = None
    #: Name of its format, as `formats.name_of` finds it.
    input_format: str | None = None
    #: Everything the image is known by: its id, and its digests at registries.
    digests: frozenset[str] | None = None
    #: Of a sub-task, who asked for the tasks above it, the first one first.
    above: tuple[Requester, ...] | None = ()
    #: The function that is asked for.
    function: AskedFunction | None = None
    #: The card of the image, where it has one.
    card: Card | None = None
    #: Whether the image was looked at, so that one without a card has none.
    is_fetched: bool = False

    @classmethod
    def by(
        cls,
        claim: Claim,
        *,
        input_bytes: int | None = None,
        input_format: str | None = None,
        digests: frozenset[str] | None = None,
    ) -> "PolicyRequest":
        """Return what a claim asks for."""
        return cls(
            image=claim.image,
            database=claim.database,
            organization_id=claim.initiator,
            organization=claim.initiator_name,
            user_id=claim.init_user,
            user=claim.init_username,
            input_bytes=input_bytes,
            input_format=input_format,
            digests=digests,
            above=claim.above,
        )


class Verdict(StrEnum):
    """What one rule says."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    #: It depends on something that is not known yet.
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says about one task, and why."""

    rule: str
    verdict: Verdict
    reason: Reason


def allow(rule: str, text: str) -> Finding:
    """Return that a rule allows a task, and why."""
    return Finding(rule, Verdict.ALLOWED, Reason("", text))


def leave_open(rule: str, text: str) -> Finding:
    """Return that it depends on something that is not known yet."""
    return Finding(rule, Verdict.OPEN, Reason("", text))


def refuse(rule: str, code: str, text: str) -> Finding:
    """Return that a rule refuses a task, with code and sentence."""
    return Finding(rule, Verdict.REFUSED, Reason(code, text))
