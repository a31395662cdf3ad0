"""Outputs that wait for a person at the station, and what the person decided.

The files in the folder of a result are the truth: ``judgement.json`` says that the output is held,
``answer.json`` what was decided. So an answer counts whether or not the node runs, and the first
answer stays.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from vantage6.common import clock, logs
from vantage6.common.disclosure.verdicts import Finding, Verdict
from vantage6.common.durable_files import open_plain, write_durably
from vantage6.common.errors import Conflict, Invalid, NotFound
from vantage6.common.file_lock import hold
from vantage6.node.claims import FOLDER_PREFIX, folder_name
from vantage6.node.release.judgements import MOST_FINDINGS, Judgement, read_judgement
from vantage6.node.rules.audit import hash_of

log = logs.get(__name__)

_ANSWER = "answer.json"
_LOCK = "answers.lock"
#: Longest sentence of a person: the researcher reads it in a reason.
MOST_SENTENCE = 1000
#: Outputs that wait at once. Each keeps its place on the disk of the station.
MOST_HELD = 500
#: Why an output does not wait beside so many.
TOO_MANY_HELD = Finding(
    "too_many_held",
    "",
    Verdict.REFUSED,
    "Too many outputs wait for a person at the station. Send the task again when some have left.",
)
#: Longest file of an answer, and of an entry.
_MOST_BYTES = 2**20

Decision = Literal["released", "refused"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person decided about a held output."""

    decision: Decision
    by: str
    at: str
    #: For the researcher, where the output was refused.
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class HeldOutput:
    """One output that waits for a person."""

    result_id: int
    task_id: int
    run_id: int
    #: When it was held, and when it stops waiting.
    since: str
    until: str
    organization: str | None
    user: str | None
    image: str
    method: str | None
    output_bytes: int
    output_hash: str
    findings: tuple[Finding, ...]
    answer: Answer | None = None


