"""Why a container did not start, in words for the researcher."""

import re

from vantage6.common import logs
from vantage6.common.task_status import TaskStatus
from vantage6.node.outcomes import RefusalError

log = logs.get(__name__)

#: What engines say of a program that is not in the image, or is none.
_PROGRAM = re.compile(
    r'exec:? "[^"\n]{1,200}": (?:stat [^\s"]{1,200}: )?'
    r"(?:executable file not found in \$PATH|no such file or directory|permission denied)"
)


def start_failed(explanation: str) -> RefusalError:
    """Return the refusal for a start; of the engine's words, only those on the image's program.

    SECURITY: the others name folders and devices of the station.
    """
    log.warning("container not started", reason=explanation[:2000])
    program = _PROGRAM.search(explanation)
    cause = program[0] if program else "the log of the node says why"
    text = f"The container could not be started: {cause}."
    return RefusalError(TaskStatus.START_FAILED, "start_failed", text)
