"""``vnode start``, ``stop`` and ``attach``."""

import os
import queue
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from vantage6.common.cli import console, exits
from vantage6.common.cli.selection import instance_options
from vantage6.common.errors import (
    ConfigurationError,
    Forbidden,
    Unauthenticated,
    Unavailable,
)
from vantage6.common.selection import Selection
from vantage6.node.commands.base import on_node, said_plainly

if TYPE_CHECKING:
    from vantage6.node.instance import Instance

#: After which the supervisor does not try again; an engine may come back.
_FINAL = (0, exits.CONFIGURATION, exits.REFUSED)
#: Set where a supervisor restarts the node and keeps what it prints.
_SUPERVISED = "V6_SUPERVISED"
#: How long `vnode start` waits for a server that does not answer.
_START_SECONDS = 30
_STOP_SECONDS = 60
#: How long a node that failed rests before its supervisor starts it again.
_REST_SECONDS = 5
_SHOWN_LINES = 5
#: What a researcher reads after `vnode stop --now`.
_REASON = "The station stops its work."


@click.command()
@on_node
@click.option(
    "--attach/--detach", default=False, help="Stay in the foreground; Ctrl-C stops the node."
)
def start(instance: "Instance", attach: bool) -> None:
    """Start a node; algorithms of an earlier start are taken over."""
    _refuse_namesake(instance)
    instance.note_start()
    if attach:
        _work(instance)
    else:
        _start(instance)


@click.command()
@instance_options
@click.option("--all", "everything", is_flag=True, help="Stop all nodes of both scopes.")
@click.option("--force", is_flag=True, help="At once, without a chance to tidy up.")
@click.option("--now", is_flag=True, help="Stop its algorithms too: nothing more of them leaves.")
def stop(selection: Selection, everything: bool, force: bool, now: bool) -> None:
    """Stop a node; its algorithms run on, and the next start finds them."""
    from vantage6.common.cli import listing
    from vantage6.node.commands.listing import running_nodes
    from vantage6.node.instance import Instance

    with said_plainly():
        chosen = running_nodes() if everything else [Instance.find(selection)]
        listing.stop_each("node", chosen, lambda one: _stop(one, force=force, now=now))


@click.command()
@on_node
@click.option("--lines", default=20, show_default=True, help="Lines of the past to show.")
def attach(instance: "Instance", lines: int) -> None:
    """Show a node's log as it grows, until Ctrl-C; the node runs on."""
    from vantage6.common.cli.log_tail import watch

    if instance.holder() is None:
        console.warning(f"Node {instance.name} does not run; these are its last lines.")
    watch({"node": instance.log_file}, lines)


def _refuse_namesake(instance: "Instance") -> None:
    """Refuse to run beside a node of the same name: both call their containers alike."""
    from vantage6.node.commands.listing import running_nodes

    for other in running_nodes():
        same_name = other.engine_name == instance.engine_name
        if same_name and other.data != instance.data and _has_containers(other, instance):
            raise ConfigurationError(
                f"A node of this name runs already, from {other.file}, and both would call their "
                f"containers alike. Give {instance.file} another name."
            )


def _has_containers(*nodes: "Instance") -> bool:
    return all(node.config.runtime == "docker" for node in nodes)


def _start(instance: "Instance") -> None:
    """Start a node in the background and return once it is logged in."""
    from vantage6.common.cli.log_tail import last_lines, length, readable
    from vantage6.common.cli.supervision import Program

    supervisor = instance.supervisor
    if instance.holder() is not None:
        raise ConfigurationError(f"Node {instance.name} runs already; `vnode stop` ends it.")
    # One whose node gave up waits for nothing.
    supervisor.stop()
    instance.prepare()
    program = Program(
        command=_command(instance),
        log=instance.log_file.with_suffix(".console.log"),
        environment={_SUPERVISED: "1", "PYTHONUNBUFFERED": "1"},
        final_codes=_FINAL,
        with_children=False,
    )
    supervisor.write({"node": program}, instance.config.logging)
    # What an earlier start said is no reason of this one.
    before = {file: length(file) for file in (program.log, instance.log_file)}
    instance.forget_state()
    try:
        supervisor.start(lambda: bool(instance.read_state()[0]), _START_SECONDS, keep=True)
    except Unavailable as error:
        # What it could not log it printed: why it did not even begin.
        lines = "\n".join(
            readable(line)
            for file, since in before.items()
            for line in last_lines(file, _SHOWN_LINES, since=since)
        )
        raise Unavailable(
            f"Node {instance.name} runs, but is not logged in after {_START_SECONDS} seconds; it "
            f"keeps trying. Its last lines:\n{lines}"
        ) from error
    state, code, message = instance.read_state()
    if state == "failed":
        supervisor.stop()
        _exit(code, message)
    if state == "refusing":
        console.info(f"Its log is {instance.log_file}")
        _exit(
            exits.CONFIGURATION,
            f"Node {instance.name} is logged in, but refuses every task:\n{message}\n"
            "Mend this, then `vnode stop` and start it again.",
        )
    console.info(f"Node {instance.name} is online.")
    for line in message.splitlines():
        console.warning(line)
    console.info(f"Its log is {instance.log_file}")


