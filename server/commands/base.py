"""What the operator's commands have in common."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vantage6.common.cli import exits
from vantage6.common.cli.selection import about_instance
from vantage6.common.errors import Unavailable
from vantage6.common.selection import Selection

if TYPE_CHECKING:
    from vantage6.common.config import Instance
    from vantage6.models.database import Kick

#: Turns errors into one line and an exit code.
said_plainly = functools.partial(exits.plainly, "vserver")


def _find(selection: Selection) -> "Instance":
    from vantage6.common.config import Instance

    return Instance.find(selection)


#: Lets a command be about one server: it gets the `Instance` that its options select.
on_instance = about_instance("vserver", _find)


@contextmanager
def connect(instance: "Instance", *, migrated: bool = True, kicks: bool = False) -> Iterator[None]:
    """Hold a connection to the database of a server.

    Parameters
    ----------
    instance
        The server.
    migrated
        Refuse a database that is not of this version.
    kicks
        Have new messages of the outbox sent at once, where the workers run.

    Raises
    ------
    Unavailable
        If it does not answer.
    Conflict
        If it is of another version.
    """
    from vantage6.models import database, migrate

    instance.prepare()
    database.bind(
        instance.config.uri,
        folder=instance.folder,
        connections=2,
        kick=_kick(instance) if kicks else None,
    )
    try:
        with database.session():
            if migrated:
                migrate.check()
            yield
    except database.FAILURES as error:
        raise Unavailable(f"The database failed: {str(error).strip().splitlines()[0]}.") from error
    finally:
        database.dispose()


def _kick(instance: "Instance") -> "Kick":
    from vantage6.api import kicks

    # That the server does not run is no news here; the relay finds the message when it does.
    return kicks.workers_at(instance.broker_url, is_quiet=True)
