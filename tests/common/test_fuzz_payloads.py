"""Payloads from anybody: whatever the bytes are, only the documented errors come of them."""

import base64
import json
import pickle
from collections import OrderedDict
from contextlib import suppress
from datetime import date
from pathlib import Path

import numpy
import pandas
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.campaign import effort
from tests.common.fuzzing import ANYTHING, DEEP, fails_only_with, limited
from tests.common.test_encryption import API_KEY, MESSAGE_A, PLAIN_A, PRIVATE_KEY
from vantage6.common.encoding import base64s_to_bytes, bytes_to_base64s
from vantage6.common.encryption import SEPARATOR, DummyCryptor, RSACryptor
from vantage6.common.serialization import SerializationError, deserialize
from vantage6.tools.errors import AlgorithmError
from vantage6.tools.wrapper import load_input

BASE64 = st.text("ABCDwxyz0189+/=", max_size=800)
ENCRYPTED = st.builds(SEPARATOR.join, st.lists(BASE64 | st.text(max_size=20), max_size=5))
#: Texts of Python objects that algorithms send, and of some that they should not.
PICKLES = [
    pickle.dumps(value, protocol)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    for value in (
        {"sum": 253, "of": [1.5, None, (True, b"x")]},
        [OrderedDict(a=1), date(2026, 1, 2), {1, 2}, frozenset("a"), 2**80],
        Path("x"),
        ValueError,
        {numpy.float64(1.5): numpy.arange(3), "o": numpy.array([1, "a"], dtype=object)},
        pandas.DataFrame({"a": [1, 2], "b": ["x", None]}),
    )
]


@pytest.fixture(scope="session")
def cryptor(tmp_path_factory: pytest.TempPathFactory) -> RSACryptor:
    path = tmp_path_factory.mktemp("keys") / "key.pem"
    path.write_text(PRIVATE_KEY)
    return RSACryptor(path)


# Encrypted messages


@given(ENCRYPTED | st.text(max_size=200))
@example("$" * 100_000)
@example("\ud800$$")
def test_any_text_is_a_message_or_refused(cryptor: RSACryptor, text: str) -> None:
    fails_only_with(ValueError, cryptor.decrypt_str_to_bytes, text)
    fails_only_with(ValueError, DummyCryptor().decrypt_str_to_bytes, text)


@given(st.integers(0, len(MESSAGE_A) - 1))
def test_a_message_that_breaks_off_is_refused_or_a_beginning(
    cryptor: RSACryptor, length: int
) -> None:
    text, body = MESSAGE_A[:length], length - MESSAGE_A.rindex(SEPARATOR) - 1
    if body < 0:
        with pytest.raises(ValueError, match="This is not an encrypted message"):
            cryptor.decrypt_str_to_bytes(text)
    elif body % 4:
        with pytest.raises(ValueError, match="The message is damaged or incomplete"):
            cryptor.decrypt_str_to_bytes(text)
    else:
        # The layout does not tell its length: whole groups of base64 can go unnoticed.
        assert PLAIN_A.startswith(cryptor.decrypt_str_to_bytes(text))


@given(st.integers(0, len(MESSAGE_A) - 1), st.characters(exclude_categories=["Cs"]))
def test_an_altered_message_is_refused_or_other_data(
    cryptor: RSACryptor, position: int, letter: str
) -> None:
    altered = MESSAGE_A[:position] + letter + MESSAGE_A[position + 1 :]
    found = None
    with suppress(ValueError):
        found = cryptor.decrypt_str_to_bytes(altered)
    # Nothing protects the counter and the data; only another key gives other data for sure.
    if found == PLAIN_A and position < MESSAGE_A.index(SEPARATOR):
        assert _same_bits(altered)


def _same_bits(altered: str) -> bool:
    """Tell whether the first part is the same bytes: the last letter has bits of no meaning."""
    first, known = (text.split(SEPARATOR)[0] for text in (altered, MESSAGE_A))
    return base64s_to_bytes(first) == base64s_to_bytes(known)


