"""``vserver shell``: the entities of the server as objects, for interactive use."""

from vantage6.broker.connection import client
from vantage6.common.config import Instance
from vantage6.common.enums import Operation, Scope
from vantage6.server.shell.entity import Entity
from vantage6.server.shell.organizations import Collaboration, Node, NodeConfig, Organization
from vantage6.server.shell.tasks import AlgorithmPort, Result, Task
from vantage6.server.shell.users import Role, Rule, User

ENTITIES: tuple[type[Entity], ...] = (
    Organization,
    Collaboration,
    User,
    Role,
    Rule,
    Node,
    NodeConfig,
    Task,
    Result,
    AlgorithmPort,
)


class Database:
    """What is called ``db``: all kinds of entities."""

    def __init__(self) -> None:
        for entity in ENTITIES:
            setattr(self, entity.__name__, entity)

    def __getattr__(self, name: str) -> type[Entity]:
        names = ", ".join(entity.__name__ for entity in ENTITIES)
        raise AttributeError(f"There is no db.{name}; there are {names}.")


def namespace(instance: Instance) -> dict[str, object]:
    """Return the names that a shell of a server starts with."""
    Node.broker = lambda: client(instance.broker_url)
    return {"db": Database(), "Scope": Scope, "Operation": Operation}
