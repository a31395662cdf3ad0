"""Answers of the functions that the web pages are tested with.

``python -m tests.algorithms.drawn_results`` writes them to web/tests/results; a test says when to.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.algorithms.federation import Federation, federation, split
from tests.algorithms.test_models import people
from tests.algorithms.test_survival import patients
from vantage6.algorithms.catalogue import CENTRAL
from vantage6.algorithms.statistics.reference import Case, cases
from vantage6.client.commands.views import lines
from vantage6.common import cards
from vantage6.common.disclosure.floors import PRESETS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "web/tests/results"
_CARD = cards.Card.model_validate_json(
    (ROOT / "algorithms/statistics/card.json").read_text(encoding="utf-8")
)
#: Cases with published numbers.
_PUBLISHED = (
    *("leukemia_km", "rossi_efron", "spector", "numacc1", "randhie_table", "randhie_t"),
    *("smls1", "longley_cor", "longley_pca", "bcg_REML"),
)
Asked = Callable[[], tuple[str, dict[str, Any]]]


def _published(case: Case) -> Asked:
    def ask() -> tuple[str, dict[str, Any]]:
        shares = {number + 1: case.share(number, 3) for number in range(3)}
        return case.function, CENTRAL[case.function](Federation(shares), **case.arguments)

    return ask


def _of(function: str, table: Callable[[], Any], floors: str, **arguments: Any) -> Asked:
    def ask() -> tuple[str, dict[str, Any]]:
        sites = Federation(split(table(), 3), floors=PRESETS[floors])
        return function, CENTRAL[function](sites, **arguments)

    return ask


def _excluding() -> tuple[str, dict[str, Any]]:
    sites = federation(people(), 3)
    sites.absent = {(1, 2)}
    return "linear_model", CENTRAL["linear_model"](sites, formula="y ~ x", min_organizations=2)


def asked() -> dict[str, Asked]:
    """Return how to get each answer, by its name."""
    known = {case.name: _published(case) for case in cases() if case.name in _PUBLISHED}
    edges = [-3, -2, -1, 0, 1, 2, 3]
    return {
        **known,
        "table_one": _of("summary", people, "open", columns=["x", "g"], by="Gruppe µ"),
        "table_one_masked": _of("summary", people, "datashield", columns=["x", "g"]),
        "histogram": _of("histogram", people, "open", column="x", edges=edges),
        "histogram_masked": _of("histogram", people, "datashield", column="x", edges=edges),
        "crosstab_masked": _of("crosstab", people, "datashield", rows="g", columns="yes"),
        "life_table": _of(
            "kaplan_meier", patients, "datashield", time="time", event="event", group="arm"
        ),
        "excluded": _excluding,
    }


def document(ask: Asked) -> dict[str, Any]:
    """Return an answer with the views of its function, and what the command line shows of it."""
    function, answer = ask()
    # Of no concern to the pages, and another one on each computer.
    answer = {**answer, "versions": {"central": {}, "differ": []}}
    found = _CARD.find(function, is_central=True)
    assert found is not None
    return {
        "function": function,
        "views": [view.model_dump() for view in found.views],
        "answer": answer,
        "lines": lines(answer, found.views),
    }


def main() -> None:
    """Write all of them."""
    for name, ask in asked().items():
        text = json.dumps(document(ask), indent=1, ensure_ascii=False)
        (FOLDER / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
