"""Sentences that several commands say; nothing heavy is imported here."""

from collections.abc import Sequence


def without_effect(keys: Sequence[str]) -> str:
    """Return the sentence on keys of older files that are passed over."""
    return f"Without effect in this version: {', '.join(keys)}. Take them out."
