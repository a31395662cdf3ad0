"""Inputs of tasks that are made at the server itself, and not by a client."""

import json

from vantage6.common.encoding import bytes_to_base64s
from vantage6.common.encryption import RSACryptor
from vantage6.common.errors import Invalid
from vantage6.models.tables import Collaboration, Organization


class _Stranger(RSACryptor):
    """A sender without a key of its own, which can only encrypt for others."""

    def __init__(self) -> None:
        pass


def write(data: object, collaboration: Collaboration, receiver: Organization) -> str:
    """Return an input as the node of an organization expects it, encrypted where that is due.

    Raises
    ------
    Invalid
        If it cannot be written as JSON, or the organization has no key to encrypt for.
    """
    try:
        plain = b"json." + json.dumps(data).encode()
    except (TypeError, ValueError) as error:
        raise Invalid(f"An input must be text or fit in JSON: {error}.") from error
    if not collaboration.encrypted:
        return bytes_to_base64s(plain)
    try:
        return _Stranger().encrypt_bytes_to_str(plain, receiver.public_key)
    except ValueError as error:
        raise Invalid(
            f"{collaboration.name} is encrypted, but {receiver.name} has no usable public key. Its "
            "node uploads one when it starts."
        ) from error
