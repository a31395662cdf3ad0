"""Organizations, collaborations and nodes in the shell."""

import base64
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import redis

from vantage6.broker import presence
from vantage6.common.cli import console
from vantage6.common.secret_files import hash_secret
from vantage6.models import tables
from vantage6.models.store import collaborations, nodes, result_endings
from vantage6.server.shell.entity import Entity
from vantage6.server.shell.relations import Column, Linked, One, Owned


def _key_given(text: str) -> str:
    """Return a public key as it is kept: base64 of the PEM text, which may be given as it is."""
    if text.startswith("-----BEGIN"):
        return base64.b64encode(text.encode()).decode()
    base64.b64decode(text, validate=True)
    return text


def _key_shown(text: str) -> str:
    return base64.b64decode(text).decode(errors="replace")


class _Members(Linked):
    """Memberships: who leaves a collaboration ends what he computes there."""

    def remove(self, entity: Entity, item: Entity) -> None:
        """Let an organization leave a collaboration."""
        pair = (entity, item) if isinstance(entity, Collaboration) else (item, entity)
        collaborations.remove_member(pair[0].row, pair[1].row.id)


class Organization(Entity):
    """A hospital, a registry, a company."""

    table = tables.Organization

    name = Column("unique")
    domain = Column()
    address1 = Column()
    address2 = Column()
    zipcode = Column()
    country = Column()
    public_key = Column(
        "PEM; assigned as such or as its base64", given=_key_given, shown=_key_shown
    )
    collaborations = _Members(
        "Collaboration", tables.Membership, "organization", "collaboration", "where it takes part"
    )
    users = Owned("User", "organization", "who works there")
    nodes = Owned("Node", "organization", "its data stations, one in each collaboration")
    created_tasks = Owned("Task", "initiator", "tasks whose results it gets")
    results = Owned("Result", "organization", "what it computes")
    roles = Owned("Role", "organization", "roles of its own")

    @classmethod
    def get_by_name(cls, name: str) -> "Organization | None":
        """Return the organization with this name, or None."""
        return cls.first(cls.table.name == name)

    def get_result_ids(self) -> list[int]:
        """Return the numbers of its results."""
        return [result.id for result in self.results]

    def insert(self) -> None:
        """Write a new row; where the name is taken, under one that tells the two apart."""
        name, number = self.name, 1
        while Organization.get_by_name(self.name):
            number += 1
            self.name = f"{name} ({number})"
        if number > 1:
            console.warning(f"There is an organization {name!r} already; this is {self.name!r}.")
        super().insert()


class Collaboration(Entity):
    """Organizations that compute together."""

    table = tables.Collaboration

    name = Column("unique")
    encrypted = Column("inputs and results are encrypted; the nodes must agree", given=bool)
    organizations = _Members(
        "Organization", tables.Membership, "collaboration", "organization", "who takes part"
    )
    nodes = Owned("Node", "collaboration", "the data stations of its organizations")
    tasks = Owned("Task", "collaboration", "what was asked for")

    @classmethod
    def get_by_name(cls, name: str) -> "Collaboration | None":
        """Return the collaboration with this name, or None."""
        return cls.first(cls.table.name == name)

    @classmethod
    def find_by_name(cls, name: str) -> "Collaboration | None":
        """Return the collaboration with this name, or None."""
        return cls.get_by_name(name)

    @classmethod
    def name_exists(cls, name: str) -> bool:
        """Tell whether there is one with a name."""
        return cls.get_by_name(name) is not None

    def get_organization_ids(self) -> list[int]:
        """Return the numbers of its organizations."""
        return [organization.id for organization in self.organizations]

    def get_task_ids(self) -> list[int]:
        """Return the numbers of its tasks."""
        return [task.id for task in self.tasks]

    def get_nodes_from_organizations(self, ids: Iterable[int]) -> "list[Node]":
        """Return its nodes of organizations with these numbers."""
        wanted = set(ids)
        return [node for node in self.nodes if node.organization_id in wanted]

    def get_node_from_organization(self, organization: Organization) -> "Node | None":
        """Return its node of an organization, or None."""
        return next(iter(self.get_nodes_from_organizations([organization.id or 0])), None)

    def remove(self) -> None:
        """Delete it with its tasks; what its nodes compute is ended, and they are told."""
        collaborations.delete(self.row)


class Node(Entity):
    """The data station of one organization in one collaboration."""

    table = tables.Node
    #: Makes a connection to Redis, which knows who is online.
    broker: ClassVar[Callable[[], redis.Redis]]

    name = Column()
    api_key = Column("hashed when it is assigned; keep the key itself", given=hash_secret)
    ip = Column("address within the VPN")
    last_seen = Column("when it was last heard of")
    organization = One("Organization", "whose it is")
    collaboration = One("Collaboration", "where it computes")
    config = Owned("NodeConfig", "node", "what it tells about its configuration")

    @classmethod
    def get_by_api_key(cls, api_key: str) -> "Node | None":
        """Return the node with this API key, or None."""
        return cls.first(cls.table.api_key == hash_secret(api_key))

    @classmethod
    def get_online_nodes(cls) -> "list[Node]":
        """Return those that consume their queues at this moment."""
        with cls.broker() as broker:
            online = presence.online(broker, nodes.ids())
        return [node for node in cls.get() if node.id in online]

    @classmethod
    def exists(cls, organization_id: int, collaboration_id: int) -> bool:
        """Tell whether an organization has one in a collaboration."""
        place = (cls.table.organization == organization_id) & (
            cls.table.collaboration == collaboration_id
        )
        return cls.first(place) is not None

    def check_key(self, api_key: str) -> bool:
        """Tell whether an API key is its own."""
        return bool(self.row.api_key == hash_secret(api_key))

    def update(self) -> None:
        """Write what was changed; what it had taken at another place is offered there again."""
        kept: Any = nodes.get(self.row.id)
        if (kept.organization_id, kept.collaboration_id) != (
            self.row.organization_id,
            self.row.collaboration_id,
        ):
            result_endings.release(kept.organization_id, kept.collaboration_id)
        super().update()

    def remove(self) -> None:
        """Delete it; what it had taken is offered to the next one."""
        nodes.delete(self.row)


class NodeConfig(Entity):
    """Something that a node tells about its configuration."""

    table = tables.NodeConfig

    key = Column()
    value = Column()
    node = One("Node", "who tells it")

    def _summary(self) -> str:
        return f"{self.key}={self.value}"
