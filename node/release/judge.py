"""The judgement about one output, before anything of it leaves.

The output is read once, as a stream. What is found without a card and what is found with one are
findings of the same form; the strictest one decides.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vantage6.common import clock
from vantage6.common.disclosure.floors import Floors
from vantage6.common.disclosure.verdicts import Finding
from vantage6.common.durable_files import open_plain
from vantage6.node.release.judgements import Judgement

__all__ = ["Check", "Judgement", "LastCheck", "Question", "judge"]

_CHUNK_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Question:
    """What is known of the task behind an output."""

    floors: Floors = field(default_factory=Floors)
    #: Name of the function, as far as the node could read it.
    function: str | None = None
    #: The card of the image, if it has one.
    card: dict[str, Any] | None = None
    #: Label of the database that the task named.
    database: str | None = None
    #: Whether the station enforces its rules for images without a card.
    is_strict: bool = False

    @property
    def is_enforced(self) -> bool:
        """Whether findings count. Those about the output of an image with a card always do."""
        return self.is_strict or self.card is not None


#: Yields what one set of rules finds in an output.
Check = Callable[[Path, Question], Iterable[Finding]]
#: Yields what is found last, from what was found before.
LastCheck = Callable[[tuple[Finding, ...]], Iterable[Finding]]


def judge(
    output: Path,
    question: Question,
    checks: Iterable[Check] = (),
    last: Iterable[LastCheck] = (),
) -> Judgement:
    """Return what the release rules say of an output.

    Parameters
    ----------
    output
        The file that the algorithm wrote, after the algorithm ended.
    question
        What is known of the task.
    checks
        The sets of rules.
    last
        Those that depend on what the others found.

    Raises
    ------
    OSError
        If the output cannot be read now.
    """
    # SECURITY: nothing but bytes with this hash leaves, whatever becomes of the file.
    digest, length = hashlib.sha256(), 0
    with open_plain(output) as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
            length += len(chunk)
    findings = tuple(finding for check in checks for finding in check(output, question))
    for check_last in last:
        findings += tuple(check_last(findings))
    return Judgement.of(
        findings,
        length,
        digest.hexdigest(),
        clock.now().isoformat(),
        is_enforced=question.is_enforced,
    )
