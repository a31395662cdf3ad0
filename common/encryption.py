"""End-to-end encryption between organizations: one RSA key pair each, one AES key per message.

The layout of a message is part of the wire protocol::

    base64(RSA(AES key)) $ base64(initial counter) $ base64(AES-256-CTR(data))

It has no checksum. A text that breaks off within the layout, or within a group of four characters,
is noticed for sure. A wrong key or a damaged first part is noticed all but once in some hundred
times, when the key that comes out has the right length by chance. Other changes of the last two
parts are not noticed, and give other data.
"""

import hashlib
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

from vantage6.common.encoding import (
    LazyText,
    base64_length,
    base64_pieces,
    base64_text,
    base64s_to_bytes,
    bytes_to_base64s,
    decode_pieces,
    pieces,
    strictly_decoded_pieces,
)

#: Stands between the parts of an encrypted message; not a character of base64.
SEPARATOR = "$"

_AES_KEY_BYTES = 32
_COUNTER_BYTES = 16
_RSA_BITS = 4096
_RSA_EXPONENT = 65537
#: Lengths of the encrypted AES key, which is as long as the receiver's key.
_LEAST_KEY_BYTES, _MOST_KEY_BYTES = 256, 2048
#: OpenSSL refuses a long key with an exponent of more than 64 bits; 65,537 is usual.
_MOST_EXPONENT_BITS = 32
_FAILS = "The public key of the organization is damaged: encryption with it fails."
#: Length of a public key as text. One of 16,384 bits is a fifth of it.
MOST_PUBLIC_KEY_CHARACTERS = 20_000
#: A public key as PEM, and nothing else.
_ONE_PEM = re.compile(rb"\s*-----BEGIN ([A-Z ]+)-----[A-Za-z0-9+/=\s]+-----END \1-----\s*")


class CryptorBase:
    """Turns bytes into text that fits in JSON, and back, without encryption."""

    @staticmethod
    def bytes_to_str(data: bytes) -> str:
        """Return the data as base64."""
        return bytes_to_base64s(data)

    @staticmethod
    def str_to_bytes(data: str) -> bytes:
        """Return the data behind base64."""
        return base64s_to_bytes(data)

    def encrypt_bytes_to_str(
        self,
        data: bytes,
        pubkey_base64: str | None,  # noqa: ARG002 - subclasses need it
    ) -> str:
        """Return the data as text; the public key of the receiver is ignored."""
        return self.bytes_to_str(data)

    def encrypted(
        self,
        data: bytes,
        pubkey_base64: str | None,  # noqa: ARG002 - subclasses need it
    ) -> LazyText:
        """Return what `encrypt_bytes_to_str` does, but made while it is sent."""
        return base64_text(data)

    def decrypt_str_to_bytes(self, data: str) -> bytes:
        """Return the data behind a text.

        Raises
        ------
        ValueError
            If the text cannot be read.
        """
        return self.str_to_bytes(data)


class DummyCryptor(CryptorBase):
    """The cryptor of collaborations without encryption."""


class RSACryptor(CryptorBase):
    """The cryptor of one organization, made from the file with its private key.

    Parameters
    ----------
    private_key_file
        A PEM file without passphrase.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file holds no RSA private key.
    """

    def __init__(self, private_key_file: str | Path) -> None:
        path = Path(private_key_file)
        if not path.exists():
            raise FileNotFoundError(f"Private key file {path} not found.")
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ValueError(f"{path} is not a private key in PEM without passphrase.") from error
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError(f"{path} holds a private key of another kind than RSA.")
        self.private_key = key

    @staticmethod
    def create_new_rsa_key(path: str | Path) -> rsa.RSAPrivateKey:
        """Create a private key, write it to a file that only its owner can read, return it.

        An existing file is overwritten: everything encrypted for its key becomes unreadable.
        """
        key = rsa.generate_private_key(public_exponent=_RSA_EXPONENT, key_size=_RSA_BITS)
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            # SECURITY: the mode of os.open only counts for a file that did not exist. Windows has
            # no modes: there the folder decides which users read the file.
            if hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), 0o600)
            file.write(pem)
        return key

    @staticmethod
    def create_public_key_bytes(private_key: rsa.RSAPrivateKey) -> bytes:
        """Return the public half of a key as PEM."""
        return private_key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @staticmethod
    def fingerprint(pubkey_base64: str) -> str:
        """Return the SHA-256 of a public key, short enough to compare over the telephone."""
        der = read_public_key(pubkey_base64).public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return hashlib.sha256(der).digest()[:16].hex(":")

    @property
    def public_key_bytes(self) -> bytes:
        """The own public key as PEM."""
        return self.create_public_key_bytes(self.private_key)

    @property
    def public_key_str(self) -> str:
        """The own public key as the server stores it: base64 of the PEM."""
        return self.bytes_to_str(self.public_key_bytes)

    def encrypt_bytes_to_str(self, data: bytes, pubkey_base64s: str | None) -> str:
        """Encrypt data for the organization that owns a public key.

        Parameters
        ----------
        data
            The message, of any length.
        pubkey_base64s
            The public key of the receiver as the server stores it.

        Raises
        ------
        ValueError
            If the receiver has no public key, or something else in its place.
        """
        return str(self.encrypted(data, pubkey_base64s))

    def encrypted(self, data: bytes, pubkey_base64: str | None) -> LazyText:
        """Return what `encrypt_bytes_to_str` does, but made while it is sent.

        Raises
        ------
        ValueError
            If the receiver has no public key, or something else in its place.
        """
        receiver = read_public_key(pubkey_base64)
        aes_key, counter = os.urandom(_AES_KEY_BYTES), os.urandom(_COUNTER_BYTES)
        encrypted_key = receiver.encrypt(aes_key, padding.PKCS1v15())
        parts = (self.bytes_to_str(encrypted_key), self.bytes_to_str(counter), "")
        head = SEPARATOR.join(parts).encode("ascii")

        def message() -> Iterator[bytes]:
            yield head
            stream = _aes(aes_key, counter)
            yield from base64_pieces(stream.update(piece) for piece in pieces(data))

        return LazyText(len(head) + base64_length(len(data)), message)

    def decrypt_str_to_bytes(self, data: str) -> bytes:
        """Decrypt a message for the own organization.

        Raises
        ------
        ValueError
            If the text is not an encrypted message, is damaged in a way that can be noticed, or
            was encrypted for another key.
        """
        if data.count(SEPARATOR) != 2:
            raise ValueError("This is not an encrypted message.")
        key_end = data.index(SEPARATOR)
        counter_end = data.index(SEPARATOR, key_end + 1)
        try:
            encrypted_key = self.str_to_bytes(data[:key_end])
            counter = self.str_to_bytes(data[key_end + 1 : counter_end])
        except ValueError as error:
            raise ValueError("This is not an encrypted message.") from error
        if len(counter) != _COUNTER_BYTES:
            raise ValueError("This is not an encrypted message.")
        stream = _aes(self._aes_key(encrypted_key), counter)
        plain = io.BytesIO()
        try:
            for piece in decode_pieces(data, counter_end + 1):
                plain.write(stream.update(piece))
        except ValueError as error:
            raise ValueError("The message is damaged or incomplete.") from error
        return plain.getvalue()

    def _aes_key(self, encrypted_key: bytes) -> bytes:
        try:
            aes_key = self.private_key.decrypt(encrypted_key, padding.PKCS1v15())
        except ValueError as error:
            raise ValueError("The message is damaged or encrypted for another key.") from error
        # OpenSSL 3.2 and later answer a wrong key with random bytes instead of an error.
        if len(aes_key) != _AES_KEY_BYTES:
            raise ValueError("The message is damaged or encrypted for another key.")
        return aes_key

    def verify_public_key(self, pubkey_base64: str) -> bool:
        """Tell whether a public key, in any wrapping, belongs to the own private key."""
        try:
            other = read_public_key(pubkey_base64)
        except ValueError:
            return False
        return other.public_numbers() == self.private_key.public_key().public_numbers()


