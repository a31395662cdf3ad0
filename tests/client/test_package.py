"""The package as people import it."""

import subprocess
import sys

import vantage6.client
from vantage6.client import exceptions
from vantage6.client.client import UserClient
from vantage6.common import encryption


def test_names_of_the_manual_can_be_imported() -> None:
    from vantage6.client import Client
    from vantage6.client.encryption import RSACryptor
    from vantage6.common import bytes_to_base64s, debug, error, info, warning

    assert Client is UserClient
    assert RSACryptor is encryption.RSACryptor
    assert all(map(callable, (bytes_to_base64s, debug, error, info, warning)))


def test_everything_that_is_exported_exists() -> None:
    for module in (vantage6.client, exceptions):
        assert all(hasattr(module, name) for name in module.__all__)


def test_groups_are_nested_classes_too() -> None:
    names = "Util Collaboration Organization User Result Task Role Node Rule".split()  # noqa: SIM905
    client = UserClient("http://localhost", 5000)
    for name in names:
        group = getattr(client, name.lower())
        assert type(group) is getattr(UserClient, name)
        assert group.parent is client
        assert isinstance(group, UserClient.SubClient)
    assert client.base_path == "http://localhost:5000/api"
    assert client.generate_path_to("/task") == "http://localhost:5000/api/task"
    assert (client.host, client.port, client.path) == ("http://localhost", 5000, "/api")
    assert (client.token, client.headers, client.whoami, client.name) == (None, {}, None, "")
    client.close()


def test_import_is_light() -> None:
    heavy = {"pandas", "numpy", "pydantic", "yaml", "docker", "rich", "structlog", "celery"}
    script = f"import sys, vantage6.client; sys.exit(len({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
