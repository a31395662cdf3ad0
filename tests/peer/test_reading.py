"""Everything that reads, in a world with a history; the numbers in it stand in `worlds`.

Each row is what a 3.11 server answers the published client. A refused call is made twice by that
client, with new tokens in between, and returns the body of the second answer.
"""

import pytest

from tests.peer.calls import Call
from tests.peer.expect import AllOf, Each, ids, link, page
from tests.peer.shapes import (
    COLLABORATION,
    NODE,
    ORGANIZATION,
    ROLE,
    RULE,
    USER,
    a,
)
from tests.peer.worlds import (
    ALPHA,
    ALPHA_NODE,
    BETA,
    BETA_NODE,
    NOWHERE,
    RESEARCHER,
    ROLES,
    ROOT,
    ROOTS,
    STRANGER,
    VIEWER,
    World,
    role,
)
from tests.peer.worlds import (
    COLLABORATION as COLLABORATION_ID,
)

FAR = "2100-01-01"
PAST = "2000-01-01"


def texts(*names: str) -> list[dict[str, str]]:
    """Expect things of which only the name was asked for."""
    return [{"name": name} for name in names]


EXAMPLE = a(
    COLLABORATION,
    id=COLLABORATION_ID,
    name="example_collab1",
    encrypted=True,
    organizations=[link("organization", ALPHA), link("organization", BETA)],
    nodes=[link("node", ALPHA_NODE), link("node", BETA_NODE)],
)

UTIL = [
    Call("root", "util.get_server_version", {}, {"version": str}),
    Call("root", "util.get_server_health", {}, {"database": True}),
    Call("anonymous", "util.get_server_version", {}, {"version": str}),
    Call("anonymous", "util.get_server_health", {}, {"database": True}),
]

COLLABORATIONS = [
    # The default scope is a bare list, and no other argument is sent.
    Call("researcher", "collaboration.list", {}, [EXAMPLE]),
    Call("viewer", "collaboration.list", {"page": 5}, [EXAMPLE]),
    Call("root", "collaboration.list", {}, []),
    Call(
        "researcher",
        "collaboration.list",
        {"fields": ["id", "name"]},
        [{"id": 1, "name": "example_collab1"}],
    ),
    Call("researcher", "collaboration.list", {"field": "name"}, [{"name": "example_collab1"}]),
    Call("researcher", "collaboration.list", {"filter_": ["encrypted", True]}, [EXAMPLE]),
    Call("researcher", "collaboration.list", {"filter_": ["encrypted", False]}, []),
    Call(
        "researcher",
        "collaboration.list",
        {"filters": [["encrypted", True], ["name", "other"]]},
        [],
    ),
    Call("stranger", "collaboration.list", {}, status=401),
    Call("root", "collaboration.list", {"scope": "global"}, page([EXAMPLE], "last")),
    Call("researcher", "collaboration.list", {"scope": "global"}, page([EXAMPLE], "last")),
    Call("root", "collaboration.list", {"scope": "global", "include_metadata": False}, [EXAMPLE]),
    Call(
        "root",
        "collaboration.list",
        {"scope": "global", "name": "example%"},
        page([EXAMPLE], "last"),
    ),
    Call("root", "collaboration.list", {"scope": "global", "name": "example"}, page([])),
    Call(
        "root",
        "collaboration.list",
        {"scope": "global", "encrypted": True},
        page([EXAMPLE], "last"),
    ),
    Call("root", "collaboration.list", {"scope": "global", "encrypted": False}, page([])),
    Call(
        "root",
        "collaboration.list",
        {"scope": "global", "organization": BETA},
        page([EXAMPLE], "last"),
    ),
    Call("root", "collaboration.list", {"scope": "global", "organization": ROOTS}, page([])),
    Call(
        "root", "collaboration.list", {"scope": "global", "page": 2}, page([], "previous", "last")
    ),
    Call("researcher", "collaboration.list", {"scope": "global", "organization": BETA}, status=401),
    Call("stranger", "collaboration.list", {"scope": "global"}, status=401),
    Call("root", "collaboration.list", {"scope": "nonsense"}, None),
    Call("root", "collaboration.get", {"id_": COLLABORATION_ID}, EXAMPLE),
    Call(
        "researcher",
        "collaboration.get",
        {"id_": COLLABORATION_ID, "fields": ["name", "id"]},
        AllOf({"name", "id"}, {"name": "example_collab1", "id": 1}),
    ),
    Call("root", "collaboration.get", {"id_": NOWHERE}, status=404),
    Call("stranger", "collaboration.get", {"id_": COLLABORATION_ID}, status=401),
]

