"""The second factor: codes that an authenticator app shows for half a minute (TOTP)."""

import hmac

import pyotp

from vantage6.common.clock import now

_DIGITS = 6
_STEP_SECONDS = 30
#: A code counts one step earlier and later too: clocks differ, and people type slowly.
_TOLERANCE = 1


def new_secret() -> str:
    """Return a random secret."""
    return pyotp.random_base32()


def address(secret: str, username: str, server: str) -> str:
    """Return the address that a QR code shows to an authenticator app."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=f"vantage6 ({server})")


def normalize(code: str | int | None) -> str:
    """Return a code as people read it; as a number it has lost its leading zeros."""
    if isinstance(code, int):
        return str(code).zfill(_DIGITS)
    return "".join((code or "").split())


def is_recovery_code(code: str) -> bool:
    """Tell whether something was written instead of the digits of an app."""
    return len(code.replace("-", "")) > _DIGITS and not code.isdecimal()


def step_of(secret: str, code: str) -> int | None:
    """Return the time step that a code is right for at this moment, or None if it is wrong."""
    totp = pyotp.TOTP(secret, digits=_DIGITS, interval=_STEP_SECONDS)
    current = int(now().timestamp()) // _STEP_SECONDS
    steps = range(current - _TOLERANCE, current + _TOLERANCE + 1)
    # SECURITY: each step is compared, so that the time tells nothing.
    given = code.encode()
    right = [s for s in steps if hmac.compare_digest(totp.generate_otp(s).encode(), given)]
    return right[-1] if right else None
