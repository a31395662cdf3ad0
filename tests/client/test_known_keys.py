"""A client encrypts for the keys that it knows, and shows nothing that was not encrypted."""

import logging
from pathlib import Path

import click
import pytest

from vantage6.client import Client, RSACryptor
from vantage6.client.result_reader import NotEncrypted
from vantage6.common import bytes_to_base64s
from vantage6.common.errors import Invalid, V6Error
from vantage6.common.identity import WhoAmI
from vantage6.common.known_keys import KeyRefused


@pytest.fixture(scope="session")
def cryptors(tmp_path_factory: pytest.TempPathFactory) -> list[RSACryptor]:
    """Give three keys; the first one is that of the client."""
    folder = tmp_path_factory.mktemp("keys")
    for name in "123":
        RSACryptor.create_new_rsa_key(folder / name)
    return [RSACryptor(folder / name) for name in "123"]


def _say_keys(peer, *cryptors: RSACryptor) -> None:
    """Let the server hand out keys for the organizations from 2 on."""
    peer.answers |= {
        "GET collaboration/1": (200, {"id": 1, "encrypted": True}),
        "POST task": (201, {"id": 5}),
        "GET organization": (
            200,
            [
                {"id": id_, "name": "a", "public_key": cryptor.public_key_str}
                for id_, cryptor in enumerate(cryptors, 2)
            ],
        ),
    }


def _create(client: Client, *organizations: int):
    return client.task.create(1, list(organizations), "n", "i", "", {}, "json")


def test_input_is_not_encrypted_for_a_key_that_the_server_put_in_place_of_another(
    peer, client, cryptors
) -> None:
    own, other, foreign = cryptors
    client.cryptor = own
    _say_keys(peer, own, other)
    assert _create(client, 2, 3) == {"id": 5}
    _say_keys(peer, own, foreign)
    count = peer.calls().count("POST task")
    with pytest.raises(KeyRefused) as refusal:
        _create(client, 2, 3)
    assert peer.calls().count("POST task") == count
    first, second = (RSACryptor.fingerprint(each.public_key_str) for each in (other, foreign))
    assert first in refusal.value.message
    assert f"client.keys.accept(3, '{second}')" in refusal.value.message
    assert _create(client, 2) == {"id": 5}  # the others go on
    client.keys.accept(3, second)
    assert _create(client, 2, 3) == {"id": 5}
    assert [(row["organization"], row["learned"]) for row in client.keys.list()] == [
        (2, "first use"),
        (3, "person"),
    ]


def test_first_use_is_said_once_with_the_fingerprints(peer, client, cryptors, caplog) -> None:
    client.cryptor = cryptors[0]
    client.log.setLevel(logging.INFO)
    _say_keys(peer, *cryptors)
    for _ in range(2):
        _create(client, 2, 3, 4)
    said = [one.getMessage() for one in caplog.records if "first time" in one.getMessage()]
    assert len(said) == 1
    for cryptor in cryptors:
        assert RSACryptor.fingerprint(cryptor.public_key_str) in said[0]
    client.log.setLevel(logging.WARNING)


def test_keys_are_known_to_the_next_client_of_the_user(peer, client, cryptors) -> None:
    client.cryptor = cryptors[0]
    _say_keys(peer, cryptors[1])
    _create(client, 2)
    _say_keys(peer, cryptors[2])
    following = Client(peer.address, None, "/api")
    following.whoami = WhoAmI("user", 1, "Frodo", "The Shire", 7)
    following.cryptor = cryptors[0]
    with pytest.raises(KeyRefused):
        _create(following, 2)
    following.close()


def test_fingerprints_that_the_user_gives_go_before_first_use(peer, cryptors, tmp_path) -> None:
    mark = RSACryptor.fingerprint(cryptors[1].public_key_str)
    client = Client(
        peer.address,
        organization_keys={2: mark},
        known_keys_file=tmp_path / "mine.json",
    )
    client.whoami = WhoAmI("user", 1, "Frodo", "The Shire", 7)
    client.cryptor = cryptors[0]
    _say_keys(peer, cryptors[2])
    with pytest.raises(KeyRefused, match="change organization_keys"):
        _create(client, 2)
    _say_keys(peer, cryptors[1])
    assert _create(client, 2) == {"id": 5}
    assert not (tmp_path / "mine.json").exists()
    client.close()


