"""The encryption between organizations: known messages, round trips, refusals."""

import stat
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from tests.public_keys import UNUSABLE, public_key
from vantage6.common.encoding import base64s_to_bytes, bytes_to_base64s
from vantage6.common.encryption import (
    SEPARATOR,
    CryptorBase,
    DummyCryptor,
    RSACryptor,
    is_sealed,
    read_public_key,
)
from vantage6.common.known_keys import fingerprint_of

# A throw-away key, and messages that the published 3.11.1 package wrote or reads.
PRIVATE_KEY = """\
-----BEGIN RSA PRIVATE KEY-----
MIIEowIBAAKCAQEAnjCEeIEvLTMRVV/LoWgIBGwjiFslEbTKV0ta+IiGe6+bZIvB
GQtQm3lYJEKpu6vIs7AAwsBHIEgMLA6S73pAeN50xTAiDt1vyWzeNEV3tjTJNSf4
HC5GAKosh5mICzKRp0UzfR2K8BgO0vwCB4DWcsWDKv3/3hEphAboXt6SqKPKpayH
qeXclUXjrutZmOoyx+7mDSfzUVhm1UlqE9ykjjYQghZ1T+x0nkWcd58G7bd3lSBv
cKxdTX95quBKIcMo15ZkChXOTXS6B6YC6Pu41BgPbSWDP7XvGhTjcSQzkkogDpV3
4TsUMMKDDd8oyJBU6ri5VahSFAJ563e0/S8ytwIDAQABAoIBAAI1tEwIpfOQMJBM
P8h37xC8v/xSJaDrMR5qD5HEOni02ctcRmzGozAg0FHlWoCkJDAaZ9BQpk21o/Hj
nDrbLtZhaSkuBHPHtR2Pt0TsqYDymNL0xXsDTHgK6IdWZjed07oN9eusA3paI67f
1Vlse9Jrnur1VGMyQy20eP+GRW80oOodHxlsGQoWy13NNz3yzY81cAARTwS+vrd0
pvUAQ2ZAZIGAEhEq4aWu0lZFbtyhdqICfXQRk107SpYcIiunEfYp+ufd90BY+Lq3
Z6UpWXj4i0ZptMBOu+kKIkWscGF9g90RCt7mCCPv37J/2EUzXhXdrZFl8fMx1qW1
Q3N6bGECgYEA0WetatePTfqCjUvk4y9/0nCdKKLeaO5sO+nCWNXPkHL59FYc39sX
XSX6pxM+KXRJah26O2dWfLsyoptDodvWsjweKJMKIcExf8WflcBlrROV0vg/+KDx
LTx0ht33rLtRGDf0W54VLpcqRFncaWV60242Jlmx57V7BPVHCNGC55cCgYEAwWN0
6p22evpxR2ZbmOZlntW2WQbuxuk13EnMlFhqFTiDn3zEJ+pKcpxfpUCmdJiEfS+A
FEg+aD7Jmvfr/lGZzRY+MJosxuKbAmtfYxLGzbmDbPv2acKQr3k6NcKm2VmWpGhX
lerQCj1z/tfuZiw8/kZ307JqpMXFcFW1T9NYceECgYBqk5TceudxrZ0CYu0Uf5lT
toMWKoZ961Lkz11drzxb7Viv9Z/uguiKPQksPYv2tzuiKY0eLMME6pWj0tgCKgxE
XHqQ9f1DHrudpyxIoEpfY0duv3B3jxoQhuNbvN8QZ6mnZNsWQgfP1Znqfb3DWqW/
tCkVLbNxFZmN9XP41gEE8wKBgQCB6QbsaJ/iAwU/2pHjp7pSNex158NVWep1nhnQ
+Yfh04IQDGdVDP2P+l4CC+kF4EL4OYWHmnRZ4Pvbn3on8Lcp3yxNx/QWcrmAqZJ9
YmqsXlfcSXJh33MEfaJN5QHidl1M+k8EBaZViqy2YGXkuwkKI1pxmqQrJjQY32qa
QjZi4QKBgH2W4LMD2sep7lcUG6IXbPndG8T3+B0P6GvqT1mN+bWQcGOkXI5uvwUK
c0jHGldVQ2yeszKsewU8datd2l5prWmNGroobAe/IdS8pY64JyLoDF928Krw6z68
0L8i9T+35vrvRX3rQ66jsV5THn7iOD6ET72J9cCURmLt+zBSD6iM
-----END RSA PRIVATE KEY-----
"""
PUBLIC_KEY = """\
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnjCEeIEvLTMRVV/LoWgI
BGwjiFslEbTKV0ta+IiGe6+bZIvBGQtQm3lYJEKpu6vIs7AAwsBHIEgMLA6S73pA
eN50xTAiDt1vyWzeNEV3tjTJNSf4HC5GAKosh5mICzKRp0UzfR2K8BgO0vwCB4DW
csWDKv3/3hEphAboXt6SqKPKpayHqeXclUXjrutZmOoyx+7mDSfzUVhm1UlqE9yk
jjYQghZ1T+x0nkWcd58G7bd3lSBvcKxdTX95quBKIcMo15ZkChXOTXS6B6YC6Pu4
1BgPbSWDP7XvGhTjcSQzkkogDpV34TsUMMKDDd8oyJBU6ri5VahSFAJ563e0/S8y
twIDAQAB
-----END PUBLIC KEY-----
"""
API_KEY = (
    "LS0tLS1CRUdJTiBQVUJMSUMgS0VZLS0tLS0KTUlJQklqQU5CZ2txaGtpRzl3MEJBUUVGQUFPQ0FROEFNSUlCQ2dL"
    "Q0FRRUFuakNFZUlFdkxUTVJWVi9Mb1dnSQpCR3dqaUZzbEViVEtWMHRhK0lpR2U2K2JaSXZCR1F0UW0zbFlKRUtw"
    "dTZ2SXM3QUF3c0JISUVnTUxBNlM3M3BBCmVONTB4VEFpRHQxdnlXemVORVYzdGpUSk5TZjRIQzVHQUtvc2g1bUlD"
    "ektScDBVemZSMks4QmdPMHZ3Q0I0RFcKY3NXREt2My8zaEVwaEFib1h0NlNxS1BLcGF5SHFlWGNsVVhqcnV0Wm1P"
    "b3l4KzdtRFNmelVWaG0xVWxxRTl5awpqallRZ2haMVQreDBua1djZDU4RzdiZDNsU0J2Y0t4ZFRYOTVxdUJLSWNN"
    "bzE1WmtDaFhPVFhTNkI2WUM2UHU0CjFCZ1BiU1dEUDdYdkdoVGpjU1F6a2tvZ0RwVjM0VHNVTU1LRERkOG95SkJV"
    "NnJpNVZhaFNGQUo1NjNlMC9TOHkKdHdJREFRQUIKLS0tLS1FTkQgUFVCTElDIEtFWS0tLS0tCg=="
)
PLAIN_A = b'json.{"method": "average_partial", "kwargs": {"column_name": "age"}}'
MESSAGE_A = (
    "RcJpUN4J8AuQXD8piar22R7mqujka8K9B5QPWsS3S9lxkQ0lHj24GxvQfOBl0DGiN/TxDjmBOBgfcLI9P+yCUo/w"
    "pcSMkaLlw1VpMDgReN3uj9FKC0v9p4F77tstCwC/M9vuyriNtN/B8I8Iq8ft4d6RCqFtuA/WNCAcQUe1TIE1ZwEY"
    "EpIX5luNnklyX6zwtX9no/pWF7kXMpJiJczWx0GbxwS55BCLqAljU1+lQscjshFoUhHHzuhPtRp4y+ZPAo1/bZ+G"
    "GZkZ7K3R9t1amtt6iRhPfPsMn2zB1+pOgUd8DYCRqkP2MHD/3EIjEViWy9U93gtxyeu3/MuObJG4qQ==$AAECAwQ"
    "FBgcICQoLDA0ODw==$MB1rOSaAU/uVWj1SZuGcskKSZrCx5D84CmaaIwaMQaM+SVd5UbKt1tySKZ/FauXx+adyH0"
    "bPyY4EJX8q2UaMOmtpX1M="
)
DUMMY_A = (
    "anNvbi57Im1ldGhvZCI6ICJhdmVyYWdlX3BhcnRpYWwiLCAia3dhcmdzIjogeyJjb2x1bW5fbmFtZSI6ICJhZ2UifX0="
)
PLAIN_B = bytes.fromhex("80049517000000000000007d948c07617665726167659447404aa00000000000732e")
MESSAGE_B = (
    "lLkJ6Of1dtdmLX/tFoU7hTF2nqYIGXpya1o9DU+T2z5ouBq+59FhtN2IHvdq4FM3MMAUCYwyDz0FCxeVDp1G598M"
    "M0ywV4pzn6pjx39qzSO16W+Tz1niqSY4TUkf64NEUpxfOUfvpbRZiSq7wu9f+4unyIEbkknT4lxM8i/2kxS6kE4S"
    "DCGqm8Ja8YZBFvkdmRlPChSzOInLX2e7jJiAD1L1xhfXrltPnRUpargUAVFDhi68QEKz0bJm3kn/9vj0BuiemP0f"
    "eI5XUwh2aKUskug6IJdQEUjjgQuVNWMyK5J1pOz2pwRMh0nfG8FMTGSXf7DpCTWcvlvNFpbcSBD7vg==$oH1lILF"
    "jEaJwjg96rboBhw==$EGe+Uz3mBDCUcfZpXY9zSmUJiFV+UekNN043ypwQ+j+ZSg=="
)


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "key.pem"
    path.write_text(PRIVATE_KEY)
    return path


