"""Bounds of the rules that judge an output by its form alone, for images of any language."""

from dataclasses import dataclass

#: A number with fewer significant digits can equal a cell of the data by chance.
DISTINCT_DIGITS = 7
#: A list up to this length is not long against any data.
SHORT_LIST = 16
#: Distinct values of a list up to which it is short, where the length of the data is not known.
UNKNOWN_LIST = 1000
#: Longest text that is read as a word, and as bytes without a form beyond that.
LONGEST_TEXT = 1024
#: All texts of an output together.
MOST_TEXT = 65_536
#: Longest output without a form that the rules can read.
MOST_OPAQUE = 256
#: An output up to this length is small against any data.
SMALL_OUTPUT = 65_536
#: Largest output, as a share of the data.
OUTPUT_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class ListBounds:
    """How long a list may be at a station."""

    #: Rows of the data; None where they are not known.
    rows: int | None

    @property
    def whole(self) -> int | None:
        """A list of this length is as long as the data, also with equal values."""
        return self.rows

    @property
    def most_distinct(self) -> int:
        """Most distinct values of a list: a third of the data."""
        return UNKNOWN_LIST if self.rows is None else max(SHORT_LIST, self.rows // 3)


def bound_output(data_bytes: int | None) -> int | None:
    """Return the largest output beside data of a size; None where that is not known."""
    return None if data_bytes is None else max(SMALL_OUTPUT, int(data_bytes * OUTPUT_SHARE))
