"""Whether a request may start now, as far as a person at the station has a say in it.

Asked twice: before the image is fetched, and with the image that was found, right before it runs.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from vantage6.common import clock, logs
from vantage6.common.config.approvals import Mode
from vantage6.common.errors import Conflict, Invalid, Unavailable
from vantage6.common.task_status import TaskStatus
from vantage6.node.outcomes import Reason, RefusalError
from vantage6.node.requests.asked import Asked
from vantage6.node.requests.folder import Damaged
from vantage6.node.requests.grants import Grant, Grants
from vantage6.node.requests.held import HeldRequest, HeldRequests, State
from vantage6.node.requests.noted import Noted, Record, list_givers
from vantage6.node.requests.pause import Pause

log = logs.get(__name__)


class HeldExecution(Exception):
    """A result may not start yet; it carries the reason for the researcher."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason.message)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the rules of a station say about one request."""

    mode: Mode
    #: The rule that says so.
    rule: str
    #: It is a sub-task of what runs here already, and the card of that says that it makes it.
    is_of_own_run: bool = False


@dataclass(frozen=True, slots=True)
class _Seen:
    """The marks of the files that decide whether a result waits."""

    request: object
    grants: object
    pause: object


class Gate:
    """Decides with the files of one node. Safe for threads.

    Parameters
    ----------
    data
        The data folder of the node.
    """

    def __init__(self, data: Path) -> None:
        self.held = HeldRequests(data)
        self.grants = Grants(data)
        self.pause = Pause(data)
        self._noted = Noted(data, self.grants, self.pause)
        #: The results that waited at the last look, what was seen, and until when that holds.
        self._waiting: dict[int, tuple[_Seen, datetime]] = {}

    def note_changes(self, record: Record) -> None:
        """Write pauses and grants that are new or gone into the audit, each once.

        Raises
        ------
        OSError
            If it cannot be written, or a decision cannot be read.
        """
        self._noted.note(record)

    def check(
        self, request: HeldRequest, asked: Asked, terms: Terms, record: Record, *, is_last: bool
    ) -> None:
        """Return if a request may start, as far as people have a say in it.

        Parameters
        ----------
        request
            The request as it would be held.
        asked
            What is compared with grants.
        terms
            What the rules say about it.
        record
            Writes into the audit.
        is_last
            Whether it starts next; only then a grant counts.

        Raises
        ------
        HeldExecution
            If it waits.
        RefusalError
            If it was denied, or its time is over.
        OSError
            If a decision cannot be written.
        """
        try:
            self._check(request, asked, terms, record, is_last=is_last)
        except Damaged as error:
            # SECURITY: what was decided is not known. It starts when it is.
            log.error("decision not readable", result_id=request.result_id, reason=str(error))
            raise HeldExecution(_awaiting(request)) from error
        except Unavailable as error:
            # As a disk that is busy: it is tried again.
            raise OSError(str(error)) from error

    def is_held(self, result_id: int) -> bool:
        """Tell whether the request of a result was held; it may be answered."""
        return self.held.has(result_id)

    def check_pause(self) -> None:
        """Return if the station is not paused.

        Raises
        ------
        HeldExecution
            If it is.
        """
        if self.pause.is_on:
            raise HeldExecution(_PAUSED)

    def is_ready(self, result_id: int) -> bool:
        """Tell whether a result that waits may have stopped waiting: `check` decides."""
        try:
            # PERF: asked each minute about all that wait. Without a change, nothing is read.
            seen = _Seen(self.held.mark(result_id), self.grants.mark, self.pause.mark)
            before, until = self._waiting.get(result_id, (None, clock.now()))
            if seen == before and clock.now() < until:
                return False
            waits_until = self._waits_until(result_id)
        except OSError as error:
            log.error("decision not readable", result_id=result_id, reason=str(error))
            return False
        except Exception:
            # One that cannot be looked at must not keep the others from going on.
            log.exception("request not looked at", result_id=result_id)
            return False
        if waits_until is None:
            return True
        self._waiting[result_id] = seen, waits_until
        return False

    def _waits_until(self, result_id: int) -> datetime | None:
        """Return until when a result waits if nothing changes; None if it may not wait."""
        request = self.held.find(result_id)
        if request is not None and request.state() is State.DENIED:
            return None
        if self.pause.is_on:
            return _NEVER
        if request is None:
            return None
        grant = self._find_grant(request.as_question(), request)
        is_decided = grant is not None or request.state() is not State.WAITING
        return None if is_decided else clock.parse(request.until)

    def forget(self, result_id: int) -> None:
        """Forget the request of a result that leaves the node."""
        self._waiting.pop(result_id, None)
        try:
            self.held.forget(result_id)
        except (OSError, Unavailable) as error:
            log.warning("request not removed", result_id=result_id, reason=str(error))

    def sweep(self, result_ids: set[int]) -> None:
        """Forget the requests of all results but these: a crash or a full disk has left them."""
        for id_ in set(self.held.ids()) - result_ids:
            log.info("request of no result removed", result_id=id_)
            self.forget(id_)

    def _check(
        self, request: HeldRequest, asked: Asked, terms: Terms, record: Record, *, is_last: bool
    ) -> None:
        found = self.held.find(request.result_id)
        if found is not None and not found.asks_the_same(request):
            found = None
        if found is not None and found.denial is not None:
            raise _refusal_after(found, record)
        # SECURITY: whatever else allows it, in a pause nothing starts.
        self.check_pause()
        if terms.mode == "never" or terms.is_of_own_run:
            return
        if found is not None and not is_last and not asked.digests:
            # As it was found before; the one that runs is looked at again.
            asked = replace(asked, digests=frozenset(found.digests))
        grant = self._grant(asked, request, is_last=is_last)
        if grant is not None:
            if is_last:
                record("approval", answer="granted", grant=grant.id, by=list_givers(grant))
            return
        if found is None:
            # SECURITY: on record before a person can answer.
            record(
                "held",
                rule=terms.rule,
                until=request.until,
                approvals_needed=request.approvals_needed,
            )
        try:
            kept = self.held.hold(request)
        except Invalid as error:
            raise RefusalError(TaskStatus.NOT_ALLOWED, "too_many_held", error.message) from error
        state = kept.state()
        if state is State.EXPIRED:
            record("approval", answer="expired", by=[])
            raise RefusalError(TaskStatus.NOT_ALLOWED, "approval_expired", _EXPIRED)
        if state is not State.APPROVED:
            raise HeldExecution(_awaiting(kept))
        if is_last:
            by = [answer.by for answer in kept.approvals]
            if terms.mode == "first_use":
                self._remember(kept, asked)
            record("approval", answer="approved", by=by)

    def _grant(self, asked: Asked, request: HeldRequest, *, is_last: bool) -> Grant | None:
        if not is_last:
            return self._find_grant(asked, request)
        return self.grants.use(asked, _use(request), request.approvals_needed, request.users)

    def _find_grant(self, asked: Asked, request: HeldRequest) -> Grant | None:
        return self.grants.find(asked, _use(request), request.approvals_needed, request.users)

    def _remember(self, request: HeldRequest, asked: Asked) -> None:
        """Grant what was approved at its first use."""
        name = asked.function.name
        if name is None or not asked.digests or asked.through is None:
            return
        first, *others = [answer.by for answer in request.approvals]
        grant = Grant(
            digest=min(asked.digests),
            function=name,
            is_central=asked.function.is_central,
            organization_id=asked.organization_id,
            database=asked.database,
            through=asked.through,
            note=f"First use, result {request.result_id}.",
            by=first,
            confirmed_by=others[0] if others else "",
        )
        try:
            self.grants.add(grant)
        except (Invalid, Conflict) as error:
            # The next request asks again.
            log.warning("first use not remembered", reason=str(error))


def _awaiting(request: HeldRequest) -> Reason:
    return Reason(
        "awaiting_approval",
        "The data station holds the request until a person there has approved it, at the latest "
        f"until {clock.parse(request.until):%Y-%m-%d %H:%M} UTC.",
    )


def _refusal_after(request: HeldRequest, record: Record) -> RefusalError:
    sentence, by = (request.denial.sentence, request.denial.by) if request.denial else ("", "")
    record("approval", answer="denied", by=[by])
    message = f"The data station denied the request: {sentence}"
    return RefusalError(TaskStatus.NOT_ALLOWED, "approval_denied", message)


def _use(request: HeldRequest) -> str:
    # SECURITY: a server that gives the number of a result again, with another input, uses a grant
    # once more.
    return f"{request.result_id}:{request.input_hash}"


#: Only a change ends that wait.
_NEVER = datetime.max.replace(tzinfo=UTC)
_PAUSED = Reason(
    "station_paused",
    "The data station is paused: it starts nothing new. The request waits until the station "
    "resumes.",
)
_EXPIRED = (
    "The data station did not answer the request in time. Ask its data owner, and send the task "
    "again."
)