ORGANIZATIONS = [
    Call(
        "root",
        "organization.list",
        {},
        page([a(ORGANIZATION, name=name) for name in ("root", "alpha", "beta")], "last"),
    ),
    Call(
        "researcher",
        "organization.list",
        {},
        page([a(ORGANIZATION, name=name) for name in ("alpha", "beta")], "last"),
    ),
    Call("root", "organization.list", {"include_metadata": False}, Each(ORGANIZATION)),
    # Without an envelope the filters of the client do what they say ...
    Call(
        "root",
        "organization.list",
        {"include_metadata": False, "fields": ["id", "name"]},
        [
            {"id": ROOTS, "name": "root"},
            {"id": ALPHA, "name": "alpha"},
            {"id": BETA, "name": "beta"},
        ],
    ),
    Call(
        "root",
        "organization.list",
        {"include_metadata": False, "filter_": ["name", "beta"]},
        ids(BETA),
    ),
    # ... and with one this client filters the two keys of the envelope.
    Call("root", "organization.list", {"fields": ["id", "name"]}, [set(), set()]),
    Call("root", "organization.list", {"filter_": ["name", "beta"]}, raises="TypeError"),
    Call("root", "organization.list", {"name": "%a"}, page(texts("alpha", "beta"), "last")),
    Call("root", "organization.list", {"country": "Narnia"}, page([])),
    Call(
        "root",
        "organization.list",
        {"collaboration": COLLABORATION_ID},
        page(ids(ALPHA, BETA), "last"),
    ),
    Call(
        "root",
        "organization.list",
        {"page": 2, "per_page": 1},
        page(ids(ALPHA), "previous", "next", "last"),
    ),
    Call("stranger", "organization.list", {}, status=401),
    Call("anonymous", "organization.list", {}, raises="AssertionError"),
    Call(
        "researcher",
        "organization.get",
        {},
        a(ORGANIZATION, id=ALPHA, domain="alpha.example", public_key=lambda key: len(key) > 700),
    ),
    Call("researcher", "organization.get", {"id_": BETA}, a(ORGANIZATION, name="beta")),
    Call("researcher", "organization.get", {"field": "name"}, AllOf({"name"}, {"name": "alpha"})),
    Call("root", "organization.get", {}, a(ORGANIZATION, id=ROOTS, public_key="")),
    Call("researcher", "organization.get", {"id_": ROOTS}, status=401),
    Call("researcher", "organization.get", {"id_": NOWHERE}, status=404),
]

USERS = [
    Call(
        "root",
        "user.list",
        {},
        page([a(USER, id=n) for n in (ROOT, RESEARCHER, VIEWER, STRANGER)], "last"),
    ),
    Call(
        "researcher",
        "user.list",
        {},
        page(
            [
                a(
                    USER,
                    id=RESEARCHER,
                    username="researcher",
                    email="researcher@example.org",
                    organization=link("organization", ALPHA),
                    roles=[link("role", role("Organization Admin"))],
                    rules=None,
                )
            ],
            "last",
        ),
    ),
    Call("root", "user.list", {"include_metadata": False}, ids(1, 2, 3, 4)),
    Call("root", "user.list", {"username": "%er"}, page(ids(RESEARCHER, VIEWER, STRANGER), "last")),
    Call("root", "user.list", {"firstname": "Re"}, page(ids(RESEARCHER), "last")),
    Call("root", "user.list", {"lastname": "Peer"}, page(ids(VIEWER, STRANGER), "last")),
    Call("root", "user.list", {"email": "viewer@example.org"}, page(ids(VIEWER), "last")),
    Call("root", "user.list", {"organization": ROOTS}, page(ids(ROOT, STRANGER), "last")),
    Call("root", "user.list", {"role": role("Viewer")}, page(ids(VIEWER), "last")),
    Call("root", "user.list", {"rule": 1}, page([])),
    Call(
        "root",
        "user.list",
        {"last_seen_from": PAST, "last_seen_till": FAR, "username": "root"},
        page(ids(ROOT), "last"),
    ),
    Call("root", "user.list", {"last_seen_from": FAR}, page([])),
    Call("root", "user.list", {"last_seen_till": PAST}, page([])),
    Call("root", "user.list", {"page": 2, "per_page": 3}, page(ids(4), "previous", "last")),
    Call("stranger", "user.list", {}, status=401),
    Call("researcher", "user.get", {}, a(USER, id=RESEARCHER)),
    Call("stranger", "user.get", {}, a(USER, id=STRANGER, roles=None, rules=None)),
    Call(
        "root",
        "user.get",
        {"id_": VIEWER, "fields": ["username"]},
        AllOf({"username"}, {"username": "viewer"}),
    ),
    Call("researcher", "user.get", {"id_": ROOT}, status=401),
    Call("root", "user.get", {"id_": NOWHERE}, status=404),
]

