"""The agreement on encryption."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.wire import Wire
from tests.public_keys import write_short_key
from vantage6.client.node_client import NodeClient
from vantage6.common.encryption import DummyCryptor, RSACryptor
from vantage6.common.errors import ConfigurationError
from vantage6.node.rules.encryption import Agreement, agree


@pytest.fixture
def server(wire: Wire) -> Iterator[NodeClient]:
    """Give a connection to the server."""
    client = NodeClient(f"http://127.0.0.1:{wire.port}", "/api")
    client.authenticate("key")
    yield client
    client.close()


def ask(server: NodeClient, enabled: bool, key_file: Path) -> Agreement:
    return agree(server, 1, 1, enabled=enabled, key_file=key_file)


def test_no_encryption_needs_no_key(server: NodeClient, tmp_path: Path) -> None:
    agreement = ask(server, False, tmp_path / "none.pem")
    assert agreement.refusal is None
    assert isinstance(agreement.cryptor, DummyCryptor)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("enabled", [True, False])
def test_disagreement_is_an_answer_not_an_end(
    wire: Wire, server: NodeClient, tmp_path: Path, enabled: bool
) -> None:
    wire.encrypted = not enabled
    agreement = ask(server, enabled, tmp_path / "none.pem")
    assert agreement.refusal is not None
    assert agreement.refusal.code == "encryption_mismatch"
    assert wire.public_keys[1] == ""


def test_first_node_of_an_organization_makes_and_publishes_its_key(
    wire: Wire, server: NodeClient, tmp_path: Path
) -> None:
    wire.encrypted = True
    key_file = tmp_path / "data" / "private_key.pem"
    agreement = ask(server, True, key_file)
    assert agreement.refusal is None
    assert key_file.stat().st_mode & 0o777 == 0o600
    assert wire.public_keys[1] == RSACryptor(key_file).public_key_str
    assert ask(server, True, key_file).refusal is None


def test_another_key_at_the_server_is_never_replaced(
    wire: Wire, server: NodeClient, tmp_path: Path
) -> None:
    wire.encrypted = True
    for name in ("own.pem", "other.pem"):
        RSACryptor.create_new_rsa_key(tmp_path / name)
    published = RSACryptor(tmp_path / "other.pem").public_key_str
    wire.public_keys[1] = published
    agreement = ask(server, True, tmp_path / "own.pem")
    assert agreement.refusal is not None
    assert agreement.refusal.code == "public_key_mismatch"
    assert wire.public_keys[1] == published


def test_key_that_nothing_can_be_encrypted_for_is_not_published(
    wire: Wire, server: NodeClient, tmp_path: Path
) -> None:
    wire.encrypted = True
    with pytest.raises(ConfigurationError, match=r"1,024 bits"):
        ask(server, True, write_short_key(tmp_path / "short.pem"))
    assert wire.public_keys[1] == ""


def test_missing_key_is_not_made_if_the_organization_has_one(
    wire: Wire, server: NodeClient, tmp_path: Path
) -> None:
    wire.encrypted = True
    wire.public_keys[1] = "LS0t"
    with pytest.raises(ConfigurationError, match="private_key"):
        ask(server, True, tmp_path / "none.pem")
    assert not list(tmp_path.iterdir())
