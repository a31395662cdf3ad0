"""``vnode new`` and the commands about keys, at a terminal and with the real server."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.client.conftest import Live, broker_url, live, settings
from tests.terminal import Terminal
from vantage6.common.config import NodeConfig, load
from vantage6.common.encryption import RSACryptor
from vantage6.models.store import collaborations, nodes
from vantage6.models.tables import Organization

__all__ = ["broker_url", "live", "settings"]

pytestmark = pytest.mark.slow

Open = Callable[..., Terminal]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Give a home folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def vnode(home: Path) -> Iterator[Open]:
    """Give a function that begins a command at a terminal."""
    with ExitStack() as stack:
        yield lambda *words: stack.enter_context(
            Terminal([sys.executable, "-m", "vantage6.node", *words], home)
        )


@pytest.fixture
def key(live: Live) -> str:
    """Give the key of a new node of Amsterdam in an encrypted collaboration."""
    west = collaborations.create("west", [live.world.amsterdam.id], encrypted=True)
    return nodes.create(live.world.amsterdam, west)[1]


def answer_up_to_the_port(terminal: Terminal, live: Live, key: str) -> None:
    terminal.answer("Name of the configuration:", "my node")
    terminal.answer("API key of the node:", key)
    terminal.answer("Address of the server", "nowhere")
    terminal.wait_for("Error:")
    terminal.answer("Address of the server", "http://127.0.0.1")
    terminal.answer("Port of the server", "many")
    terminal.wait_for("Error:")
    terminal.answer("Port of the server", str(live.client.port))
    terminal.wait_for("Prefix of all routes")


def test_wizard_asks_again_what_it_cannot_use_and_asks_the_server(
    live: Live, key: str, vnode: Open, home: Path
) -> None:
    (home / "patients.csv").write_text("age\n40\n")
    terminal = vnode("new")
    answer_up_to_the_port(terminal, live, key)
    terminal.answer("", "")
    terminal.wait_for("in the encrypted collaboration west.")
    terminal.answer("Add a database?", "perhaps")
    terminal.wait_for("Error:")
    terminal.answer("Add a database?", "y")
    terminal.answer("Label", "")
    terminal.answer("File, or address", str(home / "patience.csv"))
    terminal.answer("Use it anyway?", "n")
    terminal.answer("File, or address", str(home / "patients.csv"))
    terminal.answer("Type", "cvs")
    terminal.wait_for("Error:")
    terminal.answer("Type", "csv")
    terminal.answer("Add a database?", "n")
    terminal.answer("Key file of the organization", "")
    terminal.answer("Images that may run here", "(")
    terminal.wait_for("Error:")
    terminal.answer("Images that may run here", "a/.*")
    assert terminal.end() == 0, terminal.shown
    # What is secret is not shown while it is typed.
    assert key not in terminal.shown
    config = load(home / ".config/vantage6/node/my-node.yaml", NodeConfig)
    assert config.api_key.get_secret_value() == key
    assert config.port == live.client.port
    assert config.encryption.enabled
    assert [database.label for database in config.databases] == ["default"]


def test_wizard_asks_again_what_the_server_refuses_at_once(
    live: Live, key: str, vnode: Open, home: Path
) -> None:
    terminal = vnode("new", "-n", "station")
    terminal.answer("API key of the node:", "wrong-key")
    terminal.answer("Address of the server", "http://127.0.0.1")
    terminal.answer("Port of the server [5000]", str(live.client.port))
    terminal.answer("Prefix of all routes", "/wrong")
    terminal.answer("Change the address?", "y")
    terminal.answer("Address of the server [http://127.0.0.1]", "")
    terminal.answer(f"Port of the server [{live.client.port}]", "")
    terminal.answer("Prefix of all routes of the server [/wrong]", "/api")
    terminal.wait_for("Give the key again.")
    terminal.answer("API key of the node:", key)
    terminal.wait_for("in the encrypted collaboration west.")
    terminal.answer("Add a database?", "n")
    terminal.answer("Key file of the organization", "")
    terminal.answer("Images that may run here", "")
    terminal.wait_for("No image may run here until")
    assert terminal.end() == 0, terminal.shown
    config = load(home / ".config/vantage6/node/station.yaml", NodeConfig)
    assert config.policies is not None
    assert config.policies.allowed_algorithms == ()
    assert config.api_key.get_secret_value() == key


def test_the_port_after_https_is_443(vnode: Open) -> None:
    terminal = vnode("new", "-n", "station", "--no-ask-server")
    terminal.answer("API key of the node:", "key")
    terminal.answer("Address of the server", "https://server.example")
    terminal.wait_for("Port of the server [443]")
    terminal.interrupt()
    assert terminal.end() == 1


def test_a_new_file_without_answers_allows_no_image(vnode: Open, home: Path) -> None:
    (home / "key").write_text("key")
    words = ["--server-url", "https://server.example", "--yes", "-n", "closed"]
    terminal = vnode("new", *words, "--api-key-file", home / "key", "--no-ask-server")
    assert terminal.end() == 0, terminal.shown
    config = load(home / ".config/vantage6/node/closed.yaml", NodeConfig)
    assert config.policies is not None
    assert config.policies.allowed_algorithms == ()


def test_wizard_that_is_broken_off_leaves_nothing(
    live: Live, key: str, vnode: Open, home: Path
) -> None:
    terminal = vnode("new")
    answer_up_to_the_port(terminal, live, key)
    terminal.interrupt()
    assert terminal.end() == 1
    assert "Aborted!" in terminal.shown
    assert "Traceback" not in terminal.shown
    assert list(home.iterdir()) == []


@pytest.fixture
def node(live: Live, key: str, vnode: Open, home: Path) -> Path:
    """Give the configuration of a node that is ready but for its key."""
    (home / "key").write_text(key)
    words = ["--server-url", "http://127.0.0.1", "-p", live.client.port, "--yes", "-n", "station"]
    terminal = vnode("new", *words, "--api-key-file", home / "key")
    assert terminal.end() == 0, terminal.shown
    return home / ".config/vantage6/node/station.yaml"


def create(vnode: Open, *words: str, password: str = "secret") -> tuple[int, str]:
    """Make a key as Ada of Amsterdam; return exit code and what was shown."""
    terminal = vnode("create-private-key", *words)
    terminal.answer("User name:", "ada")
    terminal.answer("Password:", password)
    terminal.answer("authenticator app", "")
    code = terminal.end()
    assert password not in terminal.shown
    return code, " ".join(terminal.shown.split())


def published() -> str:
    found = Organization.get(Organization.name == "Amsterdam")
    return str(found.public_key)


def test_key_is_made_and_its_public_half_published(node: Path, vnode: Open, home: Path) -> None:
    code, said = create(vnode)
    assert code == 0, said
    file = Path(load(node, NodeConfig).encryption.private_key or "")
    assert file == home / ".local/share/vantage6/node/privkey_Amsterdam.pem"
    assert file.stat().st_mode & 0o777 == 0o600
    assert RSACryptor(file).verify_public_key(published())
    # Once more, and nothing changes.
    content = file.read_bytes()
    code, said = create(vnode)
    assert code == 0, said
    assert file.read_bytes() == content


def test_another_key_at_the_server_is_replaced_only_by_force(
    node: Path, vnode: Open, home: Path
) -> None:
    RSACryptor.create_new_rsa_key(home / "colleague.pem")
    colleague = RSACryptor(home / "colleague.pem").public_key_str
    Organization.update(public_key=colleague).where(Organization.name == "Amsterdam").execute()
    theirs = RSACryptor.fingerprint(colleague)[:23]
    file = home / ".local/share/vantage6/node/privkey_Amsterdam.pem"

    code, said = create(vnode)
    assert code == 12
    assert f"The server has the key {theirs} for Amsterdam, and there is no {file}" in said
    assert "--force makes a new one" in said
    assert not file.exists()
    assert load(node, NodeConfig).encryption.private_key is None

    file.parent.mkdir(parents=True)
    RSACryptor.create_new_rsa_key(file)
    ours = RSACryptor(file).public_key_str
    code, said = create(vnode)
    assert code == 12
    assert f"{file} is {RSACryptor.fingerprint(ours)[:23]}" in said
    assert published() == colleague

    assert create(vnode, "--force")[0] == 0
    assert published() == ours
    assert create(vnode, "--overwrite")[0] == 0
    assert published() == RSACryptor(file).public_key_str != ours


def test_wrong_user_and_wrong_organization_are_refused(node: Path, vnode: Open, home: Path) -> None:
    assert create(vnode, password="wrong")[0] == 13
    code, said = create(vnode, "-o", "Berlin")
    assert code == 12
    assert "You are a user of Amsterdam, not of Berlin" in said
    assert not (home / ".local").exists()


def test_key_of_the_node_is_not_shown_while_it_is_typed(node: Path, vnode: Open) -> None:
    terminal = vnode("set-api-key")
    terminal.answer("API key:", "fresh")
    assert terminal.end() == 0, terminal.shown
    assert "fresh" not in terminal.shown
    assert load(node, NodeConfig).api_key.get_secret_value() == "fresh"
