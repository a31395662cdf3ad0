"""The judgement about an output before it leaves, and the wait for a person where it is held."""

import time
from dataclasses import replace
from datetime import timedelta

from vantage6.common import clock, logs
from vantage6.common.disclosure.floors import Floors
from vantage6.common.disclosure.verdicts import Verdict
from vantage6.common.errors import V6Error
from vantage6.common.task_status import TaskStatus
from vantage6.node.outcomes import Reason, RefusalError, reason_to_json
from vantage6.node.release import walk
from vantage6.node.release.card_files import read_card_of
from vantage6.node.release.checks import all_checks, not_to_fail
from vantage6.node.release.data import Data, floors_beside
from vantage6.node.release.held_outputs import TOO_MANY_HELD
from vantage6.node.release.judge import Check, Judgement, Question, judge
from vantage6.node.release.judgements import finding_to_json, read_judgement, write_judgement
from vantage6.node.release.paths import public_path
from vantage6.node.sketch.sketches import NoSketch
from vantage6.node.spool.spool import Entry
from vantage6.node.work.context import NodeContext
from vantage6.node.work.judging_by_card import checks_by_card
from vantage6.node.work.retry import SERVER_AWAY, Retry

log = logs.get(__name__)

_AWAITS = Reason(
    "awaiting_release", "It computed. The output waits for a person at the station to look at it."
)
#: How often a result looks for the answer of a person.
_LOOK_SECONDS = 1.0
#: After so long the server is told again that a result waits, if it was away.
_TELL_SECONDS = 30.0
#: Findings that the audit shows.
_SHOWN = 20


def find_refusal(context: NodeContext, entry: Entry, retry: Retry) -> Reason | None:
    """Return why an output stays at the station; None if it may leave.

    The verdict is in the audit and on disk when this returns. A held output waits here.

    Raises
    ------
    InterruptedExecution
        If the result was killed or stopped, or the node stops.
    """
    judgement = retry.disk(lambda: read_judgement(entry.folder))
    if judgement is None:
        judgement = _judge_once(context, entry, retry)
    if judgement.verdict is Verdict.REFUSED:
        return _refusal(entry, judgement)
    if judgement.verdict is Verdict.HELD:
        return _await_person(context, entry, retry, judgement)
    return None


def judged_hash(entry: Entry) -> str | None:
    """Return the hash of the output that was judged; None before that."""
    judgement = read_judgement(entry.folder)
    return judgement.output_hash if judgement else None


def _judge_once(context: NodeContext, entry: Entry, retry: Retry) -> Judgement:
    """Judge an output; in the audit first, then on disk.

    Each step waits for a full disk by itself. What the audit says once would else be said at each
    attempt, and use up the room that it keeps for what leaves.
    """
    judgement = retry.disk(lambda: _judge(context, entry, retry))
    shown = [finding_to_json(finding) for finding in judgement.findings[:_SHOWN]]
    retry.record(
        "judged",
        verdict=judgement.verdict.value,
        enforced=judgement.is_enforced,
        floors=context.policy.floors.name,
        findings=shown or None,
        output_bytes=judgement.output_bytes,
        output_hash=judgement.output_hash,
    )
    until = clock.now() + timedelta(seconds=context.policy.hold_seconds)
    judgement = replace(judgement, until=until.isoformat())
    retry.disk(lambda: write_judgement(entry.folder, judgement))
    return judgement


def _judge(context: NodeContext, entry: Entry, retry: Retry) -> Judgement:
    question = _question(context, entry)
    missing: list[Check] = []
    try:
        data = _data(context, retry, question)
    except NoSketch:
        data = None
        missing.append(lambda _, __: [walk.found("not_compared")])
    question = replace(question, floors=floors_beside(data, question.floors))
    by_card = checks_by_card(context, entry, question.floors, data)
    checks = [*missing, *map(not_to_fail, (*all_checks(data), *by_card.checks))]
    last = map(not_to_fail, by_card.last)
    judgement = judge(entry.io / "output", question, checks, last)
    return context.held_outputs.refuse_too_many(judgement)


def _question(context: NodeContext, entry: Entry) -> Question:
    kept = read_card_of(entry.folder)
    return Question(
        floors=context.policy.floors.floors,
        function=kept.function if kept else None,
        card=kept.card if kept else None,
        database=entry.record.database,
        is_strict=context.policy.release.mode == "enforce",
    )


