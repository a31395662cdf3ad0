"""What can go wrong with payloads, under its old name."""

from vantage6.common.serialization import SerializationError as DeserializationException

__all__ = ["DeserializationException"]
