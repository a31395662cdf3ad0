"""``vantage6 validate``: whether this installation gives the published numbers."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vantage6.client.commands.endings import INTERRUPTED, TASK_FAILED, USAGE, said_plainly
from vantage6.common.cli import console
from vantage6.common.cli.program import examples
from vantage6.common.errors import Invalid, NotFound, Unavailable

if TYPE_CHECKING:
    from vantage6.algorithms.statistics.reference import Case
    from vantage6.sandbox.federation import Federation
    from vantage6.validation.checks import Outcome

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    epilog=examples(
        "vantage6 validate --local",
        "vantage6 validate --local --only longley --only numacc4 --html validation.html",
    )
)
@click.option("--local", is_flag=True, help="On a sandbox of its own, which is removed afterwards.")
@click.option("--only", multiple=True, help="Only this case; repeat it for several.")
@click.option(
    "--runtime",
    type=click.Choice(["auto", "containers", "processes"]),
    default="auto",
    show_default=True,
    help="How the functions run; auto takes containers where an engine has the image.",
)
@click.option("--html", "html_file", type=_FILE, help="Write the report as a page, too.")
@click.option("--markdown", "markdown_file", type=_FILE, help="Write the report in Markdown, too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, for programs.")
def validate(
    local: bool,
    only: tuple[str, ...],
    runtime: str,
    html_file: Path | None,
    markdown_file: Path | None,
    as_json: bool,
) -> None:
    """Compute published statistics again over three stations, and compare digit by digit.

    The exit code is 1 if a number differs, or a station counts other records than it holds.
    """
    with said_plainly(as_json):
        if not local:
            raise Invalid("Add --local: the cases run on a sandbox of their own.")
        _refuse_missing_parts()
        from vantage6.sandbox.runtimes import choose
        from vantage6.validation import report
        from vantage6.validation.stations import IMAGE

        cases = _choose(only)
        chosen = choose(runtime, image=IMAGE)
        if chosen.remark:
            _say(f"vantage6: {chosen.remark}")
        with _start(chosen.settings, cases) as federation:
            outcomes = _check_all(federation, cases)
        how = "containers" if chosen.settings["runtime"] == "docker" else "processes"
        _write(html_file, report.as_html(outcomes, how))
        _write(markdown_file, report.as_markdown(outcomes))
        if as_json:
            from vantage6.common.serialization import to_json

            console.say(to_json(report.document(outcomes, how)).decode())
        else:
            _show(outcomes)
        if not all(one.is_equal for one in outcomes):
            sys.exit(TASK_FAILED)


def _refuse_missing_parts() -> None:
    missing = [name for name in ("scipy", "formulaic") if find_spec(name) is None]
    if missing:
        # SECURITY: not by a name alone, which an index may give to somebody else's package.
        _say(
            f"vantage6: this part is not installed ({missing[0]} is missing): call "
            "`pip install '.[all,statistics]'` in the folder of the sources."
        )
        sys.exit(USAGE)


def _choose(only: tuple[str, ...]) -> "list[Case]":
    """Return the cases that were asked for.

    Raises
    ------
    NotFound
        If one of them does not exist.
    """
    from vantage6.algorithms.statistics.reference import cases

    found = {case.name: case for case in cases()}
    if missing := [name for name in only if name not in found]:
        raise NotFound(f"There is no case {missing[0]!r}. There are: {', '.join(found)}.")
    return [case for name, case in found.items() if not only or name in only]


@contextmanager
def _start(settings: dict[str, object], cases: "list[Case]") -> "Iterator[Federation]":
    """Give a federation that holds the data, and remove everything afterwards.

    Raises
    ------
    Unavailable
        If it does not come up.
    """
    from vantage6.sandbox.federation import FederationError
    from vantage6.validation import stations

    with tempfile.TemporaryDirectory(prefix="v6-validation-") as name:
        federation = stations.make_federation(Path(name), settings)
        try:
            _say("Starting a server and three stations ...")
            stations.start(federation, cases)
            yield federation
        except FederationError as error:
            raise Unavailable(f"The sandbox did not come up. {error}") from error
        except KeyboardInterrupt:
            _say("\nvantage6: interrupted; everything is stopped.")
            sys.exit(INTERRUPTED)
        finally:
            federation.stop()


def _check_all(federation: "Federation", cases: "list[Case]") -> "list[Outcome]":
    from vantage6.validation.checks import check

    outcomes = []
    with closing(federation.client()) as client:
        for number, case in enumerate(cases, 1):
            one = check(federation, client, case)
            said = "equal" if one.is_equal else "; ".join(one.faults)
            _say(f"{number}/{len(cases)}  {case.name}: {said} ({one.seconds:.1f} s)")
            outcomes.append(one)
    return outcomes


def _show(outcomes: "Sequence[Outcome]") -> None:
    from vantage6.common.cli import table
    from vantage6.validation import report

    table.show(report.HEADER, [report.row(one) for one in outcomes])
    equal = sum(one.is_equal for one in outcomes)
    console.say(f"{equal} of {len(outcomes)} cases equal what was published.")


def _write(file: Path | None, text: str) -> None:
    if file is None:
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Invalid(f"{file} cannot be written: {error.strerror}.") from error


def _say(text: str) -> None:
    console.say(text, err=True)
