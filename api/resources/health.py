"""Whether the server lives, and its version."""

from typing import Any

from falcon import Response

from vantage6.api.endpoint import endpoint
from vantage6.api.resources.base import Resource
from vantage6.api.schemas.health import HealthReply, ReadyReply, VersionReply
from vantage6.common import __version__
from vantage6.models import database, migrate


class Health(Resource):
    """Health, readiness and version."""

    @endpoint(reply=VersionReply, needs_database=False)
    def on_get_version(self) -> Any:
        """Show the version of the server."""
        return {"version": __version__}

    @endpoint(reply=HealthReply, needs_database=False)
    def on_get_health(self) -> Any:
        """Tell whether the database answers; always 200, as clients of 3.11 expect."""
        return {"database": database.answers()}

    @endpoint(reply=ReadyReply, problems={503: ReadyReply}, needs_database=False)
    def on_get_ready(self, resp: Response) -> Any:
        """Tell whether everything that the server needs is there; 503 if not."""
        answers, broker = database.answers(), self.service.broker_answers()
        parts = {
            "database": answers,
            "migrations": answers and not migrate.pending(),
            "broker": broker,
            "workers": broker and self.service.workers_answer(),
        }
        if not all(parts.values()):
            resp.status = 503
        return parts
