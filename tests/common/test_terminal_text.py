"""Text of other people at terminals and pages: nothing in it commands, hides or passes for else."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vantage6.common.terminal_text import harmless, one_line, quote, spell_out


@pytest.mark.parametrize(
    "character",
    list(
        "\u034f\u115f\u3164\u2800\u180e\U000e0041\ufe0f\u202e\u200b\ufeff\xad\x1b\x7f\ud800\u2028"
    ),
)
def test_what_commands_or_shows_nothing_is_written_as_its_number(character: str):
    shown = harmless(f"a{character}b")
    assert shown.isascii()
    assert json.loads(f'"{shown}"') == f"a{character}b"
    assert character not in one_line(character) + quote(character) + spell_out(character)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("age", '"age"'),
        ("Universitätsklinikum Köln", '"Universitätsklinikum Köln"'),
        ("Łódź, Ærø, ñandú", '"Łódź, Ærø, ñandú"'),
        ("\u0430ge", '"\u0430ge" ("\\u0430ge")'),
        ("\uff41ge", '"\uff41ge" ("\\uff41ge")'),
        ("\u212bngstrom", '"\u212bngstrom" ("\\u212bngstrom")'),
        ("a\u0301", '"a\u0301" ("a\\u0301")'),
        ("a\xa0b", '"a\xa0b" ("a\\u00a0b")'),
        ('say "no"', '"say \\"no\\""'),
        ("a\nb\tc", '"a\\nb\\tc"'),
        ("a\\nb", '"a\\\\nb"'),
        ("a" + " " * 40 + "b", '"a\\u0020{40}b"'),
        ("", '""'),
    ],
)
def test_a_text_in_quotes_shows_which_one_it_is(text: str, shown: str):
    assert quote(text) == shown


def test_json_keeps_its_own_quotes():
    assert spell_out('{"a": "\u0430"}') == '{"a": "\u0430"} ({"a": "\\u0430"})'
    assert spell_out('["a\\"b"]') == '["a\\"b"]'


@given(st.text(max_size=8), st.text(max_size=8))
def test_no_text_looks_like_another_one(one: str, other: str):
    assert (quote(one) == quote(other)) == (one == other)
    first, *_ = quote(one).split("\n")
    assert first == quote(one)


@given(st.text(max_size=8))
def test_the_last_form_is_made_of_letters_that_resemble_no_others(text: str):
    last = quote(text).rpartition(" (")[2] if not quote(text).endswith('"') else quote(text)
    for character in last:
        name = unicodedata.name(character, "")
        assert character.isascii() or name.startswith("LATIN "), (text, last)
