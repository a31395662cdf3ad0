"""A result as tables, as the views of a function's card say; numbers are rounded here alone.

SECURITY: results and cards come from other people. What has not the form that a view needs is left
to the reader of JSON, and all text passes through `one_line`.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from vantage6.common.cli import table
from vantage6.common.errors import SerializationError
from vantage6.common.serialization import to_json
from vantage6.common.terminal_text import one_line

#: Of numbers in a table, and in one that is too wide for the terminal.
_DIGITS, _FEWER_DIGITS = 6, 4
_DEEPEST = 5
#: So many values of a list stand in one line.
_MOST_VALUES = 5
_RATIO = "_ratio"
_MOST_COLUMNS, _MOST_LETTERS = 30, 400
#: Where a result says what a reader of it has to know.
_WARNINGS = ("warnings", "excluded")


class _NotShown(Exception):
    """The part of the result does not have the form that its view needs."""


def lines(result: Any, views: Iterable[Any]) -> list[str] | None:
    """Return a result as lines; None where its card has no view that this program can show.

    Parameters
    ----------
    result
        What the function has answered.
    views
        The views of the function, each with ``kind`` and ``path``.
    """
    said: list[str] = []
    paths: list[Sequence[str]] = []
    try:
        # Without what numpy and pandas have brought.
        result = json.loads(to_json(result))
        for view in views:
            path = [_unescape(step) for step in view.path.split("/")[1:]]
            found = _shown(result, view.kind, path)
            if found is not None:
                title = [one_line(f"{path[-1]}:")] if paths and path else []
                said += [*_gap(said), *title, *found]
                paths.append(path)
        rest = _beside(result, paths) if paths else []
    except (RecursionError, SerializationError):
        return None
    return [*said, *_gap(said, rest), *rest] if paths else None


def _shown(result: Any, kind: str, path: Sequence[str]) -> list[str] | None:
    show = _KINDS.get(kind)
    if show is None:
        return None
    try:
        return show(*_at(result, path))
    except _NotShown:
        return None


def _at(value: Any, path: Sequence[str]) -> tuple[Any, Any]:
    """Return a part of a result, and the dictionary that it is in."""
    above: Any = None
    for step in path:
        above = value
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            raise _NotShown
    return value, above


def _unescape(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")


def _beside(result: Any, paths: Sequence[Sequence[str]]) -> list[str]:
    """Return what stands beside the parts that are shown: warnings, facts, and other names."""
    facts: dict[str, Any] = {}
    warnings: list[str] = []
    others: list[str] = []
    value, path = result, paths[0]
    for depth, step in enumerate(path):
        if not isinstance(value, dict):
            break
        shown = {other[depth] for other in paths if other[:depth] == path[:depth]}
        beside = {key: one for key, one in value.items() if key not in shown}
        for key, one in beside.items():
            inner = one if isinstance(one, dict) else {key: one}
            told = [inner[name] for name in _WARNINGS if isinstance(inner.get(name), list)]
            warnings += [_warning(each) for one_list in told for each in one_list]
            plain = {name: each for name, each in inner.items() if _is_line(each)}
            facts |= _flat({key: plain} if inner is one else plain)
            left = [name for name in inner if name not in plain and name not in _WARNINGS]
            others += [key] if any(inner[name] for name in left) else []
        value = value.get(step)
    more = f"Not shown: {', '.join(map(_text, others))}. --json has them, and all digits."
    parts = [warnings, _pairs(facts), [one_line(more)] if others else []]
    return "\n\n".join("\n".join(part) for part in parts if part).splitlines()


def _warning(value: Any) -> str:
    """Return a warning as a line, with the organization that it is about."""
    if not isinstance(value, dict):
        return one_line(f"Warning: {_text(value)}")
    which, said = value.get("organization"), value.get("message") or value.get("code")
    about = "" if which is None else f"organization {_text(which)}: "
    return one_line(f"Warning: {about}{_text(said)}")


def _generic(value: Any, above: Any, depth: int = 0) -> list[str]:
    """Return any value as lines: records as a table, and what is in their cells below it."""
    if depth > _DEEPEST:
        raise _NotShown
    if isinstance(value, dict):
        return _of_dictionary(value, depth)
    if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        names = [_name_of(one, number) for number, one in enumerate(value)]
        return _of_records(names, value, depth, header=None)
    if _is_matrix(value):
        return _of_matrix(value, above.get("columns") if isinstance(above, dict) else None)
    if value == [] or (isinstance(value, list) and not all(map(_is_plain, value))):
        raise _NotShown
    return [one_line(_text(value))]


def _of_dictionary(value: Mapping[str, Any], depth: int) -> list[str]:
    """Return plain entries as pairs, lists of one length as a table, and others below."""
    entries = list(value.values())
    if len(entries) > 1 and all(isinstance(one, dict) for one in entries):
        return _of_records(list(value), entries, depth, header="")
    columns = _columns(value)
    said = _pairs(_flat({key: one for key, one in value.items() if key not in columns}))
    if columns:
        rows = zip(*columns.values(), strict=True)
        said += [*_gap(said), *_table(list(columns), rows)]
    for key, one in value.items():
        if key not in columns and _is_nested(one):
            said += [*_gap(said), one_line(f"{key}:"), *_generic(one, value, depth + 1)]
    return said or ["-"]


def _of_records(
    names: Sequence[str], records: Sequence[Mapping[str, Any]], depth: int, header: str | None
) -> list[str]:
    """Return dictionaries as the rows of a table, and what is no cell of it below."""
    rows = [_flat(one) for one in records]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    # A column without any value says nothing.
    columns = [key for key in columns if any(row.get(key) is not None for row in rows)]
    cells = [[row.get(key) for key in columns] for row in rows]
    if columns == ["level", "count"]:
        columns, cells = [*columns, "percent"], list(_with_percent(cells))
    if header is not None:
        columns = [header, *columns]
        cells = [[name, *row] for name, row in zip(names, cells, strict=True)]
    # A name alone stands above its parts.
    is_told = len(columns) > 1 or not any(
        _is_nested(one) for row in records for one in row.values()
    )
    said = _table(columns, cells) if columns and is_told else []
    for name, record in zip(names, records, strict=True):
        for key, one in record.items():
            if _is_nested(one):
                title = one_line(f"{name}: {key}")
                said += [*_gap(said), title, *_generic(one, record, depth + 1)]
    return said


def _with_percent(cells: Sequence[Sequence[Any]]) -> Iterator[list[Any]]:
    """Yield levels and counts with their share; a total with a hidden count is not known."""
    counts = [count for _, count in cells]
    is_whole = all(isinstance(count, int) and count >= 0 for count in counts) and sum(counts) > 0
    for level, count in cells:
        yield [level, count, f"{100 * count / sum(counts):.1f}" if is_whole else None]


def _coefficients(value: Any, above: Any) -> list[str]:
    """Return the terms of a model; hazard and odds ratios first, for which people ask."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        return _generic(value, above)
    rows = []
    for one in value:
        first = [key for key in one if key == "term" or _RATIO in key]
        if len(first) > 1 and "p_value" in one:
            first.append("p_value")
        rows.append({key: one[key] for key in [*first, *(key for key in one if key not in first)]})
    return _generic(rows, above)


