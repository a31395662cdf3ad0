"""The table of all routes. The application and its documentation are built from it."""

from dataclasses import dataclass

from vantage6.api.resources.algorithms import Algorithms
from vantage6.api.resources.base import Resource
from vantage6.api.resources.changes import Changes
from vantage6.api.resources.collaborations import Collaborations
from vantage6.api.resources.health import Health
from vantage6.api.resources.inboxes import Inboxes
from vantage6.api.resources.invitations import Invitations
from vantage6.api.resources.kill import Killing
from vantage6.api.resources.nodes import Nodes
from vantage6.api.resources.organizations import Organizations
from vantage6.api.resources.ports import Ports
from vantage6.api.resources.recovery import Recovery
from vantage6.api.resources.results import Results
from vantage6.api.resources.roles import Roles, Rules
from vantage6.api.resources.sessions import Sessions
from vantage6.api.resources.tasks import Tasks
from vantage6.api.resources.tokens import Tokens
from vantage6.api.resources.users import Users
from vantage6.api.resources.vpn import Vpn


@dataclass(frozen=True)
class Route:
    """A path below the prefix, and the responders ``on_<verb>_<suffix>`` behind it."""

    path: str
    resource: type[Resource]
    suffix: str | None = None


#: An id in a path; a number that no database can hold is no id.
ID = "{id_:int(min=0, max=2147483647)}"
RULE_ID = ID.replace("id_", "rule_id_")

ROUTES = (
    Route("/version", Health, "version"),
    Route("/health", Health, "health"),
    Route("/ready", Health, "ready"),
    Route("/token/user", Tokens, "user"),
    Route("/token/node", Tokens, "node"),
    Route("/token/container", Tokens, "container"),
    Route("/token/broker", Tokens, "broker"),
    Route("/token/refresh", Tokens, "refresh"),
    Route("/recover/lost", Recovery, "lost"),
    Route("/recover/reset", Recovery, "reset"),
    Route("/recover/2fa/lost", Recovery, "two_factor_lost"),
    Route("/recover/2fa/reset", Recovery, "two_factor_reset"),
    Route("/recover/2fa/codes", Recovery, "codes"),
    Route("/recover/node", Recovery, "node"),
    Route("/password/change", Recovery, "password"),
    Route("/session", Sessions),
    Route(f"/session/{ID}", Sessions, "one"),
    Route("/user", Users),
    Route(f"/user/{ID}", Users, "one"),
    Route(f"/user/{ID}/2fa", Users, "two_factor"),
    Route("/role", Roles),
    Route(f"/role/{ID}", Roles, "one"),
    Route(f"/role/{ID}/rule", Roles, "rules"),
    Route(f"/role/{ID}/rule/{RULE_ID}", Roles, "rule"),
    Route("/rule", Rules),
    Route(f"/rule/{ID}", Rules, "one"),
    Route("/organization", Organizations),
    Route(f"/organization/{ID}", Organizations, "one"),
    Route(f"/organization/{ID}/collaboration", Organizations, "collaborations"),
    Route(f"/organization/{ID}/node", Organizations, "nodes"),
    Route("/collaboration", Collaborations),
    Route(f"/collaboration/{ID}", Collaborations, "one"),
    Route(f"/collaboration/{ID}/organization", Collaborations, "organizations"),
    Route(f"/collaboration/{ID}/node", Collaborations, "nodes"),
    Route(f"/collaboration/{ID}/task", Collaborations, "tasks"),
    Route("/invitation", Invitations),
    Route(f"/invitation/{ID}", Invitations, "one"),
    Route(f"/invitation/{ID}/accept", Invitations, "accept"),
    Route("/node", Nodes),
    Route("/node/reconcile", Nodes, "reconcile"),
    Route(f"/node/{ID}", Nodes, "one"),
    Route(f"/node/{ID}/inbox", Inboxes),
    Route(f"/node/{ID}/inbox/{{tag_:uuid}}", Inboxes, "one"),
    Route("/task", Tasks),
    Route(f"/task/{ID}", Tasks, "one"),
    Route(f"/task/{ID}/status", Tasks, "status"),
    Route(f"/task/{ID}/result", Tasks, "results"),
    Route("/change", Changes),
    Route("/algorithm", Algorithms),
    Route("/algorithm/match", Algorithms, "match"),
    Route(f"/algorithm/{ID}", Algorithms, "one"),
    Route("/kill/task", Killing, "task"),
    Route("/kill/node/tasks", Killing, "node_tasks"),
    Route("/result", Results),
    Route(f"/result/{ID}", Results, "one"),
    Route(f"/result/{ID}/claim", Results, "claim"),
    Route("/port", Ports),
    Route(f"/port/{ID}", Ports, "one"),
    Route("/vpn", Vpn),
    Route("/vpn/update", Vpn, "update"),
    Route("/vpn/algorithm/addresses", Vpn, "addresses"),
)
