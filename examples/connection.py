"""How the examples reach a server: by arguments, or by what is in the environment."""

import argparse
import os

from vantage6.client import Client


def connect(description: str | None, *, encryption: bool = True) -> Client:
    """Return a client that is logged in.

    Parameters
    ----------
    description
        What ``--help`` says.
    encryption
        Set encryption up with the key, or without one if none is given.
    """
    options = arguments(description)
    client = Client(options.server, options.port, options.path, raise_errors=True)
    client.authenticate(options.username, options.password)
    if encryption:
        client.setup_encryption(options.key)
    return client


def arguments(description: str | None) -> argparse.Namespace:
    """Return address and account; each argument has a variable of the environment beside it."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, variable, default, meaning in (
        ("--server", "V6_SERVER", "http://127.0.0.1", "address with scheme"),
        ("--port", "V6_PORT", "5000", "its port"),
        ("--path", "V6_PATH", "/api", "prefix of the API"),
        ("--username", "V6_USERNAME", "researcher", "name of the account"),
        ("--password", "V6_PASSWORD", None, "its password"),
        ("--key", "V6_KEY", None, "file with the private key of the organization"),
    ):
        value = os.environ.get(variable, default)
        parser.add_argument(name, default=value, help=f"{meaning} (or {variable})")
    options = parser.parse_args()
    if not options.password:
        parser.error("give --password, or set V6_PASSWORD")
    return options
