"""Text of other people, before it is shown at a terminal or written to a log.

SECURITY: names, logs and messages come from other people, and a terminal obeys what looks like a
command to it: it can write over lines, change its title, or answer as if the user had typed.
"""

import re

#: Control characters (C0 without tab and line feed, DEL, C1), separators of lines and paragraphs,
#: halves of surrogate pairs, and marks that turn the direction of text or take no room.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\ufff9-\ufffb]"
)


def harmless(text: str) -> str:
    r"""Return a text that a terminal only shows: what would command it is written as ``\u001b``.

    That is how JSON writes it, too, so that JSON stays what it was.
    """
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def one_line(text: str) -> str:
    """Return a text that is harmless and does not look like several lines."""
    return harmless(text).replace("\n", "\\n")
