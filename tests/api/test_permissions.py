"""Who may do what: the table in permissions.txt, line by line, and nothing is missing from it."""

import re
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.api.client import Algorithm, Api, Who, documented, logged_in
from tests.api.conftest import Server
from tests.models.cards import card, shelve
from tests.models.factories import IMAGE, make_task, make_user, result_of
from vantage6.api.identity.permissions import Caller
from vantage6.api.identity.rights import Right
from vantage6.api.openapi import document
from vantage6.api.routes import ROUTES
from vantage6.common.enums import Operation
from vantage6.models import database
from vantage6.models.store import collaborations, invitations, ports, roles
from vantage6.models.tables import Role, Rule

CALLERS = (
    "nobody",
    "no role",
    "Viewer",
    "Researcher",
    "Organization Admin",
    "Collaboration Admin",
    "Root",
    "node",
    "algorithm",
)


@dataclass(frozen=True)
class Line:
    """One request, and what each caller is answered."""

    method: str
    path: str
    #: Which body is sent.
    body: str
    answers: dict[str, str]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.body}".strip()


def table() -> Iterator[Line]:
    """Read the table."""
    for text in (Path(__file__).parent / "permissions.txt").read_text().splitlines():
        if text and not text.startswith("#"):
            words = text.split()
            answers = dict(zip(CALLERS, words[-len(CALLERS) :], strict=True))
            yield Line(words[0], words[1], " ".join(words[2 : -len(CALLERS)]), answers)


TABLE = list(table())


def test_every_route_is_in_the_table():
    documented = {
        f"{verb.upper()} {re.sub('{.*?}', '#', path)}"
        for path, verbs in document(ROUTES, "/api")["paths"].items()
        for verb in verbs
    }
    paths = {(line.method, line.path.partition("?")[0]) for line in TABLE}
    tabled = {f"{method} {re.sub(r'{.*?}|/1$', '#', path)}" for method, path in paths}
    tabled = {re.sub(r"/rule#", "/rule/#", line) for line in tabled}
    assert tabled == documented


@dataclass
class Scene:
    """A server in whose database is everything that the table names."""

    api: Api
    callers: dict[str, Who]
    ids: dict[str, int | UUID]
    bodies: dict[str, dict[str, Any]]

    def ask(self, line: Line, caller: str) -> int:
        """Let somebody send the request of a line, and return the status of the answer."""
        who = self.callers[caller]
        path, _, query = line.path.format(me=getattr(who, "id", 0), **self.ids).partition("?")
        body = self.bodies.get(f"{line.method} {line.path} {line.body}".strip())
        if body is None and line.method in ("POST", "PATCH"):
            body = {}
        return self.api.send(line.method, path, who, body, query=query).status


