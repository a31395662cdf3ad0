"""A card as JSON, and as the label of an image: JSON, gzip, base64."""

import base64
import binascii
import gzip
import json
import math
import zlib
from typing import Any, NoReturn

from pydantic import ValidationError

from vantage6.common.cards.card import Card
from vantage6.common.errors import Invalid
from vantage6.common.json_values import unique_keys
from vantage6.common.terminal_text import one_line

#: The label of an image that holds its card.
LABEL = "org.vantage6.card"
#: A longer document is no card.
MOST_BYTES = 256 * 1024

_SHOWN_FAULTS = 5
#: Tells the decompressor that a header of gzip stands in front.
_GZIP = 16 + zlib.MAX_WBITS


class CardError(Invalid):
    """The card is not valid."""

    code = "bad_card"


def read(document: bytes | str) -> Card:
    """Return the card that a JSON document holds.

    Raises
    ------
    CardError
        If it holds none; says what is wrong where.
    """
    raw = document.encode("utf-8", "replace") if isinstance(document, str) else document
    if len(raw) > MOST_BYTES:
        raise CardError(f"A card has at most {MOST_BYTES // 1024} kB.")
    try:
        # SECURITY: what two readers could read differently is refused: a key that is there twice,
        # and numbers that JSON does not have.
        json.loads(
            raw.decode(), object_pairs_hook=unique_keys, parse_constant=_refuse, parse_float=_finite
        )
    except (ValueError, RecursionError) as error:
        raise CardError(f"The card is not valid JSON: {_quote(error)}") from error
    try:
        return Card.model_validate_json(raw)
    except ValidationError as error:
        raise CardError(_describe(error)) from error
    except RecursionError as error:
        raise CardError("The card is nested too deeply.") from error


def parse(value: Any) -> Card:
    """Return the card that a parsed JSON document holds; see `read`."""
    try:
        document = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise CardError("The card is not valid JSON.") from error
    return read(document)


def write(card: Card, *, indent: int | None = None) -> str:
    """Return a card as JSON; fields with their default are left out.

    The same card is the same text.
    """
    value = card.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return json.dumps(
        value,
        ensure_ascii=False,
        allow_nan=False,
        indent=indent,
        separators=None if indent else (",", ":"),
    )


def write_label(card: Card) -> str:
    """Return a card as the value of the label `LABEL`."""
    return base64.b64encode(gzip.compress(write(card).encode(), mtime=0)).decode()


def read_label(label: str) -> Card:
    """Return the card in the label of an image.

    Raises
    ------
    CardError
        If it holds none.
    """
    # SECURITY: an image can have a label of any length, and a short one can unpack to gigabytes.
    if len(label) > 2 * MOST_BYTES:
        raise CardError("The label is too long to hold a card.")
    try:
        packed = base64.b64decode(label, validate=True)
        unpacker = zlib.decompressobj(_GZIP)
        document = unpacker.decompress(packed, MOST_BYTES + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise CardError("The label holds no card: JSON in gzip in base64.") from error
    if len(document) <= MOST_BYTES and (not unpacker.eof or unpacker.unused_data):
        raise CardError("The label holds no card: its gzip is cut off, or something follows it.")
    return read(document)


def _refuse(_: str) -> NoReturn:
    raise ValueError("NaN and infinite numbers are no JSON")


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError("a number is too large")
    return number


def _quote(error: Exception) -> str:
    return one_line(str(error))[:200]


def _describe(error: ValidationError) -> str:
    """Return what is wrong where, a few things at most."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    said = [
        f"{one_line('/'.join(map(str, fault['loc'])))[:200] or 'card'}: "
        f"{one_line(fault['msg']).removeprefix('Value error, ')[:300]}"
        for fault in faults[:_SHOWN_FAULTS]
    ]
    more = len(faults) - len(said)
    return f"The card is not valid. {'; '.join(said)}" + (f"; and {more} more." if more else ".")
