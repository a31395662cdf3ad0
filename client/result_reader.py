"""Results as they travel, made readable."""

import logging
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from vantage6.client.session import Document
from vantage6.common.encryption import (
    SEPARATOR,
    CryptorBase,
    DummyCryptor,
    RSACryptor,
    is_sealed,
)
from vantage6.common.errors import Invalid
from vantage6.common.serialization import SerializationError, deserialize

log = logging.getLogger("vantage6.client")

#: So many results are named in a warning.
_NAMED = 10
_UNSEALED = (
    "Encryption is set up, but this was not encrypted on its way: the server itself could have "
    "written it. If the collaboration is not encrypted, call client.setup_encryption(None) and get "
    "it again."
)


class NotEncrypted(Invalid, ValueError):
    """A result is not encrypted, although encryption is set up."""

    code = "not_encrypted"


class ResultReader:
    """Decrypts and decodes results where it can, and never drops one.

    Parameters
    ----------
    cryptor
        Returns the cryptor of the client, or None if encryption was never set up.
    allow_pickle
        Decode pickles of arrays and frames too; those of plain values are always decoded.
    """

    def __init__(
        self, cryptor: Callable[[], CryptorBase | None], *, allow_pickle: bool = False
    ) -> None:
        self._cryptor = cryptor
        self.allow_pickle = allow_pickle

    def decrypted(self, reply: Any) -> Any:
        """Replace ``input`` and ``result`` of each item in a reply by the bytes behind them.

        A ``log`` that is encrypted is replaced by its text. What cannot be decrypted stays the text
        that it was. A refusal is returned unchanged. Where encryption is set up, a ``result`` or
        ``log`` that is not encrypted becomes None, and ``refused`` says why.

        Raises
        ------
        NotEncrypted
            If the reply is one result, and not encrypted although encryption is set up.
        """
        refused, unsealed = _Refused("cannot be decrypted"), _Refused("are not shown")
        for item in _items(reply):
            # It is encrypted for the organization that computes: often not the own one.
            with suppress(ValueError):
                item["input"] = self._bytes(item.get("input"))
            try:
                self._open_log(item)
            except NotEncrypted as error:
                item["log"], item["refused"] = None, error.message
                unsealed.add(item, error)
            except ValueError:
                pass  # encrypted for another organization
            try:
                item["result"] = self._bytes(item.get("result"))
            except NotEncrypted as error:
                if item is reply:
                    raise
                item["result"], item["refused"] = None, error.message
                unsealed.add(item, error)
            except ValueError as error:
                refused.add(item, error)
        refused.warn()
        unsealed.warn()
        return reply

    def decoded(self, reply: Any) -> Any:
        """Decrypt a reply, then replace the ``result`` of each item by the object that it holds.

        What cannot be decoded stays bytes.
        """
        refused = _Refused("stay bytes")
        for item in _items(self.decrypted(reply)):
            if not item["result"] or not isinstance(item["result"], bytes):
                continue
            try:
                item["result"] = deserialize(
                    item["result"], self.allow_pickle, allow_plain_pickle=True
                )
            except SerializationError as error:
                refused.add(item, error)
        refused.warn()
        return reply

    def _open_log(self, item: Document) -> None:
        """Decrypt the log of a result, if it is encrypted.

        Raises
        ------
        ValueError
            If it cannot be decrypted; as `NotEncrypted` if it should have been.
        """
        log_ = item.get("log")
        if not log_ or not isinstance(log_, str):
            return
        if not is_sealed(log_):
            if isinstance(self._cryptor(), RSACryptor):
                # SECURITY: as with results.
                raise NotEncrypted(_UNSEALED)
        else:
            item["log"] = self._bytes(log_).decode("utf-8", "replace")

    def _bytes(self, text: Any) -> Any:
        """Return the bytes behind a text, and anything else as it is.

        Raises
        ------
        ValueError
            If it cannot be decrypted.
        """
        if not text or not isinstance(text, str):
            return text
        cryptor = self._cryptor()
        # A message names its layout.
        if SEPARATOR not in text:
            if isinstance(cryptor, RSACryptor):
                # SECURITY: anybody on the way could have written it in place of the sealed one.
                raise NotEncrypted(_UNSEALED)
            return DummyCryptor().decrypt_str_to_bytes(text)
        if not isinstance(cryptor, RSACryptor):
            raise ValueError(
                "Call client.setup_encryption('<private key file>') and get them again."
            )
        return cryptor.decrypt_str_to_bytes(text)


class _Refused:
    """The results of one reply that cannot be read, for one warning instead of many.

    Parameters
    ----------
    fate
        What becomes of them, in a few words.
    """

    def __init__(self, fate: str) -> None:
        self._fate = fate
        self._ids: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, item: Document, error: Exception) -> None:
        self._ids[str(error)].append(str(item.get("id")))

    def warn(self) -> None:
        for reason, ids in self._ids.items():
            named = ", ".join([*ids[:_NAMED], *(["..."] if len(ids) > _NAMED else [])])
            log.warning("Results that %s: %d (id %s). %s", self._fate, len(ids), named, reason)


def _items(reply: Any) -> list[Document]:
    """Return the results in a reply: a list, an envelope, one result, or none in a refusal."""
    if isinstance(reply, list):
        return reply
    if "data" in reply:
        return list(reply["data"])
    return [reply] if "result" in reply else []
