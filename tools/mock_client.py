"""Clients that run a whole algorithm in one process, without a server, for those who write one.

Every input and every answer goes through JSON on its way, as it does between real containers.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vantage6.client.answers import read_answer
from vantage6.common.disclosure.floors import DEFAULT, Floors
from vantage6.common.encoding import base64s_to_bytes, bytes_to_base64s
from vantage6.common.errors import NotFound, V6Error
from vantage6.common.serialization import deserialize, serialize
from vantage6.common.task_status import TaskStatus
from vantage6.tools import dispatch_rpc, loaders
from vantage6.tools.disclosure import mocked_station
from vantage6.tools.judging import HELD, REFUSED, let_leave, refuse_partial

if TYPE_CHECKING:
    from vantage6.common.cards import Card

Document = dict[str, Any]


class _MockTasks:
    """Runs tasks at mocked organizations, at once and one after the other."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._tasks: list[Document] = []
        #: What went wrong, by task and organization, for those that ask for it later.
        self._errors: dict[tuple[int, int], V6Error] = {}

    def run(
        self,
        input_: Mapping[str, Any],
        organization_ids: Sequence[int],
        given: Callable[[int, int], list[Any]],
        *,
        floors: Callable[[int], Floors] = lambda _: Floors(),
        card: "Card | None" = None,
        is_sub_task: bool = False,
        **details: Any,
    ) -> Document:
        """Run a task and return it.

        Parameters
        ----------
        input_
            ``method``, ``master``, ``args`` and ``kwargs``.
        organization_ids
            Who has to compute.
        given
            Returns what a function gets before the arguments in the input, from the id of the
            organization and the id of the task.
        floors
            Returns those of an organization.
        card
            Card by which each station judges its answer; None for an image without one.
        is_sub_task
            An error of an organization waits until its answer is asked for, as in containers.
        details
            Further fields of the task.
        """
        received = deserialize(serialize(dict(input_)))
        function = dispatch_rpc.find(received, self._module)
        results: list[Document] = [
            {"id": number, "organization": id_, "status": TaskStatus.PENDING.value, "result": ""}
            for number, id_ in enumerate(organization_ids, start=1)
        ]
        task = {"id": len(self._tasks) + 1, "complete": False, **details, "results": results}
        self._tasks.append(task)  # before it runs, so that its sub-tasks come after it
        for result in results:
            id_ = result["organization"]
            first = given(id_, task["id"])
            try:
                with mocked_station(floors(id_), tuple(organization_ids), id_):
                    # Everything is on the author's own machine here.
                    answer = dispatch_rpc.call(function, first, received, share_errors=True)
                    if card is not None:
                        answer = let_leave(answer, card, received, _count_rows(first[-1]))
                result["result"] = bytes_to_base64s(serialize(answer))
                result["status"] = TaskStatus.COMPLETED.value
            except V6Error as error:
                if not is_sub_task:
                    raise
                self._errors[task["id"], id_] = error
                is_kept = error.error_code in (HELD, REFUSED)
                status = TaskStatus.NOT_ALLOWED if is_kept else TaskStatus.CRASHED
                result["status"] = status.value
                code = error.error_code if is_kept else "exit_code"
                result["reason"] = {"code": code, "msg": error.message}
        task["complete"] = True
        return task

    def get(self, task_id: int) -> Document:
        """Return a task that was run."""
        if not 0 < task_id <= len(self._tasks):
            raise NotFound(f"Task {task_id} not found.")
        return self._tasks[task_id - 1]

    def answers(self, task_id: int) -> list[Any]:
        """Return what the organizations answered.

        Raises
        ------
        V6Error
            What went wrong first at one of them.
        """
        results = self.get(task_id)["results"]
        for result in results:
            if error := self._errors.get((task_id, result["organization"])):
                raise error
        return [deserialize(base64s_to_bytes(result["result"])) for result in results]

    def each_answer(self, task_id: int) -> dict[int, Document]:
        """Return how each organization answered, whether or not it failed."""
        results = self.get(task_id)["results"]
        answers = {one["organization"]: read_answer(one, allow_pickle=False) for one in results}
        return dict(sorted(answers.items()))


