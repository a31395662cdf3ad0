"""What people at the station may ask of a running node."""

import time
from collections.abc import Mapping
from typing import Any

from vantage6.common.errors import NotFound
from vantage6.node.control import Handler
from vantage6.node.runtime.base import Runtime
from vantage6.node.work.contact import Contact
from vantage6.node.work.scheduler import Scheduler

#: Longest time for which the answer waits until the server knows that something was stopped.
_REPORT_SECONDS = 20.0
#: Longest reason: the server shows it as a sentence.
_MOST_REASON = 500
_MOST_PERSON = 100
#: Most of a log that is shown while it grows: its end.
_MOST_LOG_BYTES = 2**16


class Questions:
    """Answers what `vantage6.node.control` passes on.

    Parameters
    ----------
    scheduler
        All results of the node.
    runtime
        What runs their algorithms.
    contact
        How the last exchange with the server ended.
    """

    def __init__(self, scheduler: Scheduler, runtime: Runtime, contact: Contact) -> None:
        self._scheduler = scheduler
        self._runtime = runtime
        self._contact = contact
        self.handlers: dict[str, Handler] = {
            "running": self.running,
            "contact": self.contact,
            "log": self.log,
            "kill": self.kill,
            "kill all": self.kill_all,
            "take up": self.take_up,
        }

    def running(self, by: str) -> list[dict[str, Any]]:  # noqa: ARG002
        """Return all results that the node has at hand."""
        return self._scheduler.describe()

    def take_up(self, by: str) -> None:  # noqa: ARG002
        """Look at the answers to requests, at the grants and at the pause."""
        self._scheduler.take_up()

    def contact(self, by: str) -> dict[str, str | None]:  # noqa: ARG002
        """Return how the last exchange with the server ended."""
        return self._contact.describe()

    def log(self, by: str, result_id: int) -> str:  # noqa: ARG002
        """Return the end of what a running algorithm has printed.

        Raises
        ------
        NotFound
            If the node does not have that result.
        """
        if not self._scheduler.is_active(int(result_id)):
            raise NotFound(f"The node has no result {int(result_id)} at hand.")
        return self._runtime.log(int(result_id), _MOST_LOG_BYTES)

    def kill(self, by: str, result_id: int, reason: str, person: str = "") -> dict[str, list[int]]:
        """Stop a result and the others of its run that are here.

        Parameters
        ----------
        by
            The account that asks, as the kernel says.
        result_id, reason
            The result, and why.
        person
            The person of that account who asks, as the console knows it.

        Raises
        ------
        NotFound
            If the node does not have that result.
        """
        stopped = self._scheduler.stop_run(
            int(result_id), str(reason)[:_MOST_REASON], _name_person(by, person)
        )
        if not stopped:
            raise NotFound(
                f"The node has no result {result_id} at hand: it was delivered, or never came. "
                "`vnode running` lists those that it has."
            )
        return self._answer(stopped)

    def kill_all(self, by: str, reason: str, person: str = "") -> dict[str, list[int]]:
        """Stop everything that the node has at hand."""
        stopped: dict[int, bool] = {}
        for id_ in self._scheduler.result_ids():
            if id_ not in stopped:
                stopped |= self._scheduler.stop_run(
                    id_, str(reason)[:_MOST_REASON], _name_person(by, person)
                )
        return self._answer(stopped)

    def _answer(self, stopped: Mapping[int, bool]) -> dict[str, list[int]]:
        """Wait until the server knows, and return what was stopped and what is yet to be told.

        SECURITY: what the server may have had before counts as left, and not as stopped.
        """
        deadline = time.monotonic() + _REPORT_SECONDS
        left = list(stopped)
        while left and time.monotonic() < deadline:
            left = [id_ for id_ in left if self._scheduler.is_active(id_)]
            time.sleep(0.05)
        return {
            "stopped": sorted(id_ for id_, has_left in stopped.items() if not has_left),
            "left before": sorted(id_ for id_, has_left in stopped.items() if has_left),
            "to be told": left,
        }


def _name_person(by: str, person: str) -> str:
    return f"{by} ({str(person)[:_MOST_PERSON]} at the console)" if person else by
