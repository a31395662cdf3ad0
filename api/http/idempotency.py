"""Requests that create something can be sent again: an `Idempotency-Key` tells that they are one.

A connection may break after the server has acted and before the client has heard of it. The key,
the row that was created and the answer are written in one transaction, so that the same request
finds all of them or none.
"""

import hashlib
import re
from contextlib import ExitStack
from typing import Any

from falcon import Request, Response
from pydantic_core import to_json

from vantage6.common.errors import Invalid
from vantage6.models import database
from vantage6.models.store import idempotency
from vantage6.models.store.idempotency import KEPT, Answer, KeptMeanwhile

HEADER = "Idempotency-Key"
#: In each answer of a server that knows such keys: for how many seconds it keeps an answer.
KEPT_HEADER = {"X-Idempotency-Seconds": str(int(KEPT.total_seconds()))}
#: Says in an answer that it was given before.
_REPEATED = "Idempotency-Replayed"
#: As many as a UUID in any spelling, and more: visible ASCII.
_KEY = re.compile(r"[!-~]{1,255}")


class AnsweredBefore(Exception):
    """The request was answered already."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class Repeatable:
    """A request that creates something, and has a key.

    Parameters
    ----------
    req
        The request.
    caller
        The identity that sends it; a key counts for no other.
    key
        What its header says.
    held
        Closed when the request has been served. The transaction ends with it.
    """

    def __init__(self, req: Request, caller: str, key: str, held: ExitStack) -> None:
        self._about = f"{req.method} {req.path}?{req.query_string}\n".encode()
        self._caller, self._key, self._held = caller, key, held
        self._request = ""

    @classmethod
    def of(cls, req: Request, caller: str, held: ExitStack) -> "Repeatable | None":
        """Return a request with a key, or None for one without.

        Raises
        ------
        Invalid
            If the key is none.
        """
        key = req.get_header(HEADER)
        if key is None:
            return None
        if not _KEY.fullmatch(key):
            raise Invalid(f"{HEADER} may have 255 visible characters of ASCII.")
        return cls(req, caller, key, held)

    def begin(self, body: bytes) -> None:
        """Let what the request writes be one transaction with the answer, from its first row on.

        SECURITY: until then the request is weighed, for which SQLite must not be locked.

        Raises
        ------
        AnsweredBefore
            If the same request was answered.
        KeyReused
            If another request had this key.
        """
        self._request = hashlib.sha256(self._about + body).hexdigest()
        answer = self._find()
        if answer is not None:
            raise AnsweredBefore(answer)
        self._held.enter_context(database.enclose(self._held))

    def end(self, status: int, reply: Any) -> None:
        """Keep the answer and end the transaction.

        Raises
        ------
        AnsweredBefore
            If the same request was answered while this one was worked at; what it did is undone.
        """
        answer = Answer(status, to_json(reply))
        try:
            with self._held:
                idempotency.keep(self._caller, self._key, self._request, answer)
        except KeptMeanwhile:
            database.connect()
            first = self._find()
            if first is None:
                raise
            raise AnsweredBefore(first) from None

    def _find(self) -> Answer | None:
        return idempotency.find(self._caller, self._key, self._request)


def answer_again(resp: Response, answer: Answer) -> None:
    """Send what was answered before."""
    resp.status, resp.data = answer.status, answer.body
    resp.content_type = "application/json"
    resp.set_header(_REPEATED, "?1")