@pytest.fixture(scope="session")
def cryptor(key_file: Path) -> RSACryptor:
    return RSACryptor(key_file)


@pytest.fixture(scope="session")
def other_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "other.pem"
    RSACryptor.create_new_rsa_key(path)
    return path


def test_public_key_is_the_known_one(cryptor: RSACryptor) -> None:
    assert cryptor.public_key_bytes == PUBLIC_KEY.encode()
    assert cryptor.public_key_str == API_KEY
    assert RSACryptor.create_public_key_bytes(cryptor.private_key) == PUBLIC_KEY.encode()


def test_known_messages_are_read(cryptor: RSACryptor) -> None:
    assert cryptor.decrypt_str_to_bytes(MESSAGE_A) == PLAIN_A
    assert cryptor.decrypt_str_to_bytes(MESSAGE_B) == PLAIN_B


def test_empty_message_ends_with_the_separator(cryptor: RSACryptor) -> None:
    known = MESSAGE_A[: MESSAGE_A.rindex(SEPARATOR) + 1]
    assert cryptor.decrypt_str_to_bytes(known) == b""
    assert cryptor.encrypt_bytes_to_str(b"", API_KEY).endswith(SEPARATOR)


def test_a_key_may_be_named_by_text_and_stands_alone(key_file: Path, other_key: Path) -> None:
    first, second = RSACryptor(str(key_file)), RSACryptor(other_key)
    assert first.public_key_str == API_KEY
    assert second.public_key_str != API_KEY


