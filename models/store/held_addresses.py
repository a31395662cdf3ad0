"""Which address the mails that open an account go to, while another one is new.

SECURITY: a thief could change the address of an account and have a new password mailed there. Where
the change came without the password, such mails still go to the address of before, for so long
that its owner can notice: that address is told of the change.
"""

from datetime import timedelta
from typing import Any

from vantage6.common.clock import now
from vantage6.models.tables import User

#: For so long.
HOLD = timedelta(hours=24)

_NONE: dict[str, Any] = {"former_email": None, "email_held_until": None}


def columns(user: User, email: str, *, is_held: bool) -> dict[str, Any]:
    """Return what is written beside another address of a user.

    A second change leaves the address of before the first one in place, and begins the time anew.
    The way back to that address ends it.
    """
    trusted = for_recovery(user)
    if not is_held or email == trusted:
        return _NONE
    return {"former_email": trusted, "email_held_until": now() + HOLD}


def for_recovery(user: User) -> str | None:
    """Return the address for mails that open an account; None if there is none."""
    address: str | None = user.former_email if _is_held(user) else user.email
    return address


def has_address(email: str | None) -> Any:
    """Return the condition that an account has an address, or that its mails still go there.

    SECURITY: else another account could take that address meanwhile, and the way back is closed.
    """
    held = (User.former_email == email) & (User.email_held_until > now())
    return (User.email == email) | held


def find_user(email: str | None) -> User | None:
    """Return the user with an address, or else the one whose mails still go there, or None."""
    found = list(User.select().where(has_address(email)).order_by(User.id))
    found.sort(key=lambda user: user.email != email)
    return next(iter(found), None)


def _is_held(user: User) -> bool:
    return user.email_held_until is not None and user.email_held_until > now()
