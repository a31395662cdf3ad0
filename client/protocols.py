"""What the parts of a client need of each other, so that none has to know the whole."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from vantage6.client.session import Document
from vantage6.common.encoding import LazyText
from vantage6.common.encryption import CryptorBase
from vantage6.common.errors import V6Error
from vantage6.common.identity import WhoAmI
from vantage6.common.known_keys import KnownKeys


class Reading(Protocol):
    """Makes results readable."""

    def decoded(self, reply: Any) -> Any:
        """Return a reply whose results are decrypted and decoded."""


class Sealing(Protocol):
    """Makes inputs ready to travel."""

    def seal(
        self, payload: bytes, collaboration_id: int, receivers: list[int]
    ) -> Sequence[LazyText]:
        """Return the text for each receiver."""

    def forget(self, collaboration_id: int) -> None:
        """Ask the server again whether a collaboration is encrypted."""


class Checking(Protocol):
    """Holds inputs against the function cards of their images."""

    def check(self, image: str, collaboration_id: int, payload: bytes) -> None:
        """Refuse an input that fits none of the reviewed cards of an image."""

    def cards(self, image: str, collaboration_id: int) -> Sequence[Any]:
        """Return the reviewed cards of an image."""


class Requests(Protocol):
    """What the parts of a client need of it, so that none has to know the whole."""

    log: logging.Logger
    cryptor: CryptorBase | None
    known_keys: KnownKeys

    @property
    def identity(self) -> WhoAmI:
        """Who is logged in."""

    @property
    def reader(self) -> Reading:
        """Makes results readable."""

    @property
    def sealer(self) -> Sealing:
        """Makes inputs ready to travel."""

    @property
    def card_checks(self) -> Checking:
        """Holds inputs against the function cards of their images."""

    def request(
        self,
        endpoint: str,
        json: object = None,
        method: str = "get",
        params: Mapping[str, Any] | None = None,
        first_try: bool = True,
        retry: bool = True,
    ) -> Any:
        """Send a request; a refusal is returned or raised, as the client was asked to."""

    def call(
        self,
        method: str,
        endpoint: str,
        *,
        json: object = None,
        params: Mapping[str, Any] | None = None,
    ) -> Any:
        """Send a request; a refusal is raised."""

    def refused(self, error: V6Error) -> Document:
        """Raise or return an error, as the client was asked to."""

    def setup_encryption(
        self, private_key_file: str | Path | None, *, replace: bool = False
    ) -> None:
        """Use a private key from now on."""
