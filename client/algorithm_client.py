"""The client of an algorithm: the server as seen from inside a container, in groups."""

from collections.abc import Sequence
from typing import Any

from vantage6.client.answers import read_answer
from vantage6.client.in_container import InContainer, SubTaskFailed
from vantage6.client.session import Document
from vantage6.common.errors import V6Error

__all__ = ["AlgorithmClient", "SubTaskFailed"]

#: Code of a node that passes on no answer of this size.
_TOO_LARGE = "reply_too_large"


class AlgorithmClient(InContainer):
    """The client of an algorithm, in groups of commands per kind of thing.

    A refusal of the server is returned as ``{"msg": ...}``.

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

    class SubClient:
        """What the groups have in common."""

        def __init__(self, parent: "AlgorithmClient") -> None:
            self.parent = parent

    class Task(SubClient):
        """Sub-tasks."""

        def get(self, task_id: int) -> Any:
            """Return a task; ``complete`` tells whether all its results are in.

            Parameters
            ----------
            task_id
                Id of the task.
            """
            return self.parent.request(f"task/{task_id}")

        def create(
            self,
            input_: Document,
            organization_ids: Sequence[int] | None = None,
            name: str = "subtask",
            description: str | None = None,
        ) -> Any:
            """Create a sub-task with the image and the database of the own task.

            Parameters
            ----------
            input_
                ``method``, ``args`` and ``kwargs`` for the algorithm.
            organization_ids
                Who has to compute.
            name
                Human readable name.
            description
                Human readable description.

            Returns
            -------
            dict
                The task.
            """
            return self.parent._create_task(input_, organization_ids or [], name, description)

        def organizations(self, task_id: int | None = None) -> Any:
            """Return the ids of the organizations that a task was sent to; the own by default.

            Parameters
            ----------
            task_id
                Id of the task; the own task when absent.
            """
            reply = self.parent.request(f"task/{task_id or self.parent.task_id}/result")
            if not isinstance(reply, list):
                return reply
            return sorted(result["organization"] for result in reply)

    class Result(SubClient):
        """Results of sub-tasks."""

        def get(self, task_id: int) -> Any:
            """Return the list of what the organizations answered; failed ones are left out.

            Parameters
            ----------
            task_id
                Id of the task.
            """
            return self.parent._results(task_id)

    class Organization(SubClient):
        """Organizations of the own collaboration."""

        def get(self, id_: int) -> Any:
            """Return one organization.

            Parameters
            ----------
            id_
                Id of the organization.
            """
            return self.parent.request(f"organization/{id_}")

        def list(self) -> Any:
            """Return all organizations of the collaboration."""
            return self.parent.request(
                "organization", params={"collaboration_id": self.parent.collaboration_id}
            )

    class Collaboration(SubClient):
        """The own collaboration."""

        def get(self) -> Any:
            """Return the collaboration."""
            return self.parent.request(f"collaboration/{self.parent.collaboration_id}")

    class Node(SubClient):
        """The own node."""

        def get(self) -> Any:
            """Return the node."""
            return self.parent.request(f"node/{self.parent.host_node_id}")

    class VPN(SubClient):
        """Addresses of algorithms in the virtual private network."""

        def get_addresses(
            self,
            only_children: bool = False,
            only_parent: bool = False,
            include_children: bool = False,
            include_parent: bool = False,
            label: str | None = None,
        ) -> Any:
            """Return the addresses of the algorithms of the own task, its parent or children.

            Parameters
            ----------
            only_children, only_parent
                Only of sub-tasks, only of the parent task.
            include_children, include_parent
                Of sub-tasks too, of the parent task too.
            label
                Only the port with this label.

            Returns
            -------
            list or dict
                Items with ``ip``, ``port``, ``label``, ``organization_id``, ``task_id`` and
                ``parent_id``; a dict with ``message`` if there are none to be had.
            """
            flags = {
                "only_children": only_children,
                "only_parent": only_parent,
                "include_children": include_children,
                "include_parent": include_parent,
            }
            # Only what is set: the original server takes any text, also `False`, for yes.
            params = {"label": label} | {flag: True for flag, is_set in flags.items() if is_set}
            reply = self.parent.request("vpn/algorithm/addresses", params=params)
            if "addresses" not in reply:
                return {"message": "Obtaining VPN addresses failed!"}
            return reply["addresses"]

        def get_parent_address(self) -> Any:
            """Return the address of the algorithm that created the own task."""
            return self.get_addresses(only_parent=True)

        def get_child_addresses(self) -> Any:
            """Return the addresses of the algorithms of the own sub-tasks."""
            return self.get_addresses(only_children=True)

    def __init__(
        self,
        token: str,
        host: str,
        port: int | str | None = None,
        path: str = "/api",
        *,
        allow_pickle: bool = False,
    ) -> None:
        super().__init__(token, host, port, path, allow_pickle=allow_pickle)
        self.task = self.Task(self)
        self.result = self.Result(self)
        self.organization = self.Organization(self)
        self.collaboration = self.Collaboration(self)
        self.node = self.Node(self)
        self.vpn = self.VPN(self)

    def wait_for_answers(self, task_id: int, timeout: float | None = None) -> dict[int, Document]:
        """Wait until a sub-task has ended everywhere, and return how each organization answered.

        Unlike with `wait_for_results`, an organization that fails ends nothing.

        Parameters
        ----------
        task_id
            Id of the sub-task.
        timeout
            Seconds to wait at most.

        Returns
        -------
        dict
            Id of each organization, sorted, to ``{"answer": ...}`` or
            ``{"failed": {"code": ..., "message": ...}}``.

        Raises
        ------
        StillRunning
            If the time is up.
        """
        self._wait(task_id, timeout)
        results = self._each(task_id)
        # SECURITY: they come of other stations; a pickle only where the author says so.
        answers = [(one["organization"], read_answer(one, self._allow_pickle)) for one in results]
        return dict(sorted(answers, key=lambda pair: pair[0]))

    def _each(self, task_id: int) -> list[Document]:
        """Return the results of a sub-task; one by one where all at once are too large.

        Raises
        ------
        V6Error
            If one of them is.
        """
        endpoint, each = f"task/{task_id}/result", {"each": True}
        try:
            return list(self.call("get", endpoint, params=each))
        except V6Error as error:
            if error.error_code != _TOO_LARGE:
                raise
        count = len(self.call("get", f"task/{task_id}")["results"])
        found: list[Document] = []
        try:
            for page in range(1, count + 1):
                found += self.call("get", endpoint, params=each | {"page": page, "per_page": 1})
        except V6Error as error:
            if error.error_code != _TOO_LARGE:
                raise
            raise V6Error(
                f"One answer to sub-task {task_id} is larger than the station of the central "
                "function passes on (limits.reply_bytes). Ask for less, such as fewer columns or "
                "levels, or let the administrator of that station raise the limit.",
                code=_TOO_LARGE,
            ) from error
        return found
