"""The node as a process: puts its parts together and keeps in touch with the server."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from vantage6.broker import queues
from vantage6.broker.consumer import NodeConsumer
from vantage6.broker.messages import Message
from vantage6.broker.transports import https, redis
from vantage6.client.node_client import NodeClient
from vantage6.client.session import NotTheServer
from vantage6.common import logs
from vantage6.common.backoff import delays
from vantage6.common.config import NodeConfig
from vantage6.common.encryption import RSACryptor
from vantage6.common.errors import (
    ConfigurationError,
    Forbidden,
    TooMany,
    Unauthenticated,
    Unavailable,
    V6Error,
)
from vantage6.common.identity import WhoAmI
from vantage6.node.control import Control
from vantage6.node.databases import Databases
from vantage6.node.instance import Instance
from vantage6.node.proxy.app import PublicKeys
from vantage6.node.proxy.upstream import Upstream, network
from vantage6.node.release.earlier_answers import EarlierAnswers
from vantage6.node.release.held_outputs import HeldOutputs
from vantage6.node.requests.gate import Gate
from vantage6.node.rules import obstacles
from vantage6.node.rules.audit import Audit
from vantage6.node.rules.audit_start import open_audit, record_start
from vantage6.node.rules.current_policy import CurrentPolicy
from vantage6.node.rules.encryption import agree, known_keys
from vantage6.node.rules.kept_outputs import KeptOutputs
from vantage6.node.rules.published_policy import public_settings
from vantage6.node.rules.quota import Quotas
from vantage6.node.runtime.base import Runtime
from vantage6.node.runtime.docker import DockerRuntime
from vantage6.node.runtime.links import Dial
from vantage6.node.runtime.process import ProcessRuntime
from vantage6.node.services.services import Services
from vantage6.node.sketch.sketches import Sketches
from vantage6.node.spool import run_disks
from vantage6.node.spool.spool import Spool
from vantage6.node.work.contact import Contact
from vantage6.node.work.context import NodeContext
from vantage6.node.work.questions import Questions
from vantage6.node.work.reconciler import Reconciler
from vantage6.node.work.retry import SERVER_AWAY
from vantage6.node.work.scheduler import Scheduler

log = logs.get(__name__)

T = TypeVar("T")


class Node:
    """A node from its start to its stop.

    Parameters
    ----------
    instance
        Its configuration and folders.
    stop
        Set it to end `run` within seconds; algorithms run on.
    """

    def __init__(self, instance: Instance, stop: threading.Event) -> None:
        self._instance = instance
        self._stop = stop
        config = instance.config
        self._network = network(config, instance.base)
        #: Why another session replaced that of this node, once one has.
        self._refusal: Unauthenticated | None = None
        self._services = Services()
        self._contact = Contact()
        #: The configuration of which the server was told last.
        self._shared: NodeConfig | None = None
        self._server = NodeClient(config.server_address, config.api_path, self._network)

    def run(self) -> None:
        """Work until told to stop.

        Raises
        ------
        Unauthenticated
            If the server refuses the key, or another station works with it.
        EngineUnavailable
            If no container engine answers when the node starts.
        ConfigurationError
            If the configuration cannot be followed.
        """
        lock = self._instance.lock()
        try:
            log.info("node starting", name=self._instance.name, data=str(self._instance.data))
            if keys := self._instance.config.without_effect:
                log.warning("settings without effect in this version", keys=list(keys))
            self._work(make_runtime(self._instance, self._services.dial))
        finally:
            self._services.close()
            # The last thing said: the services have told the server of their end.
            self._log_out()
            self._server.close()
            os.close(lock)
            log.info("node stopped")

    def _work(self, runtime: Runtime) -> None:
        me = self._persistently(self._log_in)
        if me is None:
            return
        audit = open_audit(self._instance.data)
        context = self._persistently(lambda: self._context(runtime, me, audit))
        if context is None:
            return
        record_start(audit, self._instance.config, me, context.collaboration_id)
        self._share(self._instance.config)
        self._services.start(
            self._instance.config,
            context.databases,
            runtime,
            self._instance.engine_name,
            self._instance.data,
            self._server,
        )
        scheduler = Scheduler(context)
        control = self._control(scheduler, runtime)
        scheduler.adopt()
        reconciler = Reconciler(
            self._server,
            scheduler,
            context.spool,
            runtime,
            self._instance.config.keep_temporary_hours * 3600,
            self._give_way,
            lambda: self._tidy(context, scheduler),
            self._contact,
        )
        reconciler.start()
        self._tell_how_it_went(context)
        try:
            self._listen(me.id_, scheduler, reconciler)
        finally:
            if control is not None:
                control.close()
            reconciler.stop()
            scheduler.leave()
            context.spool.rest(scheduler.run_ids())
            runtime.close()
            context.close()

    def _control(self, scheduler: Scheduler, runtime: Runtime) -> Control | None:
        """Take questions, where the data folder holds the socket for them."""
        try:
            questions = Questions(scheduler, runtime, self._contact)
            return Control(self._instance.data, questions.handlers)
        except OSError as error:
            # Shares of Windows and some other file systems hold none; the work does not need it.
            log.warning("takes no questions: no `vnode running`, no `kill`", reason=str(error))
            return None

    def _tell_how_it_went(self, context: NodeContext) -> None:
        """Tell the command that started the node that it is there, and which tasks it refuses."""
        found = obstacles.find(context.config, self._instance.base, context.agreement)
        for line in found.of_all:
            log.critical("every task is refused", reason=line)
        for line in found.of_some:
            log.warning("some tasks are refused", reason=line)
        state = "refusing" if found.of_all else "online"
        self._instance.write_state(state, message="\n".join((*found.of_all, *found.of_some)))

    def _log_in(self) -> WhoAmI:
        key = self._instance.config.api_key.get_secret_value()
        process = self._server.process
        previous = self._instance.previous_processes(process)
        self._server.authenticate(key, self._instance.id, previous)
        self._instance.confirm_process(process)
        me = self._server.whoami
        if me is None:
            raise Unauthenticated
        log.info("logged in", node_id=me.id_, organization=me.organization_name)
        return me

    def _log_out(self) -> None:
        """End the session, so that another station with the same key may begin one."""
        if self._server.whoami is not None and self._refusal is None:
            with suppress(V6Error):
                self._server.log_out()

    def _give_way(self, refusal: Unauthenticated) -> None:
        """End this node: another station works with its key."""
        self._refusal = refusal
        self._stop.set()

    def _context(self, runtime: Runtime, me: WhoAmI, audit: Audit) -> NodeContext:
        instance, config, server = self._instance, self._instance.config, self._server
        collaboration_id = server.collaboration_id
        if collaboration_id is None:
            raise ConfigurationError(
                "This node is in no collaboration. Its administrator at the server puts it into "
                "one; then start it again."
            )
        address = config.server_address + config.api_path
        upstream = Upstream(address, self._network, server)
        agreement = agree(
            server,
            collaboration_id,
            me.organization_id,
            enabled=config.encryption.enabled,
            key_file=instance.key_file,
        )
        known = known_keys(instance, audit)
        if isinstance(agreement.cryptor, RSACryptor):
            known.own(me.organization_id, agreement.cryptor.public_key_str)
        return NodeContext(
            config=config,
            collaboration_id=collaboration_id,
            server=server,
            upstream=upstream,
            keys=PublicKeys(upstream, known),
            agreement=agreement,
            policies=CurrentPolicy(
                config, instance.reload, instance.file, audit, folder=instance.data
            ),
            databases=Databases(config.databases, instance.base),
            runtime=runtime,
            spool=self._spool(runtime),
            audit=audit,
            quotas=Quotas(config.limits),
            known_keys=known,
            gate=Gate(instance.data),
            kept_outputs=KeptOutputs(config, instance.data),
            held_outputs=HeldOutputs(instance.data),
            sketches=Sketches(instance.data),
            earlier_answers=EarlierAnswers(instance.data),
            services=self._services,
        )

    def _spool(self, runtime: Runtime) -> Spool:
        folder = self._instance.data
        spool = Spool(folder)
        if not isinstance(runtime, DockerRuntime):
            return spool
        return Spool(folder, run_disks.open_for(self._instance.config, folder / "runs"))

    def _tidy(self, context: NodeContext, scheduler: Scheduler) -> None:
        """Forget old copies, take up changed policies and answers, and tell the server of them."""
        try:
            context.kept_outputs.prune()
        except OSError as error:
            log.warning("old copies not removed", reason=str(error))
        policies = context.policies
        policies.refresh()
        if policies.config is not self._shared:
            self._share(policies.config)
        scheduler.take_up()

    def _share(self, config: NodeConfig) -> None:
        """Tell the server what the policies allow; nothing here depends on it."""
        try:
            self._server.tell_config(public_settings(config))
        except SERVER_AWAY as error:
            log.warning("configuration not shared yet", reason=str(error))
            return
        except V6Error as error:
            log.warning("configuration not shared", reason=str(error))
        self._shared = config

    def _listen(self, node_id: int, scheduler: Scheduler, reconciler: Reconciler) -> None:
        """Consume the inbox; whenever that ends, connect anew after a pause, for ever."""
        pauses = delays()
        while not self._stop.is_set():
            consumer = None
            try:
                consumer = self._consumer(node_id, scheduler.handle)
                reconciler.wake()
                consumer.run(self._stop)
            except V6Error as error:
                if consumer is not None and consumer.answered:
                    pauses = delays()
                pause = max(next(pauses), getattr(error, "retry_after", None) or 0)
                self._contact.note_failure(str(error))
                log.warning("not connected", reason=str(error), pause_seconds=round(pause, 1))
                self._stop.wait(pause)
                if isinstance(error, Unauthenticated):
                    # A token may be refused for many reasons; only the key has the last word.
                    self._persistently(self._log_in)
        if self._refusal is not None:
            raise self._refusal

    def _consumer(self, node_id: int, on_message: Callable[[Message], None]) -> NodeConsumer:
        """Return a consumer of the inbox, over the transport that the configuration names."""
        queue = queues.inbox(node_id)
        if self._instance.config.transport == "https":
            return NodeConsumer(partial(https.connect, self._server.inbox()), queue, on_message)
        url = self._server.broker()["url"]
        return NodeConsumer(partial(redis.connect, url, queues.alive(node_id)), queue, on_message)

    def _persistently(self, call: Callable[[], T]) -> T | None:
        """Call until the server answers; None if the node is stopped meanwhile."""
        for pause in delays():
            if self._stop.is_set():
                break
            try:
                return call()
            except (Unauthenticated, Forbidden, ConfigurationError):
                raise
            except V6Error as error:
                away = isinstance(error, Unavailable | TooMany)
                away = away and not isinstance(error, NotTheServer)
                # Who was logged in before has the right address, and somebody else stands there.
                if not away and self._server.whoami is None:
                    raise ConfigurationError(
                        f"{self._instance.config.server_address} answers, but not as a server of "
                        f"this system ({error}): check server_url, port and api_path."
                    ) from error
                log.warning("server does not answer", reason=str(error), again=round(pause, 1))
                self._stop.wait(pause)
        return None


def make_runtime(instance: Instance, dial: Dial) -> Runtime:
    """Return what runs the algorithms of a node.

    Parameters
    ----------
    instance
        The node.
    dial
        How the services are reached that algorithms may use.
    """
    if instance.config.runtime == "process":
        return ProcessRuntime(
            instance.data / "processes", instance.config.processes, instance.config.limits
        )
    return DockerRuntime(instance.engine_name, instance.config, dial, instance.data)
