"""Which process computes for a node: one at a time, however many know its key.

The session of that process is the node's working session. The login of another process ends it
where the two are one station (a restart), or where nothing was heard of the first for a while;
otherwise that login is refused. What is asked within a session that was ended is refused like
everything that is asked without a login: claims, comparisons, reports, messages.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from vantage6.common.clock import now
from vantage6.common.errors import Unauthenticated
from vantage6.common.identity import KEY_IN_USE
from vantage6.models.database import transaction
from vantage6.models.store import sessions
from vantage6.models.tables import Node, Session

#: A node that was not heard of for so long gives its place to another one. A node compares
#: once a minute, which is written down, and may then remove images for another minute.
SILENCE = timedelta(seconds=150)


@dataclass(frozen=True)
class NodeProcess:
    """A process that wants to compute for a node."""

    #: Names its data folder.
    instance: str
    #: Names the process.
    process: str
    #: Names the processes that ran before it with the data folder, so that a restart is told from
    #: a second node.
    previous: frozenset[str] = frozenset()


def begin(
    node: Node,
    process: NodeProcess | None,
    *,
    until: datetime,
    address: str,
    agent: str | None,
) -> Session:
    """Note that a node logged in.

    Parameters
    ----------
    node
        The node.
    process
        What computes for it from now on; None for a login that only looks.
    until
        When the first refresh token expires.
    address, agent
        Where the login came from, and what the client calls itself.

    Raises
    ------
    Unauthenticated
        With code ``key_in_use`` if another process computes for the node, and with that of
        `sessions.begin` if the key was replaced meanwhile.
    """
    session, other = _begin(node, process, until=until, address=address, agent=agent)
    if session is None:
        raise Unauthenticated(other, code=KEY_IN_USE)
    return session


def end(node: Node, session_id: int) -> None:
    """End a session of a node; another process may compute for it at once."""
    mine = (Node.id == node.id) & (Node.working_session == session_id)
    Node.update(working_session=None).where(mine).execute()
    sessions.end(session_id)


@transaction
def _begin(
    node: Node, process: NodeProcess | None, *, until: datetime, address: str, agent: str | None
) -> tuple[Session | None, str]:
    """Return the new session, or None and why there is none."""
    # SECURITY: of two that log in at once, one waits here for the other.
    sessions.hold(node)
    row = Node.get_by_id(node.id)
    moment = now()
    held = _working(row, moment)
    if held is not None and process is not None and not _gives_way(held, process):
        Node.update(refused_at=moment, refused_address=address).where(Node.id == node.id).execute()
        is_copy = held.instance == process.instance
        return None, _refusal(held, row.last_seen or moment, moment, is_copy=is_copy)
    more = {} if process is None else {"instance": process.instance, "process": process.process}
    session = sessions.begin(node, until=until, address=address, agent=agent, **more)
    change: dict[str, object] = {}
    if process is not None:
        change = {"working_session": session.id, "last_seen": moment}
        change |= {"refused_at": None, "refused_address": None}
    elif held is None:
        change = {"working_session": None}
    if change:
        # SECURITY: the process that computed before is fenced off with its session.
        if row.working_session is not None:
            sessions.end(row.working_session)
        Node.update(**change).where(Node.id == node.id).execute()
    return session, ""


def _working(node: Node, moment: datetime) -> Session | None:
    """Return the session of what computes for a node, if that was heard of lately."""
    if node.working_session is None:
        return None
    if node.last_seen is None or moment - node.last_seen > SILENCE:
        return None
    found: Session | None = Session.get_or_none(
        (Session.id == node.working_session) & (Session.expires_at > moment)
    )
    return found


def _gives_way(held: Session, process: NodeProcess) -> bool:
    """Tell whether the process of a session is the one that logs in, or was the one before it.

    SECURITY: a copied data folder has the same name, and each restart would take the place back.
    A copy of a running station takes it once at most, since its processes are its own from then on.
    """
    return held.process == process.process or held.process in process.previous


def _refusal(held: Session, heard_at: datetime, moment: datetime, *, is_copy: bool) -> str:
    ago = round((moment - heard_at).total_seconds())
    left = round((heard_at + SILENCE - moment).total_seconds()) + 1
    origin = "It names the same data folder, as a copy does. " if is_copy else ""
    return (
        f"Another node works with this key: it logged in from {held.address} at "
        f"{held.began_at:%Y-%m-%d %H:%M:%S} UTC and was heard of {ago} seconds ago. {origin}A key "
        "is for one node: stop one of the two, or register a node of its own for the second one. "
        f"If the other one is gone for good, start this one again in {left} seconds."
    )
