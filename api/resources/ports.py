"""Ports on which algorithms listen within the VPN."""

from falcon import Request, Response

from vantage6.api.endpoint import CONTAINER, NODE, USER, Read, endpoint
from vantage6.api.http import lists
from vantage6.api.identity.permissions import Caller
from vantage6.api.identity.rights import Rights
from vantage6.api.resources.base import Resource
from vantage6.api.schemas.base import Message
from vantage6.api.schemas.ports import AlgorithmPortReply, PortCreate, PortFilter, PortsOfResult
from vantage6.common.enums import Operation, Scope
from vantage6.common.errors import NotFound
from vantage6.models.store import ports, results
from vantage6.models.tables import AlgorithmPort


class Ports(Resource):
    """All ports."""

    @endpoint(
        USER,
        NODE,
        CONTAINER,
        query=PortFilter,
        reply=list[AlgorithmPortReply],
        permission=Rights(("port", Operation.VIEW)),
    )
    def on_get(
        self, req: Request, resp: Response, caller: Caller, query: PortFilter
    ) -> lists.Listed[AlgorithmPortReply]:
        """List the ports that the caller may see, newest first."""
        rows, total = ports.page(
            caller.reach("port", Scope.ORGANIZATION),
            lists.requested_page(query),
            task=query.task_id,
            result=query.result_id,
            run=query.run_id,
        )
        return lists.answer(req, resp, query, [_show(row) for row in rows], total)

    @endpoint(
        USER, NODE, CONTAINER, reply=AlgorithmPortReply, permission=Rights(("port", Operation.VIEW))
    )
    def on_get_one(self, caller: Caller, id_: int) -> AlgorithmPortReply:
        """Show a port."""
        row = ports.get(id_)
        if not caller.sees(row.result.task_id):
            raise NotFound(f"There is no port {id_}.")
        caller.require("port", Operation.VIEW, collaboration=row.result.task.collaboration_id)
        return _show(row)

    @endpoint(
        NODE, body=PortCreate, creates=True, problems=(404,), reply=AlgorithmPortReply, status=201
    )
    def on_post(self, caller: Caller, read: Read[PortCreate]) -> AlgorithmPortReply:
        """Tell where the algorithm of a result listens that the node computes."""
        body = read()
        result = results.of_node(body.result_id, caller.calling_node)
        return _show(ports.create(result, body.port, body.label))

    @endpoint(NODE, query=PortsOfResult, problems=(404,), reply=Message)
    def on_delete(self, caller: Caller, query: PortsOfResult) -> Message:
        """Remove all ports of a result that the node computes."""
        result = results.of_node(query.result_id, caller.calling_node)
        removed = ports.delete(result)
        return {"msg": f"{removed} ports of result {result.id} were removed."}


def _show(row: AlgorithmPort) -> AlgorithmPortReply:
    return {"id": row.id, "port": row.port, "label": row.label, "result": row.result_id}
