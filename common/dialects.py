"""How a file of separated values is written: with which separator, decimal mark and encoding.

Spreadsheets write semicolons and decimal commas in much of Europe, and tabs on request.
"""

import csv
import re
from itertools import zip_longest
from pathlib import Path
from typing import Any

_SAMPLE_BYTES = 2**16
_QUOTED = re.compile(r'"[^"]*"')
_LINE_END = re.compile(r"\r\n|\r|\n")
_DECIMAL_POINT = re.compile(r"[+-]?\d+\.\d+")
#: A number with a decimal comma, or without decimals.
_NUMBER = re.compile(r"[+-]?\d+(?:,(\d+))?(?:[eE][+-]?\d+)?")
#: What the comma can separate thousands in as well.
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
#: What stands for no value; pandas knows some more.
_ABSENT = frozenset({"", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", "None"})
_PACKED = frozenset({".gz", ".bz2", ".zip", ".xz", ".zst"})
#: How a spreadsheet names the separator in a line before the header.
_NAMED = re.compile(r'"?sep=(.)"?', re.ASCII)
_MARKS_OF_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def options(uri: str) -> dict[str, Any]:
    """Return what `pandas.read_csv` has to know about a file; nothing where it is as usual.

    Parameters
    ----------
    uri
        Path of the file; an address is left to pandas.
    """
    path = Path(uri)
    if "://" in uri or path.suffix.lower() in _PACKED or not path.is_file():
        return {}
    with path.open("rb") as file:
        sample = file.read(_SAMPLE_BYTES)
    found: dict[str, Any] = {}
    if sample.startswith(_MARKS_OF_UTF_16):
        found["encoding"] = "utf-16"
    # Separators and digits are the same in every other encoding in use.
    lines = _LINE_END.split(sample.decode(found.get("encoding", "utf-8-sig"), "replace"))
    if len(lines) > 1 and len(sample) == _SAMPLE_BYTES:
        lines.pop()  # which goes on after the sample
    if named := _NAMED.fullmatch(lines[0]):
        found |= {"sep": named[1], "skiprows": 1}
        lines = lines[1:]
    separator = found.get("sep") or _separator(lines[0] if lines else "")
    if separator != ",":
        found |= {"sep": separator, **_decimals(lines, separator)}
    return found


def _decimals(lines: list[str], separator: str) -> dict[str, Any]:
    """Return what pandas has to know about decimal commas, which it sees in each column or none.

    A column where the comma can be something else stays a text: an algorithm fails on a text, but
    not on a number that is wrong by a thousand.
    """
    header, *rows = [row for row in csv.reader(lines, delimiter=separator) if row] or [[]]
    columns = list(zip_longest(*rows, fillvalue=""))
    if any(_DECIMAL_POINT.fullmatch(value) for values in columns for value in values):
        return {}
    judged = [_is_decimal(values) for values in columns]
    if True not in judged:
        return {}
    if False not in judged:
        return {"decimal": ","}
    if len(columns) > len(header) or len(set(header)) < len(header):
        return {}  # pandas gives the columns other names
    unclear = [name for name, found in zip(header, judged, strict=False) if found is False]
    return {"decimal": ",", "dtype": dict.fromkeys(unclear, str)}


def _is_decimal(values: tuple[str, ...]) -> bool | None:
    """Tell whether the commas of a column are decimal marks; None if it has no such numbers."""
    found = [_NUMBER.fullmatch(value) for value in values if value not in _ABSENT]
    decimals = [match[1] for match in found if match and match[1]]
    if not decimals or not all(found):
        return None
    if all(_THOUSANDS.fullmatch(match[0]) for match in found if match and match[1]):
        return False
    # Programs write as many decimals as there are, or the same number of them. Lists do not.
    is_shortest = not any(part.endswith("0") for part in decimals)
    return is_shortest or len(set(map(len, decimals))) == 1


def _separator(header: str) -> str:
    """Return what separates the names of columns; a comma unless there is none."""
    plain = _QUOTED.sub("", header)
    return next((mark for mark in (",", ";", "\t") if mark in plain), ",")
