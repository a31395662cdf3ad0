"""Tasks, and the results that organizations compute for them."""

from peewee import CharField, CompositeKey, ForeignKeyField, IntegerField, TextField
from playhouse.fields import EnumField

from vantage6.common.clock import now
from vantage6.common.task_status import TaskStatus
from vantage6.models.fields import IdField, UtcDateTimeField
from vantage6.models.tables.base import Table
from vantage6.models.tables.organization import Collaboration, Organization
from vantage6.models.tables.user import User


class Run(Table):
    """Hands out the number that a task shares with its sub-tasks."""

    id = IdField()


class Task(Table):
    """A container image and an input, sent to organizations of a collaboration."""

    id = IdField()
    name = TextField(default="")
    description = TextField(default="")
    image = TextField(default="")
    #: Label of the database at the nodes.
    database = TextField(null=True)
    collaboration = ForeignKeyField(Collaboration, backref="tasks", on_delete="CASCADE")
    collaboration_id: int
    run = ForeignKeyField(Run, backref="tasks", on_delete="RESTRICT")
    run_id: int
    parent = ForeignKeyField("self", null=True, backref="children", on_delete="SET NULL")
    parent_id: int | None
    #: The organization for which results are encrypted.
    initiator = ForeignKeyField(Organization, backref="created_tasks", on_delete="RESTRICT")
    initiator_id: int
    init_user = ForeignKeyField(User, null=True, backref="created_tasks", on_delete="SET NULL")
    init_user_id: int | None
    created_at = UtcDateTimeField(default=now)


class Result(Table):
    """One organization's execution of a task. Its input, output and log lie in `Payload`."""

    id = IdField()
    task = ForeignKeyField(Task, backref="results", on_delete="CASCADE")
    task_id: int
    organization = ForeignKeyField(Organization, backref="results", on_delete="RESTRICT")
    organization_id: int
    status = EnumField(TaskStatus, max_length=32, default=TaskStatus.PENDING)
    #: Why the status is what it is: a code for programs, a sentence for people.
    reason_code = CharField(max_length=64, null=True)
    reason = TextField(null=True)
    #: How often a node has taken it.
    attempt = IntegerField(default=0)
    #: Until when the node that took it need not be heard of.
    lease_until = UtcDateTimeField(null=True, index=True)
    assigned_at = UtcDateTimeField(default=now)
    started_at = UtcDateTimeField(null=True)
    finished_at = UtcDateTimeField(null=True)

    class Meta:
        """Each organization once in a task; open results of an organization are found fast."""

        indexes = (
            (("task", "organization"), True),
            (("organization", "finished_at"), False),
        )


# PERF: as long as what is open, however much has ended.
Result.add_index(
    Result.index(
        Result.status,
        Result.assigned_at,
        where=Result.finished_at.is_null(),
        name="result_open",
    )
)


class Payload(Table):
    """The large texts of a result, apart, so that lists and state changes never touch them."""

    result = ForeignKeyField(Result, backref="payloads", on_delete="CASCADE")
    result_id: int
    #: ``input``, ``result`` or ``log``.
    kind = CharField(max_length=8)
    content = TextField()

    class Meta:
        """Each kind once in a result."""

        primary_key = CompositeKey("result", "kind")


class AlgorithmPort(Table):
    """A port on which an algorithm listens within the VPN."""

    id = IdField()
    port = IntegerField()
    label = CharField(null=True)
    result = ForeignKeyField(Result, backref="ports", on_delete="CASCADE")
    result_id: int
