"""Outcomes as a table for people, as JSON, and as pages."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vantage6.algorithms.statistics.reference import ALL_DIGITS, Comparison
from vantage6.common import __version__
from vantage6.validation.checks import Outcome

HEADER = (
    *("Case", "Function", "Numbers", "Fewest digits at", "Published", "Federated"),
    *("Digits", "Rounds", "Seconds", "Equal", "Source"),
)
_INTRODUCTION = (
    "Each case is data that was published with its statistics. The data is spread over {stations}. "
    "A row shows the number that has the fewest digits in "
    f"common with the published one; {ALL_DIGITS:.0f} digits are all that there are."
)
_STYLE = (
    "body{font:16px/1.5 sans-serif;margin:2rem}table{border-collapse:collapse}"
    "td,th{padding:.3rem .6rem;border:1px solid #bbb;text-align:left}.no{background:#fbd5d5}"
)


@dataclass(frozen=True)
class Setting:
    """Where the cases were computed."""

    #: How the stations ran the functions; None where only they know.
    runtime: str | None = None
    stations: str = "three stations of an encrypted collaboration"
    #: Options of the command.
    words: str = "--local"

    @property
    def introduction(self) -> str:
        """What the table shows."""
        return _INTRODUCTION.format(stations=self.stations)


def document(outcomes: Sequence[Outcome], setting: Setting) -> dict[str, Any]:
    """Return everything, as programs read it.

    Parameters
    ----------
    outcomes
        What came of each case.
    setting
        Where they were computed.
    """
    return {
        "version": __version__,
        "runtime": setting.runtime,
        "stations": setting.stations,
        "equal": all(one.is_equal for one in outcomes),
        "cases": [_case(one) for one in outcomes],
    }


def row(outcome: Outcome) -> tuple[str, ...]:
    """Return the cells of an outcome, in the order of the header."""
    case, worst = outcome.case, outcome.worst
    return (
        case.name,
        case.function,
        str(len(case.values)),
        worst.name if worst else "-",
        repr(worst.published) if worst else "-",
        repr(worst.found) if worst else "-",
        _digits(worst) if worst else "0",
        "-" if outcome.rounds is None else str(outcome.rounds),
        f"{outcome.seconds:.1f}",
        "yes" if outcome.is_equal else "refused" if outcome.is_refused else "NO",
        case.source,
    )


def as_html(outcomes: Sequence[Outcome], setting: Setting) -> str:
    """Return a page that needs nothing else."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in HEADER)
    rows = "".join(
        f'<tr class="{"yes" if one.is_equal else "no"}">'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in row(one))
        + "</tr>"
        for one in outcomes
    )
    faults = "".join(
        f"<li>{html.escape(one.case.name)}: {html.escape(said)}</li>"
        for one in outcomes
        for said in (*one.faults, *one.refusals)
    )
    how = f" The functions ran as {setting.runtime}." if setting.runtime else ""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Validation</title>'
        f"<style>{_STYLE}</style><h1>Validation of vantage6 {html.escape(__version__)}</h1>"
        f"<p>{html.escape(setting.introduction)}{html.escape(how)}</p>"
        f"<table><tr>{head}</tr>{rows}</table><ul>{faults}</ul></html>\n"
    )


def as_markdown(outcomes: Sequence[Outcome], setting: Setting, file: str) -> str:
    """Return the page of the documentation, without what differs from run to run."""
    columns = [place for place, name in enumerate(HEADER) if name not in ("Seconds", "Equal")]
    lines = [
        "# Validation",
        "",
        f"`vantage6 validate {setting.words} --markdown {file}` has written this page.",
        "",
        setting.introduction,
        "",
        "| " + " | ".join(HEADER[place] for place in columns) + " |",
        "|" + "---|" * len(columns),
    ]
    for one in outcomes:
        cells = row(one)
        lines.append(
            "| " + " | ".join(cells[place].replace("|", "\\|") for place in columns) + " |"
        )
    return "\n".join(lines) + "\n"


def _case(outcome: Outcome) -> dict[str, Any]:
    case = outcome.case
    return {
        "case": case.name,
        "function": case.function,
        "source": case.source,
        "licence": case.licence,
        "equal": outcome.is_equal,
        "faults": outcome.faults,
        "refusals": outcome.refusals,
        "rounds": outcome.rounds,
        "seconds": round(outcome.seconds, 3),
        "versions": dict(outcome.versions),
        "numbers": [
            {
                "name": one.name,
                "published": one.published,
                "federated": one.found,
                "digits": round(one.digits, 2),
                "tolerance": one.tolerance,
                "equal": one.is_equal,
            }
            for one in outcome.comparisons
        ],
    }


def _digits(one: Comparison) -> str:
    return f"{one.digits:.1f}"
