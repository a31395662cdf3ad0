"""Public keys of all sizes, of which the modulus is random, and keys that are of no use."""

from base64 import b64encode
from pathlib import Path
from random import Random
from textwrap import wrap

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

_ALGORITHM = bytes.fromhex("06092a864886f70d0101010500")


def public_key(
    bits: int = 2048, exponent: int = 65_537, seed: int = 0, *, even: bool = False
) -> str:
    """Return a public RSA key that belongs to no private key, as the server stores it."""
    modulus = Random(f"{bits} {seed}").getrandbits(bits) | 1 << (bits - 1) | 1
    numbers = _sequence(_integer(modulus - even) + _integer(exponent))
    content = _sequence(_sequence(_ALGORITHM) + _value(3, b"\0" + numbers))
    lines = "\n".join(wrap(b64encode(content).decode(), 64))
    pem = f"-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n"
    return b64encode(pem.encode()).decode()


def write_short_key(file: Path) -> Path:
    """Write a private key that is too short for anything to be encrypted for it."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=1024)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(pem)
    return file


def _integer(number: int) -> bytes:
    return _value(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _sequence(content: bytes) -> bytes:
    return _value(0x30, content)


def _value(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


#: Keys with which nothing can be encrypted, by what is wrong with them.
UNUSABLE = {
    "no key": b64encode(b"no key").decode(),
    "short": public_key(1024),
    "almost long enough": public_key(2047),
    "too long": public_key(16_385),
    "much too long": public_key(65_536),
    "even modulus": public_key(even=True),
    "long modulus and exponent": public_key(4096, 2**100 + 1),
    "long exponent": public_key(2048, 2**32 + 1),
    "exponent 1": public_key(exponent=1),
}
