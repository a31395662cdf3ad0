"""Bring the schema of the database up to date, or tell that it is not."""

from pathlib import Path

from playhouse.migrations import Runner
from playhouse.schema_diff import diff_models

from vantage6.models.database import db
from vantage6.models.tables import TABLES

_FOLDER = str(Path(__file__).parent / "migrations")


def up() -> list[str]:
    """Apply the pending migrations and return their names."""
    names: list[str] = Runner(db.obj, _FOLDER).up()
    return names


def down(target: str | None = None) -> list[str]:
    """Take the newest migration back, or all down to and including ``target``."""
    names: list[str] = Runner(db.obj, _FOLDER).down(target)
    return names


def pending() -> list[str]:
    """Return the names of the migrations that were not applied yet."""
    return [
        migration.name for migration in Runner(db.obj, _FOLDER).status() if not migration.applied
    ]


def drift() -> str:
    """Tell how the database differs from the tables; empty where it does not."""
    difference = diff_models(db.obj, TABLES)
    return str(difference) if difference else ""