def _data(context: NodeContext, retry: Retry, question: Question) -> Data | None:
    """Return what an output is compared with; None where the node does not read the database.

    Raises
    ------
    NoSketch
        If it should be compared, and cannot be.
    """
    release = context.policy.release
    is_wanted = question.is_enforced and release.compare_with_data and question.floors.cell > 1
    if not (is_wanted and question.database):
        return None
    try:
        database = context.databases.get(question.database)
    except RefusalError as error:
        raise NoSketch from error
    if not context.sketches.may_make(database, release.compare_bytes):
        return None
    person_column = context.policy.person_column
    return context.sketches.get(database, question.floors.cell, retry.check, person_column)


def find_floors(context: NodeContext, entry: Entry, retry: Retry, *, has_card: bool) -> Floors:
    """Return the floors that an algorithm reads: in records, also where people count.

    The node has to read the data for that, which the first request of each version waits for.
    """
    question = Question(
        floors=context.policy.floors.floors,
        card={} if has_card else None,
        database=entry.record.database,
        is_strict=context.policy.release.mode == "enforce",
    )
    if context.policy.person_column is None:
        return question.floors
    try:
        return floors_beside(_data(context, retry, question), question.floors)
    except NoSketch:
        # Its output will be held, as it cannot be compared.
        return question.floors


def begin_sketch(context: NodeContext, entry: Entry, *, has_card: bool) -> None:
    """Have the data read while the algorithm runs, so that its output need not wait for it."""
    release = context.policy.release
    is_enforced = has_card or release.mode == "enforce"
    if not (is_enforced and release.compare_with_data and context.policy.floors.floors.cell > 1):
        return
    database = context.databases.get(entry.record.database or "")
    if context.sketches.may_make(database, release.compare_bytes):
        rules = context.policy
        context.sketches.begin(database, rules.floors.floors.cell, rules.person_column)


def _refusal(entry: Entry, judgement: Judgement) -> Reason:
    """Return what a researcher reads of an output that breaks a rule: never a value of it."""
    kept, first = read_card_of(entry.folder), judgement.findings[0]
    if first.rule == TOO_MANY_HELD.rule:
        return Reason(first.rule, first.remedy)
    place = public_path(first.path, kept.card if kept else None)
    at = f" at {place}" if place else ""
    return Reason(
        "output_refused",
        f"The station does not let this output leave. The rule {first.rule} is broken{at}: "
        f"{first.remedy}",
    )


def _tell(context: NodeContext, result_id: int) -> bool:
    """Tell the server that a result waits, and for what; return whether to leave it at that.

    Nothing depends on it but what the researcher sees meanwhile.
    """
    status, reason = str(TaskStatus.PENDING), reason_to_json(_AWAITS)
    try:
        context.server.patch_result(result_id, status=status, reason=reason)
    except SERVER_AWAY:
        return False
    except V6Error as error:
        log.warning("server not told of the wait", result_id=result_id, reason=str(error))
    return True


def _await_person(
    context: NodeContext, entry: Entry, retry: Retry, judgement: Judgement
) -> Reason | None:
    """Wait until a person has decided about an output, or has waited too long."""
    held, id_ = context.held_outputs, entry.record.result_id
    log.warning("output held: `vnode release list` shows it", result_id=id_)
    tell_at: float | None = time.monotonic()
    while (answer := retry.disk(lambda: held.answer(id_))) is None:
        if tell_at is not None and time.monotonic() >= tell_at:
            tell_at = None if _tell(context, id_) else time.monotonic() + _TELL_SECONDS
        if held.has_expired(judgement):
            retry.record("release_decided", decision="expired")
            return Reason(
                "release_expired",
                "The output waited for a person at the station, and no person decided in time. "
                "Ask the station, and send the task again.",
            )
        retry.interrupted.wait(_LOOK_SECONDS)
        retry.check()
    retry.record(
        "release_decided",
        decision=answer.decision,
        by=answer.by,
        message=answer.sentence or None,
        decided_at=answer.at,
    )
    if answer.decision == "released":
        return None
    said = f" The station says: {answer.sentence}" if answer.sentence else ""
    return Reason(
        "release_refused", f"A person at the station did not let this output leave.{said}"
    )
