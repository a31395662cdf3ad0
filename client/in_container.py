"""What both clients of an algorithm have in common.

They talk to the local proxy of the node, which encrypts and decrypts for them, and hold the
token of the container only.
"""

from collections.abc import Sequence
from typing import Any

from vantage6.client import causes, waiting
from vantage6.client.base import ClientBase
from vantage6.client.session import Document
from vantage6.common.encoding import base64_text, base64s_to_bytes
from vantage6.common.errors import Invalid, V6Error
from vantage6.common.serialization import deserialize, serialize
from vantage6.common.task_status import TaskStatus
from vantage6.common.token_claims import claims


class SubTaskFailed(V6Error):
    """A sub-task did not complete at every organization."""

    code = "sub_task_failed"


class InContainer(ClientBase):
    """The server as seen from inside a container."""

    def __init__(
        self,
        token: str,
        host: str,
        port: int | str | None = None,
        path: str = "/api",
        *,
        raise_errors: bool = False,
        allow_pickle: bool = False,
    ) -> None:
        # The local proxy is in the same network: a proxy to the outside world would not find it.
        super().__init__(
            host, port, path, raise_errors=raise_errors, proxies_from_environment=False
        )
        self._allow_pickle = allow_pickle
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
        self._wait(task_id, timeout)
        results = self.call("get", f"task/{task_id}/result")
        failed = [result for result in results if result["status"] != TaskStatus.COMPLETED]
        if failed:
            raise SubTaskFailed(self._failure(task_id, failed))
        return self._answers(results)

    def _wait(self, task_id: int, timeout: float | None) -> None:
        waiting.until_complete(
            lambda: self.call("get", f"task/{task_id}"), waiting.pauses(0.05, 1.0), timeout=timeout
        )

    def _failure(self, task_id: int, failed: list[Document]) -> str:
        """Return where a sub-task failed, with the first cause that is known."""
        try:
            members = self.call("get", f"collaboration/{self.collaboration_id}/organization")
            names = {member["id"]: member["name"] for member in members}
        except (V6Error, KeyError, TypeError):  # names are not worth a failure
            names = {}

        def name(result: Document) -> str:
            id_ = result["organization"]
            return str(names.get(id_, f"organization {id_}"))

        where = ", ".join(f"{name(result)}: {result['status']}" for result in failed)
        said = f"Sub-task {task_id} failed at {where}."
        first = next((result for result in failed if result.get("reason")), None)
        return f"{said} {name(first)}: {causes.cause(first)}" if first else said

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
        text = base64_text(payload)
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
        return self._answers(reply) if isinstance(reply, list) else reply

    def _answers(self, results: list[Document]) -> list[Any]:
        """Return what the organizations answered."""
        # SECURITY: they come of other stations; a pickle only where the author says so.
        return [
            deserialize(base64s_to_bytes(result["result"]), self._allow_pickle)
            for result in results
            if result["result"]
        ]
