"""The published cryptors and ours: each reads what the other wrote, messages and key files."""

import base64
import json
import random
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vantage6.common.encryption import DummyCryptor, RSACryptor

_SCRIPT = Path(__file__).with_name("cryptors.py")
#: Around the block of AES, and over several of the pieces in which we work.
SIZES = (0, 1, 15, 16, 17, 10**6)
MESSAGES = {size: random.Random(size).randbytes(size) for size in SIZES}
#: Does jobs in the environment of the published client.
Published = Callable[..., list[Any]]


@pytest.fixture(scope="module")
def published(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Published:
    folder = tmp_path_factory.mktemp("cryptors")

    def do(*jobs: dict[str, Any]) -> list[Any]:
        done = subprocess.run(
            [python, "-I", _SCRIPT],
            input=json.dumps(jobs),
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        answers: list[Any] = json.loads(done.stdout)
        return answers

    return do


@pytest.fixture(scope="module")
def our_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "ours.pem"
    RSACryptor.create_new_rsa_key(path)
    return path


@pytest.fixture(scope="module")
def their_key(published: Published, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "theirs.pem"
    published({"do": "create", "key_file": str(path)})
    return path


@pytest.fixture(params=["our_key", "their_key"])
def key_file(request: pytest.FixtureRequest) -> Path:
    path: Path = request.getfixturevalue(request.param)
    return path


def test_both_read_the_same_public_key_out_of_a_key_file(
    published: Published, key_file: Path
) -> None:
    ours = RSACryptor(key_file)
    theirs, same = published(
        {"do": "public key", "key_file": str(key_file)},
        {"do": "verify", "key_file": str(key_file), "public_key": ours.public_key_str},
    )
    assert theirs == ours.public_key_str
    # 3.11 compares the bytes.
    assert same is True
    assert ours.verify_public_key(theirs)


def test_key_files_differ_in_nothing_but_the_mode(our_key: Path, their_key: Path) -> None:
    ours, theirs = RSACryptor(our_key).private_key, RSACryptor(their_key).private_key
    assert ours.key_size == theirs.key_size == 4096
    exponents = {key.public_key().public_numbers().e for key in (ours, theirs)}
    assert exponents == {65537}
    headers = {path.read_text().splitlines()[0] for path in (our_key, their_key)}
    assert headers == {"-----BEGIN RSA PRIVATE KEY-----"}
    assert stat.S_IMODE(our_key.stat().st_mode) == 0o600


def test_we_read_what_they_encrypted(published: Published, key_file: Path) -> None:
    ours = RSACryptor(key_file)
    texts = published(*_encryptions(str(key_file), ours.public_key_str))
    assert [ours.decrypt_str_to_bytes(text) for text in texts] == list(MESSAGES.values())


def test_they_read_what_we_encrypted(published: Published, key_file: Path) -> None:
    ours = RSACryptor(key_file)
    assert _read_by(published, str(key_file), ours, ours.public_key_str) == [*MESSAGES.values()]


def test_without_encryption_both_write_the_same(published: Published) -> None:
    ours = DummyCryptor()
    texts = published(*_encryptions(None, None))
    assert texts == [ours.encrypt_bytes_to_str(data, None) for data in MESSAGES.values()]
    assert [ours.decrypt_str_to_bytes(text) for text in texts] == list(MESSAGES.values())
    assert _read_by(published, None, ours, None) == list(MESSAGES.values())


def test_both_take_the_names_of_the_parameters(our_key: Path) -> None:
    ours = RSACryptor(private_key_file=our_key)
    text = ours.encrypt_bytes_to_str(data=b"x", pubkey_base64s=ours.public_key_str)
    assert ours.decrypt_str_to_bytes(data=text) == b"x"
    assert DummyCryptor().encrypt_bytes_to_str(data=b"x", pubkey_base64=None) == "eA=="


def _encryptions(key_file: str | None, public_key: str | None) -> list[dict[str, Any]]:
    return [
        {
            "do": "encrypt",
            "key_file": key_file,
            "data": base64.b64encode(data).decode(),
            "public_key": public_key,
        }
        for data in MESSAGES.values()
    ]


def _read_by(
    published: Published,
    key_file: str | None,
    ours: DummyCryptor | RSACryptor,
    public_key: str | None,
) -> list[bytes]:
    """Return what 3.11 reads out of our messages."""
    texts = [ours.encrypt_bytes_to_str(data, public_key) for data in MESSAGES.values()]
    jobs = [{"do": "decrypt", "key_file": key_file, "text": text} for text in texts]
    return [base64.b64decode(data) for data in published(*jobs)]
