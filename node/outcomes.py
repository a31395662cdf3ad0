"""How a result ended, in words for the researcher."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from vantage6.common import clock
from vantage6.common.config.node import LimitConfig
from vantage6.common.task_status import FOR_PEOPLE, QUOTE, TaskStatus
from vantage6.common.terminal_text import harmless

#: Exit codes of a process that a signal ended: 128 + number of the signal.
SIGKILL_CODE, SIGTERM_CODE, SIGXFSZ_CODE = 137, 143, 153

_PROCESS_LIMIT_SIGNS = (
    "resource temporarily unavailable",
    "can't start new thread",
    "cannot fork",
    "retry: no child processes",
)
_LONGEST_QUOTE = 300
#: Longest message of a reason that the server takes.
_LONGEST_MESSAGE = 4096
#: How a trace of Python begins and ends.
_TRACE = "Traceback (most recent call last):"
_ERROR = re.compile(r"([A-Za-z_][\w.]{0,90}(?:Error|Exception))(?:: |$)", re.ASCII)
#: Reasons that are limits of the node.
_LIMITS = frozenset(
    {
        "disk_limit",
        "process_limit",
        "out_of_memory",
        "output_too_large",
        "output_not_a_file",
        "output_not_allowed",
    }
)
_DISK_LIMIT_SIGNS = ("no space left on device",)
_FILE_LIMIT_SIGNS = ("file too large", "file size limit exceeded")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a result ended without output: a stable code and a sentence."""

    code: str
    message: str


ENGINE_STOPPED = Reason(
    "engine_stopped",
    "The engine was stopped: the container engine of the station ended or restarted while the "
    "algorithm ran. Send the task again.",
)
DISK_FULL = Reason(
    "disk_full",
    "The disk is full: the station had no room left when the algorithm ended. What the algorithm "
    "wrote was removed. Send the task again with a smaller output, or ask the station for room.",
)


