"""Everything in the tutorial runs as a reader runs it, and prints what the page says."""

import doctest
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from examples.demo import AGES
from examples.federation import AS_PROCESSES, IMAGE, PASSWORD, Federation
from tests.docs.markdown import DOCS, Block, blocks
from tests.seeds.session import Session
from vantage6.common import __version__

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

BLOCKS = blocks(DOCS / "tutorial.md")
#: The first line of a piece of code that another user runs.
NEWCOMER = "# as the first user of a new organization\n"
#: What the second database of each station holds.
FOLLOWUP = {"example_org1": [46, 63], "example_org2": [29, 40, 48], "example_org3": [34]}


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """Give the federation of the page: two databases at each station, and a policy."""
    federation = Federation(
        tmp_path_factory.mktemp("tutorial") / "federation",
        AGES,
        runtime={**AS_PROCESSES, "policies": {"allowed_algorithms": IMAGE.replace(".", r"\.")}},
        settings={"flower": None},
    )
    try:
        federation.start_server()
        federation.register()
        for name in federation.ids:
            folder = federation.folder / name
            (folder / "followup.csv").write_text("\n".join(["age", *map(str, FOLLOWUP[name])]))
            databases = {"default": f"{folder}/example.csv", "followup": f"{folder}/followup.csv"}
            federation.start_node(name, databases=databases)
        federation.wait_until_online()
        yield federation
    finally:
        federation.stop()


def make_newcomer(federation: Federation) -> None:
    """Make an organization without a key, and its first user."""
    with closing(federation.client("root", "root")) as root:
        address = dict.fromkeys(["address1", "address2", "zipcode", "country", "domain"], "")
        organization = root.organization.create(name="newcomers", **address)["id"]
        roles = {role["name"]: role["id"] for role in root.role.list(include_metadata=False)}
        root.user.create(
            username="newcomer",
            firstname="New",
            lastname="Comer",
            password=PASSWORD,
            email="newcomer@example.org",
            organization=organization,
            roles=[roles["Organization Admin"]],
        )


def session(federation: Federation, username: str, key: Path) -> Session:
    """Return a Python session in which the page's account, address and key are real ones."""
    return Session(
        federation.folder / f"session of {username}",
        {
            '"https://server.example", 443': f'"http://127.0.0.1", {federation.port}',
            '"researcher", "password"': f'"{username}", "{PASSWORD}"',
            "private_key.pem": str(key),
        },
    )


def check(session: Session, block: Block) -> None:
    """Run a piece of code, and fail if it prints something else than the page shows."""
    (outcome,) = session.run(block.text)
    expected, flags = block.shows or "", doctest.ELLIPSIS
    same = doctest.OutputChecker().check_output(expected, outcome.printed, flags)
    assert same, f"line {block.line} prints\n{outcome.printed}"


def test_every_piece_of_python_runs_in_the_order_of_the_page(federation: Federation) -> None:
    key = federation.key_file("example_org1")
    with closing(session(federation, "researcher", key)) as reader:
        for block in BLOCKS:
            if block.language == "python" and not block.text.startswith(NEWCOMER):
                check(reader, block)


def test_a_new_organization_gets_its_key(federation: Federation) -> None:
    make_newcomer(federation)
    key = federation.folder / "new.pem"
    connecting = next(block for block in BLOCKS if "client.authenticate" in block.text)
    (making,) = [block for block in BLOCKS if block.text.startswith(NEWCOMER)]
    with closing(session(federation, "newcomer", key)) as newcomer:
        check(newcomer, connecting)
        check(newcomer, making)
        assert newcomer.value("len(client.organization.get()['public_key']) > 100")
    assert key.stat().st_mode & 0o777 == 0o600


def test_every_command_runs() -> None:
    (command,) = [block.text for block in BLOCKS if block.language == "console"]
    # Nothing is fetched: what the command installs is there already.
    words = command.removeprefix("$ ").replace(" .", f" vantage6=={__version__}").split()
    done = subprocess.run(
        [sys.executable, "-m", *words, "--no-index", "--no-deps", "--disable-pip-version-check"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "already satisfied" in done.stdout, done.stderr


def test_everything_on_the_page_is_run() -> None:
    assert {block.language for block in BLOCKS} == {"python", "console"}
    assert len([block for block in BLOCKS if block.shows]) > 10
