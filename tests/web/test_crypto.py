"""The encryption of the web pages, in a real browser, against that of Python."""

import base64
import random
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from playwright.sync_api import Page

from vantage6.common.encryption import RSACryptor

pytestmark = pytest.mark.slow

_MESSAGES = 200
#: Starts the worker of the built pages, and asks it one question after the other.
_ASK = """async ([address, key, questions]) => {
    const policy = trustedTypes.createPolicy('test', {createScriptURL: (each) => each});
    const worker = new Worker(policy.createScriptURL(address), {type: 'module'});
    const decode = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
    const encode = (bytes) => {
        let text = '';
        for (const byte of bytes) text += String.fromCharCode(byte);
        return btoa(text);
    };
    const ask = (question) => new Promise((done, failed) => {
        worker.onmessage = ({data}) => done(data);
        worker.onerror = ({message}) => failed(new Error(message));
        worker.postMessage({id: 1, ...question});
    });
    const answers = [(await ask({kind: 'load', file: new File([key], 'key.pem')})).text];
    for (const {bytes, ...question} of questions) {
        if (bytes !== undefined) question.bytes = decode(bytes);
        const answer = await ask(question);
        answers.push(answer.bytes ? encode(answer.bytes) : answer.texts?.[0] ?? answer.fault);
    }
    worker.terminate();
    return answers;
}"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> RSACryptor:
    """Give the key of an organization, short enough for hundreds of messages."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    file = tmp_path_factory.mktemp("key") / "key.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    return RSACryptor(file)


@pytest.fixture
def ask(page: Page, built: Path, own: RSACryptor) -> Any:
    """Give what asks the worker of the built pages, with the key loaded."""
    pem = own.private_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    (worker,) = (built / "assets").glob("worker-*.js")

    def questions(*asked: dict[str, Any]) -> list[str]:
        address = f"/app/assets/{worker.name}"
        fingerprint, *answers = page.evaluate(_ASK, [address, pem, list(asked)])
        assert fingerprint == RSACryptor.fingerprint(own.public_key_str)
        return [str(answer) for answer in answers]

    return questions


def test_what_python_writes_is_read_in_the_browser(ask: Any, own: RSACryptor) -> None:
    plain = _random_messages()
    texts = [_write(own, data, counter) for data, counter in zip(plain, _counters(), strict=False)]
    texts += [own.encrypt_bytes_to_str(data, own.public_key_str) for data in plain[len(texts) :]]
    answers = ask(*({"kind": "decrypt", "text": text} for text in texts))
    assert [base64.b64decode(answer, validate=True) for answer in answers] == plain


def test_what_the_browser_writes_is_read_by_python(ask: Any, own: RSACryptor) -> None:
    plain = _random_messages()
    texts = ask(
        *(
            {
                "kind": "encrypt",
                "bytes": base64.b64encode(data).decode(),
                "receivers": [own.public_key_str],
            }
            for data in plain
        )
    )
    assert [own.decrypt_str_to_bytes(text) for text in texts] == plain
    heads = {tuple(text.split("$")[:2]) for text in texts}
    assert len(heads) == len(texts)  # no key and no counter is used twice


def test_a_key_as_the_client_makes_it_is_read(page: Page, built: Path, tmp_path: Path) -> None:
    key = RSACryptor.create_new_rsa_key(tmp_path / "key.pem")
    (worker,) = (built / "assets").glob("worker-*.js")
    own = RSACryptor(tmp_path / "key.pem")
    text = own.encrypt_bytes_to_str(b"json.1", own.public_key_str)
    fingerprint, answer = page.evaluate(
        _ASK,
        [
            f"/app/assets/{worker.name}",
            (tmp_path / "key.pem").read_text(),
            [{"kind": "decrypt", "text": text}],
        ],
    )
    assert key.key_size == 4096
    assert fingerprint == RSACryptor.fingerprint(own.public_key_str)
    assert base64.b64decode(answer) == b"json.1"


def _random_messages() -> list[bytes]:
    random_ = random.Random(18)
    # The first ones are longer than the blocks until a counter of `_counters` wraps.
    sizes = [2_000] * len(_counters()) + [0, 1, 15, 16, 17, 200_000]
    sizes += [random_.randrange(4_000) for _ in range(_MESSAGES - len(sizes))]
    return [random_.randbytes(size) for size in sizes]


def _counters() -> list[bytes]:
    """Return counters of which the low 32, 64 or 128 bits wrap within a message of some blocks."""
    return [
        (2**bits - blocks).to_bytes(16, "big") for bits in (32, 64, 128) for blocks in (1, 2, 3, 99)
    ] + [(2**96 + 2**bits - 2).to_bytes(16, "big") for bits in (32, 64)]


def _write(own: RSACryptor, data: bytes, counter: bytes) -> str:
    """Encrypt as `RSACryptor` does, from a counter that is not drawn."""
    key = random.Random(18).randbytes(32)
    stream = Cipher(algorithms.AES256(key), modes.CTR(counter)).encryptor()
    sealed_key = own.private_key.public_key().encrypt(key, padding.PKCS1v15())
    parts = (sealed_key, counter, stream.update(data))
    return "$".join(base64.b64encode(part).decode() for part in parts)