NODES = [
    Call(
        "root",
        "node.list",
        {},
        page(
            [
                a(
                    NODE,
                    id=ALPHA_NODE,
                    name="alpha - example_collab1 Node",
                    status="online",
                    organization=link("organization", ALPHA),
                    collaboration=link("collaboration", 1),
                    ip=None,
                ),
                a(NODE, id=BETA_NODE),
            ],
            "last",
        ),
    ),
    Call("researcher", "node.list", {}, page(ids(ALPHA_NODE), "last")),
    Call("root", "node.list", {"name": "beta%"}, page(ids(BETA_NODE), "last")),
    Call("root", "node.list", {"organization": BETA}, page(ids(BETA_NODE), "last")),
    Call("root", "node.list", {"collaboration": NOWHERE}, page([])),
    Call("root", "node.list", {"is_online": True}, page(ids(ALPHA_NODE, BETA_NODE), "last")),
    Call("root", "node.list", {"is_online": False}, page([])),
    Call("root", "node.list", {"ip": "10.0.0.1"}, page([])),
    Call(
        "root",
        "node.list",
        {"last_seen_from": PAST, "last_seen_till": FAR},
        page(ids(ALPHA_NODE, BETA_NODE), "last"),
    ),
    Call("root", "node.list", {"last_seen_from": FAR}, page([])),
    Call("root", "node.list", {"include_metadata": False, "field": "id"}, [{"id": 1}, {"id": 2}]),
    Call("stranger", "node.list", {}, status=401),
    Call(
        "researcher",
        "node.get",
        {"id_": ALPHA_NODE},
        AllOf(a(NODE, id=ALPHA_NODE, last_seen=str), lambda node: "api_key" not in node),
    ),
    Call("researcher", "node.get", {"id_": BETA_NODE}, status=401),
    Call("root", "node.get", {"id_": NOWHERE}, status=404),
]

ROLES_AND_RULES = [
    Call(
        "root",
        "role.list",
        {},
        page([a(ROLE, id=n, name=name) for n, name in enumerate(ROLES, 1)], "last"),
    ),
    Call("stranger", "role.list", {}, page([])),
    Call("root", "role.list", {"name": "%Admin"}, page(texts(*ROLES[5:]), "last")),
    Call("root", "role.list", {"description": "Root role"}, page(texts("Root"), "last")),
    Call("root", "role.list", {"user": RESEARCHER}, page(texts("Organization Admin"), "last")),
    Call("root", "role.list", {"rule": 1}, page(texts("Root", "Collaboration Admin"), "last")),
    Call("root", "role.list", {"organization": ALPHA}, page([])),
    Call(
        "root",
        "role.list",
        {"organization": ALPHA, "include_root": True},
        page(texts(*ROLES), "last"),
    ),
    Call(
        "root",
        "role.list",
        {"page": 2, "per_page": 3},
        page(ids(4, 5, 6), "previous", "next", "last"),
    ),
    Call(
        "root",
        "role.get",
        {"id_": role("Viewer")},
        a(ROLE, name="Viewer", organization=None, rules=lambda rules: len(rules) == 13),
    ),
    Call(
        "researcher",
        "role.get",
        {"id_": role("Organization Admin")},
        a(ROLE, rules=lambda rules: len(rules) == 29),
    ),
    Call("researcher", "role.get", {"id_": role("Root")}, status=401),
    Call("root", "role.get", {"id_": NOWHERE}, status=404),
    Call("stranger", "rule.list", {}, page(AllOf(Each(RULE), ids(*range(1, 21))), "next", "last")),
    Call(
        "stranger", "rule.list", {"page": 3}, page(ids(*range(41, 61)), "previous", "next", "last")
    ),
    Call(
        "root",
        "rule.list",
        {"name": "node", "operation": "VIEW", "scope": "GLOBAL"},
        page([a(RULE, id=1, name="node", operation="VIEW", scope="GLOBAL")], "last"),
    ),
    Call(
        "root",
        "rule.list",
        {"role": role("Viewer"), "per_page": 50},
        page(lambda rules: len(rules) == 13, "last"),
    ),
    Call("root", "rule.list", {"operation": "DANCE"}, page([])),
    Call("stranger", "rule.get", {"id_": 53}, a(RULE, id=53, name="event")),
    Call("stranger", "rule.get", {"id_": NOWHERE}, status=404),
]


@pytest.mark.parametrize(
    "call",
    [*UTIL, *COLLABORATIONS, *ORGANIZATIONS, *USERS, *NODES, *ROLES_AND_RULES],
    ids=str,
)
def test_a_call_that_reads_answers_as_the_original(call: Call, sealed: World) -> None:
    call.check(sealed.user(call.who))
