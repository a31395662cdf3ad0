"""The package as people import it."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

import vantage6.client
from benchmarks.importing import imported
from vantage6 import common
from vantage6.client import deserialization, exceptions, serialization
from vantage6.client.client import UserClient
from vantage6.client.deserialization import deserializer
from vantage6.client.serialization import serializer
from vantage6.common import encryption
from vantage6.common import serialization as common_serialization


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
    script = (
        f"import sys; from vantage6.client import Client; sys.exit(len({heavy} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory from /proc")
def test_import_is_quick_and_small() -> None:
    found = imported(Path(sys.executable), rounds=1)
    assert found.processor_milliseconds < 300  # a third of it on an idle machine
    assert found.mebibytes < 60  # half of it


def test_logs_of_the_program_are_left_alone() -> None:
    script = (
        "import logging; from vantage6.client import Client; root = logging.getLogger();"
        "before = root.level, root.handlers[:]; client = Client('http://localhost');"
        "assert (root.level, root.handlers) == before; client.log.info('unheard')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert (ended.stdout, ended.stderr) == ("", "")


def test_formats_of_ones_own_are_written_and_read() -> None:
    serializer("lines")(lambda lines: "\n".join(lines).encode())
    deserializer("lines")(lambda data: data.decode().split("\n"))
    try:
        sent = common_serialization.serialize(["a", "b"], "lines")
        assert sent == b"lines.a\nb"
        assert deserialization.load_data(sent) == ["a", "b"]
        assert deserialization.deserialize(b"a\nb", "LINES") == ["a", "b"]
        assert serialization.serialize(["a", "b"], "lines") == b"a\nb"
    finally:
        del common_serialization.WRITERS["lines"], common_serialization.READERS["lines"]


def test_formats_under_their_old_names() -> None:
    data = {"sum": 253}
    for name in ("json", "pickle"):
        body = serialization.serialize(data, name)
        assert deserialization.deserialize(body, name) == data
    assert serialization.serialize_json(data) == b'{"sum": 253}'
    pickled = serialization.serialize_pickle(data)
    assert deserialization.unpack_legacy_results({"result": pickled}) == data
    named = serialization.serialize_pickle(range(3))
    with pytest.raises(exceptions.PickleRefused, match=r"allow_pickle=True"):
        deserialization.load_data(named)
    assert deserialization.load_data(pickled) == data
    assert deserialization.load_data(named, allow_pickle=True) == range(3)
    with pytest.raises(exceptions.PickleRefused, match=r"posix\.system"):
        deserialization.deserialize_pickle(b"cposix\nsystem\n(S'true'\ntR.")
    for unknown in (
        lambda: serialization.serialize(data, "xml"),
        lambda: deserialization.deserialize(b"", "xml"),
    ):
        with pytest.raises(exceptions.DeserializationException, match="of xml has not been"):
            unknown()


def test_words_of_3_11_are_still_known() -> None:
    from vantage6.client import APPNAME, LogLevel, ServerInfo, print_qr_code
    from vantage6.client.utils import show_qr_code_image
    from vantage6.common.globals import DATABASE_TYPES

    assert APPNAME == "vantage6"
    assert "parquet" in DATABASE_TYPES
    assert ServerInfo("https://v6.org", 443, "/api").port == 443
    assert all(map(callable, (print_qr_code, show_qr_code_image)))
    client = UserClient("http://localhost", log_level=LogLevel.WARN)
    assert client.log.level == logging.WARNING
    client.close()


def test_functions_of_3_11_still_work(capsys) -> None:
    class One(metaclass=common.Singleton):
        """A class with one instance."""

    assert One() is One()
    common.ClickLogger.warn("careful")
    assert capsys.readouterr().out == "[warn ] - careful\n"
    assert common.logger_name("vantage6.node.docker") == "docker"
    assert common.logger_name("a.something_quite_long") == "something_q.."
    assert [common.is_ip_address(text) for text in ("10.0.0.1", "::1", "v6.org")] == [
        True,
        True,
        False,
    ]
    databases = [{"label": "a", "uri": "x"}, {"label": "b", "uri": "y"}]
    assert common.get_database_config(databases, "b") == databases[1]
    assert common.get_database_config(databases, "c") is None
    assert common.generate_apikey() != common.generate_apikey()


def test_folders_of_configurations_are_asked_about(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert common.check_config_writeable()
    assert capsys.readouterr().out == ""
    (tmp_path / "config").write_text("no folder")
    assert not common.check_config_writeable(system_folders=False)
    lines = capsys.readouterr().out.splitlines()
    assert [line.rpartition("/")[2] for line in lines] == ["node.", "server."]
    assert all(line.startswith("[error] - You may not write to ") for line in lines)


def test_colours_are_those_of_terminals() -> None:
    from vantage6.common import Fore, Style

    assert f"{Fore.RED}a{Fore.LIGHTCYAN_EX}b{Style.RESET_ALL}" == "\x1b[31ma\x1b[96mb\x1b[0m"
