"""Tasks and results in the shell."""

from datetime import datetime
from functools import partial
from typing import Any

from vantage6.common.errors import Invalid
from vantage6.common.task_status import TaskStatus
from vantage6.models import tables
from vantage6.models.store import outbox, results, sealed, tasks
from vantage6.models.store.tasks import task_status
from vantage6.server import inputs
from vantage6.server.shell.entity import Entity
from vantage6.server.shell.organizations import Node
from vantage6.server.shell.relations import Column, One, Owned, on_failure


def _moment(value: datetime) -> datetime:
    """Return an aware moment; a time without zone is that of this machine."""
    if not isinstance(value, datetime):
        raise ValueError("it must be a datetime")
    return value.astimezone()


class Task(Entity):
    """A container image, sent to organizations of a collaboration; each has a result for it."""

    table = tables.Task

    name = Column()
    description = Column()
    image = Column("what the nodes run")
    database = Column("label of the database at the nodes")
    run_id = Column("shared with its sub-tasks, and with it a folder at each node")
    created_at = Column(given=_moment)
    collaboration = One("Collaboration", "where it runs")
    initiator = One("Organization", "who gets the results")
    init_user = One("User", "who asked for it")
    parent = One("Task", "the task whose algorithm asked for it")
    children = Owned("Task", "parent", "its sub-tasks")
    results = Owned("Result", "task", "one for each organization that computes it")

    @classmethod
    def next_run_id(cls) -> int:
        """Return a number that no other run has or will get."""
        return int(tables.Run.create().id)

    @property
    def status(self) -> str:
        """The state of the task: the worst, else the busiest state of its results."""
        return str(task_status(self._rows()))

    @property
    def complete(self) -> bool:
        """All results have ended."""
        return all(row.finished_at is not None for row in self._rows())

    @property
    def finished_at(self) -> datetime | None:
        """When the last result ended, if all have."""
        ends = [row.finished_at for row in self._rows()]
        return None if not ends or None in ends else max(ends)

    def _rows(self) -> list[tables.Result]:
        return tasks.results_of([self.id])[self.id] if self.id else []

    def insert(self) -> None:
        """Write a new row, in a run of its own if none is given."""
        if self.row.run_id is None:
            parent = self.parent
            on_failure(partial(setattr, self.row, "run_id", None))
            self.row.run_id = parent.run_id if parent else Task.next_run_id()
        elif not tables.Run.select().where(tables.Run.id == self.row.run_id).exists():
            raise Invalid(
                f"There is no run {self.row.run_id}: take the number of another task, or a new one "
                "from db.Task.next_run_id()."
            )
        super().insert()

    def remove(self) -> None:
        """Delete it with its results; what runs is ended, and the nodes are told."""
        tasks.delete(self.row)


class _Payload(Column):
    """A large text, which lies beside the row."""

    def __get__(self, entity: Any, _: type) -> Any:
        if entity is None:
            return self
        if self.name in entity.texts or entity.id is None:
            return entity.texts.get(self.name)
        return results.payloads([entity.id])[entity.id].get(self.name)

    def __set__(self, entity: Any, value: Any) -> None:
        entity.texts[self.name] = value


class Result(Entity):
    """One organization's execution of a task. A new one is announced to the node at once."""

    table = tables.Result

    status = Column("its state", given=TaskStatus)
    input = _Payload("text as a client sends it; anything else is written as JSON")
    result = _Payload("what the algorithm returned, as the node sent it")
    log = _Payload("what the algorithm printed")
    reason_code = Column("why it is in its state, for programs")
    reason = Column("the same for people")
    attempt = Column("how often a node has taken it")
    assigned_at = Column(given=_moment)
    started_at = Column(given=_moment)
    finished_at = Column(given=_moment)
    task = One("Task", "what it belongs to")
    organization = One("Organization", "who computes it")
    ports = Owned("AlgorithmPort", "result", "where the algorithm listens within the VPN")

    #: Texts that were assigned and not saved.
    texts: dict[str, Any]

    def _adopt(self, row: Any) -> None:
        super()._adopt(row)
        object.__setattr__(self, "texts", {})

    @property
    def complete(self) -> bool:
        """It has ended."""
        return self.finished_at is not None

    @property
    def node(self) -> Node | None:
        """The node that computes it, or None."""
        task = self.task
        if task is None:
            return None
        place = (Node.table.organization == self.organization_id) & (
            Node.table.collaboration == task.collaboration_id
        )
        return Node.first(place)

    def insert(self) -> None:
        """Write a new row, and the message that announces it."""
        super().insert()
        outbox.add(outbox.Topic.RESULTS_READY, {"result_ids": [self.id]})

    def write_relations(self) -> None:
        """Write what lies in other tables: its texts too."""
        super().write_relations()
        given = {name: self._text(name, value) for name, value in self.texts.items()}
        texts = {name: text for name, text in given.items() if text is not None}
        if texts:
            sealed.check_report(self.task.collaboration.row, texts)
        results.put(self.row.id, texts)
        before = dict(self.texts)
        on_failure(lambda: self.texts.update(before))
        self.texts.clear()

    def _text(self, name: str, value: Any) -> str | None:
        if value is None or isinstance(value, str):
            return value
        if name != "input":
            raise Invalid(f"{name} must be text.")
        return inputs.write(value, self.task.collaboration.row, self.organization.row)

    def _summary(self) -> str:
        return f"{self.row.status} of task {self.row.task_id}"


class AlgorithmPort(Entity):
    """A port on which an algorithm listens within the VPN."""

    table = tables.AlgorithmPort

    port = Column()
    label = Column()
    result = One("Result", "whose algorithm it is")

    def _summary(self) -> str:
        return f"{self.port} {self.label or ''}".strip()
