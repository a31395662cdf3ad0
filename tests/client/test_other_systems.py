"""The client works on systems without the modes of Unix files, as on Windows."""

import os
from pathlib import Path

import pytest

from vantage6.client import RSACryptor


def test_a_key_is_made_where_files_have_no_modes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "fchmod")
    path = tmp_path / "key.pem"
    RSACryptor.create_new_rsa_key(path)
    assert RSACryptor(path).public_key_str
