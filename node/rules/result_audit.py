"""What one algorithm does at the node's proxy, and what it was kept from, in the audit file."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from vantage6.common import logs
from vantage6.common.errors import Invalid
from vantage6.node.rules.audit import Audit, hash_of
from vantage6.node.rules.quota import Quota

log = logs.get(__name__)

#: Requests of one algorithm that are noted before only their number is.
_MOST_DENIALS = 20
#: Organizations that a task may be sent to: the server takes no more.
_MOST_RECEIVERS = 10_000
#: Of them, so many stand in the line one by one.
_LISTED = 100
#: What the server can read of a sub-task, beside its image and its receivers.
_READABLE = ("name", "description", "database", "collaboration_id")


@dataclass(frozen=True, slots=True)
class Opened:
    """One result of a sub-task, as it goes into an algorithm."""

    id: int
    task_id: int
    bytes: int
    #: Of the plain bytes: the station that sent them has the same in its line `released`.
    hash: str
    format: str


def check_receivers(ids: Sequence[Any]) -> None:
    """Refuse a sub-task that no server would take, for the number of its organizations.

    Raises
    ------
    Invalid
        If there are too many, or one is named twice.
    """
    if len(ids) > _MOST_RECEIVERS:
        raise Invalid(f"A sub-task is for at most {_MOST_RECEIVERS} organizations.")
    if len(set(ids)) < len(ids):
        raise Invalid("An organization is named more than once.", code="named_twice")


class ResultAudit:
    """The audit of one result. Safe for threads.

    What the algorithm is kept from is counted by kind. A line `contained` is written when a kind
    is new, and one with the last numbers at the end: so many lines at most as there are kinds.

    Parameters
    ----------
    audit
        The file; None where nothing is kept.
    result_id
        The result that the algorithm computes.
    quota
        How much the run may write; None for no bound.
    """

    def __init__(self, audit: Audit | None, result_id: int, quota: Quota | None = None) -> None:
        self._audit = audit
        self._quota = quota
        self._result_id = result_id
        self._lock = threading.Lock()
        self._denials = 0
        self._counts: dict[str, int] = {}
        self._written: dict[str, int] = {}

    def record_subtask(self, body: dict[str, Any], inputs: list[tuple[Any, bytes]]) -> None:
        """Note a sub-task before it leaves, since its input leaves with it.

        Of many receivers, the first ones are listed. All inputs go into `all_inputs_hash`: the hash
        of their hashes, written one after the other.

        Raises
        ------
        Invalid
            If no server would take it.
        TooMany
            If the run has written as much as it may.
        OSError
            If it cannot be noted.
        """
        # SECURITY: what cannot leave is not written down either, or it would fill the disk.
        ids = [id_ for id_, _ in inputs]
        check_receivers(ids)
        if self._quota is not None:
            self._quota.check_lines()
        if self._audit is None:
            return
        hashes = [hash_of(input_) for _, input_ in inputs]
        self._write(
            "subtask",
            **{name: body[name] for name in _READABLE if name in body},
            image=str(body.get("image"))[:1000],
            receivers=len(ids),
            organizations=ids[:_LISTED],
            input_bytes=[len(input_) for _, input_ in inputs[:_LISTED]],
            input_hashes=hashes[:_LISTED],
            all_input_bytes=sum(len(input_) for _, input_ in inputs),
            all_inputs_hash=hash_of("".join(hashes).encode()),
        )

    def record_opened(self, results: Sequence[Opened]) -> None:
        """Note results of sub-tasks before the algorithm gets to see them.

        Raises
        ------
        TooMany
            If the run has written as much as it may.
        OSError
            If it cannot be noted.
        """
        if self._quota is not None:
            self._quota.check_lines()
        self._write("opened", results=[asdict(one) for one in results])

    def record_denied(self, kind: str, method: str, path: str, status: int) -> None:
        """Note a request that was refused; many of them end in a number."""
        self.count(kind)
        with self._lock:
            self._denials += 1
            count = self._denials
        if count > _MOST_DENIALS and count & (count - 1):
            return
        self._note(
            "denied",
            request=f"{method[:20]} {path[:200]}",
            kind=kind,
            status=status,
            count=count,
        )

    def count(self, kind: str) -> None:
        """Count one more time that the algorithm was kept from something."""
        with self._lock:
            self._counts[kind] = self._counts.get(kind, 0) + 1

    def raise_to(self, totals: Mapping[str, int]) -> None:
        """Take over what others have counted; a number never falls."""
        with self._lock:
            for kind, total in totals.items():
                if total > self._counts.get(kind, 0):
                    self._counts[kind] = total

    def note_news(self) -> None:
        """Write a line if the algorithm has met a limit of a new kind."""
        with self._lock:
            counts, is_news = dict(self._counts), self._counts.keys() > self._written.keys()
            if is_news:
                self._written = counts
        if is_news:
            self._note("contained", counts=counts)

    def conclude(self) -> None:
        """Write the last numbers, where the file does not have them."""
        with self._lock:
            counts, is_news = dict(self._counts), self._counts != self._written
            self._written = counts
        if is_news:
            self._note("contained", counts=counts)

    def _note(self, event: str, **facts: Any) -> None:
        """Write a line that can be left out: nothing has left the station."""
        if self._audit is None or (self._quota is not None and not self._quota.has_lines()):
            return
        try:
            self._write(event, **facts)
        except OSError as error:
            # Nothing left the station; the node's log has to do.
            log.warning("not in the audit file", noted=event, reason=str(error), **facts)

    def _write(self, event: str, **facts: Any) -> None:
        if self._audit is None:
            return
        length = self._audit.note(event, result_id=self._result_id, **facts)
        if self._quota is not None:
            self._quota.add_line(length)