@pytest.fixture
def scene(server: Server) -> Scene:
    """Give the scene of the table."""
    world = server.world
    users = {role: make_user(world.amsterdam, role) for role in CALLERS[2:7]}
    mine = make_task(world.north, [world.amsterdam])
    theirs = make_task(world.south, [world.berlin, world.cairo])
    mine_result, theirs_result = (
        result_of(mine, world.amsterdam),
        result_of(theirs, world.berlin),
    )
    # Places for new nodes, which show Amsterdam nothing of Cairo.
    free = collaborations.create("free", [world.amsterdam.id], encrypted=False)
    far = collaborations.create("far", [world.cairo.id], encrypted=False)
    person = {"username": "new", "firstname": "", "lastname": "", "email": "new@example.org"}
    person |= {"password": "Good-password-1"}
    colleague = make_user(world.amsterdam)
    # Beside the one who calls, as the last one cannot remove himself.
    make_user(world.amsterdam, "Root")
    viewer, root = (Role.get(Role.name == name).id for name in ("Viewer", "Root"))
    # Everybody who has a role holds the small rule; Root alone the great one.
    small = Rule.get(Rule.name == "role", Rule.operation == "VIEW", Rule.scope == "ORGANIZATION").id
    great = Rule.get(Rule.name == "task", Rule.operation == "CREATE", Rule.scope == "GLOBAL").id
    role = {"name": "new", "description": "", "rules": [small]}
    own_role = roles.create("own", "", [small], world.amsterdam.id)
    foreign_role = roles.create("foreign", "", [small], world.berlin.id)

    our_card, their_card = shelve(world.north, author=colleague), shelve(world.south)

    def task(collaboration: Any, target: Any) -> dict[str, Any]:
        targets = [{"id": target.id, "input": ""}]
        return {"collaboration_id": collaboration.id, "organizations": targets, "image": IMAGE}

    return Scene(
        server.api,
        {
            "nobody": None,
            "no role": make_user(world.amsterdam),
            **users,
            "node": world.amsterdam_north,
            "algorithm": Algorithm(world.amsterdam_north, mine),
        },
        {
            **{name: row.id for name, row in vars(world).items()},
            "mine": mine.id,
            "theirs": theirs.id,
            "mine_result": mine_result.id,
            "theirs_result": theirs_result.id,
            "mine_port": ports.create(mine_result, 80, None).id,
            "theirs_port": ports.create(theirs_result, 80, None).id,
            "colleague": colleague.id,
            "colleague_session": logged_in(colleague).id,
            "partner": make_user(world.berlin).id,
            "stranger": make_user(world.cairo).id,
            "viewer_role": viewer,
            "own_role": own_role.id,
            "foreign_role": foreign_role.id,
            "small_rule": small,
            "great_rule": great,
            "free": free.id,
            "message": uuid4(),
            "our_card": our_card.id,
            "their_card": their_card.id,
            "common_card": shelve(None).id,
            "match_north": f"image={IMAGE}&collaboration_id={world.north.id}",
            "match_south": f"image={IMAGE}&collaboration_id={world.south.id}",
            "to_us": invitations.create(far, world.amsterdam, None).id,
            "to_cairo": invitations.create(free, world.cairo, None).id,
        },
        {
            "POST /token/container mine": {"task_id": mine.id, "image": IMAGE},
            "POST /user viewer of amsterdam": person | {"roles": [viewer]},
            "POST /user viewer of berlin": person
            | {"roles": [viewer], "organization_id": world.berlin.id},
            "POST /user root of amsterdam": person | {"roles": [root]},
            **{
                f"PATCH /user/{{{whom}}}": {"lastname": "new"}
                for whom in ("me", "colleague", "partner")
            },
            "PATCH /user/{me} as viewer": {"roles": [viewer]},
            "PATCH /user/{colleague} as viewer": {"roles": [viewer]},
            "PATCH /user/{colleague} as root": {"roles": [root]},
            "POST /recover/lost of a colleague": {"username": colleague.username},
            "POST /recover/2fa/lost of a colleague": {
                "username": colleague.username,
                "password": "wrong",
            },
            "POST /recover/node of amsterdam": {"id": world.amsterdam_north.id},
            "POST /recover/node of cairo": {"id": world.cairo_south.id},
            "POST /role of amsterdam": role,
            "POST /role of berlin": role | {"organization_id": world.berlin.id},
            "POST /role of more than one's own": role | {"rules": [small, great]},
            "PATCH /role/{own_role} to more": {"rules": [small, great]},
            "POST /organization": {"name": "new"},
            "POST /collaboration": {"name": "new", "organization_ids": [world.cairo.id]},
            "POST /collaboration/{north}/organization cairo": {"id": world.cairo.id},
            "POST /invitation of cairo to north": {
                "collaboration_id": world.north.id,
                "organization_id": world.cairo.id,
            },
            "POST /invitation of amsterdam to south": {
                "collaboration_id": world.south.id,
                "organization_id": world.amsterdam.id,
            },
            "DELETE /collaboration/{north}/organization berlin": {"id": world.berlin.id},
            "POST /collaboration/{free}/node of amsterdam": {"id": world.amsterdam_north.id},
            "DELETE /collaboration/{north}/node of berlin": {"id": world.berlin_north.id},
            "PATCH /node/{amsterdam_north} to free": {"collaboration_id": free.id},
            "PATCH /node/{amsterdam_north} to cairo": {
                "organization_id": world.cairo.id,
                "collaboration_id": far.id,
            },
            "PATCH /node/{amsterdam_north} configuration": {"config": []},
            "POST /kill/node/tasks of amsterdam": {"id": world.amsterdam_north.id},
            "POST /kill/node/tasks of berlin": {"id": world.berlin_north.id},
            "POST /kill/node/tasks of cairo": {"id": world.cairo_south.id},
            "POST /node of amsterdam": {"collaboration_id": free.id},
            "POST /node of cairo": {"collaboration_id": far.id, "organization_id": world.cairo.id},
            "POST /task in north": task(world.north, world.berlin),
            "POST /task in south": task(world.south, world.berlin),
            "POST /algorithm in north": {"card": card(), "collaboration_id": world.north.id},
            "POST /algorithm in south": {"card": card(), "collaboration_id": world.south.id},
            "POST /algorithm for all": {"card": card()},
            "PATCH /algorithm/{our_card} document": {"card": card()},
            **{
                f"PATCH /algorithm/{{{name}}} reviewed": {"state": "reviewed", "sha256": row.sha256}
                for name, row in (("our_card", our_card), ("their_card", their_card))
            },
            **{
                f"PATCH /algorithm/{{{name}}} retired": {"state": "retired"}
                for name in ("our_card", "common_card")
            },
            "POST /kill/task mine": {"id": mine.id},
            "POST /kill/task theirs": {"id": theirs.id},
            "POST /port of mine": {"result_id": mine_result.id, "port": 80},
            "POST /port of theirs": {"result_id": theirs_result.id, "port": 80},
        },
    )


