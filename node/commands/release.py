"""``vnode release``: outputs that wait for a person, and what the rules say of an output."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vantage6.common.cli import console
from vantage6.common.terminal_text import harmless, one_line
from vantage6.node.commands.answering import about_files, person
from vantage6.node.commands.base import on_node

if TYPE_CHECKING:
    from vantage6.common.disclosure.verdicts import Finding
    from vantage6.node.instance import Instance
    from vantage6.node.release.by_card import Described
    from vantage6.node.release.held_outputs import HeldOutputs
    from vantage6.node.release.judge import Check
    from vantage6.node.rules.policy import Policy
    from vantage6.node.sketch.sketch import Sketch

#: Exit code where an output would not leave as it is.
STAYS = 1
#: Bytes of an output that a terminal shows.
_SHOWN_BYTES = 64 * 1024
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def release() -> None:
    """Decide about outputs that wait at a node, and test what the rules say."""


@release.command("list")
@on_node
def list_(instance: "Instance") -> None:
    """List the outputs that wait for a person."""
    from vantage6.common.cli import table

    with about_files(instance):
        found = _find_held(instance).list()
    if not found:
        console.say("No output waits.")
        return
    table.show(
        ("result", "since", "until", "organization", "user", "image", "function", "bytes", "rules"),
        (
            (
                held.result_id,
                f"{held.since[:19]}Z",
                f"{held.until[:19]}Z",
                held.organization,
                held.user,
                held.image,
                held.method,
                held.output_bytes,
                ", ".join(sorted({finding.rule for finding in held.findings})),
            )
            for held in found
        ),
    )


@release.command()
@click.argument("result_id", type=int)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write exactly the bytes that would leave to a new file, for your eyes alone.",
)
@on_node
def show(instance: "Instance", result_id: int, output: Path | None) -> None:
    """Show an output that waits, and why."""
    held = _find_held(instance)
    with about_files(instance):
        one, content = held.get(result_id), held.content(result_id)
    for name, value in (
        ("result", one.result_id),
        ("task", one.task_id),
        ("organization", one.organization or "-"),
        ("user", one.user or "-"),
        ("image", one.image),
        ("function", one.method or "-"),
        ("waits since", one.since),
        ("waits until", one.until),
        ("bytes", one.output_bytes),
        ("SHA-256", one.output_hash),
    ):
        console.say(f"{name}: {one_line(str(value))}")
    _say_findings(one.findings)
    if output is not None:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        console.say(f"Written to {output}.")
        return
    console.say("")
    try:
        console.say(harmless(content[:_SHOWN_BYTES].decode()))
    except UnicodeDecodeError:
        console.say("The output is no text. --output FILE writes it to a file.")
    if len(content) > _SHOWN_BYTES:
        console.say(f"The first {_SHOWN_BYTES} bytes of {len(content)}. --output FILE writes all.")


@release.command()
@click.argument("result_id", type=int)
@on_node
def approve(instance: "Instance", result_id: int) -> None:
    """Let an output leave, exactly as `vnode release show` shows it."""
    with about_files(instance):
        _find_held(instance).release(result_id, person())
    console.say(f"The output of result {result_id} leaves as soon as the node runs.")


@release.command()
@click.argument("result_id", type=int)
@click.option("--reason", default="", help="A sentence that the researcher and the server read.")
@on_node
def refuse(instance: "Instance", result_id: int, reason: str) -> None:
    """Keep an output at the station."""
    with about_files(instance):
        _find_held(instance).refuse(result_id, person(), reason)
    console.say(f"The output of result {result_id} stays. The researcher is told.")


@release.command()
@click.option("--card", type=_FILE, help="Card of the image, as JSON.")
@click.option("--function", help="Name of the partial function that wrote the output.")
@click.option("--database", help="Label of the database to compare with.")
@click.argument("output", type=_FILE)
@on_node
def test(
    instance: "Instance",
    card: Path | None,
    function: str | None,
    database: str | None,
    output: Path,
) -> None:
    """Tell what the rules say of an output in a file; exit code 1 if it would not leave as it is.

    Nothing is sent, and the node need not run. With --database the file behind the label is read.
    """
    import tempfile
    from dataclasses import replace

    from vantage6.node.commands.asked_function import read_card_file
    from vantage6.node.release.by_card import Described
    from vantage6.node.release.checks import all_checks
    from vantage6.node.release.data import floors_beside
    from vantage6.node.release.judge import Question, judge
    from vantage6.node.rules.policy import Policy
    from vantage6.node.sketch.sketch import Sketch

    policy = Policy(instance.config)
    document = None
    if card is not None:
        document = read_card_file(card).model_dump(mode="json", by_alias=True)
    question = Question(
        floors=policy.floors.floors,
        function=function,
        card=document,
        database=database,
        is_strict=policy.release.mode == "enforce",
    )
    with tempfile.TemporaryDirectory() as folder:
        data = None
        if database is not None:
            _sketch(instance, database, Path(folder), policy)
            data = Sketch(Path(folder))
            question = replace(question, floors=floors_beside(data, question.floors))
            of = "" if data.most_of_one is None else f", of {data.people} people,"
            console.say(f"{data.rows} rows of {database}{of} are compared with.")
        described = None
        if card is not None and function is not None:
            described = Described.of(read_card_file(card), function, None, is_central=False)
        by_card = () if described is None else (_card_check(described, data),)
        judgement = judge(output, question, (*all_checks(data), *by_card))
    _say_findings(judgement.findings)
    console.say(policy.floors.summary)
    if not judgement.findings:
        console.say("No rule is broken: the output would leave.")
    elif not judgement.is_enforced:
        console.say(
            "The output would leave, since `policies.release` is `warn` and the image has no card."
        )
    else:
        console.say(f"The output would be {judgement.verdict.value}.")
        sys.exit(STAYS)


def _card_check(described: "Described", data: "Sketch | None") -> "Check":
    """Return what the card lets an output be judged by, apart from earlier answers."""
    from vantage6.node.release.by_card import judge_by_card

    return lambda output, question: judge_by_card(output, described, question.floors, data).findings


def _say_findings(findings: "tuple[Finding, ...]") -> None:
    for finding in findings:
        # SECURITY: keys of an output are words of the algorithm.
        place = one_line(finding.path) or "the whole output"
        console.say(f"{finding.verdict.value:9} {finding.rule} at {place}: {finding.remedy}")


def _sketch(instance: "Instance", label: str, folder: Path, policy: "Policy") -> None:
    from vantage6.common.errors import ConfigurationError
    from vantage6.node.databases import Databases
    from vantage6.node.outcomes import RefusalError
    from vantage6.node.sketch.sketching import make_sketch
    from vantage6.node.sketch.tables import kind_of

    try:
        found = Databases(instance.config.databases, instance.base).get(label)
    except RefusalError as error:
        raise ConfigurationError(f"--database: {error.reason.message}") from error
    kind = None if found.path is None else kind_of(found.path, found.type)
    if found.path is None or kind is None:
        raise ConfigurationError(f"--database: the node cannot read {label} to compare with it.")
    try:
        make_sketch(found.path, kind, folder, policy.floors.floors.cell, policy.person_column)
    except Exception as error:  # each library has errors of its own
        raise ConfigurationError(
            f"--database: {label} cannot be read: {type(error).__name__}."
        ) from error


def _find_held(instance: "Instance") -> "HeldOutputs":
    from vantage6.node.release.held_outputs import HeldOutputs

    return HeldOutputs(instance.data)