class RefusalError(Exception):
    """A result cannot be computed here; carries the final status and the reason.

    Parameters
    ----------
    status, code, message
        The end of the result. The server can read them.
    log
        What its receiver alone may read, if there is something.
    """

    def __init__(self, status: TaskStatus, code: str, message: str, log: str = "") -> None:
        self.status = status
        self.reason = Reason(code, message)
        self.log = log
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Exit:
    """How an algorithm's process ended, whichever way it was run."""

    #: Exit code as a shell reports it; None if the process vanished.
    code: int | None
    #: End of standard output and standard error.
    log: str = ""
    out_of_memory: bool = False
    timed_out: bool = False
    #: Ended by the node because it wrote too much.
    disk_exceeded: bool = False
    #: The node's own disk was full when it ended.
    disk_full: bool = False
    #: The engine went away, and ended it so.
    engine_stopped: bool = False
    #: It printed more than is kept.
    log_cut: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The final word on a result."""

    status: TaskStatus
    reason: Reason | None
    started_at: datetime | None
    finished_at: datetime

    def to_json(self) -> dict[str, Any]:
        """Return a form that JSON can hold."""
        return {
            "status": str(self.status),
            "reason": reason_to_json(self.reason),
            "started_at": self.started_at.isoformat() if self.started_at else None,
            "finished_at": self.finished_at.isoformat(),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        reason = values["reason"]
        started_at = values["started_at"]
        return cls(
            status=TaskStatus(values["status"]),
            reason=Reason(reason["code"], reason["msg"]) if reason else None,
            started_at=clock.parse(started_at) if started_at else None,
            finished_at=clock.parse(values["finished_at"]),
        )


def reason_to_json(reason: Reason | None) -> dict[str, str] | None:
    """Return a reason as the wire spells it.

    SECURITY: a message can quote an algorithm, an input or another station. A character or a length
    that the server refuses would keep the result here.
    """
    if reason is None:
        return None
    return {"code": reason.code, "msg": harmless(reason.message)[:_LONGEST_MESSAGE]}


def judge(
    exit_: Exit,
    output_bytes: int | None,
    limits: LimitConfig,
    *,
    quote: bool = True,
    share_errors: bool = False,
) -> tuple[TaskStatus, Reason | None]:
    """Turn the end of a process into a status, and a reason if it is not a success.

    Parameters
    ----------
    exit_
        How the process ended.
    output_bytes
        Length of the output; None if what is there is no plain file.
    limits
        What the algorithm was allowed.
    quote
        Whether the reason may hold words of the log.
    share_errors
        Whether these may be any, and not only what was written for people.
    """
    if exit_.disk_exceeded:
        return TaskStatus.CRASHED, _disk_full(limits)
    if exit_.code is None:
        return TaskStatus.UNKNOWN_ERROR, Reason(
            "vanished", "The algorithm disappeared before it ended; its output is lost."
        )
    if exit_.engine_stopped:
        return TaskStatus.FAILED, ENGINE_STOPPED
    if exit_.code != 0 and exit_.disk_full:
        return TaskStatus.CRASHED, DISK_FULL
    if exit_.code != 0 and exit_.timed_out:
        return TaskStatus.CRASHED, Reason(
            "time_limit",
            f"The algorithm ran longer than the {limits.seconds:g} s this node allows.",
        )
    if exit_.code != 0 and exit_.out_of_memory:
        return TaskStatus.CRASHED, _out_of_memory(limits)
    if (output_bytes or 0) > limits.file_bytes:
        return TaskStatus.CRASHED, _output_too_large(limits)
    if exit_.code != 0:
        return TaskStatus.CRASHED, _failure(
            exit_, limits, _last_words(exit_.log, share_errors) if quote else ""
        )
    if output_bytes is None:
        return TaskStatus.CRASHED, Reason(
            "output_not_a_file", "The algorithm put something else in the place of its output file."
        )
    if output_bytes == 0:
        return TaskStatus.CRASHED, Reason(
            "no_output", "The algorithm ended with exit code 0 but wrote no output."
        )
    return TaskStatus.COMPLETED, None


def limits_met(exit_: Exit, reason: Reason | None) -> dict[str, int]:
    """Return the limits that an algorithm has met, for the audit file, however it ended."""
    met = {
        "time_limit": exit_.timed_out,
        "out_of_memory": exit_.out_of_memory,
        "disk_limit": exit_.disk_exceeded,
        "log_limit": exit_.log_cut,
    }
    if reason is not None and reason.code in _LIMITS:
        met[reason.code] = True
    return {kind: 1 for kind, is_met in met.items() if is_met}


def _failure(exit_: Exit, limits: LimitConfig, last_words: str) -> Reason:
    log = exit_.log.lower()
    if exit_.code == SIGXFSZ_CODE or any(sign in log for sign in _FILE_LIMIT_SIGNS):
        return _output_too_large(limits)
    if any(sign in log for sign in _DISK_LIMIT_SIGNS):
        return _disk_full(limits)
    if any(line.startswith("memoryerror") for line in log.splitlines()[-3:]):
        return _out_of_memory(limits)
    if any(sign in log for sign in _PROCESS_LIMIT_SIGNS):
        return Reason(
            "process_limit",
            f"The algorithm needed more than the {limits.pids} processes and threads "
            "this node allows.",
        )
    return Reason("exit_code", f"The algorithm ended with exit code {exit_.code}.{last_words}")


def _last_words(log: str, share_errors: bool) -> str:
    """Return what the end of a log adds to a reason.

    SECURITY: the text of an error that was not written for people can be a cell of the data.
    """
    lines = log.rstrip().splitlines()
    last = lines[-1].strip() if lines else ""
    if last and share_errors:
        return f"{QUOTE}words: {last[:_LONGEST_QUOTE]}"
    if last.startswith(FOR_PEOPLE):
        return f"{QUOTE}words: {last.removeprefix(FOR_PEOPLE)[:_LONGEST_QUOTE]}"
    # The wrapper of 3.11 has no word that tells whose text it is; a trace of Python has a form.
    found = _ERROR.match(last)
    if found and _TRACE in lines and lines[-2].startswith("  "):
        return f"{QUOTE}error: {found[1]}."
    return ""


def _disk_full(limits: LimitConfig) -> Reason:
    return Reason(
        "disk_limit",
        f"The results of this run wrote more than the {size(limits.disk_bytes)} that this node "
        "allows in their shared folder and outputs, or this one filled its own scratch folders.",
    )


def _out_of_memory(limits: LimitConfig) -> Reason:
    return Reason(
        "out_of_memory",
        f"The algorithm needed more memory than the {size(limits.memory_bytes)} this node allows.",
    )


def _output_too_large(limits: LimitConfig) -> Reason:
    return Reason(
        "output_too_large",
        f"The algorithm wrote a file larger than the {size(limits.file_bytes)} this node allows.",
    )


def size(number: int) -> str:
    """Return a number of bytes for people."""
    exponent = min((max(number, 1).bit_length() - 1) // 10, 4)
    unit = ("bytes", "KiB", "MiB", "GiB", "TiB")[exponent]
    return f"{number / 1024**exponent:.4g} {unit}"
