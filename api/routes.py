"""The table of all routes. The application and its documentation are built from it."""

from dataclasses import dataclass

from vantage6.api.resources.base import Resource
from vantage6.api.resources.collaborations import Collaborations
from vantage6.api.resources.health import Health
from vantage6.api.resources.nodes import Nodes
from vantage6.api.resources.organizations import Organizations
from vantage6.api.resources.results import Results
from vantage6.api.resources.tasks import Tasks
from vantage6.api.resources.tokens import Tokens
from vantage6.api.resources.users import Roles, Rules, Users


@dataclass(frozen=True)
class Route:
    """A path below the prefix, and the responders ``on_<verb>_<suffix>`` behind it."""

    path: str
    resource: type[Resource]
    suffix: str | None = None


ROUTES = (
    Route("/version", Health, "version"),
    Route("/health", Health, "health"),
    Route("/ready", Health, "ready"),
    Route("/token/user", Tokens, "user"),
    Route("/token/node", Tokens, "node"),
    Route("/token/container", Tokens, "container"),
    Route("/token/broker", Tokens, "broker"),
    Route("/token/refresh", Tokens, "refresh"),
    Route("/user", Users),
    Route("/user/{id_:int(min=0)}", Users, "one"),
    Route("/role", Roles),
    Route("/role/{id_:int(min=0)}", Roles, "one"),
    Route("/rule", Rules),
    Route("/rule/{id_:int(min=0)}", Rules, "one"),
    Route("/organization", Organizations),
    Route("/organization/{id_:int(min=0)}", Organizations, "one"),
    Route("/organization/{id_:int(min=0)}/collaboration", Organizations, "collaborations"),
    Route("/organization/{id_:int(min=0)}/node", Organizations, "nodes"),
    Route("/collaboration", Collaborations),
    Route("/collaboration/{id_:int(min=0)}", Collaborations, "one"),
    Route("/collaboration/{id_:int(min=0)}/organization", Collaborations, "organizations"),
    Route("/collaboration/{id_:int(min=0)}/node", Collaborations, "nodes"),
    Route("/collaboration/{id_:int(min=0)}/task", Collaborations, "tasks"),
    Route("/node", Nodes),
    Route("/node/reconcile", Nodes, "reconcile"),
    Route("/node/{id_:int(min=0)}", Nodes, "one"),
    Route("/task", Tasks),
    Route("/task/{id_:int(min=0)}", Tasks, "one"),
    Route("/task/{id_:int(min=0)}/status", Tasks, "status"),
    Route("/task/{id_:int(min=0)}/result", Tasks, "results"),
    Route("/kill/task", Tasks, "kill"),
    Route("/result", Results),
    Route("/result/{id_:int(min=0)}", Results, "one"),
    Route("/result/{id_:int(min=0)}/claim", Results, "claim"),
)
