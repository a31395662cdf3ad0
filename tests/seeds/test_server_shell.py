"""The chapters on the shell and on batch import, run on a server that runs meanwhile."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from tests.seeds.document import MISSING, Statement
from tests.seeds.session import Chapter, Session
from tests.seeds.table import ALL, runs
from vantage6.sandbox.federation import Federation

VSERVER = Path(sys.executable).with_name("vserver")
IMAGE = "docker-registry.org/image-name"
CHAPTERS = ("Shell", "Organizations", "Roles and Rules", "Users", "Collaborations", "Nodes")
TASKS = "Tasks and Results"
#: What `vserver shell` does before the first statement, and a user whom the document presumes.
BEGIN = """
from pathlib import Path
from vantage6.server.shell import namespace
from vantage6.common.config import Instance
from vantage6.models import database
instance = Instance.load(Path({file!r}))
database.bind(instance.config.uri, folder=instance.folder)
database.connect()
globals().update(namespace(instance))
db.User(username="someone", password="x", organization=db.Organization.get(1)).save()
"""
#: Accounts are replaced; the first user is called root already.
ACCOUNTS = {
    'username="root"': 'username="jdoe"',
    'get_by_username("root")': 'get_by_username("jdoe")',
    "some-existing-username": "someone",
}


@pytest.fixture(scope="module")
def managed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """Give a server that has just been started for the first time."""
    federation = Federation(
        tmp_path_factory.mktemp("managed"),
        {"IKNL": [28, 39]},
        encrypted=False,
        settings={"flower": None, "allow_drop_all": True},
    )
    try:
        federation.start_server()
        yield federation
    finally:
        federation.stop()


@pytest.fixture(scope="module")
def shell(managed: Federation) -> Iterator[Chapter]:
    """Give a shell in which the chapters are run, one after the other."""
    with closing(Session(managed.folder / "shell", ACCOUNTS)) as session:
        session.run(BEGIN.format(file=str(managed.server_file)))
        chosen = [
            one
            for one in ALL
            if one.document == "Server"
            and one.chapter in (*CHAPTERS, TASKS)
            and one.kind in ("python", "call")
        ]
        yield Chapter(session, chosen)


@pytest.fixture
def running_node(managed: Federation, shell: Chapter) -> str:
    """Start the node that the document registers, and return its organization."""
    if not shell.statements:
        pytest.skip(MISSING)
    (registering,) = [one for one in shell.statements if one.chapter == "Nodes"]
    if managed.node("IKNL") is None:
        (outcome,) = shell.run(registering)
        managed.api_keys["IKNL"] = outcome.printed.strip() or shell.session.value("api_key")
        command = [sys.executable, "-m", "vantage6.algorithms.average"]
        managed.start_node("IKNL", processes={IMAGE: command})
    return "IKNL"


def vserver(federation: Federation, *words: object, stdin: str | None = None) -> str:
    done = subprocess.run(
        [VSERVER, *map(str, words), "--config", federation.server_file],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@runs
def test_the_shell_runs_code(statement: Statement, managed: Federation) -> None:
    words = statement.text.replace("[options]", "").split()[1:]
    assert "Root" in vserver(managed, *words, stdin="db.Role.get()")


@runs
def test_the_statement_works_in_the_shell(statement: Statement, shell: Chapter) -> None:
    outcomes = shell.run(statement)
    assert outcomes
    if "help()" in statement.text:
        assert "Properties:" in outcomes[0].printed


def test_a_task_of_the_shell_is_computed_by_a_node_that_runs(
    running_node: str, shell: Chapter
) -> None:
    creating = next(one for one in shell.statements if one.chapter == TASKS)
    shell.run(creating)
    deadline = time.monotonic() + 60
    asked = f"[r.status for r in task.results if r.organization.name == {running_node!r}][0]"
    while shell.session.value(f"str({asked})") in ("pending", "initializing", "active"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    # The input of the example names no method, so that the algorithm says so and ends.
    assert shell.session.value(f"str({asked})") == "crashed"


@runs
def test_the_example_is_imported(statement: Statement, managed: Federation) -> None:
    (example,) = [one for one in ALL if one.chapter == "Batch import" and one.kind == "yaml"]
    file = managed.folder / "batch.yaml"
    file.write_text(example.text)
    vserver(managed, "import", file, "--drop-all")
    assert "nothing was changed" in vserver(managed, "import", file)
    with closing(managed.client("frank@iknl.nl", "password")) as frank:
        assert [one["name"] for one in frank.collaboration.list(scope="global")["data"]] == [
            "ZEPPELIN",
            "PIPELINE",
            "SLIPPERS",
        ]
        assert len(frank.task.list()["data"]) == 4
        assert len(frank.rule.list(include_metadata=False)) > 0
    key = {"api_key": "123e4567-e89b-12d3-a456-426614174007"}
    answer = httpx2.post(f"{managed.address}/api/token/node", json=key, timeout=10)
    assert answer.status_code == 200
