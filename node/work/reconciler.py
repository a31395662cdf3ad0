"""The regular comparison of what the node does with what the server wants."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from vantage6.client.node_client import NodeClient
from vantage6.common import logs
from vantage6.common.errors import Unauthenticated, V6Error
from vantage6.common.identity import KEY_IN_USE
from vantage6.node.runtime.base import Runtime
from vantage6.node.spool.spool import Spool
from vantage6.node.work.comparison import compare
from vantage6.node.work.contact import Contact
from vantage6.node.work.scheduler import Scheduler

log = logs.get(__name__)

#: Longest time between two comparisons. With a shorter lease it is a third of that, so that two
#: lost calls in a row do no harm.
INTERVAL_SECONDS = 60.0


class Reconciler:
    """Heals every lost doorbell, restart and reconnect through one call.

    Parameters
    ----------
    server, executor, spool, runtime
        Who is asked, who acts, and where shared folders of runs and images grow old.
    keep_temporary_seconds
        Time for which a shared folder outlives its run's last result.
    on_refused
        Called when another station works with the key of this one.
    tidy
        Called before each comparison.
    contact
        Told how each comparison ended.
    """

    def __init__(
        self,
        server: NodeClient,
        scheduler: Scheduler,
        spool: Spool,
        runtime: Runtime,
        keep_temporary_seconds: float,
        on_refused: Callable[[Unauthenticated], None],
        tidy: Callable[[], None],
        contact: Contact | None = None,
    ) -> None:
        self._server = server
        self._scheduler = scheduler
        self._spool = spool
        self._runtime = runtime
        self._keep_temporary_seconds = keep_temporary_seconds
        self._on_refused = on_refused
        self._tidy = tidy
        self._contact = contact or Contact()
        #: The last login of another station with the same key that was logged.
        self._said_login: object = None
        self._awake = threading.Event()
        self._stopped = False
        self._interval = INTERVAL_SECONDS
        self._thread = threading.Thread(target=self._run, name="reconciler", daemon=True)

    def start(self) -> None:
        """Compare now and then regularly, in a thread of its own."""
        self._thread.start()

    def wake(self) -> None:
        """Compare now."""
        self._awake.set()

    def stop(self) -> None:
        """Compare no more."""
        self._stopped = True
        self._awake.set()

    def reconcile(self) -> None:
        """Compare once, and do what the server says.

        Raises
        ------
        V6Error
            If the server does not answer or refuses.
        """
        running, finished = self._scheduler.report()
        for wanted in compare(self._server, running, finished):
            self._say_refused_login(wanted.get("refused_login"))
            self._tell_again(wanted.get("shown"))
            self._interval = min(INTERVAL_SECONDS, wanted["lease_seconds"] / 3)
            for result_id in [*wanted["stop"], *wanted["forget"]]:
                self._scheduler.kill(result_id)
            for result_id in wanted["start"]:
                self._scheduler.accept(result_id)
        self._spool.sweep_temporary(self._scheduler.run_ids(), self._keep_temporary_seconds)
        self._runtime.sweep_images()

    def _say_refused_login(self, login: Mapping[str, Any] | None) -> None:
        if login is None or login == self._said_login:
            return
        self._said_login = login
        log.error(
            "another station was refused that has the same key: stop it there, or register a node "
            "of its own for it",
            address=login.get("address"),
            at=login.get("at"),
        )

    def _tell_again(self, shown: str | None) -> None:
        """See that the server shows what this node told of itself.

        SECURITY: another station with the same key, a user or a restored database may have changed
        it: the users that may ask here, and where the peers of a VPN connect to.
        """
        try:
            if shown is not None and self._server.tell_again(shown):
                log.warning("the server showed another configuration or address: told it again")
        except V6Error as error:
            log.warning("configuration not told again", reason=str(error))

    def _run(self) -> None:
        while not self._stopped:
            self._awake.clear()
            try:
                self._tidy()
            except Exception:
                # The leases do not wait for it.
                log.exception("not tidied")
            try:
                self.reconcile()
                self._contact.note_answer()
            except V6Error as error:
                if isinstance(error, Unauthenticated) and error.error_code == KEY_IN_USE:
                    self._on_refused(error)
                self._contact.note_failure(str(error))
                log.warning("not reconciled", reason=str(error))
            except Exception:
                log.exception("not reconciled")
            self._awake.wait(self._interval)
