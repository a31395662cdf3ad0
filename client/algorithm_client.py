"""The clients of an algorithm: the server as seen from inside a container.

They talk to the local proxy of the node, which encrypts and decrypts for them, and hold the
token of the container only.
"""

from collections.abc import Sequence
from typing import Any

from vantage6.client import waiting
from vantage6.client.base import ClientBase
from vantage6.client.login import claims
from vantage6.client.session import Document
from vantage6.common.encoding import base64s_to_bytes, bytes_to_base64s
from vantage6.common.errors import Invalid, V6Error
from vantage6.common.serialization import deserialize, serialize
from vantage6.common.task_status import TaskStatus


class SubTaskFailed(V6Error):
    """A sub-task did not complete at every organization."""

    code = "sub_task_failed"


class _InContainer(ClientBase):
    """What both clients of an algorithm have in common.

    Parameters
    ----------
    token
        The token of the container.
    host
        Address of the local proxy, with scheme.
    port
        Port of the local proxy.
    path
        Prefix of the API at the local proxy; ``API_PATH`` in the environment.
    """

    def __init__(
        self,
        token: str,
        host: str,
        port: int | str | None = None,
        path: str = "/api",
        *,
        raise_errors: bool = False,
    ) -> None:
        # The local proxy is next door: a proxy to the outside world would not find it.
        super().__init__(
            host, port, path, raise_errors=raise_errors, proxies_from_environment=False
        )
        self._login.hold(token)
        said = claims(token)
        identity = said.get("sub", said.get("identity"))
        if not isinstance(identity, dict):
            raise Invalid("This is not the token of a container.")
        self.image: str = identity["image"]
        self.database: str = identity["database"]
        self.host_node_id: int = identity["node_id"]
        self.collaboration_id: int = identity["collaboration_id"]
        self.organization_id: int | None = identity.get("organization_id")
        self.task_id: int | None = identity.get("task_id")

    def wait_for_results(self, task_id: int, timeout: float | None = None) -> list[Any]:
        """Wait until a sub-task is complete and return what the organizations answered.

        Parameters
        ----------
        task_id
            Id of the sub-task.
        timeout
            Seconds to wait at most.

        Raises
        ------
        SubTaskFailed
            If it failed at an organization; says where and how.
        StillRunning
            If the time is up.
        """
        waiting.until_complete(
            lambda: self.call("get", f"task/{task_id}"), waiting.pauses(0.05, 1.0), timeout=timeout
        )
        results = self.call("get", f"task/{task_id}/result")
        failed = [
            f"organization {result['organization']}: {result['status']}"
            for result in results
            if result["status"] != TaskStatus.COMPLETED
        ]
        if failed:
            raise SubTaskFailed(f"Sub-task {task_id} failed at {', '.join(failed)}.")
        return _answers(results)

    def _create_task(
        self,
        input_: Document,
        organization_ids: Sequence[int],
        name: str = "subtask",
        description: str | None = None,
    ) -> Any:
        # Sub-tasks run in this very image, whose wrapper reads and writes JSON.
        payload = serialize({"output_format": "json", **input_}, "json")
        return self._post_task(
            name,
            self.image,
            self.collaboration_id,
            payload,
            description or f"task from container on node_id={self.host_node_id}",
            organization_ids,
            self.database,
        )

    def _post_task(
        self,
        name: str,
        image: str,
        collaboration_id: int,
        payload: bytes,
        description: str,
        organization_ids: Sequence[int],
        database: str,
    ) -> Any:
        text = bytes_to_base64s(payload)
        body = {
            "name": name,
            "image": image,
            "collaboration_id": collaboration_id,
            "description": description,
            "database": database,
            "organizations": [{"id": id_, "input": text} for id_ in organization_ids],
        }
        return self.request("task", json=body, method="post")

    def _results(self, task_id: int) -> Any:
        reply = self.request(f"task/{task_id}/result")
        return _answers(reply) if isinstance(reply, list) else reply


class AlgorithmClient(_InContainer):
    """The client of an algorithm, in groups of commands per kind of thing.

    A refusal of the server is returned as ``{"msg": ...}``.
    """

    class SubClient:
        """What the groups have in common."""

        def __init__(self, parent: "AlgorithmClient") -> None:
            self.parent = parent

    class Task(SubClient):
        """Sub-tasks."""

        def get(self, task_id: int) -> Any:
            """Return a task; ``complete`` tells whether all its results are in."""
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
            """Return the ids of the organizations that a task was sent to; the own by default."""
            reply = self.parent.request(f"task/{task_id or self.parent.task_id}/result")
            if not isinstance(reply, list):
                return reply
            return sorted(result["organization"] for result in reply)

    class Result(SubClient):
        """Results of sub-tasks."""

        def get(self, task_id: int) -> Any:
            """Return the list of what the organizations answered; failed ones are left out."""
            return self.parent._results(task_id)

    class Organization(SubClient):
        """Organizations of the own collaboration."""

        def get(self, id_: int) -> Any:
            """Return one organization."""
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
        self, token: str, host: str, port: int | str | None = None, path: str = "/api"
    ) -> None:
        super().__init__(token, host, port, path)
        self.task = self.Task(self)
        self.result = self.Result(self)
        self.organization = self.Organization(self)
        self.collaboration = self.Collaboration(self)
        self.node = self.Node(self)
        self.vpn = self.VPN(self)


class ContainerClient(_InContainer):
    """The older client of an algorithm, without groups. A refusal of the server is raised."""

    def __init__(
        self, token: str, host: str, port: int | str | None = None, path: str = "/api"
    ) -> None:
        super().__init__(token, host, port, path, raise_errors=True)

    def authenticate(self) -> None:
        """Do nothing: a container is logged in by its token."""

    def refresh_token(self) -> None:
        """Refuse: the token of a container lasts as long as its task."""
        raise Invalid("Containers cannot refresh!")

    def get_results(self, task_id: int) -> Any:
        """Return the list of what the organizations answered; failed ones are left out."""
        return self._results(task_id)

    def get_task(self, task_id: int) -> Any:
        """Return a task; ``complete`` tells whether all its results are in."""
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
        """Create a sub-task; the server takes the own image and collaboration only.

        `create_new_task` fills in most of it.
        """
        payload = serialize(input_, "json")
        return self._post_task(
            name, image, collaboration_id, payload, description, organization_ids, database
        )

    def get_organizations_in_my_collaboration(self) -> Any:
        """Return all organizations of the collaboration."""
        return self.request(f"collaboration/{self.collaboration_id}/organization")

    def get_algorithm_addresses(self, task_id: int) -> list[Document]:
        """Return ``ip``, ``port`` and ``label`` of every algorithm of a task."""
        return [
            {"ip": result["node"]["ip"], "port": port["port"], "label": port["label"]}
            for result in self.request(f"task/{task_id}/result")
            for port in result["ports"]
        ]

    def get_algorithm_address_by_label(self, task_id: int, label: str) -> str | None:
        """Return ``ip:port`` of the first algorithm of a task with a label."""
        for address in self.get_algorithm_addresses(task_id):
            if address["label"] == label:
                return f"{address['ip']}:{address['port']}"
        return None


def _answers(results: list[Document]) -> list[Any]:
    """Return what the organizations answered. The container is the sandbox of their pickles."""
    return [
        deserialize(base64s_to_bytes(result["result"]), allow_pickle=True)
        for result in results
        if result["result"]
    ]
