"""The name of an image leads the engine to no host that the rules do not name."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import docker
import pytest

from tests.node.factories import make_config
from vantage6.common.task_status import TaskStatus
from vantage6.node.outcomes import RefusalError
from vantage6.node.rules.findings import PolicyRequest, Verdict
from vantage6.node.rules.policy import Policy
from vantage6.node.rules.registries import Registries, registry_of
from vantage6.node.runtime import images as module
from vantage6.node.runtime.images import Images

DIGEST = f"sha256:{'1' * 64}"


@pytest.mark.parametrize(
    ("image", "host"),
    [
        ("a", "docker.io"),
        ("a/b:1", "docker.io"),
        ("docker.io/a/b", "docker.io"),
        ("index.docker.io/a/b", "docker.io"),
        ("harbor2.vantage6.ai/a/b:1", "harbor2.vantage6.ai"),
        (f"harbor2.vantage6.ai/a/b@{DIGEST}", "harbor2.vantage6.ai"),
        ("reg.org:5000/a", "reg.org:5000"),
        ("localhost/a", "localhost"),
        ("10.0.0.1/a", "10.0.0.1"),
        ("[::1]:80/a", "[::1]:80"),
        ("intranet:80/a", "intranet:80"),
        # Engines take a capital letter for the sign of a host.
        ("Intranet/a", "Intranet"),
        (DIGEST, "docker.io"),
    ],
)
def test_registry_is_what_the_engine_would_ask(image: str, host: str) -> None:
    assert registry_of(image) == host


@pytest.mark.parametrize(
    ("policies", "named"),
    [
        ({"allowed_algorithms": [r"^harbor2\.vantage6\.ai/demo/.*"]}, ["harbor2.vantage6.ai"]),
        ({"allowed_algorithms": ["harbor2.vantage6.ai/demo/.*$"]}, ["harbor2.vantage6.ai"]),
        ({"allowed_algorithms": [rf"reg\.org:5000/a/b@{DIGEST}"]}, ["reg.org:5000"]),
        ({"allowed_algorithms": [r"a\.b/x|c\.d/y"]}, ["a.b", "c.d"]),
        ({"allowed_algorithms": ["vantage6/average"]}, ["docker.io"]),
        ({"allowed_algorithms": [".*"]}, ["docker.io"]),
        ({"allowed_algorithms": [r".*\.vantage6\.ai/.*"]}, ["docker.io"]),
        ({"allowed_algorithms": [r"(harbor2\.vantage6\.ai|evil\.org)/.*"]}, ["docker.io"]),
        ({"allowed_algorithms": [r"harbor\d\.vantage6\.ai/.*"]}, ["docker.io"]),
        ({"allowed_algorithms": [r"a\.b*/x"]}, ["docker.io"]),
        ({"allowed_algorithms": [r"a\.b/?.*"]}, ["docker.io"]),
        ({"allowed_algorithms": [DIGEST]}, ["docker.io"]),
        ({"allowed_algorithms": [".*"], "registries": ["reg.org:5000"]}, ["reg.org:5000"]),
        ({"allowed_algorithms": [r"a\.b/x"], "registries": []}, []),
    ],
)
def test_rules_name_registries_at_their_beginning(policies: Any, named: list[str]) -> None:
    assert Registries(make_config(policies=policies)).names == named


def test_without_rules_any_registry_is_asked_and_old_rules_are_rules() -> None:
    assert Registries(make_config()).names is None
    old = Registries(make_config(allowed_images=[r"a\.b/.*"]))
    assert old.may_ask("a.b/x")
    assert not old.may_ask("10.0.0.1:80/x")


def test_registries_of_logins_and_of_the_nodes_own_helpers_are_named() -> None:
    login = {"registry": "reg.org:5000", "username": "u", "password": "p"}
    config = make_config(
        policies={"allowed_algorithms": [r"a\.b/x"]},
        docker_registries=[login],
        images={"squid": "mirror.org/squid"},
    )
    assert {"a.b", "reg.org:5000", "mirror.org"} <= set(Registries(config).names or ())


def test_the_policy_says_what_it_depends_on() -> None:
    policy = Policy(make_config(policies={"allowed_algorithms": ".*"}))

    def verdict(**asked: Any) -> Verdict | None:
        found = policy.findings(PolicyRequest(database="default", **asked))
        return next((one.verdict for one in found if one.rule == "policies.registries"), None)

    assert verdict(image="a/b") is Verdict.ALLOWED
    assert verdict(image="10.0.0.1:80/a") is Verdict.OPEN
    assert verdict(image="10.0.0.1:80/a", digests=frozenset({DIGEST})) is None


@pytest.fixture
def listener() -> Iterator[tuple[str, list[int]]]:
    """Give the address of a host of the station's network, and who knocked there."""
    knocks: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    caller, _ = server.accept()
                except OSError:
                    return
                knocks.append(1)
                caller.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}", knocks
        server.shutdown(socket.SHUT_RDWR)
    thread.join(10)


@pytest.mark.slow
@pytest.mark.parametrize("pull_policy", ["missing", "always"])
def test_a_host_that_the_rules_do_not_name_is_never_contacted(
    engine: docker.APIClient, listener: tuple[str, list[int]], pull_policy: str
) -> None:
    address, knocks = listener
    rules = {"policies": {"allowed_algorithms": ".*"}, "pull_policy": pull_policy}
    with pytest.raises(RefusalError) as caught:
        Images(engine, make_config(**rules)).fetch(f"{address}/a/b:1", lambda: False)
    assert caught.value.status == TaskStatus.NOT_ALLOWED
    assert caught.value.reason.code == "registry_not_allowed"
    assert not knocks
    rules["policies"] = {"allowed_algorithms": ".*", "registries": [address]}
    with pytest.raises(RefusalError):
        Images(engine, make_config(**rules)).fetch(f"{address}/a/b:1", lambda: False)
    assert knocks


@pytest.mark.slow
def test_an_image_that_is_here_runs_whatever_its_registry(
    engine: docker.APIClient, program_image: str
) -> None:
    name = "reg.example:5000/test/program"
    engine.tag(program_image, name)
    try:
        rules = {"policies": {"allowed_algorithms": ".*"}, "pull_policy": "missing"}
        assert Images(engine, make_config(**rules)).fetch(name, lambda: False)
    finally:
        engine.remove_image(name)


@pytest.mark.slow
def test_what_a_host_answers_stays_in_the_log_of_the_node(
    engine: docker.APIClient, listener: tuple[str, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []

    class Log:
        def warning(self, event: str, **facts: Any) -> None:
            told.append((event, facts))

        def info(self, event: str, **facts: Any) -> None:
            pass

    monkeypatch.setattr(module, "log", Log())
    address, _ = listener
    with socket.create_server(("127.0.0.1", 0)) as unused:
        closed = f"127.0.0.1:{unused.getsockname()[1]}"
    said = []
    for host in (address, closed):
        with pytest.raises(RefusalError) as caught:
            Images(engine, make_config(pull_policy="missing")).fetch(f"{host}/a/b:1", lambda: False)
        assert caught.value.reason.code == "pull_failed"
        said.append(caught.value.reason.message.replace(host, "HOST"))
    # Neither sentence tells whether somebody is there.
    assert said[0] == said[1]
    assert "refused" in told[1][1]["reason"]
