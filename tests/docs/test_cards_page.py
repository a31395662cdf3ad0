"""The page about cards: its example is a card, its code runs, and its lists are complete."""

import re
from pathlib import Path
from typing import get_args

import pytest

from tests.docs.markdown import DOCS, blocks
from vantage6.common import cards
from vantage6.common.cards import Card, Function
from vantage6.common.cards.card import ShareClass
from vantage6.common.cards.schemas import KEYWORDS

PAGE = DOCS / "cards.md"
TEXT = PAGE.read_text()


def test_the_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = blocks(PAGE)
    (document,) = [block.text for block in found if block.language == "json"]
    (tmp_path / "card.json").write_text(document)
    assert cards.read(document).find("moments", is_central=False)
    monkeypatch.chdir(tmp_path)
    code = "".join(block.text for block in found if block.language == "python")
    exec(compile(code, PAGE.name, "exec"), {})


def test_every_field_keyword_and_class_is_on_the_page() -> None:
    code = set(re.findall(r"`([^`\n]+)`", TEXT))
    assert set(Card.model_fields) | set(Function.model_fields) <= code
    assert set(get_args(ShareClass)) <= code
    assert set(KEYWORDS) <= code
