"""Idempotency keys: a request that is sent again gets the answer of the first time."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from peewee import IntegrityError

from vantage6.common.clock import now
from vantage6.common.errors import V6Error
from vantage6.models.sql.bulk_insert import insert
from vantage6.models.sql.prepared import Prepared
from vantage6.models.tables import IdempotencyKey

#: How long an answer is kept.
KEPT = timedelta(hours=24)

_BY_DIGEST = Prepared(lambda digest: IdempotencyKey.select().where(IdempotencyKey.digest == digest))


class KeyReused(V6Error):
    """The Idempotency-Key came with another request before; give each request its own key."""

    code = "key_reused"


class KeptMeanwhile(Exception):
    """Another transaction has answered the same request."""


@dataclass(frozen=True)
class Answer:
    """What a request was answered."""

    status: int
    body: bytes


def find(caller: str, key: str, request: str) -> Answer | None:
    """Return what a request was answered before, or None if it is new.

    Parameters
    ----------
    caller
        The identity that sends the request; keys of others mean nothing to it.
    key
        What the client calls the request.
    request
        SHA-256 of method, path and body.

    Raises
    ------
    KeyReused
        If the key was given to another request.
    """
    row = _BY_DIGEST.first(_digest(caller, key))
    if row is None:
        return None
    if row.created_at < now() - KEPT:
        prune()
        return None
    if row.request != request:
        raise KeyReused
    return Answer(row.status, row.answer.encode())


def keep(caller: str, key: str, request: str, answer: Answer) -> None:
    """Write the answer to a request, in the transaction in which it did what it asks for.

    Raises
    ------
    KeptMeanwhile
        If another transaction answered the same request first; roll this one back.
    """
    row = {
        "digest": _digest(caller, key),
        "request": request,
        "status": answer.status,
        "answer": answer.body.decode(),
    }
    try:
        insert(IdempotencyKey, [row])
    except IntegrityError as error:
        raise KeptMeanwhile from error


def prune() -> int:
    """Remove the answers that are no longer kept, and return how many those were."""
    over = IdempotencyKey.created_at < now() - KEPT
    return int(IdempotencyKey.delete().where(over).execute())


def _digest(caller: str, key: str) -> str:
    return hashlib.sha256(f"{caller}\n{key}".encode()).hexdigest()
