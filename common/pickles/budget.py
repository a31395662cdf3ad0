"""What the objects of a pickle may take, in proportion to its length."""

from vantage6.common.errors import SerializationError

#: Bytes for each byte of a pickle. One byte can stand for an item, whose address takes eight, in
#: an array, and in the column that is made of it.
_FACTOR = 20
#: Bytes for every pickle.
_LEAST = 2**26
#: Rows that an index may tell of without having any.
_ROWS = 10**7


class Budget:
    """Counts what the objects of one pickle take.

    Parameters
    ----------
    length
        Of the pickle, in bytes.
    """

    def __init__(self, length: int) -> None:
        self._left = _FACTOR * length + _LEAST
        self._rows = length + _ROWS

    def spend(self, size: int) -> None:
        """Count bytes before they are taken.

        SECURITY: a few bytes of a pickle can ask for a copy of any part of it, again and again.

        Raises
        ------
        SerializationError
            If there are too few left.
        """
        self._left -= size
        if self._left < 0:
            raise SerializationError("This pickle cannot be read: it would take too much memory.")

    def bound(self, rows: int) -> None:
        """Refuse a number of rows that are only told of.

        Raises
        ------
        SerializationError
            If they are more than the pickle can be about.
        """
        if rows > self._rows:
            raise SerializationError("This pickle cannot be read: it has an impossible length.")