def _of_matrix(value: Sequence[Sequence[Any]], names: Any) -> list[str]:
    is_named = isinstance(names, list) and len(names) == len(value) == len(value[0])
    if not is_named:
        return _table([""] * len(value[0]), value)[1:]
    rows = [[name, *row] for name, row in zip(names, value, strict=True)]
    return _table(["", *names], rows)


def _histogram(value: Any, above: Any) -> list[str]:
    """Return edges and counts as intervals."""
    del above
    edges, counts = _lists(value, "edges", "counts")
    if len(edges) != len(counts) + 1:
        raise _NotShown
    header, columns = ["from", "to", "count"], [edges[:-1], edges[1:], counts]
    rest = {key: one for key, one in value.items() if key not in ("edges", "counts")}
    least = rest.get("at_least")
    if isinstance(least, dict) and _is_column(least.get("counts")):
        if len(least["counts"]) == len(counts) and least["counts"] != counts:
            # Some are hidden.
            header, columns = [*header, "at_least"], [*columns, least["counts"]]
        del rest["at_least"]
    return [*_table(header, zip(*columns, strict=True)), *_rest(rest)]


def _cross_table(value: Any, above: Any) -> list[str]:
    """Return counts with the levels of two columns."""
    del above
    if not isinstance(value, dict) or not _is_matrix(value.get("counts")):
        raise _NotShown
    (rows,), (columns,) = (_lists(value.get(side), "levels") for side in ("rows", "columns"))
    counts = value["counts"]
    if len(rows) != len(counts) or len(columns) != len(counts[0]):
        raise _NotShown
    sides = [_text(value[side].get("column", "")) for side in ("rows", "columns")]
    cells = [[level, *row] for level, row in zip(rows, counts, strict=True)]
    shown = ("rows", "columns", "counts")
    rest = {key: one for key, one in value.items() if key not in shown}
    if rest.get("at_least") == counts:
        # No cell is hidden.
        del rest["at_least"]
    return [*_table([" / ".join(filter(None, sides)), *columns], cells), *_rest(rest)]


