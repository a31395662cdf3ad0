"""The organizations of a collaboration, as a central function in a container reaches them."""

from collections.abc import Mapping
from typing import Any

from vantage6.tools.errors import AlgorithmError
from vantage6.tools.util import info

_NO_DOCUMENT = {"failed": {"code": "answer_unreadable", "message": "Its answer is no document."}}


class Collaboration:
    """`Sites` through an `AlgorithmClient`: one sub-task is one round.

    Parameters
    ----------
    client
        The client of a central function, or a `MockAlgorithmClient`.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def organizations(self) -> list[int]:
        """Return the receivers of the task; if that is one only, all of the collaboration."""
        receivers: list[int] = self._client.task.organizations(self._client.task_id)
        if len(receivers) > 1:
            return receivers
        return [organization["id"] for organization in self._client.organization.list()]

    def ask(
        self, method: str, arguments: dict[str, Any], organization_ids: list[int]
    ) -> dict[int, Mapping[str, Any]]:
        """Send a sub-task to the organizations and wait until it has ended at all of them.

        Raises
        ------
        AlgorithmError
            If the server refuses the sub-task.
        """
        info(f"Asking {len(organization_ids)} organizations for {method}")
        task = self._client.task.create(
            {"method": method, "kwargs": arguments},
            organization_ids=organization_ids,
            name=method,
        )
        if "id" not in task:
            raise AlgorithmError(f"The sub-task was refused: {task.get('msg')}")
        answers = self._client.wait_for_answers(task["id"])
        return {organization: _read(said) for organization, said in answers.items()}


def _read(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a partial function answered, or why there is no answer."""
    answer = said.get("answer", said)
    return answer if isinstance(answer, dict) else _NO_DOCUMENT
