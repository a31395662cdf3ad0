"""What the station has said of an output, on disk beside it before anything leaves."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from vantage6.common.disclosure.verdicts import Finding, Verdict, strictest
from vantage6.common.durable_files import write_durably

_FILE = "judgement.json"
#: Findings of one output that are kept; the strictest ones first.
MOST_FINDINGS = 100
#: Longest path of a finding: keys of an output can have any length.
_MOST_PATH = 200
#: Longest file that is read back.
_MOST_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the release rules say of one output."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    output_bytes: int
    #: SHA-256 of exactly the bytes that were judged; no others may leave.
    output_hash: str
    #: When it was judged.
    at: str
    #: Whether the findings count; else they are only written down.
    is_enforced: bool = True
    #: Whether the output was compared with the data.
    is_compared: bool = False
    #: Until when a held output waits for a person.
    until: str | None = None

    @classmethod
    def of(
        cls,
        findings: tuple[Finding, ...],
        output_bytes: int,
        output_hash: str,
        at: str,
        *,
        is_enforced: bool = True,
        is_compared: bool = False,
    ) -> Self:
        """Return the judgement that follows from findings; without enforcement it is to pass."""
        verdict = strictest(findings) if is_enforced else Verdict.PASS
        ranked = sorted(findings, key=lambda finding: -finding.verdict.strictness)
        return cls(
            verdict,
            tuple(ranked[:MOST_FINDINGS]),
            output_bytes,
            output_hash,
            at,
            is_enforced,
            is_compared,
        )

    def to_json(self) -> dict[str, Any]:
        """Return a form that JSON can hold."""
        values = asdict(self) | {"verdict": self.verdict.value}
        return values | {"findings": [finding_to_json(finding) for finding in self.findings]}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        findings = tuple(map(finding_from_json, values["findings"]))
        return cls(**{**values, "verdict": Verdict(values["verdict"]), "findings": findings})


def finding_to_json(finding: Finding) -> dict[str, str]:
    """Return a finding for files and the audit."""
    return asdict(finding) | {"verdict": finding.verdict.value, "path": finding.path[:_MOST_PATH]}


def finding_from_json(values: dict[str, str]) -> Finding:
    """Read what `finding_to_json` wrote."""
    return Finding(values["rule"], values["path"], Verdict(values["verdict"]), values["remedy"])


def write_judgement(folder: Path, judgement: Judgement) -> None:
    """Keep a judgement in the folder of its result; it is on disk when this returns."""
    write_durably(folder / _FILE, json.dumps(judgement.to_json(), indent=1).encode())


def read_judgement(folder: Path) -> Judgement | None:
    """Return the judgement in the folder of a result; None if its output was not judged yet.

    Raises
    ------
    OSError
        If it cannot be read now.
    """
    try:
        with (folder / _FILE).open("rb") as file:
            return Judgement.from_json(json.loads(file.read(_MOST_BYTES)))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        # SECURITY: of a verdict that cannot be read, nothing is assumed.
        raise OSError(f"{folder / _FILE} holds no judgement") from error