def test_message_has_three_parts_of_known_size(cryptor: RSACryptor) -> None:
    key, counter, text = cryptor.encrypt_bytes_to_str(b"12345", API_KEY).split(SEPARATOR)
    assert [len(base64s_to_bytes(part)) for part in (key, counter, text)] == [256, 16, 5]


@given(st.binary(max_size=2000))
def test_what_is_encrypted_can_be_read(data: bytes) -> None:
    cryptor = _known_cryptor()
    assert cryptor.decrypt_str_to_bytes(cryptor.encrypt_bytes_to_str(data, API_KEY)) == data


@given(st.text(max_size=200))
def test_strange_text_raises_nothing_but_value_error(text: str) -> None:
    with suppress(ValueError):
        _known_cryptor().decrypt_str_to_bytes(text)


def test_message_for_another_key_is_refused(cryptor: RSACryptor, other_key: Path) -> None:
    """But for the rare one whose key has the right length by chance, which gives other data."""
    receiver = RSACryptor(other_key)
    opened, refusals = [], []
    for _ in range(20):
        message = cryptor.encrypt_bytes_to_str(b"secret", receiver.public_key_str)
        assert receiver.decrypt_str_to_bytes(message) == b"secret"
        try:
            opened.append(cryptor.decrypt_str_to_bytes(message))
        except ValueError as error:
            refusals.append(str(error))
    assert set(refusals) == {"The message is damaged or encrypted for another key."}
    assert len(refusals) >= 16
    assert b"secret" not in opened


def test_wrong_length_of_the_inner_key_is_refused(cryptor: RSACryptor) -> None:
    from cryptography.hazmat.primitives.asymmetric import padding

    short = cryptor.private_key.public_key().encrypt(b"short", padding.PKCS1v15())
    message = SEPARATOR.join(bytes_to_base64s(part) for part in (short, bytes(16), b"x"))
    with pytest.raises(ValueError, match="encrypted for another key"):
        cryptor.decrypt_str_to_bytes(message)


