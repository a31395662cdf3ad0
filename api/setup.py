"""What is done to the database before the server starts."""

from vantage6.api import passwords
from vantage6.common.config import Instance
from vantage6.models import database, migrate
from vantage6.models.store import setup

#: What whoever makes that user must be told.
ROOT_WARNING = (
    "The user `root` was made with the password `root`. With it, root logs in on this machine "
    "only. Change it: `vserver user reset-password root`."
)


def set_up(instance: Instance) -> bool:
    """Bring the schema up to date, add missing rules and roles, and the first user.

    Returns
    -------
    bool
        Whether the user ``root`` was made with the password ``root``.
    """
    database.bind(instance.config.uri, folder=instance.folder)
    try:
        with database.session():
            return set_up_connected(instance)
    finally:
        database.dispose()


def set_up_connected(instance: Instance) -> bool:
    """Do what `set_up` does with the database that is connected."""
    configured = instance.config.root_password
    migrate.up()
    setup.ensure_rules()
    # Hashing is slow on purpose; only the first start needs it.
    if setup.has_users():
        return False
    password = configured.get_secret_value() if configured else setup.FIRST_PASSWORD
    return setup.ensure_root(passwords.hashed(password)) and configured is None
