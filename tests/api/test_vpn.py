"""The VPN: configurations come from an EduVPN portal, and algorithms find each other."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tests.api.client import Algorithm, Answer, Api
from tests.common.logfile import Logs, logged_to
from tests.models.factories import World, make_task, result_of
from tests.services import eduvpn
from tests.services.certificate import certificate
from vantage6.api.integrations import eduvpn as portal_of
from vantage6.common.config import Instance
from vantage6.common.config.server import VpnServer
from vantage6.common.errors import ConfigurationError
from vantage6.models.store import nodes, ports
from vantage6.models.tables import Node, Task, User

#: Log in, be authorized, get a token.
GREETING = [
    ("POST", "/_form/auth/verify"),
    ("GET", "/_oauth/authorize"),
    ("POST", "/oauth.php/token"),
]


@pytest.fixture
def portal() -> Iterator[eduvpn.Portal]:
    """Give a portal."""
    with eduvpn.Portal() as portal:
        yield portal


@pytest.fixture
def instance(instance: Instance, portal: eduvpn.Portal | None) -> Instance:
    """Give the configuration of a server that uses the portal, if there is one."""
    vpn_server = portal and VpnServer(**portal.settings)
    config = instance.config.model_copy(update={"vpn_server": vpn_server})
    return Instance(instance.file, None, config)


@pytest.fixture
def ask(api: Api, world: World) -> Callable[[], Answer]:
    """Return a function with which a node asks for its configuration."""
    return lambda: api.get("/vpn", world.amsterdam_north)


def keys_in(configuration: str) -> tuple[x509.Certificate, Any]:
    """Return certificate and key, which must be where OpenVPN wants them."""
    found = re.search(
        r"\n<cert>\n(.+?)\n</cert>\n<key>\n(.+?)\n</key>\n<tls-crypt>\n", configuration, re.DOTALL
    )
    assert found, configuration
    cert, key = (text.encode() for text in found.groups())
    return (
        x509.load_pem_x509_certificate(cert),
        serialization.load_pem_private_key(key, password=None),
    )


# The configuration


def test_a_node_gets_a_configuration_with_keys(ask: Callable[[], Answer], portal: eduvpn.Portal):
    answer = ask()
    assert answer.status == 200
    text = answer.json["ovpn_config"]
    certificate, key = keys_in(text)
    assert certificate.public_key() == key.public_key()
    assert re.sub(r"<cert>.*</key>\n", "", text, flags=re.DOTALL) == eduvpn.PROFILE
    # Each step once, in this order; no redirection is followed.
    assert portal.asked == [
        *GREETING,
        ("GET", "/api.php/profile_list"),
        ("GET", "/api.php/profile_config"),
        ("POST", "/api.php/create_keypair"),
    ]


def test_each_node_gets_keys_of_its_own(api: Api, world: World, portal: Any):
    answers = [api.get("/vpn", node) for node in (world.amsterdam_north, world.berlin_north)]
    one, other = (keys_in(answer.json["ovpn_config"])[1] for answer in answers)
    assert one.private_numbers() != other.private_numbers()
    assert answers[0].headers["cache-control"] == "no-store"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_keys_that_have_run_out_are_replaced(
    api: Api, world: World, portal: eduvpn.Portal, newline: str
):
    first = api.get("/vpn", world.amsterdam_north).json["ovpn_config"]
    portal.asked.clear()
    sent = first.replace("dev tun", "dev tun7").replace("</key>\n", f"</key>{newline}")
    answer = api.post("/vpn/update", world.amsterdam_north, {"vpn_config": sent})
    second = answer.json["ovpn_config"]
    assert keys_in(first)[0] != keys_in(second)[0]
    kept = re.sub(r"<cert>.*</key>\n", "", second, flags=re.DOTALL)
    assert kept == eduvpn.PROFILE.replace("dev tun", "dev tun7")
    assert portal.asked == [*GREETING, ("POST", "/api.php/create_keypair")]


def test_a_configuration_without_keys_gets_some(api: Api, world: World, portal: Any):
    answer = api.post("/vpn/update", world.amsterdam_north, {"vpn_config": eduvpn.PROFILE})
    assert keys_in(answer.json["ovpn_config"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"vpn_config": None},
        {"vpn_config": 7},
        {"vpn_config": ""},
        {"vpn_config": "<cert></cert><key></key>"},
        {"vpn_config": "<cert><tls-crypt></key>"},
        {"vpn_config": "<tls-crypt>" + "x" * 2**18},
    ],
)
def test_what_is_no_configuration_is_refused(
    api: Api, world: World, portal: eduvpn.Portal, body: dict[str, Any]
):
    answer = api.post("/vpn/update", world.amsterdam_north, body)
    assert answer.problem == (400, "invalid")
    assert portal.asked == []


@pytest.mark.parametrize("portal", [None])
def test_without_a_portal_there_is_no_vpn(api: Api, world: World):
    for answer in (
        api.get("/vpn", world.amsterdam_north),
        api.post("/vpn/update", world.amsterdam_north, {}),
        api.post("/vpn/update", world.amsterdam_north, {"vpn_config": eduvpn.PROFILE}),
    ):
        assert answer.problem == (501, "not_configured")
        assert "vpn_server" in answer.json["msg"]


def test_configurations_are_for_nodes(api: Api, world: World, portal: eduvpn.Portal, root: User):
    task = make_task(world.north, [world.amsterdam])
    for who in (root, Algorithm(world.amsterdam_north, task)):
        assert api.get("/vpn", who).problem == (401, "forbidden")
        body = {"vpn_config": eduvpn.PROFILE}
        assert api.post("/vpn/update", who, body).problem == (401, "forbidden")
    assert portal.asked == []


SETTINGS = sorted(VpnServer.model_fields)


@pytest.mark.parametrize("key", SETTINGS)
def test_a_portal_is_configured_as_a_whole(instance: Instance, portal: eduvpn.Portal, key: str):
    assert sorted(portal.settings) == SETTINGS
    assert "secret-of" not in repr(instance)
    del portal.settings[key]
    instance.file.write_text(json.dumps({"application": {"vpn_server": portal.settings}}))
    with pytest.raises(ConfigurationError, match=f"vpn_server.{key}"):
        Instance.load(instance.file)


# A portal that does not do what it should


@pytest.mark.parametrize(
    "changes",
    [
        {"portal_username": "nobody"},
        {"portal_userpass": "wrong"},
        {"client_id": "nobody"},
        {"client_secret": "wrong"},
        {"redirect_url": "https://elsewhere.example.org"},
    ],
    ids=str,
)
def test_a_portal_that_does_not_know_us_is_told(
    ask: Callable[[], Answer], portal: eduvpn.Portal, changes: dict[str, str]
):
    portal.settings |= changes
    answer = ask()
    assert answer.problem == (500, "vpn_failed")
    assert "portal" in answer.json["msg"]
    assert ("POST", "/api.php/create_keypair") not in portal.asked


CERT = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
KEY = CERT.replace("CERTIFICATE", "PRIVATE KEY")


def pair(certificate: str, private_key: str) -> str:
    data = {"certificate": certificate, "private_key": private_key}
    return json.dumps({"create_keypair": {"data": data}})


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/_form/auth/verify", 503, "closed"),
        ("/_oauth/authorize", 404, ""),
        ("/oauth.php/token", 500, "{}"),
        ("/oauth.php/token", 200, ""),
        ("/oauth.php/token", 200, "<html>"),
        ("/oauth.php/token", 200, "[]"),
        ("/oauth.php/token", 200, '{"access_token": null}'),
        ("/oauth.php/token", 200, '{"access_token": "a\\r\\nX-Header: b"}'),
        ("/oauth.php/token", 200, '{"access_token": "\u20ac"}'),
        ("/api.php/profile_list", 401, ""),
        ("/api.php/profile_list", 200, '{"profile_list": {"ok": false, "error": "no"}}'),
        ("/api.php/profile_list", 200, '{"profile_list": {"data": []}}'),
        ("/api.php/profile_list", 200, '{"profile_list": {"data": [{"profile_id": 7}]}}'),
        ("/api.php/profile_list", 200, "[" * 10_000),
        ("/api.php/profile_config", 302, ""),
        ("/api.php/profile_config", 200, '{"ok": false}'),
        ("/api.php/create_keypair", 400, ""),
        ("/api.php/create_keypair", 200, "{}"),
        ("/api.php/create_keypair", 200, pair(CERT, "")),
        ("/api.php/create_keypair", 200, pair(KEY, CERT)),
        ("/api.php/create_keypair", 200, pair(CERT, KEY + "</key>\nscript-security 2\n")),
        ("/api.php/create_keypair", 200, pair("up /bin/sh\n" + CERT, KEY)),
    ],
)
def test_a_portal_that_answers_nonsense_is_no_help(
    ask: Callable[[], Answer], portal: eduvpn.Portal, path: str, status: int, text: str
):
    portal.instead[path] = (status, {}, text.encode())
    answer = ask()
    assert answer.problem == (500, "vpn_failed")
    assert "VPN portal" in answer.json["msg"]
    assert portal.asked[-1][1] == path


def test_a_configuration_that_is_no_text_is_refused(
    ask: Callable[[], Answer], portal: eduvpn.Portal
):
    portal.instead["/api.php/profile_config"] = (200, {}, b"<tls-crypt>\xff")
    assert ask().problem == (500, "vpn_failed")


@pytest.mark.parametrize(
    "location",
    [
        "",
        "?",
        "?code=x",
        "?code=x&state=guessed",
        "?state=guessed",
        "?error=access_denied",
        "http://[::1?code=x&state=y",
        "#code=x",
        "\xe9",
    ],
)
def test_a_code_for_somebody_else_is_refused(
    ask: Callable[[], Answer], portal: eduvpn.Portal, location: str
):
    portal.instead["/_oauth/authorize"] = (302, {"Location": location}, b"")
    assert ask().problem == (500, "vpn_failed")
    assert portal.asked == GREETING[:2]


@pytest.mark.parametrize("encoding", [{}, {"Content-Encoding": "gzip"}])
def test_an_answer_without_end_is_cut(
    ask: Callable[[], Answer], portal: eduvpn.Portal, encoding: dict[str, str]
):
    portal.instead["/api.php/profile_list"] = (200, encoding, b" " * 2**22)
    answer = ask()
    assert answer.problem == (500, "vpn_failed")
    assert "too much" in answer.json["msg"]


def test_a_portal_that_is_gone_is_unreachable(ask: Callable[[], Answer], portal: eduvpn.Portal):
    portal.close()
    assert ask().problem == (503, "vpn_unreachable")


def test_a_portal_that_hangs_up_is_unreachable(ask: Callable[[], Answer], portal: eduvpn.Portal):
    portal.instead["/oauth.php/token"] = (200, {"Transfer-Encoding": "chunked"}, b"9\r\n{")
    assert ask().problem == (503, "vpn_unreachable")


def test_a_silent_portal_costs_a_bounded_time(
    ask: Callable[[], Answer], portal: eduvpn.Portal, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(portal_of, "_READ_SECONDS", 0.2)
    portal.pause = 0.6
    assert ask().problem == (503, "vpn_unreachable")
    assert len(portal.asked) == 1


@pytest.mark.parametrize(("pause", "drip"), [(0.2, 0.0), (0.0, 0.05)])
def test_a_slow_portal_costs_a_bounded_time(
    ask: Callable[[], Answer],
    portal: eduvpn.Portal,
    monkeypatch: pytest.MonkeyPatch,
    pause: float,
    drip: float,
):
    monkeypatch.setattr(portal_of, "_WHOLE_SECONDS", 0.3)
    portal.pause, portal.drip = pause, drip
    started = time.monotonic()
    answer = ask()
    assert time.monotonic() - started < 10
    assert answer.problem == (503, "vpn_unreachable")
    assert "slow" in answer.json["msg"]
    assert ("POST", "/api.php/create_keypair") not in portal.asked


def test_a_slow_portal_leaves_threads_to_others(portal: eduvpn.Portal):
    ours = portal_of.Portal(VpnServer(**portal.settings), at_once=1)
    portal.pause = 0.1
    first = threading.Thread(target=ours.configuration)
    first.start()
    portal.called.wait(10)
    with pytest.raises(portal_of.PortalUnreachable, match="busy"):
        ours.configuration()
    first.join(30)
    portal.pause = 0
    assert keys_in(ours.configuration())


def test_a_portal_is_trusted_by_its_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with eduvpn.Portal(tmp_path) as secure:
        ours = portal_of.Portal(VpnServer(**secure.settings), at_once=1)
        monkeypatch.setenv("SSL_CERT_FILE", str(secure.authority))
        assert keys_in(ours.configuration())
        stranger = tmp_path / "stranger.pem"
        stranger.write_text(certificate()[0])
        monkeypatch.setenv("SSL_CERT_FILE", str(stranger))
        secure.asked.clear()
        with pytest.raises(portal_of.PortalUnreachable):
            ours.configuration()
        assert secure.asked == []


@pytest.fixture
def logged(tmp_path: Path) -> Iterator[Logs]:
    """Log everything for the time of a test."""
    with logged_to(tmp_path / "server.log", "api") as logged:
        yield logged


def test_the_log_tells_the_cause_and_no_secret(
    ask: Callable[[], Answer], portal: eduvpn.Portal, logged: Logs
):
    given = ask().json["ovpn_config"]
    portal.instead["/api.php/create_keypair"] = (200, {}, pair("a-secret-cert", "b").encode())
    assert ask().status == 500
    known = dict(portal.settings)
    portal.settings["portal_userpass"] = "another"
    assert ask().status == 500
    portal.close()
    assert ask().status == 503
    lines = [line for line in logged.lines() if line["event"] == "VPN portal failed"]
    assert [line["level"] for line in lines] == ["warning"] * 3
    assert "string_pattern_mismatch" in lines[0]["reason"]
    assert "portal_userpass" in lines[1]["msg"]
    assert "refused" in lines[2]["reason"]
    secrets = [*portal.secrets, "a-secret-cert", known["client_secret"], known["portal_userpass"]]
    assert len(portal.secrets) == 7
    for secret in [*secrets, *re.findall(r"[\w/+=]{60,}", given)]:
        assert secret not in logged.text


# Addresses


@pytest.fixture
def family(world: World) -> dict[str, Task]:
    """Give a task with its parent and two children, all of which listen, and their relatives."""
    both = [world.amsterdam, world.berlin]
    grand = make_task(world.north, both)
    parent = make_task(world.north, [world.amsterdam], parent=grand)
    own = make_task(world.north, both, parent=parent)
    found = {
        "grand": grand,
        "parent": parent,
        "sibling": make_task(world.north, [world.amsterdam], parent=parent),
        "own": own,
        "child": make_task(world.north, [world.berlin], parent=own, initiator=world.amsterdam),
        "child 2": make_task(world.north, [world.berlin], parent=own, initiator=world.amsterdam),
        # Made by the algorithm of the same task at Berlin.
        "nephew": make_task(world.north, [world.berlin], parent=own),
        # Nobody can make this one through the API.
        "stray": make_task(world.south, [world.cairo], parent=own),
    }
    found["grandchild"] = make_task(world.north, [world.berlin], parent=found["child"])
    for task in found.values():
        for row in task.results:
            ports.create(row, 50_000, "api")
    ports.create(result_of(own, world.berlin), 50_001, None)
    Node.update(ip="10.76.0.1").where(Node.id == world.amsterdam_north.id).execute()
    Node.update(ip="10.76.0.9").where(Node.id == world.berlin_south.id).execute()
    return found


def addresses(api: Api, world: World, task: Task, query: str = "") -> list[dict[str, Any]]:
    algorithm = Algorithm(world.amsterdam_north, task)
    answer = api.get("/vpn/algorithm/addresses", algorithm, query=query)
    assert answer.status == 200
    return answer.json["addresses"]


def test_an_algorithm_finds_its_peers(api: Api, world: World, family: dict[str, Task]):
    own = {"task_id": family["own"].id, "parent_id": family["parent"].id}
    berlin = own | {"ip": None, "organization_id": world.berlin.id}
    assert addresses(api, world, family["own"]) == [
        own
        | {
            "port": 50_000,
            "label": "api",
            "ip": "10.76.0.1",
            "organization_id": world.amsterdam.id,
        },
        berlin | {"port": 50_000, "label": "api"},
        berlin | {"port": 50_001, "label": None},
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "own"),
        # What clients of 3.11 always send.
        (
            "only_children=False&only_parent=False&include_children=False&include_parent=False",
            "own",
        ),
        ("only_children=false&only_parent=0", "own"),
        ("include_children=True", "own child child-2"),
        ("include_parent=1", "parent own"),
        ("include_children=true&include_parent=True", "parent own child child-2"),
        ("only_children=True", "child child-2"),
        ("only_children=True&include_children=True", "child child-2"),
        ("only_parent=True", "parent"),
        ("only_parent=True&include_parent=True", "parent"),
        ("only_parent=True&include_children=False", "parent"),
    ],
)
def test_flags_say_whose_addresses(
    api: Api, world: World, family: dict[str, Task], query: str, expected: str
):
    found = {address["task_id"] for address in addresses(api, world, family["own"], query)}
    assert found == {family[name.replace("-", " ")].id for name in expected.split()}


@pytest.mark.parametrize(
    "query",
    [
        "only_children=True&only_parent=True",
        "only_children=1&include_parent=1",
        "only_parent=true&include_children=True&include_parent=False",
        "only_parent=perhaps",
        "include_children=",
    ],
)
def test_flags_that_contradict_each_other_are_refused(
    api: Api, world: World, family: dict[str, Task], query: str
):
    algorithm = Algorithm(world.amsterdam_north, family["own"])
    answer = api.get("/vpn/algorithm/addresses", algorithm, query=query)
    assert answer.problem == (400, "invalid")


def test_addresses_with_a_label(api: Api, world: World, family: dict[str, Task]):
    found = addresses(api, world, family["own"], "label=api&include_children=True")
    assert len(found) == 4
    assert {address["label"] for address in found} == {"api"}
    assert addresses(api, world, family["own"], "label=other") == []


def test_a_task_without_parent_has_its_own_addresses_instead(
    api: Api, world: World, family: dict[str, Task]
):
    for query in ("only_parent=True", "include_parent=True"):
        found = addresses(api, world, family["grand"], query)
        assert {address["task_id"] for address in found} == {family["grand"].id}
    assert addresses(api, world, family["grandchild"], "only_children=True") == []


def test_the_address_of_a_node_that_was_removed_is_unknown(
    api: Api, world: World, family: dict[str, Task]
):
    nodes.delete(world.berlin_north)
    found = addresses(api, world, family["own"])
    assert [address["ip"] for address in found] == ["10.76.0.1", None, None]


def test_addresses_are_for_algorithms(api: Api, world: World, root: User):
    for who in (root, world.amsterdam_north):
        assert api.get("/vpn/algorithm/addresses", who).problem == (401, "forbidden")
