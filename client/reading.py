"""Results as they travel, made readable."""

import logging
from collections.abc import Callable
from typing import Any

from vantage6.client.session import Document
from vantage6.common.encryption import SEPARATOR, CryptorBase, DummyCryptor, RSACryptor
from vantage6.common.serialization import SerializationError, deserialize

log = logging.getLogger("vantage6.client")


class ResultReader:
    """Decrypts and decodes results where it can, and never drops one.

    Parameters
    ----------
    cryptor
        Returns the cryptor of the client, or None if encryption was never set up.
    allow_pickle
        Decode pickles too: only for algorithms and nodes that may run code on this machine.
    """

    def __init__(
        self, cryptor: Callable[[], CryptorBase | None], *, allow_pickle: bool = False
    ) -> None:
        self._cryptor = cryptor
        self.allow_pickle = allow_pickle

    def decrypted(self, reply: Any) -> Any:
        """Replace ``input`` and ``result`` of each item in a reply by the bytes behind them.

        What cannot be decrypted stays the text that it was. A refusal is returned unchanged.
        """
        for item in _items(reply):
            # The input is encrypted for the organization that computes: often not the own one.
            item["input"] = self._bytes(item.get("input"), item, complain=False)
            item["result"] = self._bytes(item.get("result"), item, complain=True)
        return reply

    def decoded(self, reply: Any) -> Any:
        """Decrypt a reply, then replace the ``result`` of each item by the object that it holds.

        What cannot be decoded stays bytes.
        """
        for item in _items(self.decrypted(reply)):
            if not item["result"] or not isinstance(item["result"], bytes):
                continue
            try:
                item["result"] = deserialize(item["result"], self.allow_pickle)
            except SerializationError as error:
                log.warning("Result %s stays bytes. %s", item.get("id"), error)
        return reply

    def _bytes(self, text: Any, item: Document, *, complain: bool) -> Any:
        if not text or not isinstance(text, str):
            return text
        cryptor = self._cryptor() or DummyCryptor()
        # A message names its layout: results of collaborations with and without encryption
        # can stand in one list.
        if SEPARATOR not in text:
            cryptor = DummyCryptor()
        elif not isinstance(cryptor, RSACryptor):
            if complain:
                log.warning(
                    "Result %s is encrypted: call client.setup_encryption('<private key file>') "
                    "and get it again.",
                    item.get("id"),
                )
            return text
        try:
            return cryptor.decrypt_str_to_bytes(text)
        except ValueError as error:
            if complain:
                log.warning("Result %s cannot be decrypted. %s", item.get("id"), error)
            return text


def _items(reply: Any) -> list[Document]:
    """Return the results in a reply: a list, an envelope, one result, or none in a refusal."""
    if isinstance(reply, list):
        return reply
    if "data" in reply:
        return list(reply["data"])
    return [reply] if "result" in reply else []
