"""The worlds in which the documents are run, each started once."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.seeds.session import Chapter, Session, after_login
from tests.seeds.table import ALL
from tests.seeds.worlds import AGES, is_of, node_databases, substitutes
from vantage6.sandbox.federation import AS_PROCESSES, PASSWORD, Federation


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """Give a server that has just been started for the first time."""
    federation = Federation(
        tmp_path_factory.mktemp("seeds") / "fresh", {}, settings={"flower": None}
    )
    try:
        federation.start_server()
        federation.wait_until_ready()
        yield federation
    finally:
        federation.stop()


@pytest.fixture(scope="session")
def administration(fresh: Federation) -> Iterator[list[Chapter]]:
    """Give the chapters of an administrator, each with a Python session of its own.

    The first user does not encrypt, which the document permits by an empty file name.
    """
    values = substitutes(fresh, "root", "root", "")
    creating = ["Creating an organization", "Creating a collaboration", "Registering a node"]
    with ExitStack() as stack:
        found = []
        for number, name in enumerate(["Authentication", *creating]):
            session = Session(fresh.folder / f"session{number}", values)
            stack.callback(session.close)
            found.append(after_login(session, ALL, name))
        yield found


@pytest.fixture(scope="session")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """Give the encrypted collaboration of the document; two of its three nodes run."""
    folder = tmp_path_factory.mktemp("seeds") / "federation"
    federation = Federation(folder, AGES, runtime=AS_PROCESSES, settings={"flower": None})
    try:
        federation.start_server()
        federation.register()
        section = node_databases(folder)
        names = list(AGES)[:2]
        for name in names:
            own = str(folder / name / "example.csv")
            databases = {
                label: path.replace("/path/to/my/example.csv", own)
                for label, path in section["databases"].items()
            }
            federation.start_node(name, databases=databases)
        federation.wait_until_online(*names)
        yield federation
    finally:
        federation.stop()


@pytest.fixture(scope="session")
def researcher(federation: Federation) -> dict[str, str]:
    """Return the substitutes of a user who sees all organizations, as the one of the document."""
    with closing(federation.client("root", "root")) as root:
        roles = {role["name"]: role["id"] for role in root.role.list(include_metadata=False)}
        root.user.create(
            username="administrator",
            firstname="Ad",
            lastname="Ministrator",
            password=PASSWORD,
            email="administrator@example.org",
            organization=federation.ids["example_org1"],
            roles=[roles["Root"]],
        )
    key = str(federation.key_file("example_org1"))
    return substitutes(federation, "administrator", PASSWORD, key)


@pytest.fixture(scope="session")
def ways(federation: Federation, researcher: dict[str, str]) -> Iterator[dict[str, Chapter]]:
    """Give the chapter on tasks in the two ways to read it: with ``master`` and with the RPC task.

    Each has its task, and of the results at its end those that belong to it.
    """
    with ExitStack() as stack:
        found = {}
        for name in ("master", "RPC"):
            session = Session(federation.folder / name, researcher)
            stack.callback(session.close)
            session.run("import time")  # the document takes it for granted
            chapter = after_login(session, ALL, "Creating a task")
            chapter.statements = [one for one in chapter.statements if is_of(one, name)]
            found[name] = chapter
        yield found
