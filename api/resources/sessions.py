"""Who is logged in, and the end of it."""

from falcon import Request, Response

from vantage6.api.endpoint import USER, endpoint
from vantage6.api.http import lists
from vantage6.api.identity.permissions import Caller
from vantage6.api.identity.rights import Rights
from vantage6.api.resources.base import Resource
from vantage6.api.schemas.base import Message
from vantage6.api.schemas.sessions import SessionFilter, SessionReply, SessionsEnd
from vantage6.common.enums import Operation
from vantage6.common.errors import NotFound
from vantage6.common.logs import get
from vantage6.models.store import sessions, users
from vantage6.models.tables import Session, User

log = get(__name__)

_PERMISSION = Rights(("user", Operation.EDIT), text="oneself, or {} with all that the user may do")


class Sessions(Resource):
    """Sessions of users."""

    @endpoint(
        USER,
        query=SessionFilter,
        reply=list[SessionReply],
        problems=(404,),
        permission=_PERMISSION,
    )
    def on_get(
        self, req: Request, resp: Response, caller: Caller, query: SessionFilter
    ) -> lists.Listed[SessionReply]:
        """List sessions, newest first."""
        user = _user(caller, query.user_id)
        rows, total = sessions.page(user.id, lists.requested_page(query))
        return lists.answer(req, resp, query, [_show(row, user, caller) for row in rows], total)

    @endpoint(USER, query=SessionsEnd, reply=Message, problems=(404,), permission=_PERMISSION)
    def on_delete(self, caller: Caller, query: SessionsEnd) -> Message:
        """End all sessions but the one of this request; their tokens are void at once."""
        user = _user(caller, query.user_id)
        ended = sessions.end_all(user, but=caller.session_id)
        log.info("sessions ended", user_id=user.id, by=caller.id, ended=ended)
        return {"msg": f"{ended} sessions of {user.username} were ended."}

    @endpoint(USER, reply=Message, permission=_PERMISSION)
    def on_delete_one(self, caller: Caller, id_: int) -> Message:
        """End a session, also that of this request: its tokens are void at once."""
        row = sessions.get(id_)
        if row.user_id is None:
            raise NotFound(f"There is no session {id_}.")
        _user(caller, row.user_id)
        sessions.end(row.id)
        log.info("session ended", session_id=row.id, user_id=row.user_id, by=caller.id)
        return {"msg": f"Session {row.id} was ended."}


def _user(caller: Caller, user_id: int | None) -> User:
    """Return a user over whose sessions the caller decides."""
    user = users.get(user_id or caller.id)
    if user.id != caller.id:
        caller.require("user", Operation.EDIT, organization=user.organization_id)
        caller.require_as_strong_as(user)
    return user


def _show(row: Session, user: User, caller: Caller) -> SessionReply:
    return {
        "id": row.id,
        "user_id": user.id,
        "began_at": row.began_at.isoformat(),
        "renewed_at": row.renewed_at.isoformat(),
        "expires_at": row.expires_at.isoformat(),
        "address": row.address,
        "agent": row.agent,
        "is_current": row.id == caller.session_id,
    }
