"""The texts of results: small ones are read with their results, others a few at a time."""

from collections.abc import Sequence
from typing import Any

from peewee import Case, fn

from vantage6.models.database import db
from vantage6.models.fields import is_sqlite
from vantage6.models.sql.prepared import Prepared
from vantage6.models.store.queries import among
from vantage6.models.tables import Payload

#: A text up to this size is small.
SMALL_BYTES = 2**13


class LargeText:
    """Stands for a text that is not read yet.

    Parameters
    ----------
    result_id, kind
        Which one it is.
    size
        How many bytes it has.
    """

    def __init__(self, result_id: int, kind: str, size: int) -> None:
        self.result_id, self.kind, self.size = result_id, kind, size


def _size() -> Any:
    # PERF: PostgreSQL knows the bytes without reading them. SQLite would count characters, or does
    # not know OCTET_LENGTH before 3.43.
    if is_sqlite(db.obj):
        return fn.LENGTH(Payload.content.cast("BLOB")).coerce(False)
    return fn.OCTET_LENGTH(Payload.content).coerce(False)


_OUTLINES: Prepared[Any] = Prepared(
    lambda ids: (
        Payload.select(
            Payload.result,
            Payload.kind,
            _size(),
            Case(None, [(_size() <= SMALL_BYTES, Payload.content)]),
        )
        .where(among(Payload.result, ids))
        .tuples()
    )
)
_TEXTS: Prepared[Any] = Prepared(
    lambda ids, kind: (
        Payload.select(Payload.result, Payload.content)
        .where(among(Payload.result, ids) & (Payload.kind == kind))
        .tuples()
    )
)


def outlines(result_ids: Sequence[int]) -> dict[int, dict[str, str | LargeText]]:
    """Return input, result and log of results, as far as they exist; large ones unread."""
    found: dict[int, dict[str, str | LargeText]] = {result_id: {} for result_id in result_ids}
    for result_id, kind, size, content in _OUTLINES(result_ids) if result_ids else ():
        found[result_id][kind] = LargeText(result_id, kind, size) if content is None else content
    return found


def texts(large: Sequence[LargeText]) -> list[str | None]:
    """Return texts in their order; None for what has gone meanwhile.

    PERF: one statement for each kind, however many there are.
    """
    found: dict[tuple[int, str], str] = {}
    for kind in sorted({one.kind for one in large}):
        ids = [one.result_id for one in large if one.kind == kind]
        found |= {(result_id, kind): content for result_id, content in _TEXTS(ids, kind)}
    return [found.get((one.result_id, one.kind)) for one in large]


def text(large: LargeText) -> str | None:
    """Return a text; None if it has gone meanwhile."""
    return texts([large])[0]