class HeldOutputs:
    """All outputs of a node that wait for a person. Safe for threads and processes.

    Parameters
    ----------
    folder
        Of everything that the node writes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._results = folder / "results"

    def list(self) -> list[HeldOutput]:
        """Return the outputs without an answer, oldest result first."""
        return [held for held in self._all() if held.answer is None]

    def refuse_too_many(self, judgement: Judgement) -> Judgement:
        """Return a judgement, of which an output to be held is refused where too many wait."""
        if judgement.verdict is not Verdict.HELD or len(self.list()) < MOST_HELD:
            return judgement
        findings = (TOO_MANY_HELD, *judgement.findings)[:MOST_FINDINGS]
        return replace(judgement, verdict=Verdict.REFUSED, findings=findings)

    def get(self, result_id: int) -> HeldOutput:
        """Return a held output, also after it was decided about and until it has left.

        Raises
        ------
        NotFound
            If the output of that result is not held.
        """
        held = self._read(self._results / folder_name(result_id))
        if held is None:
            raise NotFound(f"No output of result {result_id} is held. `vnode release list` lists.")
        return held

    def content(self, result_id: int) -> bytes:
        """Return exactly the bytes that wait.

        Raises
        ------
        NotFound
            If the output of that result is not held.
        Conflict
            If the bytes are not those that were judged.
        """
        held = self.get(result_id)
        try:
            with open_plain(self._results / folder_name(result_id) / "io" / "output") as file:
                content = file.read(held.output_bytes + 1)
        except FileNotFoundError:
            content = b""
        if hash_of(content) != held.output_hash:
            raise Conflict(f"The output of result {result_id} is not the one that was judged.")
        return content

    def release(self, result_id: int, by: str) -> HeldOutput:
        """Let an output leave.

        Raises
        ------
        NotFound
            If the output of that result is not held.
        Conflict
            If it was decided about before, or waits no more.
        """
        # SECURITY: a person may have looked at these bytes and at no others.
        self.content(result_id)
        return self._decide(result_id, "released", by, "")

    def refuse(self, result_id: int, by: str, sentence: str = "") -> HeldOutput:
        """Keep an output at the station.

        Parameters
        ----------
        result_id
            The result.
        by
            The person, for the audit file.
        sentence
            For the researcher.

        Raises
        ------
        NotFound
            If the output of that result is not held.
        Conflict
            If it was decided about before, or waits no more.
        Invalid
            If the sentence is too long.
        """
        if len(sentence) > MOST_SENTENCE:
            raise Invalid(f"The sentence has more than {MOST_SENTENCE} characters.")
        return self._decide(result_id, "refused", by, sentence)

    def answer(self, result_id: int) -> Answer | None:
        """Return what was decided about an output; None while nothing was.

        An answer counts as soon as it is safe on disk, and the person is told.

        Raises
        ------
        OSError
            If it cannot be read now.
        """
        folder = self._results / folder_name(result_id)
        if not (folder / _ANSWER).exists():
            return None
        with hold(self._folder / _LOCK):
            return _read_answer(folder)

    def has_expired(self, judgement: Judgement) -> bool:
        """Tell whether an output has waited as long as it may."""
        return clock.now() >= clock.parse(judgement.until or judgement.at)

    def _decide(self, result_id: int, decision: Decision, by: str, sentence: str) -> HeldOutput:
        folder = self._results / folder_name(result_id)
        self.get(result_id)  # also where the node has never run, and has no folder
        with hold(self._folder / _LOCK):
            self._give_to_node(self._folder / _LOCK)
            held = self.get(result_id)
            if held.answer is not None:
                raise Conflict(
                    f"{held.answer.by} has {held.answer.decision} the output of result "
                    f"{result_id} already, at {held.answer.at}."
                )
            if clock.now() >= clock.parse(held.until):
                raise Conflict(f"The output of result {result_id} has waited too long: it ended.")
            answer = Answer(decision, by, clock.now().isoformat(), sentence)
            try:
                write_durably(folder / _ANSWER, json.dumps(asdict(answer)).encode())
                self._give_to_node(folder / _ANSWER)
            except FileNotFoundError as error:
                raise NotFound(f"The output of result {result_id} was just removed.") from error
            return replace(held, answer=answer)

    def _give_to_node(self, path: Path) -> None:
        """Let the account of the node have a file that root has made."""
        if os.geteuid() == 0:
            owner = self._folder.stat()
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)

    def _all(self) -> Iterator[HeldOutput]:
        for folder in sorted(self._results.glob(f"{FOLDER_PREFIX}*")):
            try:
                held = self._read(folder)
            except (OSError, ValueError, KeyError, TypeError) as error:
                # It stays where it is, and the others are there to be decided about.
                log.error("held output not readable", folder=folder.name, reason=str(error))
                continue
            if held is not None:
                yield held

    def _read(self, folder: Path) -> HeldOutput | None:
        judgement = read_judgement(folder)
        if judgement is None or judgement.verdict is not Verdict.HELD:
            return None
        record = _read_object(folder / "entry.json")
        if record is None:
            return None  # removed at this moment
        return HeldOutput(
            result_id=int(record["result_id"]),
            task_id=int(record["task_id"]),
            run_id=int(record["run_id"]),
            since=judgement.at,
            until=judgement.until or judgement.at,
            organization=record.get("organization"),
            user=record.get("user"),
            image=str(record["image"]),
            method=record.get("method"),
            output_bytes=judgement.output_bytes,
            output_hash=judgement.output_hash,
            findings=judgement.findings,
            answer=_read_answer(folder),
        )


def _read_answer(folder: Path) -> Answer | None:
    try:
        values = _read_object(folder / _ANSWER)
        answer = None if values is None else Answer(**values)
        if answer is not None and answer.decision not in get_args(Decision):
            raise ValueError("decision")
    except (ValueError, TypeError) as error:
        # SECURITY: what cannot be read is no answer. The output waits, and gets another one.
        log.error("answer not readable", folder=folder.name, reason=str(error))
        return None
    return answer


def _read_object(path: Path) -> dict[str, Any] | None:
    try:
        with path.open("rb") as file:
            values: dict[str, Any] = json.loads(file.read(_MOST_BYTES))
    except FileNotFoundError:
        return None
    return values
