"""Who is logged in, from a login until it ends."""

from datetime import datetime, timedelta
from typing import Any

from vantage6.common.clock import now
from vantage6.common.errors import NotFound, Unauthenticated
from vantage6.models.database import for_update, transaction
from vantage6.models.store.queries import Page, page_of
from vantage6.models.tables import Node, Session, User

#: For so long a refresh token that was replaced still gets tokens: a client whose answer was lost
#: asks again, and threads of one client ask at once.
GRACE = timedelta(seconds=60)
#: Sessions of one account; a login beyond them ends the oldest.
_MOST = 1000
_LONGEST_NAME = 200


@transaction
def begin(
    holder: User | Node, *, until: datetime, address: str, agent: str | None, **more: Any
) -> Session:
    """Store a new session, and remove expired ones.

    SECURITY: the password or key that was right must still be the one. Where it was replaced
    meanwhile, all sessions were ended, and this would be one more.

    Parameters
    ----------
    holder
        Who did.
    until
        When the first refresh token expires.
    address, agent
        Where the login came from, and what the client calls itself.
    more
        Further columns.

    Raises
    ------
    Unauthenticated
        If password or key were replaced meanwhile.
    """
    moment = now()
    column = _column(holder)
    hold(holder)
    session: Session = Session.create(
        **{column.name: holder.id},
        began_at=moment,
        renewed_at=moment,
        expires_at=until + GRACE,
        address=address,
        agent=(agent or "")[:_LONGEST_NAME] or None,
        **more,
    )
    newest: Any = Session.select(Session.id).where(column == holder.id).order_by(Session.id.desc())
    oldest_kept = newest.limit(1).offset(_MOST - 1)
    over = (Session.expires_at < moment) | (Session.id < oldest_kept)
    Session.delete().where((column == holder.id) & over).execute()
    return session


def hold(holder: User | Node) -> None:
    """Lock a user or node that logs in until the transaction ends.

    Raises
    ------
    Unauthenticated
        If password or key were replaced meanwhile.
    """
    if for_update(_select_unchanged(holder)).first() is None:
        raise Unauthenticated("Password or key were replaced meanwhile.", code="token_revoked")


def renew(session_id: int, generation: int, *, until: datetime) -> int:
    """Take a refresh token, and return the generation of the one that replaces it.

    A token that comes again soon gets the same one as before. One that comes later was copied, or
    its copy was used: then the session ends for both.

    Raises
    ------
    Unauthenticated
        If the token was replaced before, or the session has ended.
    """
    moment = now()
    settled = moment - GRACE
    # SECURITY: of two that send the same token, the database lets one replace it.
    fresh = (
        (Session.id == session_id)
        & (Session.generation == generation)
        & (Session.renewed_at <= settled)
    )
    change = {"generation": generation + 1, "renewed_at": moment, "expires_at": until + GRACE}
    if Session.update(**change).where(fresh).execute():
        return generation + 1
    row = Session.get_or_none(Session.id == session_id)
    if row is not None and row.renewed_at > settled and row.generation - generation in (0, 1):
        return int(row.generation)
    Session.delete().where(Session.id == session_id).execute()
    raise Unauthenticated(
        "This refresh token was used before, so its session was ended; log in again.",
        code="token_reused",
    )


def get(session_id: int) -> Session:
    """Return a session that has not ended."""
    row = Session.get_or_none((Session.id == session_id) & (Session.expires_at > now()))
    if row is None:
        raise NotFound(f"There is no session {session_id}.")
    return row


def page(user_id: int, page: Page) -> tuple[list[Session], int]:
    """Return the sessions of a user, newest first."""
    query = Session.select().where((Session.user == user_id) & (Session.expires_at > now()))
    return page_of(query.order_by(Session.id.desc()), page)


def end(session_id: int) -> None:
    """End a session: its tokens are void from now on."""
    Session.delete().where(Session.id == session_id).execute()


def end_all(holder: User | Node, *, but: int | None = None) -> int:
    """End all sessions of an account, perhaps but one; return how many there were."""
    query = Session.delete().where(_column(holder) == holder.id)
    return int((query if but is None else query.where(Session.id != but)).execute())


@transaction
def prune() -> int:
    """Remove what has expired, of accounts that never log in again, too; return how many."""
    return int(Session.delete().where(Session.expires_at < now()).execute())


def _select_unchanged(holder: User | Node) -> Any:
    if isinstance(holder, User):
        same = (User.id == holder.id) & (User.password == holder.password)
        return User.select(User.id).where(same)
    same = (Node.id == holder.id) & (Node.api_key == holder.api_key)
    return Node.select(Node.id).where(same)


def _column(holder: User | Node) -> Any:
    return Session.user if isinstance(holder, User) else Session.node
