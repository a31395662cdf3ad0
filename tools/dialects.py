"""How a file of separated values is written: with which separator, decimal mark and encoding.

Spreadsheets write semicolons and decimal commas in much of Europe, and tabs on request.
"""

import re
from pathlib import Path
from typing import Any

_SAMPLE_BYTES = 2**16
_QUOTED = re.compile(r'"[^"]*"')
_DECIMAL_COMMA = re.compile(r'"?-?\d+,\d+"?')
_DECIMAL_POINT = re.compile(r'"?-?\d+\.\d+"?')
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
    lines = sample.decode(found.get("encoding", "latin-1"), "replace").splitlines()
    if lines and (named := _NAMED.fullmatch(lines[0].removeprefix("\xef\xbb\xbf"))):
        found |= {"sep": named[1], "skiprows": 1}
        lines = lines[1:]
    separator = found.get("sep") or _separator(lines[0] if lines else "")
    if separator != ",":
        found["sep"] = separator
        fields = [field for line in lines[1:-1] or lines[1:] for field in line.split(separator)]
        if any(map(_DECIMAL_COMMA.fullmatch, fields)) and not any(
            map(_DECIMAL_POINT.fullmatch, fields)
        ):
            found["decimal"] = ","
    return found


def _separator(header: str) -> str:
    """Return what separates the names of columns; a comma unless there is none."""
    plain = _QUOTED.sub("", header)
    return next((mark for mark in (",", ";", "\t") if mark in plain), ",")
