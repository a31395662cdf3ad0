"""Bring the schema of the database up to date, or tell that it is not."""

from pathlib import Path

from playhouse.migrations import Runner
from playhouse.schema_diff import diff_models

from vantage6.common.errors import Conflict, NotFound
from vantage6.models.database import db
from vantage6.models.tables import TABLES

_FOLDER = str(Path(__file__).parent / "migrations")


def up(target: str | None = None) -> list[str]:
    """Apply the pending migrations, or those up to ``target``, and return their names.

    Raises
    ------
    Conflict
        If a newer version has changed the database.
    """
    check_not_newer()
    names: list[str] = Runner(db.obj, _FOLDER).up(target)
    return names


def down(target: str | None = None) -> list[str]:
    """Take the newest migration back, or all down to and including ``target``."""
    names: list[str] = Runner(db.obj, _FOLDER).down(target)
    return names


def to(revision: str) -> tuple[list[str], list[str]]:
    """Go up or down until a migration is the newest that is applied.

    Parameters
    ----------
    revision
        Its name, or the beginning of it.

    Returns
    -------
    tuple
        The names of the migrations that were applied, and of those that were taken back.

    Raises
    ------
    NotFound
        If there is no such migration.
    Conflict
        If a newer version has changed the database.
    """
    target = find(revision)
    check_not_newer()
    after = [name for name in list_applied() if name > target]
    return ([], down(after[0])) if after else (up(target), [])


def find(revision: str) -> str:
    """Return the full name of a migration that is given by the beginning of it.

    Raises
    ------
    NotFound
        If none or several begin so.
    """
    found = [name for name in list_known() if name.startswith(revision)]
    if len(found) != 1:
        raise NotFound(f"There is no migration {revision!r}; there are {', '.join(list_known())}.")
    return found[0]


def list_known() -> list[str]:
    """Return the names of the migrations of this version, oldest first."""
    return [migration.name for migration in Runner(db.obj, _FOLDER).migrations()]


def list_applied() -> list[str]:
    """Return the names of the migrations that were applied, oldest first."""
    return sorted(Runner(db.obj, _FOLDER).applied())


def pending() -> list[str]:
    """Return the names of the migrations that were not applied yet."""
    return [
        migration.name for migration in Runner(db.obj, _FOLDER).status() if not migration.applied
    ]


def check() -> None:
    """Refuse a database that is not of this version.

    Raises
    ------
    Conflict
        If migrations are missing, or are there that this version does not know.
    """
    check_not_newer()
    if missing := pending():
        raise Conflict(
            f"The database lacks {', '.join(missing)}. `vserver migrate` brings it up to date."
        )


def check_not_newer() -> None:
    """Refuse a database that a newer version has changed.

    Raises
    ------
    Conflict
        If it has.
    """
    if newer := sorted(set(list_applied()) - set(list_known())):
        raise Conflict(
            f"A newer version has changed the database ({', '.join(newer)}). Install that "
            "version, or go back with its `vserver migrate --to`."
        )


def drift() -> str:
    """Tell how the database differs from the tables; empty where it does not."""
    difference = diff_models(db.obj, TABLES)
    return str(difference) if difference else ""
