"""The older client of an algorithm, which most images of 3.11 use."""

from collections.abc import Sequence
from typing import Any

from vantage6.client.in_container import InContainer
from vantage6.client.session import Document
from vantage6.common.errors import Invalid
from vantage6.common.serialization import serialize


class ContainerClient(InContainer):
    """The older client of an algorithm, without groups. A refusal of the server is raised.

    Parameters
    ----------
    token
        The token of the container.
    host
        Address of the local proxy, with scheme; ``HOST`` in the environment.
    port
        Port of the local proxy; ``PORT`` in the environment.
    path
        Prefix of the API at the local proxy; ``API_PATH`` in the environment.
    allow_pickle
        Read answers that are pickles too, as data. A wrapper with ``allow_pickle`` sets it.
    """

    def __init__(
        self,
        token: str,
        host: str,
        port: int | str | None = None,
        path: str = "/api",
        *,
        allow_pickle: bool = False,
    ) -> None:
        super().__init__(token, host, port, path, raise_errors=True, allow_pickle=allow_pickle)

    def authenticate(self) -> None:  # type: ignore[override]
        """Do nothing: a container is logged in by its token."""

    def refresh_token(self) -> None:
        """Refuse: the token of a container lasts as long as its task."""
        raise Invalid("Containers cannot refresh!")

    def get_results(self, task_id: int) -> Any:
        """Return the list of what the organizations answered; failed ones are left out.

        Parameters
        ----------
        task_id
            Id of the task.
        """
        return self._results(task_id)

    def get_task(self, task_id: int) -> Any:
        """Return a task; ``complete`` tells whether all its results are in.

        Parameters
        ----------
        task_id
            Id of the task.
        """
        return self.request(f"task/{task_id}")

    def create_new_task(self, input_: Document, organization_ids: Sequence[int] = ()) -> Any:
        """Create a sub-task with the image and the database of the own task.

        Parameters
        ----------
        input_
            ``method``, ``args`` and ``kwargs`` for the algorithm.
        organization_ids
            Who has to compute.

        Returns
        -------
        dict
            The task.
        """
        return self._create_task(input_, organization_ids)

    def post_task(
        self,
        name: str,
        image: str,
        collaboration_id: int,
        input_: object = "",
        description: str = "",
        organization_ids: Sequence[int] = (),
        database: str = "default",
    ) -> Any:
        """Create a sub-task; `create_new_task` fills in most of it.

        Parameters
        ----------
        name
            Human readable name.
        image
            Container image; the server takes the own one only.
        collaboration_id
            Id of the collaboration; the server takes the own one only.
        input_
            ``method``, ``args`` and ``kwargs`` for the algorithm.
        description
            Human readable description.
        organization_ids
            Who has to compute.
        database
            Label of the database.

        Returns
        -------
        dict
            The task.
        """
        payload = serialize(input_, "json")
        return self._post_task(
            name, image, collaboration_id, payload, description, organization_ids, database
        )

    def get_organizations_in_my_collaboration(self) -> Any:
        """Return all organizations of the collaboration."""
        return self.request(f"collaboration/{self.collaboration_id}/organization")

    def get_algorithm_addresses(self, task_id: int) -> list[Document]:
        """Return ``ip``, ``port`` and ``label`` of every algorithm of a task.

        Parameters
        ----------
        task_id
            Id of the task.
        """
        return [
            {"ip": result["node"]["ip"], "port": port["port"], "label": port["label"]}
            for result in self.request(f"task/{task_id}/result")
            for port in result["ports"]
        ]

    def get_algorithm_address_by_label(self, task_id: int, label: str) -> str | None:
        """Return ``ip:port`` of the first algorithm of a task with a label.

        Parameters
        ----------
        task_id
            Id of the task.
        label
            Label of the port.
        """
        for address in self.get_algorithm_addresses(task_id):
            if address["label"] == label:
                return f"{address['ip']}:{address['port']}"
        return None
