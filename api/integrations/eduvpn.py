"""Asks the portal of an EduVPN server (version 2) for the VPN configurations of nodes.

The portal knows one user, in whose name all nodes get their keys: we log in with its password,
have ourselves authorized as an OAuth client with PKCE (RFC 7636), and use the API of the portal.
"""

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Generic, TypeVar

import httpx2
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vantage6.common.config.server import VpnServer
from vantage6.common.errors import Invalid, Unavailable, V6Error
from vantage6.common.logs import get
from vantage6.common.vpn_profile import Profile

log = get(__name__)

_CONNECT_SECONDS = 5.0
_READ_SECONDS = 10.0
#: For all requests of a conversation together.
_WHOLE_SECONDS = 30.0
_MOST_BYTES = 2**18

#: Without it a configuration is none, and its server would answer anybody.
_SHARED_KEY = "tls-crypt"


class PortalUnreachable(Unavailable):
    """The VPN portal does not answer; try again later."""

    code = "vpn_unreachable"


class PortalFailed(V6Error):
    """The VPN portal did not do what it was asked for."""

    code = "vpn_failed"


class _Answer(BaseModel):
    """What the portal says. SECURITY: nothing of it may get into a message or a log."""

    model_config = ConfigDict(hide_input_in_errors=True)


Content = TypeVar("Content")


class _Data(_Answer, Generic[Content]):
    data: Content


class _Token(_Answer):
    access_token: str = Field(pattern=r"^[A-Za-z0-9._~+/=-]+$")


class _Profile(_Answer):
    profile_id: str = Field(min_length=1)


class _ProfileList(_Answer):
    profile_list: _Data[Annotated[list[_Profile], Field(min_length=1)]]


def _pem(label: str) -> Any:
    # Nothing else, or the portal could add options to the configuration of a node.
    pattern = rf"^\s*-----BEGIN {label}-----[A-Za-z0-9+/=\s]+-----END {label}-----\s*$"
    return Field(pattern=pattern)


class _KeyPair(_Answer):
    certificate: str = _pem("CERTIFICATE")
    private_key: str = _pem("(?:[A-Z]+ )?PRIVATE KEY")


class _CreatedKeyPair(_Answer):
    create_keypair: _Data[_KeyPair]


Expected = TypeVar("Expected", bound=_Answer)


class Portal:
    """The portal of an EduVPN server.

    Parameters
    ----------
    config
        Address of the portal, and the account of the server there.
    at_once
        How many conversations may go on at the same time; more are refused.
    """

    def __init__(self, config: VpnServer, at_once: int) -> None:
        self._config = config
        self._places = threading.BoundedSemaphore(at_once)

    def configuration(self) -> str:
        """Return a new configuration with keys of its own.

        Raises
        ------
        PortalUnreachable, PortalFailed
            If the portal gives none.
        """
        with self._conversation() as portal:
            try:
                profile = _parse(portal.profile())
            except Invalid as error:
                raise PortalFailed(f"From the VPN portal: {error.message}") from error
            return _with_keys(profile, portal.new_keys())

    def renew(self, configuration: str) -> str:
        """Return a configuration with new keys instead of its old ones.

        Raises
        ------
        Invalid
            If it is no configuration, or has what is not let through.
        PortalUnreachable, PortalFailed
            If the portal gives no keys.
        """
        profile = _parse(configuration)
        with self._conversation() as portal:
            return _with_keys(profile, portal.new_keys())

    @contextmanager
    def _conversation(self) -> Iterator["_Conversation"]:
        if not self._places.acquire(blocking=False):
            raise PortalUnreachable("The VPN portal is busy with other nodes; try again later.")
        try:
            # Neither its compression, which hides how large an answer is, nor its redirections.
            with httpx2.Client(
                headers={"Accept-Encoding": "identity"},
                timeout=httpx2.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS),
                follow_redirects=False,
            ) as http:
                conversation = _Conversation(self._config, http)
                conversation.log_in()
                conversation.authorize()
                yield conversation
        except (PortalUnreachable, PortalFailed) as error:
            reason = str(error.__cause__ or "")[:500]
            log.warning("VPN portal failed", msg=error.message, reason=reason)
            raise
        finally:
            self._places.release()


