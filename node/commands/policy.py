"""``vnode policy``: what the rules of a station say."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vantage6.common.cli import console
from vantage6.node.commands.base import on_node
from vantage6.node.commands.policy_show import show

if TYPE_CHECKING:
    from vantage6.node.claims import Requester
    from vantage6.node.instance import Instance
    from vantage6.node.rules.approval import Asking

#: Exit code where a task would be refused.
REFUSED = 1
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
#: What a verdict means for a way out of the container.
_REACH = {"allowed": "reached", "refused": "closed", "open": "open"}


@click.group()
def policy() -> None:
    """See what may run at a node."""


policy.add_command(show)


@policy.command()
@on_node
@click.option("--image", required=True, help="Reference, as a task names it.")
@click.option("--digest", help="Digest that the image turns out to have: sha256:…")
@click.option("--init-user", help="Id or name of the user who asks.")
@click.option("--init-organization", help="Id or name of the organization that asks.")
@click.option(
    "--through",
    multiple=True,
    help="Of a sub-task: id or name of an organization that asked before, the first one first.",
)
@click.option("--database", default="default", show_default=True, help="Label of the database.")
@click.option("--data-format", help="Format of the input: json, pickle, legacy, or another.")
@click.option("--input-bytes", type=click.IntRange(0), help="Length of the input.")
@click.option("--function", help="Name of the function that is asked for.")
@click.option("--partial", is_flag=True, help="The function is a partial one.")
@click.option("--card", type=_FILE, help="Card of the image, as JSON.")
@click.option("--parent-image", help="Of a sub-task: the image of the task above it.")
@click.option(
    "--arguments",
    type=_FILE,
    help="Arguments by name, as JSON. Their length counts; with --card they are checked.",
)
def test(
    instance: "Instance",
    image: str,
    digest: str | None,
    init_user: str | None,
    init_organization: str | None,
    through: tuple[str, ...],
    database: str,
    data_format: str | None,
    input_bytes: int | None,
    function: str | None,
    partial: bool,
    card: Path | None,
    parent_image: str | None,
    arguments: Path | None,
) -> None:
    """Tell what would happen to a task, rule by rule; exit code 1 if it would be refused.

    A rule is open where it depends on what the options do not say. Sub-tasks are tested alike:
    --through names who asked for the tasks above.
    What follows is what the algorithm would reach, and what not.
    """
    from vantage6.common.errors import ConfigurationError
    from vantage6.node.commands.asked_function import with_function
    from vantage6.node.reports.rules import DIGEST, id_or_name, preview
    from vantage6.node.rules.current_policy import describe_followed
    from vantage6.node.rules.findings import PolicyRequest, Verdict

    if digest and not DIGEST.fullmatch(digest):
        raise ConfigurationError(
            "--digest: it is sha256: and 64 digits, as `docker pull` prints it."
        )
    organization_id, organization_name = id_or_name(init_organization)
    user_id, user_name = id_or_name(init_user)
    request = PolicyRequest(
        image=image,
        database=database,
        organization_id=organization_id,
        organization=organization_name,
        user_id=user_id,
        user=user_name,
        input_bytes=input_bytes,
        input_format=data_format.lower() if data_format else None,
        digests=frozenset({digest}) if digest else None,
        above=_above(through, parent_image, user_id, user_name),
    )
    request, faults = with_function(request, function, partial, card, arguments)
    found = preview(instance, request, faults)
    for finding in found.findings:
        code = f" [{finding.reason.code}]" if finding.reason.code else ""
        console.say(f"{finding.verdict:8} {finding.rule}: {finding.reason.message}{code}")
    for way in found.services:
        word = _REACH[way.finding.verdict]
        console.say(f"{word:8} {way.name} ({way.target}): {way.finding.reason.message}")
    _say_approval(found.asking)
    console.say(found.floors)
    for entry in found.near:
        console.say(f"{entry} matches the beginning of {image}, and has to match the whole of it.")
    for line in describe_followed(instance):
        console.say(line)
    if found.verdict is Verdict.REFUSED:
        console.say("The task would be refused.")
        sys.exit(REFUSED)
    console.say(
        "No rule refuses it so far. Give the other options to test the open rules."
        if found.verdict is Verdict.OPEN
        else "The task would run."
    )


def _above(
    through: tuple[str, ...], image: str | None, user_id: int | None, user: str | None
) -> "tuple[Requester, ...]":
    """Return who asked for the tasks above; the last one ran an image."""
    from vantage6.node.claims import Requester
    from vantage6.node.reports.rules import id_or_name

    above = [Requester(*id_or_name(one), user_id, user) for one in through]
    if image is not None:
        above[-1:] = [replace(above[-1] if above else Requester(), image=image)]
    return tuple(above)


def _say_approval(asking: "Asking") -> None:
    """Print whether a person would look at the task first."""
    said = {
        "never": "no person has to approve it.",
        "first_use": "a person has to approve it, unless a like one was approved or granted.",
        "always": "a person has to approve it, unless a grant covers it.",
    }
    console.say(f"{asking.rule}: {said[asking.mode]}")