def test_own_organization_is_known_by_its_private_key(peer, client, cryptors, tmp_path) -> None:
    RSACryptor.create_new_rsa_key(tmp_path / "own.pem")
    own = RSACryptor(tmp_path / "own.pem")
    peer.answers["GET organization/7"] = (200, {"public_key": own.public_key_str})
    client.setup_encryption(tmp_path / "own.pem")
    _say_keys(peer, *[cryptors[1]] * 6)
    with pytest.raises(KeyRefused, match="own key"):
        _create(client, 7)


def test_keys_are_remembered_in_the_configuration_of_the_user(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("V6_KNOWN_ORGANIZATIONS")
    client = Client("http://127.0.0.1")
    assert client.known_keys.file.parent == Path(click.get_app_dir("vantage6"))
    monkeypatch.setenv("V6_KNOWN_ORGANIZATIONS", str(tmp_path / "here.json"))
    assert Client("http://127.0.0.1").known_keys.file == tmp_path / "here.json"


def test_client_without_a_folder_to_write_to_works_and_says_so(
    peer, client, cryptors, monkeypatch, tmp_path, caplog
) -> None:
    (tmp_path / "file").write_text("no folder")
    client.known_keys.file = tmp_path / "file" / "known.json"
    client.cryptor = cryptors[0]
    _say_keys(peer, cryptors[1])
    assert _create(client, 2) == {"id": 5}
    assert "cannot be remembered" in caplog.text


def test_result_that_was_not_encrypted_is_not_shown(peer, client, cryptors, caplog) -> None:
    """Whoever can write at the server could have put it there."""
    own = cryptors[0]
    client.cryptor = own
    sealed = own.encrypt_bytes_to_str(b"json.1", own.public_key_str)
    forged = bytes_to_base64s(b"json.2")
    for read in (
        lambda: client.result.from_task(1),
        lambda: client.get_results(task_id=1),
        lambda: client.result.list(task=1)["data"],
    ):
        rows = [
            {"id": 1, "input": "", "result": sealed, "log": sealed},
            {"id": 2, "input": "", "result": forged},
            {"id": 3, "input": "", "result": "", "log": "forged"},
        ]
        peer.answers["GET result"] = (200, {"data": rows, "links": {}})
        if "from_task" in read.__code__.co_names or "get_results" in read.__code__.co_names:
            peer.answers["GET result"] = (200, rows)
        good, bad, failed = read()
        assert good["result"] in (1, b"json.1")
        assert good["log"] == "json.1"
        assert (failed["log"], bool(failed["refused"])) == (None, True)
        assert bad["result"] is None
        assert "client.setup_encryption(None)" in bad["refused"]
    assert "Results that are not shown: 2 (id 2, 3)" in caplog.text


@pytest.mark.parametrize("read", ["result.get", "get_results"])
def test_one_result_that_was_not_encrypted_is_an_error(peer, client, cryptors, read) -> None:
    client.cryptor = cryptors[0]
    row = {"id": 2, "input": "", "result": bytes_to_base64s(b"json.2")}
    peer.answers["GET result/2"] = (200, row)
    call = client.result.get if read == "result.get" else client.get_results
    with pytest.raises(NotEncrypted) as refusal:
        call(2)
    assert isinstance(refusal.value, Invalid)
    client.setup_encryption(None)
    assert call(2)["result"] in (2, b"json.2")


def test_refusal_by_the_server_commands_no_terminal(peer, client) -> None:
    peer.answers["GET organization"] = (401, {"msg": "no\x1b[2J\u202e", "code": "forbidden"})
    with pytest.raises(V6Error) as refusal:
        client.call("get", "organization")
    assert refusal.value.message == r"no\u001b[2J\u202e"
