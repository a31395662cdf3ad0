"""In an encrypted collaboration the server keeps no text that it could read."""

from collections.abc import Iterable, Mapping

from vantage6.common.encryption import is_sealed
from vantage6.common.errors import Invalid
from vantage6.models.tables import Collaboration

#: Code of the refusal.
NOT_SEALED = "not_sealed"


def readable(texts: Iterable[tuple[int, str | None]]) -> list[int]:
    """Return the numbers of those texts that are there and are not encrypted."""
    return [number for number, text in texts if text and not is_sealed(text)]


def check_report(collaboration: Collaboration, contents: Mapping[str, str]) -> None:
    """Refuse what a node, or a shell, would leave readable in an encrypted collaboration.

    Raises
    ------
    Invalid
        With code ``not_sealed``.
    """
    if not collaboration.encrypted:
        return
    for kind, text in contents.items():
        if text and not is_sealed(text):
            raise Invalid(
                f"Collaboration {collaboration.id} is encrypted, but this {kind} is not: install "
                "the server's version at the node, and set encryption.enabled: true there.",
                code=NOT_SEALED,
            )