def is_sealed(text: str) -> bool:
    """Tell whether a text has the form of an encrypted message, without any key.

    Only the receiver can tell more. A sender who wants others to read it can always let them.
    """
    key, *others = text.split(SEPARATOR, 2)
    if len(others) != 2 or not _LEAST_KEY_BYTES <= _strict_length(key) <= _MOST_KEY_BYTES:
        return False
    return _strict_length(others[0]) == _COUNTER_BYTES and _strict_length(others[1]) >= 0


def _strict_length(text: str) -> int:
    """Return the number of bytes behind standard base64, or -1 for anything else."""
    if len(text) % 4 or not text.isascii():
        return -1
    try:
        return sum(len(piece) for piece in strictly_decoded_pieces(text))
    except ValueError:
        return -1


def read_public_key(pubkey_base64: str | None) -> rsa.RSAPublicKey:
    """Return the key behind the text that the server stores, if one can encrypt with it.

    Raises
    ------
    ValueError
        If there is none, or one of another kind, or one with which encryption fails.
    """
    if not pubkey_base64:
        raise ValueError("The receiving organization has no public key.")
    if len(pubkey_base64) > MOST_PUBLIC_KEY_CHARACTERS:
        raise ValueError("The public key of the organization is not a key in PEM.")
    try:
        key = serialization.load_pem_public_key(base64s_to_bytes(pubkey_base64))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("The public key of the organization is not a key in PEM.") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("The public key of the organization is of another kind than RSA.")
    # SECURITY: what is computed for this organization could never be sealed, or not be delivered.
    least, most = 8 * _LEAST_KEY_BYTES, 8 * _MOST_KEY_BYTES
    if not least <= key.key_size <= most:
        raise ValueError(
            f"The public key of the organization has {key.key_size:,} bits; {least:,} to {most:,} "
            "are needed."
        )
    numbers = key.public_numbers()
    if not numbers.n % 2 or numbers.e.bit_length() > _MOST_EXPONENT_BITS:
        raise ValueError(_FAILS)
    try:
        key.encrypt(bytes(_AES_KEY_BYTES), padding.PKCS1v15())
    except ValueError as error:
        raise ValueError(_FAILS) from error
    return key


def one_public_key(pubkey_base64: str) -> str:
    """Return a public key in the one form in which the server stores it.

    SECURITY: of a text with two keys, or with more than a key, two programs may read two keys: one
    is shown and compared, and the other one is what inputs are encrypted for.

    Raises
    ------
    ValueError
        If nothing can be encrypted with it, or the text has more than the key.
    """
    key = read_public_key(pubkey_base64)
    if not _ONE_PEM.fullmatch(base64s_to_bytes(pubkey_base64)):
        raise ValueError("The public key of the organization is not one key in PEM alone.")
    return bytes_to_base64s(
        key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


def _aes(key: bytes, counter: bytes) -> CipherContext:
    """Return what encrypts or decrypts: in counter mode these are the same operation."""
    return Cipher(algorithms.AES256(key), modes.CTR(counter)).encryptor()