def _command(instance: "Instance") -> list[str]:
    return [
        *(sys.executable, "-m", "vantage6.node", "start", "--attach"),
        *("--config", str(instance.file), "--system" if instance.system else "--user"),
        *(("--environment", instance.environment) if instance.environment else ()),
    ]


def _work(instance: "Instance") -> None:
    """Be the node."""
    from vantage6.common import logs
    from vantage6.common.identity import KEY_IN_USE
    from vantage6.node.daemon import Node
    from vantage6.node.runtime.base import EngineUnavailable

    supervised = _SUPERVISED in os.environ
    settings = instance.config.logging
    logs.set_up(
        "node",
        level=settings.level,
        console=settings.use_console and not supervised,
        file=instance.log_file,
        max_kilobytes=settings.max_size,
        backups=settings.backup_count,
        levels=settings.levels,
    )
    stop = stop_at_signals()
    try:
        Node(instance, stop).run()
        return
    except ConfigurationError as error:
        code, message = exits.CONFIGURATION, str(error)
    except (Unauthenticated, Forbidden) as error:
        code = exits.REFUSED
        message = (
            str(error)
            if error.error_code == KEY_IN_USE
            else f"The server refuses the key: {error} Check api_key in the configuration."
        )
    except EngineUnavailable as error:
        code, message = exits.NO_ENGINE, str(error)
    if supervised or not settings.use_console:
        logs.get(__name__).critical("node failed", code=code, reason=message)
    if supervised:
        instance.write_state("failed", code, message)
        if code not in _FINAL:
            # The supervisor would start it again at once.
            stop.wait(_REST_SECONDS)
    _exit(code, message)


def stop_at_signals() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set.

    A thread of its own sets it. A handler interrupts the main thread anywhere, also inside
    ``Event.wait`` while that holds the lock that ``Event.set`` needs; only
    ``SimpleQueue.put`` may be called there.
    """
    stop = threading.Event()
    signals: queue.SimpleQueue[None] = queue.SimpleQueue()

    def pass_on() -> None:
        signals.get()
        stop.set()

    threading.Thread(target=pass_on, name="signals", daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: signals.put(None))
    return stop


def _stop(instance: "Instance", *, force: bool, now: bool) -> bool:
    """Stop a node, however it was started; return whether it ran."""
    from vantage6.node.commands.running import stop_all, stop_left

    # A node that has no time left is not asked.
    is_told = now and not force and instance.holder() is not None and stop_all(instance, _REASON)
    ran = _end(instance, force=force)
    # Also what it began meanwhile, or did not end.
    if now and not stop_left(instance, _REASON) and not is_told:
        console.info("No result ran; there was nothing to stop.")
    return ran


def _end(instance: "Instance", *, force: bool) -> bool:
    supervisor, holder = instance.supervisor, instance.holder()
    supervised = supervisor.kill() if force else supervisor.stop()
    if instance.holder() is None:
        return supervised
    if holder is not None:
        with suppress(ProcessLookupError):
            os.kill(holder, signal.SIGKILL if force else signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while instance.holder() is not None:
        if time.monotonic() > deadline:
            raise Unavailable(
                f"Node {instance.name} did not end in {_STOP_SECONDS} seconds; --force kills it."
            )
        time.sleep(0.05)
    return True


def _exit(code: int, message: str) -> None:
    console.say(f"vnode: {message}", err=True)
    sys.exit(code)
