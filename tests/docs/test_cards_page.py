"""The page about cards: its example is a card, its code runs, and its lists are complete."""

import re
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest

from tests.docs.markdown import DOCS, blocks
from vantage6.common import cards
from vantage6.common.cards import Card, Function
from vantage6.common.cards.card import ShareClass
from vantage6.common.cards.schemas import KEYWORDS
from vantage6.tools.card_building import build

PAGE = DOCS / "cards.md"
TEXT = PAGE.read_text()


def document_of_the_page() -> str:
    (document,) = [block.text for block in blocks(PAGE) if block.language == "json"]
    return document


def test_the_code_makes_the_card_of_the_page() -> None:
    (code,) = [block.text for block in blocks(PAGE) if block.text.startswith("# spread.py")]
    module = ModuleType("spread")
    exec(compile(code, PAGE.name, "exec"), module.__dict__)
    built, shown = build(module), cards.read(document_of_the_page())
    assert [one.name for one in built.functions] == [one.name for one in shown.functions]
    for one, other in zip(built.functions, shown.functions, strict=True):
        assert (one.kind, one.calls, one.rounds) == (other.kind, other.calls, other.rounds)
        assert one.shares == other.shares
        assert one.arguments["required"] == other.arguments["required"]


def test_the_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = blocks(PAGE)
    document = document_of_the_page()
    (tmp_path / "card.json").write_text(document)
    assert cards.read(document).find("moments", is_central=False)
    monkeypatch.chdir(tmp_path)
    code = "".join(
        block.text
        for block in found
        if block.language == "python" and not block.text.startswith("# spread.py")
    )
    exec(compile(code, PAGE.name, "exec"), {})


def test_every_field_keyword_and_class_is_on_the_page() -> None:
    code = set(re.findall(r"`([^`\n]+)`", TEXT))
    assert set(Card.model_fields) | set(Function.model_fields) <= code
    assert set(get_args(ShareClass)) <= code
    assert set(KEYWORDS) <= code
