"""A Python session: runs each piece of code that it is given, all of them in one namespace.

Each line of the input is a piece, and each line of the output what came of it, as JSON. It knows
nothing of the tests: what it has to know of the system is in the code that it is given.
"""

import io
import json
import logging
import os
import sys
import traceback

#: Ours alone; what the code prints is shown to the tests.
answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
# As in a session that was started in its folder: modules are found there, and not beside this file.
sys.path[0] = ""
namespace = {"__name__": "__main__"}
warnings: list[str] = []


class Warnings(logging.Handler):
    """Keeps what libraries warn of: they may go on where a reader sees that something failed."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message."""
        warnings.append(record.getMessage())


logging.getLogger().addHandler(Warnings(logging.WARNING))


def show(value: object) -> None:
    """Keep what an interactive session would show."""
    if value is not None:
        shown.append(repr(value))


sys.displayhook = show
for line in sys.stdin:
    source, mode = json.loads(line)
    error = None
    shown: list[str] = []
    warnings.clear()
    sys.stdout = io.StringIO()
    try:
        exec(compile(source, "<document>", mode), namespace)
    except BaseException:
        error = traceback.format_exc()
    printed = sys.stdout.getvalue()
    answer = {"shown": shown, "printed": printed, "warnings": warnings, "error": error}
    answers.write(json.dumps(answer) + "\n")
