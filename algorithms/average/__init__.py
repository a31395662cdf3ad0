"""The average of a column over the data of all organizations, without the data leaving them."""

from typing import Annotated, Any

from vantage6.tools.card import Column, Image, Organizations, Schema, card, share
from vantage6.tools.errors import AlgorithmError
from vantage6.tools.util import info

__card__ = Image(
    "average",
    "1.0.0",
    licence="Apache-2.0",
    images=["harbor2.vantage6.ai/demo/average", "vantage6/average"],
)

_Numbers = Annotated[Column, Schema(x_types=["numeric", "boolean"])]


@card(
    stability="stable",
    calls=["average_partial"],
    rounds=(1, 1),
    views=[{"kind": "table", "path": ""}],
    examples=[{"title": "The average age", "arguments": {"column_name": "age"}}],
)
def master(
    client: Any, data: Any, column_name: _Numbers, organization_ids: Organizations | None = None
) -> dict[str, float]:
    """Return the average of a column over the organizations.

    Parameters
    ----------
    client
        An `AlgorithmClient`.
    data
        Data of the own node, which the central part does not touch.
    column_name
        Column with numbers.
    organization_ids
        Who takes part. By default those that the task was sent to; if that is one only, all of
        the collaboration.

    Returns
    -------
    dict
        ``average``.
    """
    del data
    participants = organization_ids or _participants(client)
    info(f"Asking {len(participants)} organizations for their part")
    task = client.task.create(
        {"method": "average_partial", "kwargs": {"column_name": column_name}},
        organization_ids=participants,
    )
    if "id" not in task:
        raise AlgorithmError(f"The sub-task was refused: {task.get('msg')}")
    parts = client.wait_for_results(task["id"])
    count = sum(part["count"] for part in parts)
    if not count:
        raise AlgorithmError(f"No organization has a value in column {column_name!r}.")
    return {"average": sum(part["sum"] for part in parts) / count}


@card(
    stability="stable",
    shares=[share("/count", "count"), share("/sum", "sum", of="/count")],
)
def RPC_average_partial(data: Any, column_name: _Numbers) -> dict[str, float]:  # noqa: N802 - the name is the protocol
    """Return sum and count of a column of the own data; missing values do not count.

    Parameters
    ----------
    data
        Frame.
    column_name
        Column with numbers.

    Returns
    -------
    dict
        ``sum`` and ``count``.
    """
    if column_name not in data.columns:
        known = ", ".join(map(str, data.columns))
        raise AlgorithmError(f"There is no column {column_name!r}. The columns are: {known}.")
    column = data[column_name].dropna()
    if column.dtype.kind not in "iufb":
        raise AlgorithmError(f"Column {column_name!r} does not hold numbers.")
    return {"sum": column.sum().item(), "count": len(column)}


def _participants(client: Any) -> list[int]:
    receivers: list[int] = client.task.organizations(client.task_id)
    if len(receivers) > 1:
        return receivers
    return [organization["id"] for organization in client.organization.list()]
