"""One walk through an output, which finds what looks like the data and not like a statistic."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import lt
from pathlib import Path
from typing import BinaryIO

from vantage6.common.disclosure.outputs import (
    LONGEST_TEXT,
    MOST_OPAQUE,
    MOST_TEXT,
    SHORT_LIST,
    ListBounds,
    bound_output,
)
from vantage6.common.disclosure.shares.pairs import MOST_FLAGS
from vantage6.common.disclosure.verdicts import Finding, Verdict
from vantage6.common.durable_files import open_plain
from vantage6.node.release.data import Data
from vantage6.node.release.judgements import MOST_FINDINGS
from vantage6.node.release.matrices import Matrices
from vantage6.node.release.paths import write_step
from vantage6.node.release.streams import RESTART, Event, NoForm, read_events

#: Numbers and texts that are compared with the data at once.
_BATCH = 32_768
#: Distinct values of one list that are kept in memory.
_MOST_KEPT = 100_000
#: A whole number from here on counts as a text, for its digits.
_LARGEST = 2**64
#: Findings of one rule that are kept, so that each rule has its place.
_MOST_OF_RULE = 20
_LOWEST = frozenset({"min", "minimum", "lowest", "smallest"})
_HIGHEST = frozenset({"max", "maximum", "highest", "largest"})
#: What stands between pieces of a text that may be fields of a record, and such a piece.
_BETWEEN, _PIECE = re.compile(r"[,;|\t\r\n]"), re.compile(r"[^,;|\t\r\n]+")

REMEDIES = {
    "row_like": "A list is nearly as long as the data. Return sums, counts or a model.",
    "unique_cell": "A number equals a cell that one record alone holds. Return values of groups.",
    "rare_text": "A text stands in too few records. Merge rare levels, or leave them out.",
    "too_many_levels": "A list has more levels than the station allows. Merge levels.",
    "extreme": "A number is the smallest or largest value of a column. Return a quantile.",
    "opaque": "The output, or a text in it, has no form that the station can read. Return JSON.",
    "large": "The output is large beside the data. Return less.",
    "not_judged": "The station could not judge the output. Ask the station.",
    "not_compared": "The station cannot compare the output with the data now. Ask the station.",
}
_REFUSED = frozenset({"row_like", "unique_cell", "rare_text", "extreme"})


def found(rule: str, path: str = "") -> Finding:
    """Return the finding of a rule, with its verdict and remedy."""
    verdict = Verdict.REFUSED if rule in _REFUSED else Verdict.HELD
    return Finding(rule, path, verdict, REMEDIES[rule])


@dataclass(slots=True, eq=False)
class _Frame:
    """A list or an object that is being walked through."""

    parent: "_Frame | None"
    label: str | int
    is_map: bool
    #: Items that count for its length: no key that names a column.
    count: int = 0
    #: Items that are lists or objects themselves, which count as distinct.
    nested: int = 0
    key: str = ""
    distinct: set[object] | None = None
    levels: set[str] | None = None
    #: All numbers of a list that was not too long to be kept.
    kept: list[float] = field(default_factory=list)
    #: Flags of a list that was not too long to be kept.
    flags: list[bool] = field(default_factory=list)
    #: Numbers of a list that are not looked at yet.
    numbers: list[float] = field(default_factory=list)
    first: float | None = None
    last: float = 0.0
    rises: bool = True
    #: It holds texts, or values without meaning, beside numbers.
    is_mixed: bool = False

    @property
    def path(self) -> str:
        frame, labels = self, []
        # The outermost place is the whole output, which has an empty path.
        while frame.parent is not None and frame.parent.parent is not None:
            labels.append(write_step(frame.label))
            frame = frame.parent
        return "".join(reversed(labels))


class Walk:
    """Takes the events of one output, and collects findings.

    Parameters
    ----------
    levels
        Most levels in one place; None for any.
    data
        What to compare with; None where the data is not known.
    matrices
        Where a long list may be a matrix.
    """

    def __init__(
        self, levels: int | None, data: Data | None, matrices: Matrices = Matrices()
    ) -> None:
        self._levels = levels
        self._matrices = matrices
        self._data = data
        self._bounds = ListBounds(None if data is None else data.people)
        self._most = self._bounds.most_distinct
        self._columns = frozenset() if data is None else data.columns
        self._begin()

    def _begin(self) -> None:
        self.findings: dict[tuple[str, str], Finding] = {}
        self._counts: Counter[str] = Counter()
        self._root = _Frame(None, "", is_map=False)
        self._text_bytes = 0
        self._numbers: list[float] = []
        #: Where each run of them begins, and the place of its first number.
        self._number_places: list[tuple[int, _Frame, str | int | None]] = []
        self._texts: list[str] = []
        self._text_places: list[tuple[_Frame, str | int]] = []

    def follow(self, events: Iterable[Event]) -> None:
        """Go through all events, or until there are findings enough.

        Raises
        ------
        NoForm
            Where the events end in the middle.
        """
        frame = self._root
        for name, value in events:
            if name == "number":
                # PERF: most of a large output.
                if frame.is_map:
                    self._on_named(frame, value)
                else:
                    frame.numbers.append(value)
                    if len(frame.numbers) >= _BATCH:
                        self._take_numbers(frame)
            elif name == "map_key":
                frame.key = value
                self._on_text(frame, value, value, is_key=True)
            elif name == "string":
                self._on_text(frame, value, self._enter(frame), is_key=False)
            elif name in ("start_map", "start_array"):
                inner = _Frame(frame, self._enter(frame), is_map=name == "start_map")
                frame.nested += not (frame.is_map and frame.key in self._columns)
                frame = inner
            elif name in ("end_map", "end_array"):
                self._on_end(frame)
                if frame.parent is not None:
                    frame = frame.parent
            elif (name, value) == RESTART:
                self._begin()
                frame = self._root
            else:
                self._enter(frame)
                frame.is_mixed = True
                if isinstance(value, bool) and len(frame.flags) < MOST_FLAGS:
                    frame.flags.append(value)
                self._note(frame, (value,))
            if len(self.findings) >= MOST_FINDINGS:
                return
        self._compare()

    def add(self, rule: str, frame: _Frame | None = None, label: str | int | None = None) -> None:
        """Note what was found at a place."""
        path = "" if frame is None else frame.path
        if label is not None:
            path += write_step(label)
        if self._counts[rule] < _MOST_OF_RULE and (rule, path) not in self.findings:
            self._counts[rule] += 1
            self.findings[rule, path] = found(rule, path)

    def _enter(self, frame: _Frame) -> str | int:
        """Count one more item, and return its label."""
        if frame.is_map:
            if frame.key not in self._columns:
                frame.count += 1
            return frame.key
        frame.count += 1
        return frame.count + len(frame.numbers) - 1

    def _take_numbers(self, frame: _Frame) -> None:
        """Look at numbers of a list."""
        numbers = [self._plain(value) for value in frame.numbers]
        if frame.first is None:
            frame.first = frame.last = numbers[0]
            rest = numbers[1:]
        else:
            rest = numbers
        if frame.rises:
            frame.rises = all(map(lt, chain((frame.last,), rest), rest))
        frame.last = numbers[-1]
        self._note(frame, numbers)
        label = frame.count if not (frame.nested or frame.is_mixed) else None
        self._ask_numbers(numbers, frame, label)
        frame.kept = numbers if not frame.count else []
        frame.count += len(numbers)
        frame.numbers = []

    def _ask_numbers(self, numbers: list[float], frame: _Frame, label: str | int | None) -> None:
        self._number_places.append((len(self._numbers), frame, label))
        self._numbers += numbers
        if len(self._numbers) >= _BATCH:
            self._compare()

    def _plain(self, value: float) -> float:
        """Return a number as a double; the digits of a very long one count as a text."""
        if isinstance(value, int) and not -_LARGEST < value < _LARGEST:
            self._text_bytes += value.bit_length() // 3
            self._check_texts()
            return 0.0
        return value

    def _on_named(self, frame: _Frame, value: float) -> None:
        """Look at a number of an object."""
        self._enter(frame)
        number, key, data = self._plain(value), frame.key, self._data
        if key not in self._columns:
            self._note(frame, (number,))
        self._ask_numbers([number], frame, key)
        if data is None:
            return
        name = key.lower()
        is_lowest = name in _LOWEST and data.is_lowest(number)
        if is_lowest or (name in _HIGHEST and data.is_highest(number)):
            self.add("extreme", frame, key)

    def _on_text(self, frame: _Frame, text: str, label: str | int, *, is_key: bool) -> None:
        if text in self._columns:
            return
        self._count_text(frame, label, text)
        holder = frame if is_key or not frame.is_map else frame.parent
        if holder is not None and (is_key or not holder.is_map):
            self._on_level(holder, text)
        if not is_key:
            frame.is_mixed = True
            if not (frame.is_map and label in self._columns):
                self._note(frame, (text,))
        for piece in _pieces(text):
            number = _number(piece)
            if number is None:
                self._texts.append(piece)
                self._text_places.append((frame, label))
            else:
                self._ask_numbers([number], frame, label)
            if len(self._texts) >= _BATCH:
                self._compare()

    def _on_level(self, frame: _Frame, text: str) -> None:
        if self._levels is None:
            return
        frame.levels = frame.levels or set()
        if len(frame.levels) <= self._levels:
            frame.levels.add(text[:LONGEST_TEXT])
            if len(frame.levels) > self._levels:
                self.add("too_many_levels", frame)

    def _count_text(self, frame: _Frame, label: str | int, text: str) -> None:
        self._text_bytes += len(text)
        if len(text) > LONGEST_TEXT:
            self.add("opaque", frame, label if frame.is_map else None)
        self._check_texts()

    def _check_texts(self) -> None:
        if self._text_bytes > MOST_TEXT:
            self.add("opaque")

    def _note(self, frame: _Frame, values: Iterable[object]) -> None:
        """Count distinct values of a list, or of an object by keys that name no column."""
        frame.distinct = set() if frame.distinct is None else frame.distinct
        if len(frame.distinct) < _MOST_KEPT:
            frame.distinct.update(values)

    def _on_end(self, frame: _Frame) -> None:
        if frame.numbers:
            self._take_numbers(frame)
        whole, most = self._bounds.whole, self._most
        distinct = len(frame.distinct or ()) + frame.nested
        is_long = frame.count > most and distinct > min(most, _MOST_KEPT - 1)
        data = self._data
        is_long |= whole is not None and frame.count >= max(whole, SHORT_LIST // 2)
        if is_long and not self._is_declared(frame):
            self.add("row_like", frame)
        if data is None or frame.first is None or not frame.rises or frame.count < 2:
            return
        if data.is_lowest(frame.first) and data.is_highest(frame.last):
            self.add("extreme", frame)

    def _is_declared(self, frame: _Frame) -> bool:
        """Tell whether a long list is what the card says, and no list of records."""
        if len(frame.flags) == frame.count:
            return self._matrices.holds_flags(frame.path, frame.flags)
        rows = 0 if self._data is None else self._data.rows
        is_whole = len(frame.kept) == frame.count
        return is_whole and self._matrices.holds(frame.path, frame.kept, rows)

    def _compare(self) -> None:
        """Compare what was collected with the data."""
        data = self._data
        if data is not None and self._numbers:
            starts = [start for start, _, _ in self._number_places]
            for index in self._hits(data.find_cells(self._numbers)):
                start, frame, label = self._number_places[bisect_right(starts, index) - 1]
                at = label + index - start if isinstance(label, int) else label
                self.add("unique_cell", frame, at)
        if data is not None and self._texts:
            for index in self._hits(data.find_rare(self._texts)):
                self.add("rare_text", *self._text_places[index])
        self._numbers, self._number_places = [], []
        self._texts, self._text_places = [], []

    def _hits(self, are_found: Sequence[bool]) -> Iterator[int]:
        for index, is_found in enumerate(are_found):
            if is_found:
                yield index


def walk(
    output: Path, levels: int | None, data: Data | None, matrices: Matrices = Matrices()
) -> Iterator[Finding]:
    """Yield what the rules for outputs of any image find in one; see `Walk`.

    Raises
    ------
    OSError
        If it cannot be read now.
    """
    with open_plain(output) as file:
        length = output.stat().st_size
        walked = Walk(levels, data, matrices)
        yield from _walk(file, length, walked, None if data is None else data.bytes)


def _walk(file: BinaryIO, length: int, walked: Walk, data_bytes: int | None) -> Iterator[Finding]:
    most = bound_output(data_bytes)
    if most is not None and length > most:
        yield found("large")
    try:
        walked.follow(read_events(file, length))
    except NoForm:
        if length > MOST_OPAQUE:
            walked.add("opaque")
    yield from walked.findings.values()


def _pieces(text: str) -> Iterator[str]:
    """Yield a text and its pieces, one after another, for all may be cells of the data."""
    if len(text) <= LONGEST_TEXT:
        yield text
    if _BETWEEN.search(text):
        # SECURITY: the output is held for a text that is longer, and a list of all its pieces
        # would take many times its length.
        for match in _PIECE.finditer(text, 0, MOST_TEXT):
            yield match.group()


def _number(text: str) -> float | None:
    if not text or text[0] not in "0123456789+-." or len(text) > 40:
        return None
    try:
        return float(text)
    except ValueError:
        return None
