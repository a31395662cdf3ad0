"""Measure the encryption of large payloads: speed beside that of bare AES, and peak memory."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from rich.console import Console

from vantage6.common.encoding import base64s_to_bytes, bytes_to_base64s
from vantage6.common.encryption import RSACryptor

MEGABYTE = 10**6
SIZES = (10, 100)
ROOT = Path(__file__).resolve().parent.parent

console = Console(highlight=False, soft_wrap=True)
R = TypeVar("R")


@dataclass(frozen=True)
class Outcome:
    """What was measured with one payload: MB of payload per second, and memory as its multiple."""

    aes: float
    encode: float
    decode: float
    encrypt: float
    decrypt: float
    #: Peak of the process over what it had without any payload: payload and message included.
    encrypt_memory: float
    decrypt_memory: float


def measure() -> None:
    """Print a line for each number."""
    for megabytes in SIZES:
        found = in_process(megabytes)
        console.print(f"\nPayload of {megabytes} MB: bare AES-256-CTR {found.aes:.0f} MB/s")
        for name, speed, memory in (
            ("base64 alone, to text", found.encode, None),
            ("base64 alone, from text", found.decode, None),
            ("encrypt to text", found.encrypt, found.encrypt_memory),
            ("decrypt from text", found.decrypt, found.decrypt_memory),
        ):
            share = f"{speed:9.0f} MB/s {speed / found.aes:7.1%} of AES"
            peak = f"   peak memory {memory:.2f} times the payload" if memory else ""
            console.print(f"{name:<28}{share}{peak}")


def in_process(megabytes: int) -> Outcome:
    """Measure in a process of its own, whose memory nothing else has touched."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.crypto", str(megabytes)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        timeout=300,
        check=True,
    )
    return Outcome(**json.loads(done.stdout))


def measured(megabytes: int) -> Outcome:
    """Measure one payload in this process."""
    size = megabytes * MEGABYTE
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "key.pem"
        RSACryptor.create_new_rsa_key(path)
        cryptor = RSACryptor(path)
    key = cryptor.public_key_str
    # What the first call loads for good is not part of the payload.
    cryptor.decrypt_str_to_bytes(cryptor.encrypt_bytes_to_str(b"warm", key))
    before = memory("VmRSS")
    data = os.urandom(MEGABYTE) * megabytes
    encrypting, message, encrypt_memory = _timed(cryptor.encrypt_bytes_to_str, data, key)
    del data
    decrypting, data, decrypt_memory = _timed(cryptor.decrypt_str_to_bytes, message)
    del message
    encoding, text, _ = _timed(bytes_to_base64s, data)
    decoding, _, _ = _timed(base64s_to_bytes, text)
    return Outcome(
        aes=size / _bare_aes(data) / MEGABYTE,
        encode=size / encoding / MEGABYTE,
        decode=size / decoding / MEGABYTE,
        encrypt=size / encrypting / MEGABYTE,
        decrypt=size / decrypting / MEGABYTE,
        encrypt_memory=(encrypt_memory - before) / size,
        decrypt_memory=(decrypt_memory - before) / size,
    )


def _timed(call: Callable[..., R], *given: object) -> tuple[float, R, int]:
    """Return seconds, answer, and the peak memory of the process meanwhile."""
    # Sets the peak back to what is in use now.
    Path("/proc/self/clear_refs").write_text("5")
    started = time.perf_counter()
    answer = call(*given)
    return time.perf_counter() - started, answer, memory("VmHWM")


def _bare_aes(data: bytes) -> float:
    """Return the seconds that AES alone takes, without keeping what comes of it."""
    stream = Cipher(algorithms.AES256(os.urandom(32)), modes.CTR(os.urandom(16))).encryptor()
    view, buffer = memoryview(data), bytearray(MEGABYTE)
    started = time.perf_counter()
    for start in range(0, len(data), MEGABYTE):
        stream.update_into(view[start : start + MEGABYTE], buffer)
    return time.perf_counter() - started


def memory(name: str) -> int:
    """Return a number of the process in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    print(json.dumps(asdict(measured(int(sys.argv[1])))))
