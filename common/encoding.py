"""Base64 between the bytes that are computed with and the text that travels in JSON."""

import base64


def bytes_to_base64s(bytes_: bytes) -> str:
    """Return standard base64 with padding and without line breaks (RFC 4648, section 4)."""
    return base64.b64encode(bytes_).decode("ascii")


def base64s_to_bytes(bytes_string: str) -> bytes:
    """Return the bytes behind a base64 text.

    Characters outside the alphabet are skipped, as existing clients expect.

    Raises
    ------
    ValueError
        If the padding is wrong.
    """
    return base64.b64decode(bytes_string)
