"""Shows what belongs to two-factor authentication to the person at the terminal."""

import importlib
import sys
from contextlib import suppress

from vantage6.client.session import Document
from vantage6.common.cli import console


def show(
    json_data: Document,
    next_step: str = "client.authenticate(username, password, mfa_code='123456')",
) -> None:
    """Print the secret, its address, and a QR code where the package ``qrcode`` is installed.

    Parameters
    ----------
    json_data
        What the server answered: ``qr_uri`` and ``otp_secret``.
    next_step
        How to log in with the code.
    """
    console.say("Two-factor authentication is compulsory on this server.")
    console.say("Add this account to your authenticator app, then log in with its code:")
    console.say(next_step)
    console.say("")
    with suppress(ImportError):
        code = importlib.import_module("qrcode").QRCode(border=2)
        code.add_data(json_data["qr_uri"])
        # Dark on light, which is what apps read, whatever the colours of the terminal.
        code.print_ascii(tty=sys.stdout.isatty())
    console.say(f"  address: {json_data['qr_uri']}")
    console.say(f"  secret:  {json_data.get('otp_secret', '')}")


def show_codes(json_data: Document) -> None:
    """Print the recovery codes, which the server tells only once.

    Parameters
    ----------
    json_data
        What the server answered: ``recovery_codes``.
    """
    console.say("Keep these recovery codes where you find them without your authenticator app.")
    console.say("Each of them works once, as mfa_code, and to set up another app:")
    for code in json_data["recovery_codes"]:
        console.say(f"  {code}")