class ClientMockProtocol:
    """Stands in for a `ContainerClient`. Organizations are numbered from 0.

    Parameters
    ----------
    datasets
        Path of one comma-separated file per organization.
    module
        Module of the algorithm.
    """

    def __init__(self, datasets: Sequence[str], module: str) -> None:
        self._data = [loaders.load("csv", str(path), {}) for path in datasets]
        self._tasks = _MockTasks(module)

    def create_new_task(
        self, input_: Mapping[str, Any], organization_ids: Sequence[int] | None = None
    ) -> Document:
        """Run a task and return it.

        Parameters
        ----------
        input_
            ``method``, ``master``, ``args`` and ``kwargs``.
        organization_ids
            The organizations that compute; all when absent.
        """
        ids = range(len(self._data)) if organization_ids is None else organization_ids

        def give(organization_id: int, _: int) -> list[Any]:
            data = self._data[organization_id]
            return [self, data] if input_.get("master") else [data]

        return self._tasks.run(input_, ids, give)

    def get_task(self, task_id: int) -> Document:
        """Return a task that was run."""
        return self._tasks.get(task_id)

    def get_results(self, task_id: int) -> list[Any]:
        """Return what the organizations answered."""
        return self._tasks.answers(task_id)

    def wait_for_results(self, task_id: int, timeout: float | None = None) -> list[Any]:  # noqa: ARG002
        """Return what the organizations answered; a mocked task is complete at once."""
        return self._tasks.answers(task_id)

    def get_organizations_in_my_collaboration(self) -> list[Document]:
        """Return all organizations."""
        return [_organization(id_) for id_ in range(len(self._data))]


