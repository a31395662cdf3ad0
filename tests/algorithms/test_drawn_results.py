"""The answers that the web pages are tested with are those that the functions give."""

import json

import pytest

from tests.algorithms.drawn_results import FOLDER, asked, document
from vantage6.algorithms.statistics.reference import is_alike

ASKED = asked()


@pytest.mark.parametrize("name", ASKED)
def test_an_answer_for_the_web_pages_is_what_the_function_gives(name: str):
    kept = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    found = json.loads(json.dumps(document(ASKED[name])))
    assert found["views"] == kept["views"]
    assert is_alike(kept["answer"], found["answer"])
    # Rounded numbers differ where a sum does.
    assert len(found["lines"]) == len(kept["lines"])


def test_every_answer_for_the_web_pages_is_known():
    assert {file.stem for file in FOLDER.glob("*.json")} == set(ASKED)
