"""Everything in the tutorial runs as a reader runs it, and prints what the page says."""

import doctest
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.markdown import DOCS, Block, blocks
from tests.seeds.session import Session
from vantage6.client import Client
from vantage6.common import __version__

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

BLOCKS = blocks(DOCS / "tutorial.md")
#: The first line of a piece of code that another user runs.
NEWCOMER = "# as the first user of a new organization\n"
PASSWORD = "Newcomer-password-1"


@dataclass(frozen=True)
class Demonstration:
    """What ``make demo KEEP=1`` prints: the lines that connect."""

    folder: Path
    address: str
    account: str
    key: str

    def session(self, account: str, key: str) -> Session:
        """Return a Python session in which the page's address, account and key are real ones."""
        return Session(
            self.folder / f"session of {account.partition(',')[0]}",
            {
                '"https://server.example", 443, "/api"': self.address,
                '"researcher", "password"': account,
                "private_key.pem": key,
            },
            # The page has tasks that fail; the client says so at once.
            expected=r"Task \d+: 1 of 1 failed\. example_org1: ",
        )

    def root(self) -> Client:
        """Return the client of the server's administrator."""
        host, port, path = self.address.replace('"', "").split(", ")
        known_keys = self.folder / "known_organizations.json"
        client = Client(host, int(port), path, known_keys_file=known_keys, raise_errors=True)
        client.authenticate("root", "root")
        return client


def run_demo(folder: Path, *arguments: str) -> str:
    """Run the demonstration without a container engine, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo", "--folder", folder, *arguments],
        cwd=DOCS.parent,
        env={**os.environ, "DOCKER_HOST": "unix:///nowhere"},
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    """Give the demonstration, left running."""
    folder = tmp_path_factory.mktemp("tutorial") / "demo"
    try:
        said = run_demo(folder, "--keep")
        lines = [
            re.findall(rf"^ +client.*{call}\((.+)\)$", said, re.MULTILINE)
            for call in ("Client", "authenticate", "setup_encryption")
        ]
        (address,), (account,), (key,) = lines
        yield Demonstration(folder, address, account, key.strip('"'))
    finally:
        run_demo(folder, "--stop")


def make_newcomer(root: Client) -> None:
    """Make an organization without a key, and its first user."""
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


def check(session: Session, block: Block) -> None:
    """Run a piece of code, and fail if it prints something else than the page shows."""
    (outcome,) = session.run(block.text)
    expected, flags = block.shows or "", doctest.ELLIPSIS
    same = doctest.OutputChecker().check_output(expected, outcome.printed, flags)
    assert same, f"line {block.line} prints\n{outcome.printed}"


def test_every_piece_of_python_runs_in_the_order_of_the_page(demonstration: Demonstration) -> None:
    with closing(demonstration.session(demonstration.account, demonstration.key)) as reader:
        for block in BLOCKS:
            if block.language == "python" and not block.text.startswith(NEWCOMER):
                check(reader, block)


def test_a_new_organization_gets_its_key(demonstration: Demonstration) -> None:
    with closing(demonstration.root()) as root:
        make_newcomer(root)
    key = demonstration.folder / "new.pem"
    connecting = next(block for block in BLOCKS if "client.authenticate" in block.text)
    (making,) = [block for block in BLOCKS if block.text.startswith(NEWCOMER)]
    with closing(demonstration.session(f'"newcomer", "{PASSWORD}"', str(key))) as newcomer:
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
