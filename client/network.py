"""How a server is reached: through which proxy, and which certificates are trusted and shown."""

import logging
import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx2

from vantage6.common.errors import ConfigurationError

log = logging.getLogger("vantage6.client")

#: What OpenSSL says where the other side does not speak TLS.
_SPEAKS_PLAIN = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")
#: What the HTTP library says where the other side does not speak HTTP, as an alert of TLS is none.
_SPEAKS_NO_HTTP = ("illegal request line", "illegal status line")
#: What OpenSSL calls the alert of a server that wanted a certificate.
_ASKS_FOR_CERTIFICATE = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE", "BAD_CERTIFICATE")
#: What else may be wrong with a certificate than its authority, by OpenSSL's number.
_EARLY, _EXPIRED, _OTHER_NAME, _OTHER_ADDRESS = 9, 10, 62, 64
_ADVICE = {
    _EARLY: "is not valid yet: check the clock of this machine",
    _EXPIRED: "has expired: tell the server's operator, or check the clock of this machine",
    _OTHER_NAME: "is for another name: write the server's address as its operator does",
    _OTHER_ADDRESS: "is for another name: write the server's address as its operator does",
}
_UNKNOWN_AUTHORITY = (
    "is not trusted: set ca_bundle (a data station), or SSL_CERT_FILE or REQUESTS_CA_BUNDLE, if it "
    "is of an authority of your own"
)


#: Where the HTTP library of 3.11 looks for authorities, in this order.
_OF_REQUESTS = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True)
class Network:
    """What the settings of a data station say about its way to the server.

    Parameters
    ----------
    proxy
        URL of a proxy for everything; without one ``HTTPS_PROXY`` and its like count.
    ca_bundle
        File with certificates of authorities, trusted beside those of the operating system.
    certificate
        File with the certificate to show, and file with its key.
    """

    proxy: str | None = None
    ca_bundle: Path | None = None
    certificate: tuple[Path, Path] | None = None

    def client(self, **settings: Any) -> httpx2.Client:
        """Return a client that goes this way; the settings are those of `httpx2.Client`.

        Raises
        ------
        ConfigurationError
            If a file cannot be used or the proxy is none; the message names the setting.
        """
        context = self._context(_authorities() if settings.get("trust_env", True) else None)
        if context is not None:
            settings["verify"] = context
        if self.proxy is not None:
            settings["proxy"] = self.proxy
        try:
            return httpx2.Client(**settings)
        except (ValueError, ImportError, httpx2.InvalidURL) as error:
            named = "proxy" if self.proxy else "HTTPS_PROXY or HTTP_PROXY of the environment"
            raise ConfigurationError(f"{named}: {error}") from error

    def _context(self, authorities: tuple[str, str] | None) -> ssl.SSLContext | None:
        """Return what differs from the way in which every client checks certificates."""
        if self.ca_bundle is None and self.certificate is None and authorities is None:
            return None
        context = httpx2.create_ssl_context()
        if authorities is not None:
            _trust(context, *authorities)
        if self.ca_bundle is not None:
            try:
                context.load_verify_locations(self.ca_bundle)
            except OSError as error:
                raise _unusable("ca_bundle", self.ca_bundle, error) from error
        if self.certificate is not None:
            certificate, key = self.certificate
            for name, file in (("certificate", certificate), ("key", key)):
                if not os.access(file, os.R_OK):
                    raise ConfigurationError(
                        f"client_certificate.{name}: {file} does not exist or may not be read."
                    )
            try:
                # A pass phrase would be asked for at the terminal, where nobody may be.
                context.load_cert_chain(certificate, key, password=_no_pass_phrase)
            except (OSError, ValueError) as error:
                raise _unusable("client_certificate", certificate, error) from error
        return context


def _authorities() -> tuple[str, str] | None:
    """Return the variable of the environment that names authorities, and what it names."""
    return next(((name, os.environ[name]) for name in _OF_REQUESTS if os.environ.get(name)), None)


def _trust(context: ssl.SSLContext, name: str, place: str) -> None:
    """Trust a file or folder of certificates as well; one that cannot be used is passed over."""
    try:
        if Path(place).is_dir():
            context.load_verify_locations(capath=place)
        else:
            context.load_verify_locations(cafile=place)
    except OSError as error:
        # The address may be one that needs it not; if it does, the refusal says so.
        log.warning("%s: %s cannot be used (%s).", name, place, error)


def _no_pass_phrase() -> str:
    raise ValueError("the key has a pass phrase; use one without")


def _unusable(setting: str, file: Path, error: Exception) -> ConfigurationError:
    reason = "is not a file of certificates in PEM" if isinstance(error, ssl.SSLError) else error
    return ConfigurationError(f"{setting}: {file}: {reason}")


def not_this_system(address: str, status: int, settings: str) -> str:
    """Return what to do about an answer of another program, or of another path.

    Parameters
    ----------
    address
        Address of the API as it was asked.
    status
        Status of the answer.
    settings
        What its parts are called where they are written.
    """
    return f"{address} answers {status}, but not as a server of this system: check {settings}."


def no_answer(address: str, error: Exception, settings: str, seconds: float) -> str:
    """Return what to do about a connection that did not come about, or broke.

    Parameters
    ----------
    address
        Address of the API as it was asked.
    error
        What happened.
    settings
        What its parts are called where they are written.
    seconds
        How long the answer was waited for.
    """
    said = str(error) or f"no answer in {seconds:g} seconds"
    return f"{address} does not answer ({said}): check {settings}; a firewall may be in between."


def proxy_silence(address: str, error: Exception, seconds: float) -> str | None:
    """Return what to do about a proxy of the environment that does not answer; None without one.

    Parameters
    ----------
    address
        Address of the API as it was asked.
    error
        What happened.
    seconds
        How long the answer was waited for.
    """
    where = urlsplit(address)
    proxy = getproxies().get(where.scheme)
    if not proxy or proxy_bypass(where.hostname or ""):
        return None
    said = str(error) or f"no answer in {seconds:g} seconds"
    # SECURITY: a password may stand before the host.
    shown = urlsplit(proxy).netloc.rpartition("@")[2] or proxy.rpartition("@")[2]
    return (
        f"The proxy {shown} on the way to {address} does not answer ({said}): "
        f"check {where.scheme.upper()}_PROXY of the environment, or name the server's host in "
        "NO_PROXY."
    )


def distrust(address: str, error: BaseException) -> str | None:
    """Return what to do about a failed connection if the reason lies in TLS."""
    if isinstance(error, httpx2.RemoteProtocolError) and str(error).startswith(_SPEAKS_NO_HTTP):
        return (
            f"{address}: that port does not speak http; if it speaks https, write https:// in "
            "place of http://."
        )
    cause: BaseException | None = error
    # Each layer of the client wraps the error of the one below.
    for _ in range(10):
        if isinstance(cause, ssl.SSLCertVerificationError):
            advice = _ADVICE.get(cause.verify_code, _UNKNOWN_AUTHORITY)
            return f"The certificate of {address} {advice} ({cause.verify_message})."
        if isinstance(cause, ssl.SSLError) and cause.reason in _SPEAKS_PLAIN:
            return f"{address}: that port speaks http, write http:// in place of https://."
        if isinstance(cause, ssl.SSLError) and any(
            word in (cause.reason or "") for word in _ASKS_FOR_CERTIFICATE
        ):
            return (
                f"{address} asks for a certificate, or does not trust the one that was shown: set "
                f"client_certificate ({cause.reason})."
            )
        if cause is None:
            break
        cause = cause.__cause__ or cause.__context__
    return None
