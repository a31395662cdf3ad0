"""The only place that asks the time."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


def parse(text: str) -> datetime:
    """Return the moment that an ISO 8601 text names; a text without offset is UTC.

    Raises
    ------
    ValueError
        If the text is not ISO 8601.
    """
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
