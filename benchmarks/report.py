"""The table of the server's numbers, on the console and in a file."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console

from benchmarks import original
from benchmarks.load import Outcome

console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Line:
    """One measurement beside what the original does."""

    engine: str
    name: str
    clients: int
    per_second: float
    median_ms: float
    slow_ms: float
    original_per_second: float | None
    original_4_per_second: float | None
    wanted: float | None
    #: Median over that of the same request under easier conditions.
    growth: float | None

    @property
    def ratio(self) -> float | None:
        """How many times the requests per second of 3.11.1."""
        return self.original_per_second and self.per_second / self.original_per_second

    @property
    def ratio_4(self) -> float | None:
        """How many times the requests per second of 4.15.2."""
        return self.original_4_per_second and self.per_second / self.original_4_per_second

    @property
    def missed(self) -> str:
        """What is not reached, in a few words."""
        words = []
        if self.wanted and self.ratio and self.ratio < self.wanted:
            words.append("ratio")
        if self.growth and self.growth > original.GROWTH:
            words.append("growth")
        return " and ".join(words)


@dataclass
class Report:
    """Prints each number as it comes, and keeps all of them."""

    lines: list[Line] = field(default_factory=list)
    memory: list[dict[str, object]] = field(default_factory=list)

    def heading(self, engine: str) -> None:
        """Start the table of an engine."""
        console.print(
            f"\n{engine:<44}{'clients':>7}{'per s':>9}{'median':>9}{'95 %':>9}"
            f"{'3.11.1':>9}{'ratio':>7}{'4.15.2':>8}{'wanted':>7}{'growth':>7}"
        )

    def add(
        self, engine: str, name: str, clients: int, outcome: Outcome, compared: str = ""
    ) -> None:
        """Add a measurement; ``compared`` names the one whose median it should not exceed."""
        known = original.of(name, engine)
        before = self._median(engine, compared)
        line = Line(
            engine,
            name,
            clients,
            outcome.per_second,
            outcome.median,
            outcome.slow,
            known.per_second,
            known.per_second_4,
            known.wanted,
            outcome.median / before if before else None,
        )
        self.lines.append(line)
        console.print(
            f"{name:<44}{clients:>7}{_number(line.per_second):>9}{_number(line.median_ms):>9}"
            f"{_number(line.slow_ms):>9}{_number(line.original_per_second):>9}"
            f"{_number(line.ratio):>7}{_number(line.ratio_4):>8}{_number(line.wanted):>7}"
            f"{_number(line.growth):>7}{'  missed: ' + line.missed if line.missed else ''}"
        )

    def add_memory(self, engine: str, name: str, parts: dict[str, float], known: float = 0) -> None:
        """Add the memory of processes, in MiB."""
        total = sum(parts.values())
        shares = ", ".join(f"{part} {size:.0f}" for part, size in parts.items())
        beside = f", the original {known:.0f}" if known else ""
        self.memory.append({"engine": engine, "name": name, "mebibytes": parts})
        console.print(f"{name:<44}{total:7.0f} MiB{beside}  ({shares})")

    def write(self, file: Path) -> None:
        """Write all numbers as JSON."""
        lines = [
            asdict(line) | {"ratio": line.ratio, "ratio_4": line.ratio_4, "missed": line.missed}
            for line in self.lines
        ]
        file.write_text(json.dumps({"requests": lines, "memory": self.memory}, indent=1) + "\n")

    def _median(self, engine: str, name: str) -> float | None:
        found = [line for line in self.lines if (line.engine, line.name) == (engine, name)]
        return found[0].median_ms if found else None


def _number(value: float | None) -> str:
    """Return three digits of a number."""
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
