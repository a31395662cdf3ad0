"""What is done to the database before the server starts."""

from vantage6.api.identity import passwords
from vantage6.common import logs
from vantage6.common.config import Instance
from vantage6.models import database, migrate
from vantage6.models.store import setup, users
from vantage6.server import library_cards

log = logs.get(__name__)

#: With this migration, scope GLOBAL began to end at the own collaborations for most of its holders.
NARROWING = "0005_invitations"

#: What whoever makes that user must be told.
ROOT_WARNING = (
    "The user `root` was made with the password `root`. With it, root logs in on this machine "
    "only. Change it: `vserver user reset-password root`."
)


def describe_narrowing() -> str:
    """Name the users whose rules of scope GLOBAL do not reach everything, and what to do; or ""."""
    names = users.with_narrowed_rules()
    if not names:
        return ""
    return (
        "Rules of scope GLOBAL on users, roles, nodes, organizations and collaborations end at the "
        "own organization and its collaborations for all roles but Root, so for "
        f"{', '.join(names)}. Look at what each of them needs; new members of a collaboration are "
        "invited."
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
    done = migrate.up()
    setup.ensure_rules()
    if NARROWING in done:
        for name in users.with_narrowed_rules():
            log.warning("a user's rules reach less than before", username=name)
    is_new = library_cards.SHELF in done or not setup.has_users()
    for name in library_cards.put_on_shelf(is_new=is_new):
        log.info("a function card was put on the shelf", card=name)
    # Hashing is slow on purpose; only the first start needs it.
    if setup.has_users():
        return False
    password = configured.get_secret_value() if configured else setup.FIRST_PASSWORD
    return setup.ensure_root(passwords.hash_password(password)) and configured is None
