"""What an algorithm prints, on its way to who asked, while it runs.

SECURITY: nothing of it leaves that is not on record first. A line for each of very many pieces
would fill the audit file, so that a line says up to how many bytes may leave from there on, and the
next one is written when they have; each time it is twice as many.
"""

from vantage6.common import logs
from vantage6.common.errors import V6Error
from vantage6.node.rules.audit import Audit
from vantage6.node.spool.spool import Entry
from vantage6.node.work.context import NodeContext
from vantage6.node.work.delivery import seal_log, wrong_receiver
from vantage6.node.work.retry import Retry

log = logs.get(__name__)

#: Most that is sent of a log at a time: its end.
_MOST_BYTES = 2**16


class LiveLog:
    """The log of one running algorithm.

    Parameters
    ----------
    context
        What all results share.
    entry
        The result on disk.
    retry
        Tells whether the result is still worked on.
    """

    def __init__(self, context: NodeContext, entry: Entry, retry: Retry) -> None:
        self._context = context
        self._entry = entry
        self._retry = retry
        self._result_id = entry.record.result_id
        self._last = ""
        self._times = self._sent_bytes = self._may_leave = 0

    def send(self) -> None:
        """Let the researcher see what the algorithm has printed by now."""
        context = self._context
        most = min(_MOST_BYTES, context.config.limits.log_bytes)
        printed = context.runtime.log(self._result_id, most)
        if printed == self._last or self._retry.interrupted.is_set():
            return
        record = self._entry.record
        key = record.initiator_public_key
        # SECURITY: the server may not choose who reads it.
        if wrong_receiver(context, self._retry, record.initiator, key) is not None:
            return
        sealed = seal_log(context.agreement, printed, key)
        if not sealed:
            return
        try:
            self._take_down(len(printed.encode("utf-8", "replace")))
            context.server.patch_result(self._result_id, log=sealed)
            self._last = printed
        except (OSError, V6Error) as error:
            # The whole log follows with the result.
            log.debug("log not sent", result_id=self._result_id, reason=str(error))

    def conclude(self) -> None:
        """Write down how much has left."""
        if not self._times:
            return
        try:
            self._note(times=self._times)
        except OSError as error:
            log.warning("not in the audit file", noted="live_log", reason=str(error))

    def _take_down(self, length: int) -> None:
        """Write down that so many bytes leave, unless a line says so already.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        after = self._sent_bytes + length
        if after > self._may_leave:
            most = max(2 * self._may_leave, _MOST_BYTES, after)
            self._note(at_most_bytes=most)
            self._may_leave = most
        self._sent_bytes = after
        self._times += 1

    def _note(self, **facts: int) -> None:
        audit: Audit = self._context.audit
        audit.note("live_log", result_id=self._result_id, sent_bytes=self._sent_bytes, **facts)
