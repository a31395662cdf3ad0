"""Text of other people, before it is shown at a terminal or a page, or written to a log.

SECURITY: names, logs and messages come from other people, and a terminal obeys what looks like a
command to it: it can write over lines, change its title, or answer as if the user had typed.
"""

import re
import unicodedata

#: Control characters (C0 without tab and line feed, DEL, C1), separators of lines and paragraphs,
#: halves of surrogate pairs, marks that turn the direction of text, and what shows nothing:
#: fillers, selectors of variants, tags.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
#: Blanks in a row: more of them would fill a line, and begin another one.
_BLANKS = re.compile(" {3,}")
#: Letters that no other one resembles, apart from those of ASCII with an accent.
_CLEAR = frozenset("ßÆæØøÐðÞþŁłŒœĐđ")
_ASCII_MOST = 0x7F


def harmless(text: str) -> str:
    r"""Return a text that a terminal only shows: what would command it is written as ``\u001b``.

    That is how JSON writes it, too, so that JSON stays what it was.
    """
    return _CONTROLS.sub(lambda found: _escape(found[0]), text)


def one_line(text: str) -> str:
    """Return a text that is harmless and does not look like several lines."""
    return harmless(text).replace("\n", "\\n")


def quote(text: str) -> str:
    r"""Return a name or another text in quotes, so that it passes for no other one.

    Where letters of it may resemble others, as those of other alphabets do, a second form follows
    that spells them: ``("\u0430ge")``. Many blanks in a row are shown as one, with their number.
    """
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    return spell_out(f'"{text}"')


def spell_out(text: str) -> str:
    """Return a text that has its quotes already, as JSON has, in the form of `quote`."""
    shown = _count_blanks(one_line(text))
    plain = one_line("".join(c if _is_clear(c) else _escape(c) for c in text))
    plain = _count_blanks(plain)
    return shown if shown == plain else f"{shown} ({plain})"


def _count_blanks(text: str) -> str:
    return _BLANKS.sub(lambda found: f"\\u0020{{{len(found[0])}}}", text)


def _is_clear(character: str) -> bool:
    """Tell whether people take a character for no other one."""
    if ord(character) <= _ASCII_MOST:
        return True  # what commands is written as its number in both forms
    if character in _CLEAR:
        return True
    first, *accents = list(unicodedata.normalize("NFD", character))
    has_accent = bool(accents) and all(map(unicodedata.combining, accents))
    # Some signs are the same letter once more, as that of the unit ångström.
    is_usual = unicodedata.normalize("NFC", character) == character
    return has_accent and is_usual and first.isascii() and first.isalpha()


def _escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
