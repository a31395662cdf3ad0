"""Ports of algorithms within the VPN."""

from vantage6.api.schemas.base import Id, PageQuery, Request, Text
from vantage6.api.schemas.tasks import Port
from vantage6.common.documents import PortReply, exact


class PortFilter(PageQuery):
    """Which ports."""

    task_id: Id | None = None
    result_id: Id | None = None
    run_id: Id | None = None


class PortCreate(Request):
    """Where the algorithm of a result listens."""

    port: Port
    result_id: Id
    label: Text | None = None


class PortsOfResult(Request):
    """All ports of one result."""

    result_id: Id


@exact
class AlgorithmPortReply(PortReply):
    """A port of an algorithm, and the result that the algorithm computes."""

    result: int
