"""The first two rounds of summaries, tests and correlations, seen from the central function."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from vantage6.algorithms.statistics import columns as kinds
from vantage6.algorithms.statistics import levels as level_order
from vantage6.algorithms.statistics.analysis import Analysis
from vantage6.algorithms.statistics.groups import ALL
from vantage6.algorithms.statistics.sentences import stop
from vantage6.algorithms.statistics.sums import add, total


def spread(centre: float, n: int, s: float, q: float) -> tuple[float, float]:
    """Return mean and sum of squares about it from sums about a centre."""
    return math.fsum([centre, s / n]), max(0.0, math.fsum([q, -s * s / n]))


class Descriptions:
    """Counts and sums of columns, by group; asks `describe`, then `moments`."""

    def __init__(
        self,
        analysis: Analysis,
        columns: list[str],
        by: str | None,
        levels: dict[str, list[str]],
        *,
        complete: bool = False,
        numeric: bool = False,
    ) -> None:
        self.analysis, self.columns, self.by = analysis, columns, by
        self.complete = complete
        self.answers = analysis.ask(
            "describe",
            columns=columns,
            by=by,
            levels=levels or None,
            complete=complete,
            numeric=numeric,
        )
        self._groups = {
            organization: {ALL: part["columns"]} if by is None else part["groups"]
            for organization, part in self.answers.items()
        }
        self.levels = levels
        if by is not None and by not in levels:
            found = {level for groups in self._groups.values() for level in groups}
            self.levels = {**levels, by: level_order.ordered(found)}
        self.groups = [ALL] if by is None else self.levels[by]
        self._check_kinds()
        self.numeric = [name for name in columns if self.kind(name) == "numeric"]
        self._steps: dict[str, list[float]] = {}
        self.has_lattice = False
        self._counts: dict[tuple[int, str, str], int] = {}
        for organization, part in self.answers.items():
            used = self._used(organization)
            analysis.count(organization, part["rows"], used)

    def _used(self, organization: int) -> int:
        """Return the records of an organization with any value; of complete ones, all."""
        return sum(
            max((column["n"] for column in columns.values()), default=0)
            for columns in self._groups[organization].values()
        )

    def _check_kinds(self) -> None:
        found: dict[int, dict[str, str]] = {}
        for organization, groups in self._groups.items():
            for columns in groups.values():
                for name, said in columns.items():
                    if said["kind"] != "empty":
                        found.setdefault(organization, {})[name] = said["holds"]
        check_kinds(found)
        if not found:
            raise stop("no_records")

    def kind(self, name: str) -> str:
        """Return "numeric", "categorical" or "empty"."""
        known = {part["kind"] for group in self.groups for part in self.parts(group, name)}
        return next(iter(known - {"empty"}), "empty")

    def parts(self, group: str, name: str) -> list[dict[str, Any]]:
        """Return what the organizations that take part said of a column."""
        return [
            self._groups[organization][group][name]
            for organization in self.analysis.used
            if group in self._groups[organization]
        ]

    def ordered(self, levels: Iterable[str]) -> list[str]:
        """Return levels in the order of answers."""
        return level_order.ordered(levels)

    def is_whole(self, name: str) -> bool:
        """Tell whether all organizations have whole numbers only."""
        parts = [part for group in self.groups for part in self.parts(group, name)]
        return all(part.get("integer", True) for part in parts)

    def centre(self, group: str, name: str) -> float:
        """Return the mean of the first round; any number near it would do."""
        parts = [
            said[group][name]
            for said in self._groups.values()
            if group in said and said[group][name]["kind"] == "numeric"
        ]
        n = sum(part["n"] for part in parts)
        return total(part["sum"] for part in parts) / n if n else 0.0

    def moments(self) -> dict[str, Any]:
        """Ask for sums about the centres; return their totals by group."""
        if not self.numeric:
            return {}
        parts = self.analysis.ask(
            "moments",
            columns=self.numeric,
            centre={g: [self.centre(g, name) for name in self.numeric] for g in self.groups},
            by=self.by,
            levels=self.levels or None,
            complete=self.complete,
        )
        for part in parts.values():
            self.has_lattice |= "step" in part
            for name, step in zip(self.numeric, part.get("step", []), strict=False):
                self._steps.setdefault(name, []).append(step)
        for organization, part in parts.items():
            for group, said in part["groups"].items():
                for j, name in enumerate(self.numeric):
                    n = said["n"] if self.complete else said["n"][j]
                    self._counts[organization, group, name] = n
        return {
            group: add([part["groups"][group] for part in parts.values()]) for group in self.groups
        }

    def steps(self, name: str) -> list[float]:
        """Return the lattices of a column at the organizations that have one."""
        return self._steps.get(name, [])

    def count(self, organization: int, group: str, name: str) -> int:
        """Return the values of a column that an organization has in a group."""
        return self._counts.get((organization, group, name), 0)


def check_kinds(found: Mapping[int, Mapping[str, str]]) -> None:
    """Stop if a column holds numbers at one organization and something else at another."""
    first: dict[str, tuple[int, str]] = {}
    for organization, by_column in found.items():
        for name, kind in by_column.items():
            if kind == kinds.EMPTY:
                continue
            other, other_kind = first.setdefault(name, (organization, kind))
            if kind != other_kind:
                raise stop(
                    "kinds_differ",
                    column=name,
                    kind=other_kind,
                    organization=other,
                    other_kind=kind,
                    other=organization,
                )
