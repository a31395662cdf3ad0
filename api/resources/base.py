"""What resources have in common."""

from vantage6.api.replies import Replies
from vantage6.api.service import Service


class Resource:
    """Handles one noun with the collaborators it was given."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.replies = Replies(service)
