"""One analysis over organizations: rounds, who takes part, warnings, and the answer's envelope."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, Protocol

from vantage6.algorithms.statistics.arguments import bad
from vantage6.algorithms.statistics.sentences import (
    FLOOR_CODES,
    Refused,
    Stopped,
    sentence,
    stop,
)
from vantage6.algorithms.statistics.station import SHELF, versions

P = ParamSpec("P")


class Sites(Protocol):
    """The organizations of a collaboration, as a central function reaches them."""

    def organizations(self) -> list[int]:
        """Return the ids of all organizations that can be asked."""
        ...

    def ask(
        self, method: str, arguments: dict[str, Any], organization_ids: list[int]
    ) -> Mapping[int, Mapping[str, Any]]:
        """Ask all of them for the same partial function, in one round, and wait for all.

        Returns
        -------
        dict
            For each id ``{"ok": ...}``, ``{"refused": {"code", "message"}}``, or, where no answer
            came, ``{"failed": {"code", "message"}}``.
        """
        ...


def central(function: Callable[P, dict[str, Any]]) -> Callable[P, dict[str, Any]]:
    """Turn the refusal of an argument into the end of the analysis, with the same sentence."""

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> dict[str, Any]:
        try:
            return function(*args, **kwargs)
        except Refused as refused:
            raise Stopped(refused.code, refused.message) from refused

    return checked


class Analysis:
    """The rounds of one central function."""

    def __init__(
        self,
        function: str,
        sites: Sites,
        organization_ids: Sequence[int] | None,
        min_organizations: int | None,
    ) -> None:
        self.function = function
        self._sites = sites
        ids = sites.organizations() if organization_ids is None else list(organization_ids)
        self.asked = sorted(set(ids))
        if not self.asked:
            raise bad("organization_ids is a list of at least one organization.")
        if min_organizations is not None and (
            isinstance(min_organizations, bool)
            or not isinstance(min_organizations, int)
            or not 1 <= min_organizations <= len(self.asked)
        ):
            count = len(self.asked)
            raise bad(f"min_organizations is a number from 1 to {count}, the organizations asked.")
        self._least = min_organizations
        self.used = list(self.asked)
        self.excluded: list[dict[str, Any]] = []
        self.rounds = 0
        self.warnings: list[dict[str, str]] = []
        self._versions: dict[int, dict[str, str]] = {}
        #: With how many organizations those that answer take part, as their floors say.
        self._parties = 1
        #: Organization -> records and complete records, as the first round said.
        self.records: dict[int, tuple[int | None, int]] = {}

    def ask(self, method: str, **arguments: Any) -> dict[int, Any]:
        """Ask those that still take part; return what they sent, by organization.

        Raises
        ------
        Stopped
            One does not take part, and the caller did not allow to go on without it.
        """
        self.rounds += 1
        answers = self._sites.ask(method, arguments, list(self.used))
        parts: dict[int, Any] = {}
        left: list[_Left] = []
        for organization in self.used:
            answer = answers.get(organization, {})
            if "ok" in answer:
                parts[organization] = answer["ok"]
                self._versions[organization] = dict(answer.get("versions", {}))
                self._parties = max(self._parties, _parties(answer.get("floors")))
            else:
                left.append(_Left.of(organization, answer))
        if left:
            self._exclude(left, len(parts))
            self.used = list(parts)
        return parts

    def _exclude(self, left: "list[_Left]", remaining: int) -> None:
        allowed = self._least is not None and remaining >= max(self._least, 1)
        for one in left:
            if not allowed:
                if not one.is_absent:
                    raise Stopped(one.code, one.message)
                advice = f" Ask with min_organizations={remaining} to go on without it."
                raise stop(
                    "organizations_missing",
                    organization=one.organization,
                    message=one.message,
                    advice=advice if remaining >= self._parties else "",
                )
            self.excluded.append(
                {
                    "organization": one.organization,
                    "round": self.rounds,
                    "code": one.code,
                    "message": one.message,
                }
            )

    def count(self, organization: int, rows: int | None, used: int) -> None:
        """Note the records of an organization, and those that count."""
        self.records[organization] = (rows, used)

    def warn(self, code: str, /, **values: Any) -> None:
        """Add a warning once."""
        warning = {"code": code, "message": sentence(code, **values)}
        if warning not in self.warnings:
            self.warnings.append(warning)

    def check_records(self) -> int:
        """Return the number of complete records; warn of organizations without any."""
        counts = {organization: self.records[organization][1] for organization in self.used}
        for organization, count in counts.items():
            if count == 0:
                self.warn("empty", organization=organization)
        if not sum(counts.values()):
            raise stop("no_records")
        return sum(counts.values())

    def answer(self, result: dict[str, Any], *, converged: bool = True) -> dict[str, Any]:
        """Return the answer of the central function, always with all of its parts."""
        counts = {organization: self.records.get(organization) for organization in self.used}
        known = {o: pair for o, pair in counts.items() if pair is not None}
        rows = [pair[0] for pair in known.values()]
        used = sum(pair[1] for pair in known.values())
        total = None if None in rows else sum(row for row in rows if row is not None)
        if total is None:
            self.warn("masked", what="Numbers of incomplete records")
        if len(self.used) == 1:
            self.warn("one_organization")
        return {
            "function": self.function,
            "shelf": SHELF,
            "organizations": {
                "asked": self.asked,
                "used": self.used,
                "excluded": sorted(self.excluded, key=lambda item: item["organization"]),
            },
            "n": {
                "rows": total,
                "used": used,
                "missing": None if total is None else total - used,
                "by_organization": [
                    {"organization": organization, "used": pair[1]}
                    for organization, pair in known.items()
                ],
            },
            "rounds": self.rounds,
            "converged": converged,
            "warnings": self.warnings,
            "versions": {"central": versions(), "differ": self._different_versions()},
            "result": result,
        }

    def _different_versions(self) -> list[dict[str, Any]]:
        own = versions()
        found: list[dict[str, Any]] = []
        for organization in sorted(self._versions):
            theirs = self._versions[organization].items()
            differs = {name: value for name, value in theirs if own.get(name, value) != value}
            if differs:
                found.append({"organization": organization, **differs})
        return found

    def site_versions(self) -> str:
        """Return the versions of all organizations as text."""
        return "; ".join(
            f"organization {o}: " + ", ".join(f"{k} {v}" for k, v in self._versions[o].items())
            for o in sorted(self._versions)
        )


def _parties(floors: Any) -> int:
    """Return how many organizations have to be asked by the floors of a station."""
    said = floors.get("parties") if isinstance(floors, Mapping) else None
    return said if isinstance(said, int) else 1


@dataclass(frozen=True)
class _Left:
    """An organization that takes no part any more, and why."""

    organization: int
    code: str
    message: str
    #: The request fits its data, but it does not answer.
    is_absent: bool

    @classmethod
    def of(cls, organization: int, answer: Mapping[str, Any]) -> "_Left":
        """Read a refusal or a failure."""
        refused = answer.get("refused")
        said = refused or answer.get("failed") or {}
        code = str(said.get("code", "failed"))
        message = str(said.get("message", "Its sub-task failed."))
        return cls(organization, code, message, not refused or code in FLOOR_CODES)
