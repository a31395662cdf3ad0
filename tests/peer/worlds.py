"""Servers for the published client: one to read from, one to change, one that is careful."""

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.peer.published import PublishedClient
from vantage6.client.node_client import NodeClient
from vantage6.sandbox.federation import IMAGE, PASSWORD, Federation

AGES = {"alpha": [45, 62, 71, 75], "beta": [28, 39, 47, 59]}
#: Images of algorithms that were written for 3.11.1, by the client that they ask for.
OF_OLD = {"ContainerClient": "old/container-client", "AlgorithmClient": "old/algorithm-client"}

# Ids on a server that `Federation` has just filled.
ROOTS, ALPHA, BETA = 1, 2, 3
COLLABORATION = 1
ALPHA_NODE, BETA_NODE = 1, 2
ROOT, RESEARCHER, VIEWER, STRANGER = 1, 2, 3, 4
ROLES = [
    *("Root", "container", "node", "Viewer", "Researcher"),
    *("Organization Admin", "Collaboration Admin"),
]
NOWHERE = 999_999


def role(name: str) -> int:
    """Return the id of a default role."""
    return ROLES.index(name) + 1


@dataclass
class World:
    """A server and the published clients that are logged in to it, one per user.

    Attributes
    ----------
    root
        May do everything, but its organization is in no collaboration.
    researcher
        An Organization Admin of alpha, who decrypts.
    viewer
        A Viewer of beta.
    stranger
        A user of the organization of root without any role.
    """

    python: Path
    folder: Path
    federation: Federation
    _stack: ExitStack = field(default_factory=ExitStack)
    _users: dict[str, PublishedClient] = field(default_factory=dict)

    def client(
        self,
        kind: str = "UserClient",
        *arguments: Any,
        headers: Mapping[str, str] | None = None,
    ) -> PublishedClient:
        """Return a published client, which nobody has logged in."""
        client = PublishedClient(
            self.python,
            self.folder,
            kind,
            *arguments,
            host="http://127.0.0.1",
            port=self.federation.port,
            path="/api",
            headers=headers,
        )
        self._stack.callback(client.close)
        return client

    def logged_in(self, username: str, password: str = PASSWORD) -> PublishedClient:
        """Return a published client of a user, without encryption."""
        client = self.client()
        client.authenticate(username, password)
        client.setup_encryption(None)
        return client

    def user(self, name: str) -> PublishedClient:
        """Return the published client of one of the users above, the same at each call."""
        if name not in self._users:
            self._users[name] = self._of(name)
        return self._users[name]

    @property
    def root(self) -> PublishedClient:
        return self.user("root")

    @property
    def researcher(self) -> PublishedClient:
        return self.user("researcher")

    def _of(self, name: str) -> PublishedClient:
        if name == "anonymous":
            return self.client()
        if name != "researcher" or not self.federation.encrypted:
            return self.logged_in(name, "root" if name == "root" else PASSWORD)
        client = self.client()
        client.authenticate(name, PASSWORD)
        client.setup_encryption(str(self.federation.key_file("alpha")))
        return client

    def add_users(self) -> None:
        """Add the viewer and the stranger."""
        for name, organization, roles in (
            ("viewer", BETA, [role("Viewer")]),
            ("stranger", ROOTS, []),
        ):
            self.root.user.create(
                username=name,
                firstname=name.title(),
                lastname="Peer",
                password=PASSWORD,
                email=f"{name}@example.org",
                organization=organization,
                roles=roles,
            )

    def node(self, name: str) -> NodeClient:
        """Return a node of this project, to act for one that does not run."""
        node = NodeClient(self.federation.address)
        node.authenticate(self.federation.api_keys[name])
        self._stack.callback(node.close)
        return node

    def send(self, names: list[int], input_: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Let the researcher send a task, and return it."""
        given = {
            "collaboration": COLLABORATION,
            "organizations": names,
            "name": "a task",
            "image": IMAGE,
            "description": "",
            "input": input_,
            "data_format": "json",
            **more,
        }
        task: dict[str, Any] = self.researcher.task.create(**given)
        return task

    def close(self) -> None:
        """End the clients."""
        self._stack.close()


def algorithms(python: Path) -> dict[str, Any]:
    """Return settings of a node that runs our algorithm and those of 3.11.1 as processes."""
    entry = str(Path(__file__).with_name("image") / "entry.py")
    return {
        "runtime": "process",
        "processes": {
            IMAGE: [sys.executable, "-m", "vantage6.algorithms.average"],
            OF_OLD["ContainerClient"]: [str(python), "-I", entry, "old"],
            OF_OLD["AlgorithmClient"]: [str(python), "-I", entry, "new"],
        },
    }
