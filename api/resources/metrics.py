"""The numbers for Prometheus."""

import hmac

import falcon
from falcon import Request, Response

from vantage6.api import metrics
from vantage6.api.identity.scrape_token import scrape_token
from vantage6.api.service import Service
from vantage6.common.errors import Unauthenticated


class Metrics:
    """Not in the table of routes: it is no part of the API, and speaks no JSON.

    Parameters
    ----------
    service
        What the resources share.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._expected = f"Bearer {scrape_token(service.instance)}".encode()

    def on_get(self, req: Request, resp: Response) -> None:
        """Show all metrics to a caller that sends the token of the metrics."""
        # SECURITY: neither the address of a caller nor a header tells who is behind a proxy.
        given = (req.auth or "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, self._expected):
            raise Unauthenticated("Send the token of the setting `metrics`.")
        resp.content_type, resp.data = metrics.exposition(self._service)
        resp.status = falcon.HTTP_200
