"""What resources have in common."""

from vantage6.api.replies import Replies
from vantage6.api.service import Service


class Resource:
    """Handles one noun with the collaborators it was given."""

    def __init_subclass__(cls) -> None:
        """Answer HEAD wherever GET is answered; falcon leaves the body out."""
        for name, responder in list(vars(cls).items()):
            if name.startswith("on_get"):
                setattr(cls, name.replace("on_get", "on_head"), responder)

    def __init__(self, service: Service) -> None:
        self.service = service
        self.replies = Replies(service)
