"""The card of an image, kept beside a result until its output was judged."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vantage6.common.cards import Card
from vantage6.common.disclosure.functions import AskedFunction
from vantage6.common.durable_files import write_durably

_FILE = "card.json"
#: A card has at most 256 kB; written in another way it may be longer.
_MOST_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
class CardOfResult:
    """The card of the image that computed a result, and the function that was asked for."""

    card: dict[str, Any]
    function: str | None
    is_central: bool


def write_card(folder: Path, card: Card, function: AskedFunction) -> None:
    """Keep a card in the folder of its result; it is on disk when this returns."""
    kept = {
        "card": card.model_dump(mode="json", by_alias=True),
        "function": function.name,
        "is_central": function.is_central,
    }
    write_durably(folder / _FILE, json.dumps(kept).encode())


def read_card_of(folder: Path) -> CardOfResult | None:
    """Return the card in the folder of a result; None if its image has none.

    Raises
    ------
    OSError
        If it cannot be read now.
    """
    try:
        with (folder / _FILE).open("rb") as file:
            return CardOfResult(**json.loads(file.read(_MOST_BYTES)))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        # SECURITY: without its card an output would be judged as one of any image.
        raise OSError(f"{folder / _FILE} holds no card") from error