@pytest.mark.parametrize("line", TABLE, ids=str)
def test_each_caller_is_answered_as_the_table_says(scene: Scene, line: Line, light_passwords: None):
    answers = {}
    with restorer() as restore:
        for caller in CALLERS:
            status = scene.ask(line, caller)
            if line.method != "GET" and status < 300:
                restore()
            answers[caller] = "+" if status < 300 else "-" if status == 401 else str(status)
    assert answers == line.answers


# Rights that routes declare


#: What the table leaves out: each asks for a right that others of its route do not need.
MORE = [
    Line("GET", "/task?include=results", "", {}),
    Line("GET", "/task/{mine}?include=results", "", {}),
    Line("GET", "/result?include=task", "", {}),
    Line("GET", "/result/{mine_result}?include=task", "", {}),
    Line("PATCH", "/collaboration/{free}", "to cairo", {}),
]


@contextmanager
def asked() -> Iterator[set[Right]]:
    """Collect the rights that resources ask of callers; replies ask for what they show, too."""
    found: set[Right] = set()

    def noting(name: str) -> Callable[..., Any]:
        ask = getattr(Caller, name)

        def note(caller: Caller, resource: str, *rest: Any, **target: Any) -> Any:
            asking = sys._getframe(1).f_globals["__name__"]
            if asking.startswith(("vantage6.api.resources.", "vantage6.api.endpoint")):
                found.add((resource, Operation.VIEW if name == "reach" else rest[0]))
            return ask(caller, resource, *rest, **target)

        return note

    with pytest.MonkeyPatch.context() as patch:
        for name in ("may", "reach", "require", "require_some"):
            patch.setattr(Caller, name, noting(name))
        yield found


def test_each_route_declares_the_rights_that_it_asks_for(scene: Scene, light_passwords: None):
    scene.bodies["PATCH /collaboration/{free} to cairo"] = {
        "organization_ids": [scene.ids["cairo"]]
    }
    declared: dict[str, set[Right]] = {}
    weighed: dict[str, set[Right]] = defaultdict(set)
    with restorer() as restore:
        for line in [*TABLE, *MORE]:
            path = line.path.partition("?")[0].format(me=1, **scene.ids)
            endpoint, route = documented(line.method, path) or pytest.fail(str(line))
            name = f"{line.method} {route}"
            rights = endpoint.permission.rights if endpoint.permission else ()
            declared[name] = set(rights)
            for caller in ("Root", "Organization Admin"):
                with asked() as found:
                    scene.ask(line, caller)
                weighed[name] |= found
                restore()
    assert dict(weighed) == declared


@contextmanager
def restorer() -> Iterator[Callable[[], None]]:
    """Give a function that puts the database back as it was."""
    path = database.db.obj.database
    with closing(sqlite3.connect(path)) as there, closing(sqlite3.connect(":memory:")) as kept:
        there.backup(kept)
        yield lambda: kept.backup(there)