def _scree(value: Any, above: Any) -> list[str]:
    """Return the share of each component, and the loadings of the columns."""
    del above
    shares, deviations = _lists(value, "variance_share", "standard_deviations")
    loadings, columns = value.get("loadings"), value.get("columns")
    numbers = [str(number + 1) for number in range(len(shares))]
    if len(deviations) != len(shares):
        raise _NotShown
    rows = zip(numbers, shares, deviations, strict=True)
    said = _table(["component", "variance_share", "standard_deviation"], rows)
    named = isinstance(columns, list) and _is_matrix(loadings) and len(loadings) == len(columns)
    if named and len(loadings[0]) == len(numbers):
        cells = [[name, *row] for name, row in zip(columns, loadings, strict=True)]
        said += ["", *_table(["loadings", *numbers], cells)]
    return said


def _rest(value: Mapping[str, Any]) -> list[str]:
    found = {key: one for key, one in value.items() if one not in ([], {}, None)}
    return ["", *_of_dictionary(found, 1)] if found else []


def _lists(value: Any, *keys: str) -> list[list[Any]]:
    found = [value.get(key) if isinstance(value, dict) else None for key in keys]
    if not all(map(_is_column, found)):
        raise _NotShown
    return found  # type: ignore[return-value]  # the line above


def _table(header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> list[str]:
    if len(header) > _MOST_COLUMNS:
        raise _NotShown
    names, cells = [one_line(_text(name)) for name in header], list(rows)
    width = table.terminal_width()
    said = table.lines(names, [[_text(cell) for cell in row] for row in cells])
    if width is None or max(map(len, said)) <= width:
        return said
    short = [[_text(cell, _FEWER_DIGITS) for cell in row] for row in cells]
    return table.lines(names, short, width)


def _pairs(facts: Mapping[str, Any]) -> list[str]:
    known = {one_line(key): one_line(_text(one)) for key, one in facts.items() if one is not None}
    width = max(map(len, known), default=0)
    return [f"{key:<{width}}  {one}" for key, one in known.items()]


def _flat(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return what fits into one cell each; entries of dictionaries have both names."""
    found: dict[str, Any] = {}
    for key, one in value.items():
        if isinstance(one, dict) and not _is_nested(one):
            found |= {f"{key}.{name}": each for name, each in _flat(one).items()}
        elif _is_plain(one) or _is_column(one):
            found[key] = one
    return found


def _columns(value: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the lists of plain values in a dictionary, if they make a table."""
    found = {key: one for key, one in value.items() if _is_column(one)}
    is_table = len(found) > 1 and len({len(one) for one in found.values()}) == 1
    return found if is_table else {}


def _is_nested(value: Any) -> bool:
    """Tell whether something is more than the cells of a row."""
    if isinstance(value, dict):
        rows = list(value.values())
        are_rows = len(rows) > 1 and all(isinstance(one, dict) for one in rows)
        return are_rows or bool(_columns(value)) or any(map(_is_nested, rows))
    return isinstance(value, list) and not all(map(_is_plain, value))


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _is_line(value: Any) -> bool:
    """Tell whether a value, or a short list of them, stands in one line."""
    return _is_plain(value) or (_is_column(value) and len(value) <= _MOST_VALUES)


def _is_column(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(map(_is_plain, value))


def _is_matrix(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(map(_is_column, value))
        and len({len(row) for row in value}) == 1
    )


def _name_of(record: Mapping[str, Any], number: int) -> str:
    """Return how a record is called below its table: by its first text."""
    return next((one for one in record.values() if isinstance(one, str)), str(number + 1))


def _text(value: Any, digits: int = _DIGITS) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    if isinstance(value, list):
        return ", ".join(_text(one, digits) for one in value)[:_MOST_LETTERS]
    said = value if isinstance(value, str) else to_json(value).decode()
    return said if len(said) <= _MOST_LETTERS else f"{said[:_MOST_LETTERS]}..."


def _gap(before: Any, after: Any = True) -> list[str]:
    return [""] if before and after else []


_KINDS: Mapping[str, Callable[[Any, Any], list[str]]] = {
    **dict.fromkeys(("table", "kaplan_meier", "line", "text"), _generic),
    "coefficients": _coefficients,
    "histogram": _histogram,
    "cross_table": _cross_table,
    "scree": _scree,
}
