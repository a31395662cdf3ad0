"""``vantage6 card``: function cards, made of code, compared with it, and made of store entries."""

import importlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import click

from vantage6.common.cli import console
from vantage6.common.cli.exits import plainly
from vantage6.common.cli.program import examples
from vantage6.common.errors import Invalid

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def card() -> None:
    """Make, check and import function cards.

    A card says what the functions of an image take and share. MODULE is the Python module that the
    image runs.
    """


@card.command(epilog=examples("vantage6 card build spread > card.json"))
@click.argument("module")
@click.option("--label", is_flag=True, help="Print the value of the image's label instead.")
def build(module: str, label: bool) -> None:
    """Print the card of MODULE, made of its functions.

    It is made of type hints, docstrings in numpy style, and what the decorator `card` of
    vantage6.tools.card says.
    """
    from vantage6.common import cards
    from vantage6.tools import card_building

    with _plainly():
        built = card_building.build(_load(module))
    console.say(cards.write_label(built) if label else cards.write(built, indent=2))


@card.command(epilog=examples("vantage6 card check spread card.json"))
@click.argument("module")
@click.argument("file", type=_FILE)
def check(module: str, file: Path) -> None:
    """Compare the card in FILE with the functions of MODULE."""
    from vantage6.common import cards
    from vantage6.tools import card_building

    with _plainly():
        written = cards.read(_read(file))
        built = card_building.build(_load(module))
        differences = card_building.find_differences(built, written)
    for line in differences:
        console.say(line)
    if differences:
        console.say(
            f"{file} is not the card of {module}: make it anew with `card build`.", err=True
        )
        sys.exit(1)
    console.say(f"{file} is the card of {module}.")


@card.command(
    "import",
    epilog=examples("vantage6 card import algorithm_store.json --version 1.0.0 > card.json"),
)
@click.argument("file", type=_FILE)
@click.option(
    "--version", default="0", show_default=True, help="Version of the functions, as in the card."
)
def import_(file: Path, version: str) -> None:
    """Print the card that FILE makes: an algorithm_store.json of vantage6 4.x.

    What the card does not say although the file does is told on standard error.
    """
    from vantage6.common import cards

    with _plainly():
        try:
            entry = json.loads(_read(file))
        except (ValueError, RecursionError) as error:
            raise Invalid(f"{file} is not valid JSON.") from error
        imported = cards.convert_entry(entry, version=version)
    for note in imported.notes:
        console.say(note, err=True)
    console.say(cards.write(imported.card, indent=2))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {error.strerror}.") from error


def _load(module: str) -> ModuleType:
    """Return a module, also one in the current folder."""
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise Invalid(f"The module {module} cannot be imported: {error}.") from error


@contextmanager
def _plainly() -> Iterator[None]:
    with plainly("vantage6 card"):
        yield
