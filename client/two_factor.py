"""Shows the secret of two-factor authentication to the person at the terminal."""

import importlib

import click

from vantage6.client.session import Document


def show(json_data: Document) -> None:
    """Print the secret, as a QR code too where the package ``qrcode`` is installed.

    Parameters
    ----------
    json_data
        What the server answered: ``qr_uri`` and ``otp_secret``.
    """
    click.echo("Two-factor authentication is compulsory on this server.")
    click.echo("Add this account to your authenticator app, then log in with its code:")
    click.echo("client.authenticate(username, password, mfa_code='123456')")
    click.echo("")
    try:
        qrcode = importlib.import_module("qrcode")
    except ImportError:
        click.echo(f"  address: {json_data['qr_uri']}")
    else:
        code = qrcode.QRCode()
        code.add_data(json_data["qr_uri"])
        code.print_ascii()
    click.echo(f"  secret:  {json_data.get('otp_secret', '')}")