@given(st.binary(max_size=60), st.integers(0, 400), st.sampled_from(["", "-", "\n", "="]))
def test_any_public_key_is_one_or_refused(
    cryptor: RSACryptor, noise: bytes, position: int, junk: str
) -> None:
    pem = base64s_to_bytes(API_KEY)
    for key in (
        bytes_to_base64s(noise),
        bytes_to_base64s(pem[:position] + noise + pem[position:]),
        API_KEY[:position] + junk + API_KEY[position + 1 :],
    ):
        fails_only_with(ValueError, cryptor.encrypt_bytes_to_str, b"x", key)
        cryptor.verify_public_key(key)


@given(st.binary(max_size=600), st.integers(0, 2000))
@settings(max_examples=effort(40))
def test_any_key_file_is_one_or_refused(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, position: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.pem"
    for content in (
        noise,
        PRIVATE_KEY[:position].encode() + noise + PRIVATE_KEY[position:].encode(),
    ):
        path.write_bytes(content)
        fails_only_with(ValueError, RSACryptor, path)


# Base64, which is converted in pieces


@given(st.binary(max_size=50), st.integers(196_600, 196_620), st.sampled_from(["", "\n", "=", " "]))
@settings(max_examples=effort(50))
def test_pieces_make_the_same_base64_as_the_whole(head: bytes, size: int, junk: str) -> None:
    data = head * (2 * size // (len(head) or 1)) if head else bytes(size)
    text = bytes_to_base64s(data)
    assert text == base64.b64encode(data).decode()
    assert base64s_to_bytes(text) == data
    disturbed = text[:size] + junk + text[size:]
    try:
        expected = base64.b64decode(disturbed)
    except ValueError:
        with pytest.raises(ValueError, match=r"padding|base64"):
            base64s_to_bytes(disturbed)
    else:
        assert base64s_to_bytes(disturbed) == expected


def test_what_follows_the_padding_is_no_part_of_base64() -> None:
    # The padding ends the first of the pieces.
    text = bytes_to_base64s(bytes(3 * 2**16 - 1))
    assert text.endswith("=")
    assert base64s_to_bytes(text + "QUJD") == bytes(3 * 2**16 - 1)


# Serialized inputs and results


@given(st.binary(max_size=300), st.sampled_from([b"", b"json.", b"JSON.", b"pickle.", b"yaml."]))
@example(b"(" * 100_000, b"pickle.")
def test_any_bytes_are_a_payload_or_refused(body: bytes, prefix: bytes) -> None:
    fails_only_with(SerializationError, deserialize, prefix + body)
    fails_only_with(SerializationError, deserialize, prefix + body, True)


@given(DEEP | st.text('[]{}",:0123456789truefalsn.eE+-\\u', max_size=200))
def test_any_text_is_json_or_refused(text: str) -> None:
    fails_only_with(SerializationError, deserialize, b"json." + text.encode())


@given(st.sampled_from(PICKLES), st.integers(0, 2000), st.binary(max_size=8), st.integers(0, 8))
@settings(max_examples=effort(400))
def test_a_damaged_pickle_is_read_or_refused(
    content: bytes, position: int, noise: bytes, dropped: int
) -> None:
    position %= len(content)
    damaged = content[:position] + noise + content[position + dropped :]
    fails_only_with(SerializationError, deserialize, b"pickle." + damaged, True)


# The input of a task, as an algorithm reads it


@given(st.binary(max_size=100), ANYTHING)
def test_any_input_is_a_dictionary_or_refused(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, value: object
) -> None:
    path = tmp_path_factory.getbasetemp() / "input"
    as_json = b"json." + json.dumps(value, default=str, skipkeys=True).encode()
    for content in (noise, as_json, pickle.dumps(value), b"pickle." + noise):
        path.write_bytes(content)
        fails_only_with(AlgorithmError, load_input, path)
        with suppress(AlgorithmError), limited():
            load_input(path, allow_pickle=True)
