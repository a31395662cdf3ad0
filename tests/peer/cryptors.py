"""Runs in the environment of the published client: its cryptors, one answer for each job.

It never sees this checkout: it is started with ``python -I``. Jobs and answers are JSON lists.
"""

import base64
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path

from vantage6.common.encryption import DummyCryptor, RSACryptor


def cryptor(key_file):
    """Return a cryptor with this key; RSACryptor itself would return the one it made first."""
    return type.__call__(RSACryptor, Path(key_file)) if key_file else DummyCryptor()


def do(job):
    """Return what comes of a job."""
    key_file = job["key_file"]
    match job["do"]:
        case "create":
            RSACryptor.create_new_rsa_key(Path(key_file))
            return None
        case "public key":
            return cryptor(key_file).public_key_str
        case "verify":
            return cryptor(key_file).verify_public_key(job["public_key"])
        case "encrypt":
            data = base64.b64decode(job["data"])
            return cryptor(key_file).encrypt_bytes_to_str(data, job["public_key"])
        case "decrypt":
            return base64.b64encode(cryptor(key_file).decrypt_str_to_bytes(job["text"])).decode()


# The package writes to standard output too.
with redirect_stdout(sys.stderr):
    answers = [do(job) for job in json.load(sys.stdin)]
json.dump(answers, sys.stdout)
