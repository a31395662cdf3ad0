"""The password of the first start opens the server on its own machine, and nowhere else."""

import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

import falcon
import pytest
from falcon import testing

from tests.api.conftest import configured
from tests.services import needs
from vantage6.api.app import create_app
from vantage6.api.http.local_requests import is_from_this_machine
from vantage6.common.config import Instance
from vantage6.models import database
from vantage6.models.tables import User
from vantage6.server.setup import set_up

pytestmark = pytest.mark.usefixtures("light_passwords")

ELSEWHERE = "192.0.2.1"
FIRST = "root"


@pytest.fixture(autouse=True)
def no_connections() -> Iterator[None]:
    yield
    database.dispose()


def log_in(
    instance: Instance,
    password: str = FIRST,
    address: str = "127.0.0.1",
    host: str = "localhost",
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> tuple[int, str]:
    """Return the status and the code of a login after a first start."""
    set_up(instance)
    got = testing.TestClient(create_app(instance)).simulate_post(
        "/api/token/user",
        json={"username": "root", "password": password},
        remote_addr=address,
        host=host,
        headers=dict(headers or {}),
        **more,
    )
    return got.status_code, got.json.get("code", "")


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("127.0.0.1", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("127.8.8.8", "localhost"),
        ("::1", "[::1]"),
        ("::ffff:127.0.0.1", "localhost"),
    ],
)
def test_on_its_own_machine_the_first_password_opens_the_server(
    instance: Instance, address: str, host: str
):
    assert log_in(instance, address=address, host=host)[0] == 200


@pytest.mark.parametrize("address", [ELSEWHERE, "2001:db8::1", "::ffff:192.0.2.1", "172.17.0.1"])
def test_from_elsewhere_the_first_password_opens_nothing(instance: Instance, address: str):
    assert log_in(instance, address=address) == (401, "first_password")
    # Only who knows it is told.
    assert log_in(instance, "wrong", address) == (401, "wrong_password")


@pytest.mark.parametrize("proxies", [0, 1])
@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": ELSEWHERE},
        {"X-Forwarded-For": f"127.0.0.1, {ELSEWHERE}"},
        {"X-Forwarded-For": f"{ELSEWHERE}, 127.0.0.1"},
        {"X-Forwarded-For": "127.0.0.1,"},
        {"X-Real-IP": ELSEWHERE},
        {"Forwarded": f"for={ELSEWHERE}"},
        {"X-Forwarded-Host": "v6.example.org"},
        {"Via": "1.1 proxy"},
        {"Host": "v6.example.org"},
    ],
    ids=str,
)
def test_a_proxy_on_the_same_machine_makes_nobody_local(
    instance: Instance, proxies: int, headers: dict[str, str]
):
    given = dict(headers)
    host = given.pop("Host", "localhost")
    changed = configured(instance, trusted_proxies=proxies)
    assert log_in(changed, host=host, headers=given) == (401, "first_password")


def test_a_proxy_that_adds_nothing_is_told_by_its_old_protocol(instance: Instance):
    assert log_in(instance, http_version="1.0") == (401, "first_password")


def test_what_a_client_writes_makes_it_local_to_no_proxy(instance: Instance):
    """Who comes past the proxies, or writes a line of theirs, is where he connects from."""
    local = {"X-Forwarded-For": "127.0.0.1"}
    assert log_in(instance, headers=local) == (401, "first_password")
    behind = configured(instance, trusted_proxies=1)
    assert log_in(behind, address=ELSEWHERE, headers=local) == (401, "first_password")
    # A trusted proxy on this machine says that who asks it is on this machine too.
    assert log_in(behind, headers=local, http_version="1.0")[0] == 200
    assert log_in(behind)[0] == 200


def test_another_name_does_not_help(instance: Instance):
    """The password is what is known everywhere, not the name."""
    set_up(instance)
    with database.session():
        User.update(username="boss").execute()
    database.dispose()
    got = testing.TestClient(create_app(instance)).simulate_post(
        "/api/token/user", json={"username": "boss", "password": FIRST}, remote_addr=ELSEWHERE
    )
    assert got.json["code"] == "first_password"
    assert "vserver user reset-password" in got.json["msg"]


def test_for_trying_things_out_it_opens_from_everywhere(instance: Instance):
    assert log_in(configured(instance, type="test"), address=ELSEWHERE)[0] == 200
    for kind in ("dev", "acc", "prod"):
        changed = configured(instance, type=kind)
        assert log_in(changed, address=ELSEWHERE) == (401, "first_password")


def test_a_password_of_ones_own_opens_from_everywhere(instance: Instance):
    changed = configured(instance, root_password="Some-password-1")
    assert log_in(changed, "Some-password-1", ELSEWHERE)[0] == 200


@pytest.mark.skipif(os.getuid() != 0, reason="only root can run a program as another user")
@pytest.mark.parametrize(("user", "is_local"), [(0, True), (65534, False)])
def test_a_silent_proxy_of_another_user_makes_nobody_local(user: int, is_local: bool):
    """A proxy that adds no header and keeps the host is told by the user that it runs as."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        program = "read -r port; exec 3<>/dev/tcp/127.0.0.1/$port; read -r _"
        command = [needs("setpriv"), f"--reuid={user}", "--clear-groups", "bash", "-c", program]
        with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as proxy:
            assert proxy.stdin is not None
            proxy.stdin.write(f"{server.getsockname()[1]}\n")
            proxy.stdin.flush()
            connection, _ = server.accept()
            with connection:
                environ = testing.create_environ(host="localhost", remote_addr="127.0.0.1")
                request = falcon.Request({**environ, "gunicorn.socket": connection})
                assert is_from_this_machine(request, proxies=0) is is_local
            proxy.stdin.close()
