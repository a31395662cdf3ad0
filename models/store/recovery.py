"""How people get back into their accounts: mailed tokens and new passwords."""

import secrets
from datetime import timedelta
from enum import StrEnum

from vantage6.common.clock import now
from vantage6.common.errors import Invalid, Unauthenticated
from vantage6.common.secret_files import hash_secret
from vantage6.models.database import db, transaction
from vantage6.models.store import outbox, sessions, users
from vantage6.models.tables import RecoveryToken, User

#: How long an expired token is still told from one that never was.
_REMEMBERED = timedelta(days=1)


class Purpose(StrEnum):
    """What a token is good for."""

    PASSWORD = "password"  # noqa: S105
    TWO_FACTOR = "two_factor"


class Mail(StrEnum):
    """What a mail is about."""

    PASSWORD_RESET = "password_reset"  # noqa: S105
    TWO_FACTOR_RESET = "two_factor_reset"
    LOGINS_FAILED = "logins_failed"
    ACCOUNT_CHANGED = "account_changed"


class Change(StrEnum):
    """A change that its account is told of, since an intruder may have made it."""

    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    PASSWORD_RESET = "password_reset"  # noqa: S105
    FACTOR_SET_UP = "factor_set_up"
    FACTOR_RESET = "factor_reset"
    FACTOR_REMOVED = "factor_removed"
    CODE_USED = "code_used"
    CODES_REPLACED = "codes_replaced"
    ADDRESS_CHANGED = "address_changed"
    #: The same, where mails that open the account go to the old one for a while.
    ADDRESS_HELD = "address_held"
    USERNAME_CHANGED = "username_changed"
    REMOVED = "removed"


def request_mail(mail: Mail, user: User | None, **facts: str) -> int:
    """Write the wish for a mail into the outbox and return its id.

    SECURITY: an unknown user costs the same as a known one, and what is written is no secret: the
    token is made where the mail is.
    """
    content = {"kind": mail, "user_id": user and user.id, "asked_at": now().isoformat(), **facts}
    return outbox.add(outbox.Topic.MAIL, content)


def tell(user: User, change: Change, address: str | None, receiver: str | None = None) -> int:
    """Have a user told by mail what was changed, and return the id of the message.

    Parameters
    ----------
    user
        The user to tell.
    change
        The kind of change.
    address
        The address from which it came; None for the server itself.
    receiver
        The address for the mail; None for that of the user.
    """
    facts = {"change": change, "address": address or "the machine of the server"}
    if receiver is not None:
        facts["receiver"] = receiver
    if change is Change.REMOVED:
        # The row is gone when the mail is written.
        facts |= {"username": user.username, "receiver": receiver or user.email or ""}
    return request_mail(Mail.ACCOUNT_CHANGED, user, **facts)


def login_failed(user: User | None, maximum: int, minutes: int, address: str) -> None:
    """Count a wrong password or code; without a user nothing, at the same cost.

    A mail tells the user where this one was one too many.
    """
    with db.atomic():
        if users.login_failed(user, maximum, minutes):
            request_mail(Mail.LOGINS_FAILED, user, address=address)


def issue(user: User, purpose: Purpose, minutes: int) -> str:
    """Return a new token, of which only the hash is kept."""
    token = secrets.token_urlsafe(32)
    moment = now()
    RecoveryToken.delete().where(RecoveryToken.expires_at < moment - _REMEMBERED).execute()
    RecoveryToken.create(
        user=user,
        purpose=purpose,
        token=hash_secret(token),
        expires_at=moment + timedelta(minutes=minutes),
    )
    return token


def holder(token: str, purpose: Purpose) -> User:
    """Return the user of a token that is good for something.

    Raises
    ------
    Invalid
        If it is unknown, used, or good for something else.
    Unauthenticated
        If it has expired.
    """
    row = RecoveryToken.get_or_none(
        (RecoveryToken.token == hash_secret(token)) & (RecoveryToken.purpose == purpose)
    )
    if row is None:
        raise Invalid("This token is wrong, or it was used already.", code="wrong_token")
    if row.expires_at <= now():
        raise Unauthenticated("This token has expired; ask for a new one.", code="token_expired")
    return users.get(row.user_id)


def reset_password(token: str, password: str) -> User:
    """Use a token to store the hash of a new password; older tokens of any kind are void then.

    Raises
    ------
    Invalid, Unauthenticated
        If the token is not good for that (any more).
    """
    with db.atomic():
        user = spend(token, Purpose.PASSWORD)
        replace_password(user, password)
    return user


@transaction
def replace_password(user: User, password: str) -> None:
    """Store the hash of a new password; what was mailed and all tokens from before are void."""
    User.update(password=password, failed_login_attempts=0, tokens_valid_from=now()).where(
        User.id == user.id
    ).execute()
    forget_all(user)
    sessions.end_all(user)


def change_password(user: User, password: str, session_id: int | None = None) -> None:
    """Store the hash of a new password; what was mailed to replace the old one is void then.

    All sessions end but the one in which that happens.

    Raises
    ------
    Unauthenticated
        If the password is another one than that of the user that was read.
    """
    kept = (User.id == user.id) & (User.password == user.password)
    with db.atomic():
        # SECURITY: somebody who knows the old password must not undo its reset.
        if not User.update(password=password, failed_login_attempts=0).where(kept).execute():
            raise Unauthenticated("The password was reset meanwhile.", code="wrong_password")
        forget_all(user)
        sessions.end_all(user, but=session_id)


def spend(token: str, purpose: Purpose) -> User:
    """Return the user of a token, and forget all tokens of this user and purpose.

    Raises
    ------
    Invalid, Unauthenticated
        If the token is not good for that (any more).
    """
    user = holder(token, purpose)
    # Of two who use a token at once, one finds nothing left to forget.
    if not _forget(user, purpose):
        raise Invalid("This token was used already.", code="wrong_token")
    return user


def _forget(user: User, purpose: Purpose) -> int:
    condition = (RecoveryToken.user == user.id) & (RecoveryToken.purpose == purpose)
    return int(RecoveryToken.delete().where(condition).execute())


def forget_all(user: User) -> None:
    """Void all tokens that were mailed to a user.

    SECURITY: the holder of an old token had proved himself with what a new one replaces.
    """
    RecoveryToken.delete().where(RecoveryToken.user == user.id).execute()