@pytest.mark.parametrize("text", ["", "a", "a$b", "a$b$c$d", DUMMY_A])
def test_other_text_is_not_a_message(cryptor: RSACryptor, text: str) -> None:
    with pytest.raises(ValueError, match="not an encrypted message"):
        cryptor.decrypt_str_to_bytes(text)


@pytest.mark.parametrize("nothing", [None, ""])
def test_receiver_without_key_is_named_as_such(cryptor: RSACryptor, nothing: str | None) -> None:
    with pytest.raises(ValueError, match="has no public key"):
        cryptor.encrypt_bytes_to_str(b"x", nothing)


def test_receiver_with_something_else_than_a_key_is_refused(cryptor: RSACryptor) -> None:
    with pytest.raises(ValueError, match="not a key in PEM"):
        cryptor.encrypt_bytes_to_str(b"x", bytes_to_base64s(b"no key"))


@pytest.mark.parametrize("bits", [2048, 4096, 16_384])
@pytest.mark.parametrize("exponent", [3, 65_537, 2**32 - 1])
def test_key_of_a_usual_size_is_encrypted_for(
    cryptor: RSACryptor, bits: int, exponent: int
) -> None:
    key = public_key(bits, exponent)
    assert read_public_key(key).key_size == bits
    assert is_sealed(cryptor.encrypt_bytes_to_str(b"x", key))
    assert fingerprint_of(key) is not None


@pytest.mark.parametrize("name", UNUSABLE)
def test_key_that_cannot_be_encrypted_for_is_no_key(cryptor: RSACryptor, name: str) -> None:
    """It would be known by its fingerprint, and fail when the result is sealed for it."""
    key = UNUSABLE[name]
    assert fingerprint_of(key) is None
    assert not cryptor.verify_public_key(key)
    for use in (read_public_key, RSACryptor.fingerprint):
        with pytest.raises(ValueError, match="public key of the organization"):
            use(key)
    with pytest.raises(ValueError, match="public key of the organization"):
        cryptor.encrypt_bytes_to_str(b"x", key)


def test_public_key_is_compared_by_its_numbers(cryptor: RSACryptor, other_key: Path) -> None:
    same = cryptor.private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.PKCS1
    )
    assert cryptor.verify_public_key(API_KEY)
    assert cryptor.verify_public_key(bytes_to_base64s(same))
    assert cryptor.verify_public_key(bytes_to_base64s(PUBLIC_KEY.replace("\n", "\r\n").encode()))
    assert not cryptor.verify_public_key(RSACryptor(other_key).public_key_str)
    assert not cryptor.verify_public_key("")
    assert not cryptor.verify_public_key("nonsense")


def test_new_key_file_is_private_even_where_a_public_one_was(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text("old")
    path.chmod(0o644)
    key = RSACryptor.create_new_rsa_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().startswith(b"-----BEGIN RSA PRIVATE KEY-----")
    assert key.key_size == 4096
    assert key.public_key().public_numbers().e == 65537
    assert RSACryptor(path).verify_public_key(
        bytes_to_base64s(RSACryptor.create_public_key_bytes(key))
    )


def test_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.pem not found"):
        RSACryptor(tmp_path / "nowhere.pem")


def test_file_without_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text("nothing")
    with pytest.raises(ValueError, match="not a private key"):
        RSACryptor(path)


def test_dummy_is_base64_and_ignores_the_key() -> None:
    assert DummyCryptor().encrypt_bytes_to_str(PLAIN_A, None) == DUMMY_A
    assert DummyCryptor().decrypt_str_to_bytes(DUMMY_A) == PLAIN_A
    assert CryptorBase.str_to_bytes(CryptorBase.bytes_to_str(b"\x00\xff")) == b"\x00\xff"


def test_nothing_is_logged(cryptor: RSACryptor, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    cryptor.decrypt_str_to_bytes(cryptor.encrypt_bytes_to_str(b"secret", API_KEY))
    assert caplog.text == ""


@cache
def _known_cryptor() -> RSACryptor:
    """Return a cryptor without a fixture, which hypothesis does not go well with."""
    cryptor = object.__new__(RSACryptor)
    key = serialization.load_pem_private_key(PRIVATE_KEY.encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    cryptor.private_key = key
    return cryptor