class MockAlgorithmClient:
    """Stands in for an `AlgorithmClient`.

    Parameters
    ----------
    datasets
        One per organization: ``{"database": <path or frame>, "type": <type of database>,
        "db_input": <details for the loader>, "floors": <name of a preset, or floors that differ
        from the default>}``; the last three may be left out.
    module
        Module of the algorithm.
    collaboration_id
        Id of the collaboration.
    organization_ids
        Ids of the organizations; numbered from 0 when absent.
    node_ids
        Ids of their nodes; numbered from 0 when absent.
    card
        Card of the image; with it, partial functions are for sub-tasks only, and their answers are
        judged by it, as at a station.

    Raises
    ------
    ValueError
        If there is another number of ids than of datasets.
    """

    class SubClient:
        """What the groups have in common."""

        def __init__(self, parent: "MockAlgorithmClient") -> None:
            self.parent = parent

    class Task(SubClient):
        """Tasks."""

        def create(
            self,
            input_: Mapping[str, Any],
            organization_ids: Sequence[int],
            name: str = "mock",
            description: str = "mock",
        ) -> Document:
            """Run a task and return it.

            Parameters
            ----------
            input_
                ``method``, ``master``, ``args`` and ``kwargs``.
            organization_ids
                Who has to compute.
            name, description
                Human readable texts.
            """
            if not organization_ids:
                raise ValueError("No organization is given to run the task.")
            return self.parent._run(input_, organization_ids, name, description)

        def get(self, task_id: int) -> Document:
            """Return a task that was run."""
            return self.parent._tasks.get(task_id)

        def organizations(self, task_id: int | None = None) -> list[int]:
            """Return the ids of the organizations that a task was sent to."""
            if task_id is None:
                return list(self.parent.all_organization_ids)
            results = self.parent._tasks.get(task_id)["results"]
            return sorted(result["organization"] for result in results)

    class Result(SubClient):
        """Results of tasks."""

        def get(self, task_id: int) -> list[Any]:
            """Return what the organizations answered."""
            return self.parent._tasks.answers(task_id)

    class Organization(SubClient):
        """Organizations."""

        def get(self, id_: int) -> Document:
            """Return one organization."""
            if id_ not in self.parent.all_organization_ids:
                return {"msg": f"Organization {id_} not found."}
            return _organization(id_)

        def list(self) -> Any:
            """Return all organizations."""
            return [_organization(id_) for id_ in self.parent.all_organization_ids]

    class Collaboration(SubClient):
        """The collaboration."""

        def get(self, is_encrypted: bool = True) -> Document:
            """Return the collaboration."""
            return {
                "id": self.parent.collaboration_id,
                "name": "mock-collaboration",
                "encrypted": is_encrypted,
                "organizations": [{"id": id_} for id_ in self.parent.all_organization_ids],
            }

    class Node(SubClient):
        """The own node."""

        def get(self, is_online: bool = True) -> Document:
            """Return the node."""
            return {
                "id": self.parent.host_node_id,
                "name": "mock-node",
                "status": "online" if is_online else "offline",
                "organization": {"id": self.parent.organization_id},
                "collaboration": {"id": self.parent.collaboration_id},
            }

    def __init__(
        self,
        datasets: Sequence[Mapping[str, Any]],
        module: str,
        collaboration_id: int | None = None,
        organization_ids: Sequence[int] | None = None,
        node_ids: Sequence[int] | None = None,
        card: "Card | None" = None,
    ) -> None:
        self._tasks = _MockTasks(module)
        self._card = card
        self.image = "mock_image"
        self.database = "mock_database"
        self.task_id: int | None = None
        self.collaboration_id = collaboration_id or 1
        self.all_organization_ids = list(organization_ids or range(len(datasets)))
        self.all_node_ids = list(node_ids or range(len(datasets)))
        if not len(datasets) == len(self.all_organization_ids) == len(self.all_node_ids):
            raise ValueError("Give one organization id and one node id per dataset.")
        frames = [_load(dataset) for dataset in datasets]
        self._data = dict(zip(self.all_organization_ids, frames, strict=True))
        floors = [Floors.from_json(dataset.get("floors", DEFAULT)) for dataset in datasets]
        self._floors = dict(zip(self.all_organization_ids, floors, strict=True))
        self._become(self.all_organization_ids[0])

    @property
    def organizations_with_data(self) -> list[int]:
        """Ids of the organizations that have data: all of them."""
        return list(self._data)

    def wait_for_results(self, task_id: int, timeout: float | None = None) -> list[Any]:  # noqa: ARG002
        """Return what the organizations answered; a mocked task is complete at once."""
        return self._tasks.answers(task_id)

    def wait_for_answers(self, task_id: int, timeout: float | None = None) -> dict[int, Document]:  # noqa: ARG002
        """Return how each organization answered; one that failed ends nothing."""
        return self._tasks.each_answer(task_id)

    def _become(self, organization_id: int, task_id: int | None = None) -> None:
        """Act for another organization."""
        self.organization_id = organization_id
        self.host_node_id = self.all_node_ids[self.all_organization_ids.index(organization_id)]
        self.task_id = task_id
        self.task = self.Task(self)
        self.result = self.Result(self)
        self.organization = self.Organization(self)
        self.collaboration = self.Collaboration(self)
        self.node = self.Node(self)

    def _at(self, organization_id: int, task_id: int) -> "MockAlgorithmClient":
        """Return the client that the central method of a task gets at an organization."""
        client = object.__new__(type(self))
        client.__dict__.update(self.__dict__)
        client._become(organization_id, task_id)
        return client

    def _run(
        self, input_: Mapping[str, Any], ids: Sequence[int], name: str, description: str
    ) -> Document:
        if self.task_id is None and self._card is not None:
            refuse_partial(self._card, input_)

        def give(organization_id: int, task_id: int) -> list[Any]:
            data = self._data[organization_id]
            return [self._at(organization_id, task_id), data] if input_.get("master") else [data]

        return self._tasks.run(
            input_,
            ids,
            give,
            floors=self._floors.__getitem__,
            card=self._card,
            is_sub_task=self.task_id is not None,
            status=TaskStatus.COMPLETED.value,
            name=name,
            description=description,
            database="mock",
            image=self.image,
            init_user=1,
            initiator=1,
            parent=None,
            collaboration={"id": self.collaboration_id},
            run_id=1,
            children=None,
        )


def _count_rows(data: Any) -> int | None:
    return len(data) if hasattr(data, "columns") else None


def _load(dataset: Mapping[str, Any]) -> Any:
    database = dataset["database"]
    if not isinstance(database, str):
        return database
    return loaders.load(dataset.get("type", "csv"), database, dataset.get("db_input") or {})


def _organization(id_: int) -> Document:
    return {"id": id_, "name": f"mock-{id_}", "domain": f"mock-{id_}.org"}
