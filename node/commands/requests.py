"""``vnode requests``, ``approve`` and ``deny``: what waits for a person, and the answers."""

import json
from typing import TYPE_CHECKING, Any

import click

from vantage6.common.cli import console, table
from vantage6.common.terminal_text import one_line, quote, spell_out
from vantage6.node.commands.answering import about_files, person, wake
from vantage6.node.commands.base import on_node

if TYPE_CHECKING:
    from vantage6.node.instance import Instance
    from vantage6.node.requests.held_request import HeldRequest, Requester

_HEADER = ("Result", "State", "Organization", "User", "Function", "Image", "Database", "Until")
_WIDTH = 15
_UNREADABLE = "cannot be read"
_NOT_HERE = "not at the station yet. After an approval the node fetches it, and asks again"


@click.command()
@click.argument("result", type=int, required=False)
@on_node
def requests(instance: "Instance", result: int | None) -> None:
    """List the requests that wait for a person, or show the one of RESULT in words."""
    from vantage6.node.reports.requests import describe_pin
    from vantage6.node.requests.held import HeldRequests

    with about_files(instance):
        held = HeldRequests(instance.data)
        if result is not None:
            request = held.get(result)
            pin = describe_pin(instance, request)
            _show(request, f", {pin}" if pin else "")
            return
        found = held.list()
        _say_pause(instance)
    if not found:
        console.say(f"Node {instance.name}: no request waits for an answer.")
        return
    table.show(_HEADER, map(_row, found))
    console.say("`vnode requests RESULT` shows one in words.")


@click.command()
@click.argument("result", type=int)
@click.argument("code")
@click.option("--grant", is_flag=True, help="Let further requests like this one run, too.")
@click.option(
    "--organization", is_flag=True, help="With --grant: of all users of the organization."
)
@click.option("--any-arguments", is_flag=True, help="With --grant: with any arguments.")
@click.option("--days", type=click.FloatRange(0.001, 3660), help="With --grant: for so many days.")
@click.option("--times", type=click.IntRange(1, 10_000), help="With --grant: so many times.")
@click.option("--note", default="", help="With --grant: a note for people at the station.")
@click.option("--unseen", is_flag=True, help="Also if not all of its arguments can be shown.")
@on_node
def approve(
    instance: "Instance", result: int, code: str, grant: bool, unseen: bool, **limits: Any
) -> None:
    """Let a request run, once.

    CODE is the word that `vnode requests RESULT` shows: it stands for exactly that request.
    With --grant, requests for the same function of the same image on the same database, by the
    same user with the same arguments, run without asking. The other options widen or limit that.
    It works whether or not the node runs.
    """
    from vantage6.common.errors import ConfigurationError, Conflict
    from vantage6.node.reports.requests import check_seen, grant_for
    from vantage6.node.requests.grants import Grants
    from vantage6.node.requests.held import HeldRequests, State

    if not grant and any(limits.values()):
        raise ConfigurationError("These options limit or widen a grant: give --grant as well.")
    by = person()
    with about_files(instance):
        held = HeldRequests(instance.data)
        shown = held.get(result)
        wanted = grant_for(shown, by, **limits) if grant else None
        if not unseen:
            check_seen(shown, "Give --unseen to approve it all the same.")
        if wanted is not None:
            # Before the approval, which cannot be taken back.
            Grants(instance.data).check_new(wanted)
        request = held.approve(result, by, code)
        if request.code != shown.code:
            raise Conflict(f"The request of result {result} was just replaced. Look at it again.")
        if request.state() is State.APPROVED:
            console.info(f"Result {result} is approved by {by}.")
        else:
            console.info(f"{by} has approved result {result}. A second person has to, as well.")
        if wanted is not None:
            given = Grants(instance.data).add(wanted)
            console.info(f"Grant {given.id}: {given.describe()}")
            if request.approvals_needed > 1:
                confirm = f"`vnode grants confirm {given.id}`"
                console.info(f"It counts when a second person confirms it: {confirm}.")
    wake(instance)


