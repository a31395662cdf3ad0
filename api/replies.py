"""From rows to the JSON that clients of 3.11 know.

Each list costs the same number of queries, however long it is. Relations without bound (the
results of an organization, the tasks of a collaboration or a user) are left empty; the lists of
results and tasks have filters for them.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime

from vantage6.api.identity.permissions import Caller
from vantage6.api.links import Links
from vantage6.api.schemas.nodes import NodeReply, NodeShortReply
from vantage6.api.schemas.organizations import CollaborationReply, OrganizationReply
from vantage6.api.schemas.roles import RoleReply, RuleReply
from vantage6.api.schemas.tasks import (
    InnerResultReply,
    InnerTaskReply,
    ResultBase,
    ResultNodeReply,
    ResultReply,
    TaskReply,
    TaskResultReply,
    TaskStatusReply,
)
from vantage6.api.schemas.users import UserReply
from vantage6.common.documents import Link, TaskBase
from vantage6.common.enums import Operation
from vantage6.common.task_status import TaskStatus
from vantage6.models.store import nodes as node_store
from vantage6.models.store import payloads, relations, tasks
from vantage6.models.store import results as result_store
from vantage6.models.store.tasks import task_status
from vantage6.models.tables import (
    Collaboration,
    Node,
    NodeConfig,
    Organization,
    Result,
    Role,
    Rule,
    Task,
    User,
)

#: Tells whether users of an organization are shown.
Visible = Callable[[int | None], bool]
#: Tells which of the large texts of a result are shown.
Texts = Callable[[Result], frozenset[str]]


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


class Replies(Links):
    """Builds replies."""

    def organizations(
        self, rows: Sequence[Organization], caller: Caller
    ) -> list[OrganizationReply]:
        """Return organizations, with the numbers of what the caller may see of each."""
        ids = [row.id for row in rows]
        # SECURITY: not even the numbers of what the caller may not see.
        everywhere = caller.reaches_everything("collaboration", Operation.VIEW)
        within = None if everywhere else caller.collaborations
        mine = ids if caller.user else []
        users = relations.users_of([id_ for id_ in mine if caller.sees_users_of(id_)])
        roles = relations.roles_of(
            [id_ for id_ in mine if caller.may("role", Operation.VIEW, organization=id_)]
        )
        nodes = defaultdict(list)
        for node in node_store.of(organization_ids=ids):
            is_own = caller.user and node.organization_id == caller.organization_id
            if within is None or is_own or node.collaboration_id in within:
                nodes[node.organization_id].append(node.id)
        memberships = {
            id_: [place for place in places if within is None or place in within]
            for id_, places in relations.collaborations_of(ids).items()
        }
        return [
            {
                "id": row.id,
                "name": row.name,
                "domain": row.domain,
                "address1": row.address1,
                "address2": row.address2,
                "zipcode": row.zipcode,
                "country": row.country,
                "public_key": row.public_key,
                "collaborations": self.links("collaboration", memberships.get(row.id, ())),
                "nodes": self.links("node", nodes[row.id]),
                "users": self.links("user", users.get(row.id, ())),
                "results": None,
                "roles": roles.get(row.id, []),
            }
            for row in rows
        ]

    def collaborations(self, rows: Sequence[Collaboration]) -> list[CollaborationReply]:
        """Return collaborations."""
        ids = [row.id for row in rows]
        members = relations.members_of(ids)
        nodes = defaultdict(list)
        for node in node_store.of(collaboration_ids=ids):
            nodes[node.collaboration_id].append(node.id)
        return [
            {
                "id": row.id,
                "name": row.name,
                "encrypted": row.encrypted,
                "organizations": self.links("organization", members[row.id]),
                "nodes": self.links("node", nodes[row.id]),
                "tasks": None,
            }
            for row in rows
        ]

    def nodes(self, rows: Sequence[Node]) -> list[NodeReply]:
        """Return nodes."""
        status = self._service.online(rows)
        config = relations.config_of([row.id for row in rows])
        return [
            {
                "id": row.id,
                "type": "node",
                "name": row.name,
                "status": status[row.id],
                "ip": row.ip,
                "last_seen": _time(row.last_seen),
                "organization": self.link("organization", row.organization_id),
                "collaboration": self.link("collaboration", row.collaboration_id),
                "config": [{"key": item.key, "value": item.value} for item in config[row.id]],
            }
            for row in rows
        ]

    def nodes_short(self, rows: Sequence[Node]) -> list[NodeShortReply]:
        """Return nodes as they stand within their collaboration."""
        status = self._service.online(rows)
        config = relations.config_of([row.id for row in rows])
        return [
            {
                **_node_within(row, status[row.id], config[row.id]),
                "last_seen": _time(row.last_seen),
                "organization": self.link("organization", row.organization_id),
            }
            for row in rows
        ]

    def users(self, rows: Sequence[User]) -> list[UserReply]:
        """Return users."""
        ids = [row.id for row in rows]
        roles, rules = relations.roles_of_users(ids), relations.rules_of_users(ids)
        return [
            {
                "id": row.id,
                "type": "user",
                "username": row.username,
                "firstname": row.firstname,
                "lastname": row.lastname,
                "email": row.email,
                "status": None,
                "last_seen": _time(row.last_seen),
                "ip": None,
                "otp_secret": None,
                "organization": self.link("organization", row.organization_id),
                "roles": self.links("role", roles[row.id]),
                "rules": self.links("rule", rules[row.id]),
                "created_tasks": [],
            }
            for row in rows
        ]

    def roles(self, rows: Sequence[Role], visible_users: Visible) -> list[RoleReply]:
        """Return roles, with those of their users that ``visible_users`` admits."""
        ids = [row.id for row in rows]
        rules, users = relations.rules_of_roles(ids), relations.users_of_roles(ids)
        return [
            {
                "id": row.id,
                "name": row.name,
                "description": row.description,
                "organization": self.link("organization", row.organization_id),
                "rules": self.links("rule", rules[row.id]),
                "users": self.links(
                    "user", (user for user, home in users[row.id] if visible_users(home))
                ),
            }
            for row in rows
        ]

    def rules(self, rows: Sequence[Rule], visible_users: Visible) -> list[RuleReply]:
        """Return rules, with those who hold them directly and ``visible_users`` is true for."""
        users = relations.users_of_rules([row.id for row in rows])
        return [
            {
                "id": row.id,
                "name": row.name,
                "operation": row.operation,
                "scope": row.scope,
                "description": row.description,
                "users": self.links(
                    "user", (user for user, home in users[row.id] if visible_users(home))
                ),
            }
            for row in rows
        ]

    def tasks(
        self,
        rows: Sequence[Task],
        *,
        embeds: Callable[[Task], bool] | None = None,
        texts: Texts | None = None,
    ) -> list[TaskReply]:
        """Return tasks with links to their results, or the results where ``embeds`` is true."""
        ids = [row.id for row in rows]
        found, children = tasks.results_of(ids), tasks.children_of(ids)
        by_id = {row.id: row for row in rows if embeds(row)} if embeds else {}
        everything = [result for task_id in by_id for result in found[task_id]]
        for result in everything:
            result.task = by_id[result.task_id]
        shown = self._results(everything, texts) if everything else []
        embedded = {reply["id"]: reply for reply in shown}
        replies: list[TaskReply] = []
        for row in rows:
            own = found[row.id]
            results: list[Link] | list[InnerResultReply] | None
            if row.id in by_id:
                results = [_inner(embedded[result.id], result) for result in own]
            else:
                results = self.links("result", (result.id for result in own))
            replies.append({**self._task(row, own, children[row.id]), "results": results})
        return replies

    def new_task(self, row: Task, results: Sequence[Result]) -> TaskReply:
        """Return a task that was written just now, with links to its results."""
        links = self.links("result", (result.id for result in results))
        return {**self._task(row, results, []), "results": links}

    def _task(self, row: Task, results: Sequence[Result], children: Sequence[int]) -> TaskBase:
        complete = all(result.finished_at is not None for result in results)
        return {
            "id": row.id,
            "run_id": row.run_id,
            "name": row.name,
            "description": row.description,
            "image": row.image,
            "database": row.database,
            "initiator": row.initiator_id,
            "init_user": row.init_user_id,
            "collaboration": self.link("collaboration", row.collaboration_id),
            "parent": self.link("task", row.parent_id),
            "children": self.links("task", children),
            "created_at": _time(row.created_at),
            "finished_at": _time(max(result.finished_at for result in results))
            if complete and results
            else None,
            "complete": complete,
            "status": task_status(results),
        }

    def task_above(self, row: Task) -> TaskReply:
        """Return what an algorithm is told of the task that asked for its own: how it is called."""
        return {
            **self._task(row, [], []),
            "description": None,
            "initiator": None,
            "init_user": None,
            "created_at": None,
            "complete": False,
            "results": None,
        }

    def task_progress(self, row: Task) -> TaskStatusReply:
        """Return how far a task is."""
        own = tasks.results_of([row.id])[row.id]
        return {
            "id": row.id,
            "status": task_status(own),
            "complete": all(result.finished_at is not None for result in own),
            "results": [
                {
                    "id": result.id,
                    "organization": result.organization_id,
                    "status": result.status,
                    "waits_for": result.reason_code
                    if result.status == TaskStatus.PENDING
                    else None,
                }
                for result in own
            ],
        }

    def task_results(self, rows: Sequence[Result], texts: Texts | None) -> list[TaskResultReply]:
        """Return results as they stand below their task."""
        return [
            {**reply, "organization": row.organization_id, "task": row.task_id}
            for row, reply in zip(rows, self._results(rows, texts), strict=True)
        ]

    def results(
        self,
        rows: Sequence[Result],
        *,
        texts: Texts | None,
        embeds: Callable[[Task], bool] | None = None,
        node: Node | None = None,
    ) -> list[ResultReply]:
        """Return results, read with their tasks; these stand within where ``embeds`` is true.

        ``texts`` tells which of the large texts are shown of each; without it, all are null.
        ``node`` is the one that computes them all, where that is known.
        """
        whole: dict[int, InnerTaskReply] = {}
        if embeds:
            unique = {row.task_id: row.task for row in rows if embeds(row.task)}
            found, children = tasks.results_of(list(unique)), tasks.children_of(list(unique))
            whole = {id_: self._task(row, found[id_], children[id_]) for id_, row in unique.items()}
        return [
            {
                **reply,
                "organization": self.link("organization", row.organization_id),
                "task": whole.get(row.task_id) or self.link("task", row.task_id),
            }
            for row, reply in zip(rows, self._results(rows, texts, node=node), strict=True)
        ]

    def _results(
        self, rows: Sequence[Result], texts: Texts | None, *, node: Node | None = None
    ) -> list[ResultBase]:
        ids = [row.id for row in rows]
        # SECURITY: what is not for the caller is not even read.
        shown = {row.id: texts(row) for row in rows} if texts else {}
        outlines = payloads.outlines([id_ for id_ in ids if shown.get(id_)])
        ports = relations.ports_of(ids)
        found = (
            {(node.organization_id, node.collaboration_id): node}
            if node
            else result_store.nodes_for(rows)
        )
        status = self._service.online(found.values())
        config = relations.config_of([node.id for node in found.values()])
        replies: list[ResultBase] = []
        for row in rows:
            place = found.get((row.organization_id, row.task.collaboration_id))
            content = {
                kind: text
                for kind, text in outlines.get(row.id, {}).items()
                if kind in shown[row.id]
            }
            # Scripts for 3.11 wait until no result is null: one that ended without output is "".
            has_ended = row.finished_at is not None and "result" in shown.get(row.id, ())
            nothing: str | None = "" if has_ended else None
            replies.append(
                {
                    "id": row.id,
                    "input": content.get("input"),
                    "result": content.get("result", nothing),
                    "log": content.get("log"),
                    "status": row.status,
                    "reason": {"code": row.reason_code, "msg": row.reason or ""}
                    if row.reason_code
                    else None,
                    "assigned_at": _time(row.assigned_at),
                    "started_at": _time(row.started_at),
                    "finished_at": _time(row.finished_at),
                    "node": _node_within(place, status[place.id], config[place.id])
                    if place
                    else {},
                    "ports": [
                        {"id": port.id, "port": port.port, "label": port.label}
                        for port in ports[row.id]
                    ],
                }
            )
        return replies


def _inner(reply: ResultBase, row: Result) -> InnerResultReply:
    """Return a result as it stands within its task."""
    return {**reply, "organization": row.organization_id}


def _node_within(row: Node, status: str | None, config: Sequence[NodeConfig]) -> ResultNodeReply:
    """Return the short form of a node."""
    return {
        "id": row.id,
        "name": row.name,
        "status": status,
        "ip": row.ip,
        "config": [item.id for item in config],
    }
