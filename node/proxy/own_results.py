"""What an algorithm may read of results: those of the sub-tasks that it made itself."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from vantage6.common.encoding import bytes_to_base64s
from vantage6.common.encryption import CryptorBase
from vantage6.common.errors import Forbidden, Unavailable
from vantage6.common.task_status import TaskStatus
from vantage6.node.proxy.subtasks import SubTasks
from vantage6.node.rules.audit import hash_of
from vantage6.node.rules.formats import is_json, name_of
from vantage6.node.rules.result_audit import Opened, ResultAudit

_OTHERS = ("input", "log")
_TEXTS = (*_OTHERS, "result")
#: Results that are named in one line of the audit file.
_IN_A_LINE = 50


class OwnResults:
    """Opens results for one algorithm, after that is on record. Safe for threads.

    Parameters
    ----------
    cryptor
        Decrypts for the node's organization.
    result_audit
        Where it is written down what was opened, and what was not.
    made
        The sub-tasks of the algorithm.
    task_id
        The task that it computes.
    allows_pickle
        Whether results may be in other formats than JSON.
    """

    def __init__(
        self,
        cryptor: CryptorBase,
        result_audit: ResultAudit,
        made: SubTasks,
        task_id: int,
        *,
        allows_pickle: bool,
    ) -> None:
        self._cryptor = cryptor
        self._result_audit = result_audit
        self._made = made
        self._task_id = task_id
        self._allows_pickle = allows_pickle
        self._lock = threading.Lock()
        self._written: set[tuple[int, str]] = set()

    def is_own(self, task_id: int) -> bool:
        """Tell whether a task is the own one, or a sub-task that the algorithm made."""
        return task_id == self._task_id or self._made.has(task_id)

    def check_task(self, task_id: int) -> None:
        """Refuse the results of a task that is not the algorithm's.

        SECURITY: the key of the node opens the results of every task of its organization, so that
        it is not enough that the server shows them.

        Raises
        ------
        Forbidden
            If it is neither the own task nor a sub-task that the algorithm made.
        """
        if not self.is_own(task_id):
            raise Forbidden(
                f"This algorithm did not create task {task_id}, so that the node does not show "
                "its results.",
                code="not_own_subtask",
            )

    def check_result(self, result_id: int) -> None:
        """Refuse a result that belongs to no sub-task of the algorithm.

        Raises
        ------
        Forbidden
            If that is so.
        """
        if self._made.task_of(result_id) is None:
            raise Forbidden(
                f"Result {result_id} belongs to no task that this algorithm created.",
                code="not_own_subtask",
            )

    def open(
        self, results: Sequence[Any], task_id: int | None = None, *, is_each: bool = False
    ) -> None:
        """Decrypt the results of sub-tasks in place; take the texts out of all others.

        Parameters
        ----------
        results
            As the server shows them.
        task_id
            The task that was asked for, if it was one.
        is_each
            Show one that cannot be opened as one that failed, with the reason.

        Raises
        ------
        Forbidden
            If one cannot be decrypted, or is in a format that may not go into an algorithm here;
            not with `is_each`.
        Unavailable
            If it cannot be written down.
        """
        opened = list(self._opened(results, task_id, is_each=is_each))
        new = [one for one in opened if (one.id, one.hash) not in self._written]
        try:
            for start in range(0, len(new), _IN_A_LINE):
                self._result_audit.record_opened(new[start : start + _IN_A_LINE])
        except OSError as error:
            raise Unavailable("The node cannot write its audit file; try again later.") from error
        with self._lock:
            self._written |= {(one.id, one.hash) for one in new}

    def _opened(
        self, results: Sequence[Any], asked: int | None, *, is_each: bool
    ) -> Iterator[Opened]:
        for result in results:
            id_ = result.get("id") if isinstance(result, dict) else None
            task_id = self._made.task_of(id_, asked) if isinstance(id_, int) else None
            if not isinstance(id_, int) or task_id is None:
                _without_texts(result, _TEXTS)
                continue
            _without_texts(result, _OTHERS)
            if not result.get("result"):
                continue
            try:
                plain = self._open_one(id_, result)
            except Forbidden as error:
                if not is_each:
                    raise
                self._result_audit.count(error.error_code)
                reason = {"code": error.error_code, "msg": error.message}
                result.update(result=None, status=TaskStatus.FAILED.value, reason=reason)
            else:
                yield Opened(id_, task_id, len(plain), hash_of(plain), name_of(plain))

    def _open_one(self, id_: int, result: dict[str, Any]) -> bytes:
        """Decrypt one result in place, and return what is in it."""
        try:
            plain = self._cryptor.decrypt_str_to_bytes(result["result"])
        except ValueError as error:
            # SECURITY: what was not encrypted, anybody at the server could have written.
            raise Forbidden(
                f"Result {id_} is not encrypted for this node's organization, so that the "
                "node does not show it. Send the sub-task again.",
                code="result_unreadable",
            ) from error
        # Never more than two forms of it are in memory.
        result["result"] = None
        self._check_format(id_, plain)
        result["result"] = bytes_to_base64s(plain)
        return plain

    def _check_format(self, result_id: int, plain: bytes) -> None:
        # SECURITY: what is not named JSON, old wrappers unpickle, and a pickle runs code.
        if not self._allows_pickle and not is_json(plain):
            raise Forbidden(
                f"Result {result_id} is not JSON ({name_of(plain)}), and this node takes nothing "
                "else into an algorithm. Let the sub-task answer in JSON, with 'output_format': "
                "'json' in its input; or let the administrator set policies.allow_pickle.",
                code="pickle_not_allowed",
            )


def _without_texts(result: Any, names: Iterable[str]) -> None:
    if isinstance(result, dict):
        result.update((name, None) for name in names if name in result)