@click.command()
@click.argument("result", type=int)
@click.option("--reason", required=True, help="Why, for the researcher, who reads it.")
@on_node
def deny(instance: "Instance", result: int, reason: str) -> None:
    """Refuse a request. It works whether or not the node runs."""
    from vantage6.node.requests.held import HeldRequests

    by = person()
    with about_files(instance):
        HeldRequests(instance.data).deny(result, by, reason)
    console.info(f"Result {result} is denied by {by}. The researcher reads the reason.")
    wake(instance)


def _row(request: "HeldRequest") -> tuple[object, ...]:
    asked = request.requester
    return (
        request.result_id,
        request.state(),
        quote(asked.organization) if asked.organization else asked.organization_id,
        quote(asked.user) if asked.user else asked.user_id,
        quote(request.function) if request.function else "(unreadable)",
        quote(request.image),
        _list(request.databases),
        _moment(request.until),
    )


def _show(request: "HeldRequest", pinned: str) -> None:
    state, asked = request.state(), request.requester
    say = _say_line
    console.say(f"Result {request.result_id} of task {request.task_id}, run {request.run_id}")
    say("State", str(state))
    say("Asked by", _who(asked))
    say("Key", f"{asked.fingerprint or 'none'}{pinned}")
    for one in request.above:
        say("Asked before by", _who(one))
    kind = "central" if request.is_central else "partial"
    say("Function", f"{quote(request.function)} ({kind})" if request.function else _UNREADABLE)
    say("Image", quote(request.image))
    for digest in request.digests or (_NOT_HERE,):
        say("", digest)
    _say_arguments(request)
    say("Database", _list(request.databases))
    if request.parties is not None:
        say("Asked together", f"organizations {', '.join(map(str, request.parties))}")
    say("Held", f"{_moment(request.since)} to {_moment(request.until)}, by {request.why}")
    for finding in request.findings:
        say("Rule", f"{finding.verdict}: {finding.rule}: {finding.text}")
    for answer in request.approvals:
        say("Approved by", f"{quote(answer.by)}, {_moment(answer.at)}")
    if request.denial is not None:
        say("Denied by", f"{quote(request.denial.by)}, {_moment(request.denial.at)}")
        say("", quote(request.denial.sentence))
    if state == "waiting":
        console.say(
            f"`vnode approve {request.result_id} {request.code}` lets it run. "
            f'`vnode deny {request.result_id} --reason "…"` refuses it.'
        )


def _say_arguments(request: "HeldRequest") -> None:
    arguments = request.as_question().arguments
    if arguments is None:
        what = "cut, of" if request.is_cut else "in no form that the node reads,"
        _say_line("Arguments", f"{what} {request.input_bytes} bytes: {quote(request.arguments)}")
        return
    for name, value in arguments.items():
        _say_line("Argument", f"{quote(name)} = {spell_out(json.dumps(value, ensure_ascii=False))}")
    if not arguments:
        _say_line("Arguments", "none")


def _say_line(name: str, text: str) -> None:
    # SECURITY: what comes from outside is quote, and makes no line of its own.
    console.say(f"  {name:{_WIDTH}}  {one_line(text)}")


def _say_pause(instance: "Instance") -> None:
    from vantage6.node.requests.pause import Pause

    last = Pause(instance.data).last()
    if last is not None and last.is_on:
        note = f" ({quote(last.note)})" if last.note else ""
        by = quote(last.by)
        console.say(f"The station is paused by {by}{note}; `vnode resume` ends the pause.")


def _who(asked: "Requester") -> str:
    user = "an algorithm"
    if asked.user_id:
        user = f"{quote(asked.user) if asked.user else 'a user'} (user {asked.user_id})"
    organization = quote(asked.organization) if asked.organization else "an organization"
    return f"{user} of {organization} (organization {asked.organization_id})"


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(map(quote, names))


def _moment(text: str) -> str:
    from vantage6.common import clock

    return f"{clock.parse(text):%Y-%m-%d %H:%M} UTC"
