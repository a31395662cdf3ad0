"""The package as mypy sees it in the environment of a researcher: installed, with ``py.typed``."""

import configparser
import io
import subprocess
import sys
import sysconfig
import threading
import time
import typing
from contextlib import closing, redirect_stdout
from pathlib import Path

import pytest

from tests.client.conftest import Live
from tests.client.scripts import research
from tests.models.factories import make_user
from vantage6.api.identity.passwords import hash_password
from vantage6.api.schemas import nodes, organizations, tasks
from vantage6.client import Client, types
from vantage6.client.node_client import NodeClient
from vantage6.common import bytes_to_base64s
from vantage6.common.encryption import DummyCryptor, RSACryptor
from vantage6.common.serialization import deserialize, serialize

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(research.__file__).parent


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment in which the package lies as pip installs it."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=60)
    python = folder / "bin" / "python"
    found = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    packages = Path(found.stdout.strip())
    # The packages that ours needs.
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (packages / "vantage6").mkdir()
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    for line in setup["options"]["package_dir"].split("\n"):
        name, _, source = line.partition(" = ")
        if name:
            (packages / "vantage6" / name.removeprefix("vantage6.")).symlink_to(ROOT / source)
    return python


def _mypy(environment: Path, script: Path) -> list[str]:
    """Return the lines in which mypy finds something."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file="),
            *(f"--cache-dir={environment.parents[1] / 'cache'}", "--python-executable"),
            *(environment, script),
        ],
        cwd=environment.parent,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert not done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
def test_script_of_a_researcher_is_strictly_typed(environment: Path) -> None:
    assert _mypy(environment, SCRIPTS / "research.py") == []


@pytest.mark.slow
def test_mistakes_of_a_researcher_are_found(environment: Path) -> None:
    script = SCRIPTS / "mistakes.py"
    lines = script.read_text().splitlines()
    marked = {number for number, line in enumerate(lines, 1) if line.endswith("# mistake")}
    said = _mypy(environment, script)
    assert {int(line.split(":")[1]) for line in said if ": error:" in line} == marked, said


#: Inputs and results are decrypted; what may stand within another document has no type.
DIFFERENT: dict[type, set[str]] = {
    types.Task: {"results"},
    types.Result: {"input", "result", "log", "node", "task"},
}


@pytest.mark.parametrize(
    ("document", "reply"),
    [
        (types.Task, tasks.TaskReply),
        (types.Result, tasks.ResultReply),
        (types.Organization, organizations.OrganizationReply),
        (types.Collaboration, organizations.CollaborationReply),
        (types.Node, nodes.NodeReply),
    ],
    ids=lambda kind: getattr(kind, "__name__", "link"),
)
def test_documents_are_what_the_server_sends(document: type, reply: type) -> None:
    ours, sent = typing.get_type_hints(document), typing.get_type_hints(reply)
    assert set(ours) == set(sent)
    assert {key for key in ours if ours[key] != sent[key]} == DIFFERENT.get(document, set())


def _compute(api: str, api_key: str, cryptor: RSACryptor | DummyCryptor, tasks: int) -> None:
    """Answer the given number of tasks as a node does."""
    deadline = time.monotonic() + 60
    with closing(NodeClient(api, "")) as node:
        node.authenticate(api_key)
        while tasks and time.monotonic() < deadline:
            for result_id in node.reconcile([], [])["start"]:
                claim = node.claim(result_id)
                input_ = deserialize(cryptor.decrypt_str_to_bytes(claim["input"]))
                assert input_ == research.INPUT
                time.sleep(0.1)
                answer = cryptor.encrypt_bytes_to_str(
                    serialize({"sum": 100 * result_id, "count": 2}), claim["initiator_public_key"]
                )
                now = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
                node.patch_result(result_id, status="completed", finished_at=now, result=answer)
                tasks -= 1
            time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("encrypted", [True, False], ids=["encrypted", "plain"])
def test_script_of_a_researcher_runs(live: Live, tmp_path: Path, encrypted: bool) -> None:
    client, world = live.client, live.world
    key_file = tmp_path / "key.pem"
    RSACryptor.create_new_rsa_key(key_file)
    cryptor = RSACryptor(key_file) if encrypted else DummyCryptor()
    members = [world.amsterdam, world.berlin]
    for member in members:
        # A public key is set by users of its own organization.
        make_user(
            member, "Organization Admin", username=member.name, password=hash_password("secret")
        )
        with closing(Client("http://127.0.0.1", client.port)) as own_user:
            own_user.authenticate(member.name, "secret")
            key = bytes_to_base64s(RSACryptor(key_file).public_key_bytes)
            own_user.organization.update(member.id, public_key=key)
    own = client.collaboration.create("own", [one.id for one in members], encrypted=encrypted)
    keys = [client.node.create(own["id"], one.id)["api_key"] for one in members]
    threads = [
        threading.Thread(target=_compute, args=(client.base_path, key, cryptor, 1)) for key in keys
    ]
    printed = io.StringIO()
    for thread in threads:
        thread.start()
    try:
        with redirect_stdout(printed):
            research.main(
                client.host,
                int(client.port or 0),
                "secret",
                key_file if encrypted else None,
                own["id"],
            )
    finally:
        for thread in threads:
            thread.join()
    said = printed.getvalue()
    assert "refused: Failed to authenticate" in said
    assert "patience: The task was not complete within 0.01 seconds; it goes on." in said
    assert "average: 75.0" in said
    assert "refusals: ['no_member', 'no_member', 'not_found']" in said
