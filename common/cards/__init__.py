"""Function cards: what the functions of an image take, and what they share.

`card` is the document, `documents` its forms (JSON, label of an image), `arguments` the one check
of a task's input against it. A card is written by the author of an image, who is not trusted.
"""

from vantage6.common.cards.arguments import (
    BAD_ARGUMENTS,
    find_faults,
    find_faults_of_each,
    find_faults_of_input,
    is_allowed,
    name_arguments,
)
from vantage6.common.cards.bounded import MOST_VALUES, Steps, TooMuch
from vantage6.common.cards.card import Card, Example, Function, Rounds, Share, View
from vantage6.common.cards.documents import (
    LABEL,
    MOST_BYTES,
    CardError,
    parse,
    read,
    read_label,
    write,
    write_label,
)
from vantage6.common.cards.store import Imported, convert_entry, from_store

__all__ = [
    "BAD_ARGUMENTS",
    "LABEL",
    "MOST_BYTES",
    "MOST_VALUES",
    "Card",
    "CardError",
    "Example",
    "Function",
    "Imported",
    "Rounds",
    "Share",
    "Steps",
    "TooMuch",
    "View",
    "convert_entry",
    "find_faults",
    "find_faults_of_each",
    "find_faults_of_input",
    "from_store",
    "is_allowed",
    "name_arguments",
    "parse",
    "read",
    "read_label",
    "write",
    "write_label",
]