class _Conversation:
    """The requests for one configuration; cookies and token are kept in between."""

    def __init__(self, config: VpnServer, http: httpx2.Client) -> None:
        self._config = config
        self._base = str(config.url).rstrip("/")
        self._http = http
        self._deadline = time.monotonic() + _WHOLE_SECONDS

    def log_in(self) -> None:
        """Log in as the user of the portal."""
        form = {
            "userName": self._config.portal_username,
            "userPass": self._config.portal_userpass.get_secret_value(),
            "_form_auth_redirect_to": f"{self._base}/",
        }
        self._send("POST", "/_form/auth/verify", data=form)

    def authorize(self) -> None:
        """Get a token for the API."""
        state, verifier = secrets.token_urlsafe(32), secrets.token_hex(40)
        digest = hashlib.sha256(verifier.encode()).digest()
        client = {
            "client_id": self._config.client_id,
            "redirect_uri": self._config.redirect_url,
        }
        query = client | {
            "response_type": "code",
            "scope": "config",
            "state": state,
            "code_challenge_method": "S256",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        }
        response, _ = self._send("GET", "/_oauth/authorize", params=query)
        location = response.headers.get("location", "")
        given = httpx2.QueryParams(location.partition("?")[2].partition("#")[0])
        # Who is not logged in gets the page for that instead.
        if "code" not in given or given.get("state") != state:
            raise PortalFailed(
                "The VPN portal does not authorize us; check portal_username, portal_userpass, "
                "client_id and redirect_url of `vpn_server`."
            )
        form = client | {
            "grant_type": "authorization_code",
            "code": given["code"],
            "code_verifier": verifier,
        }
        password = self._config.client_secret.get_secret_value()
        _, content = self._send(
            "POST", "/oauth.php/token", data=form, auth=(self._config.client_id, password)
        )
        token = self._parse(_Token, content).access_token
        self._http.headers["Authorization"] = f"Bearer {token}"

    def profile(self) -> str:
        """Return the configuration of the first profile, without keys."""
        _, content = self._send("GET", "/api.php/profile_list")
        (first, *_) = self._parse(_ProfileList, content).profile_list.data
        _, content = self._send(
            "GET", "/api.php/profile_config", params={"profile_id": first.profile_id}
        )
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise PortalFailed("The configuration from the VPN portal is no text.") from error

    def new_keys(self) -> _KeyPair:
        """Have a certificate made."""
        _, content = self._send(
            "POST", "/api.php/create_keypair", data={"display_name": "vantage6"}
        )
        return self._parse(_CreatedKeyPair, content).create_keypair.data

    def _send(self, method: str, path: str, **content: Any) -> tuple[httpx2.Response, bytes]:
        try:
            with self._http.stream(method, self._base + path, **content) as response:
                body = self._read(path, response)
        except httpx2.TransportError as error:
            raise PortalUnreachable from error
        if response.status_code >= 400:
            raise PortalFailed(f"The VPN portal answered {response.status_code} to {path}.")
        return response, body

    def _read(self, path: str, response: httpx2.Response) -> bytes:
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > _MOST_BYTES:
                raise PortalFailed(f"The VPN portal answered far too much to {path}.")
            if time.monotonic() > self._deadline:
                raise PortalUnreachable("The VPN portal is too slow; try again later.")
        return bytes(body)

    @staticmethod
    def _parse(model: type[Expected], content: bytes) -> Expected:
        try:
            return model.model_validate_json(content)
        except ValidationError as error:
            raise PortalFailed("The VPN portal answered something unexpected.") from error


def _parse(configuration: str) -> Profile:
    # SECURITY: whoever wrote it, what a node gets is made of directives that we know.
    profile = Profile.parse(configuration)
    if not profile.has(_SHARED_KEY):
        raise Invalid(f"vpn_config: this is no VPN configuration, it has no <{_SHARED_KEY}>.")
    return profile


def _with_keys(profile: Profile, keys: _KeyPair) -> str:
    """Return a configuration with certificate and key."""
    return profile.with_keys(keys.certificate, keys.private_key).text()
