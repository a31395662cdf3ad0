"""How one organization answered a sub-task: with an answer, or with a code and a sentence."""

from typing import Any

from vantage6.client import causes
from vantage6.client.session import Document
from vantage6.common.encoding import base64s_to_bytes
from vantage6.common.errors import SerializationError
from vantage6.common.serialization import deserialize
from vantage6.common.task_status import TaskStatus

#: Code of a failure for which there is no reason.
FAILED = "failed"
_NO_OUTPUT = "no_output"
_UNREADABLE = "answer_unreadable"
#: SECURITY: other stations write codes and sentences.
_MOST_CODE, _MOST_MESSAGE = 64, 2000


def read_answer(result: Document, allow_pickle: bool) -> Document:
    """Return ``{"answer": ...}`` or ``{"failed": {"code", "message"}}`` for one result.

    Parameters
    ----------
    result
        As the node shows it.
    allow_pickle
        Read pickles too, as data.
    """
    if result["status"] != TaskStatus.COMPLETED:
        reason = result.get("reason")
        code = reason.get("code") if isinstance(reason, dict) else None
        return failure(code, causes.cause(result))
    if not result.get("result"):
        return failure(_NO_OUTPUT, "It answered nothing.")
    try:
        return {"answer": deserialize(base64s_to_bytes(result["result"]), allow_pickle)}
    except SerializationError as error:
        return failure(_UNREADABLE, f"Its answer cannot be read: {error.message}")
    except ValueError:
        return failure(_UNREADABLE, "Its answer cannot be read: it is no base64.")


def failure(code: Any, message: str) -> Document:
    """Return how an organization failed."""
    known = code if isinstance(code, str) and code else FAILED
    return {"failed": {"code": known[:_MOST_CODE], "message": message[:_MOST_MESSAGE]}}
