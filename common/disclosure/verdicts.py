"""What a station says of an output that is about to leave it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """The decision about an output, from the mildest to the strictest."""

    #: The output leaves as it is.
    PASS = "pass"  # noqa: S105
    #: The output leaves with values masked or rounded, and says so.
    MITIGATED = "mitigated"
    #: A person looks at the output first.
    HELD = "held"
    #: The output stays at the station.
    REFUSED = "refused"

    @property
    def strictness(self) -> int:
        """Rank among the verdicts; a stricter one has a higher rank."""
        return list(Verdict).index(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that an output does not meet.

    SECURITY: a finding reaches the researcher. It holds no value of the output or of the data.
    """

    #: Name of the rule, such as ``count_below_cell``.
    rule: str
    #: JSON pointer to the place in the output; empty for the output as a whole.
    path: str
    verdict: Verdict
    #: A sentence that says what to do.
    remedy: str


def strictest(findings: Iterable[Finding]) -> Verdict:
    """Return the verdict about an output with these findings."""
    verdicts = [finding.verdict for finding in findings]
    return max(verdicts, key=lambda verdict: verdict.strictness, default=Verdict.PASS)
