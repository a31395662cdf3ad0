"""A stand-in for the portal of an EduVPN server, which checks every step of the conversation."""

import base64
import gzip
import hashlib
import json
import re
import secrets
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.services.certificate import certificate

#: What the portal gives as configuration of its first profile.
PROFILE = """\
client
dev tun
remote vpn 1194
<ca>
-----BEGIN CERTIFICATE-----
AA==
-----END CERTIFICATE-----
</ca>
<tls-crypt>
-----BEGIN OpenVPN Static key V1-----
00ff
-----END OpenVPN Static key V1-----
</tls-crypt>
"""

_HTML = {"Content-Type": "text/html"}
Reply = tuple[int, dict[str, str], bytes]


class Portal:
    """A portal on a free port of loopback; with a folder for its certificate, it speaks TLS.

    Refusals are those of the real one: a wrong password gives the login page again, and so does
    every page that needs a login.

    Parameters
    ----------
    folder
        Where its certificate is written.
    profile
        The configuration of its first profile, without keys.
    new_keys
        Makes a certificate and its key.
    """

    def __init__(
        self,
        folder: Path | None = None,
        profile: str = PROFILE,
        new_keys: Callable[[], tuple[str, str]] = certificate,
    ) -> None:
        self._profile, self._new_keys = profile, new_keys
        self.settings = {
            "client_id": "vantage6",
            "client_secret": "secret-of-the-client",
            "portal_username": "server",
            "portal_userpass": "secret-of-the-user",
        }
        #: Method and path of everything that was asked, in order.
        self.asked: list[tuple[str, str]] = []
        #: Somebody is here.
        self.called = threading.Event()
        #: What is answered to a path instead of what is right.
        self.instead: dict[str, Reply] = {}
        #: Seconds between two bytes of an answer, and between question and answer.
        self.drip = self.pause = 0.0
        #: Every key pair that was given, token and session: nobody else may know them.
        self.secrets: list[str] = []
        self._sessions: set[str] = set()
        self._codes: dict[str, dict[str, str]] = {}
        self._tokens: set[str] = set()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._http.server_port}/portal"
        if folder is not None:
            self._speak_tls(folder)
        # A redirection that is followed would come back to us.
        self.settings |= {"url": self.url, "redirect_url": f"{self.url}/followed"}
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()

    def _speak_tls(self, folder: Path) -> None:
        self.authority = folder / "portal.pem"
        self.authority.write_text("".join(certificate()))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authority)
        # The handshake is the business of the thread of the connection.
        self._http.socket = context.wrap_socket(
            self._http.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = self.url.replace("http:", "https:")

    def close(self) -> None:
        """Be gone."""
        self._http.shutdown()
        self._thread.join(10)
        self._http.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _handler(portal) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                form = _single(self.rfile.read(length).decode())
                address = urlsplit(self.path)
                path = address.path.removeprefix("/portal")
                portal.asked.append((self.command, path))
                portal.called.set()
                time.sleep(portal.pause)
                status, headers, body = portal.instead.get(path) or portal._answer(
                    self.command, path, _single(address.query), form, self.headers
                )
                if "gzip" in self.headers.get("Accept-Encoding", ""):
                    headers, body = {**headers, "Content-Encoding": "gzip"}, gzip.compress(body)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                size = 1 if portal.drip else len(body) or 1
                for start in range(0, len(body), size):
                    time.sleep(portal.drip)
                    self.wfile.write(body[start : start + size])

            do_GET = do_POST = _serve  # noqa: N815

            def handle(self) -> None:
                # A caller that hangs up early, or does not trust us, is none of our problems.
                try:
                    super().handle()
                except OSError:
                    self.close_connection = True

            def finish(self) -> None:
                try:
                    super().finish()
                except OSError:
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def _answer(
        self, method: str, path: str, query: dict[str, str], form: dict[str, str], headers: Any
    ) -> Reply:
        match method, path:
            case "POST", "/_form/auth/verify":
                return self._log_in(form)
            case "GET", "/_oauth/authorize":
                return self._authorize(query, headers)
            case "POST", "/oauth.php/token":
                return self._token(form, headers)
        if headers.get("Authorization", "").removeprefix("Bearer ") not in self._tokens:
            return 401, _HTML, b"no token"
        match method, path:
            case "GET", "/api.php/profile_list":
                profiles = [{"profile_id": "all hospitals"}, {"profile_id": "other"}]
                return _json({"profile_list": {"ok": True, "data": profiles}})
            case "GET", "/api.php/profile_config" if query["profile_id"] == "all hospitals":
                return 200, {"Content-Type": "text/plain"}, self._profile.encode()
            case "POST", "/api.php/create_keypair" if form["display_name"]:
                cert, key = self._new_keys()
                self.secrets.append(key)
                data = {"certificate": cert, "private_key": key}
                return _json({"create_keypair": {"ok": True, "data": data}})
        return 404, _HTML, b"no such page"

    def _log_in(self, form: dict[str, str]) -> Reply:
        target = urlsplit(form["_form_auth_redirect_to"])
        if target.netloc != urlsplit(self.url).netloc or not target.path:
            return 400, _HTML, b"redirect_to does not match expected host"
        given = form["userName"], form["userPass"]
        if given != (self.settings["portal_username"], self.settings["portal_userpass"]):
            return 200, _HTML, b"<form>wrong password</form>"
        session = self._new_secret(self._sessions)
        return (
            302,
            {"Location": target.geturl(), "Set-Cookie": f"sid={session}; Path=/portal/"},
            b"",
        )

    def _authorize(self, query: dict[str, str], headers: Any) -> Reply:
        cookies = dict(
            part.strip().split("=", 1) for part in headers.get("Cookie", "x=").split(";")
        )
        if cookies.get("sid") not in self._sessions:
            return 200, _HTML, b"<form>log in</form>"
        expected = {
            "client_id": self.settings["client_id"],
            "redirect_uri": self.settings["redirect_url"],
            "response_type": "code",
            "scope": "config",
            "code_challenge_method": "S256",
        }
        if not expected.items() <= query.items() or not query["state"]:
            return 400, _HTML, b"invalid request"
        code = secrets.token_urlsafe(16)
        self.secrets.append(code)
        self._codes[code] = query
        answer = urlencode({"code": code, "state": query["state"]})
        return 302, {"Location": f"{query['redirect_uri']}?{answer}"}, b""

    def _token(self, form: dict[str, str], headers: Any) -> Reply:
        pair = f"{self.settings['client_id']}:{self.settings['client_secret']}"
        if headers.get("Authorization") != f"Basic {base64.b64encode(pair.encode()).decode()}":
            return _json({"error": "invalid_client"}, 401)
        # Each code once.
        asked = self._codes.pop(form["code"], None)
        verifier = form["code_verifier"]
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        if (
            asked is None
            or form["grant_type"] != "authorization_code"
            or form["redirect_uri"] != asked["redirect_uri"]
            or not re.fullmatch(r"[A-Za-z0-9]{43,128}", verifier)
            or digest.decode().rstrip("=") != asked["code_challenge"]
        ):
            return _json({"error": "invalid_grant"}, 400)
        token = self._new_secret(self._tokens)
        return _json({"access_token": token, "token_type": "bearer", "expires_in": 3600})

    def _new_secret(self, known: set[str]) -> str:
        secret = secrets.token_urlsafe(32)
        known.add(secret)
        self.secrets.append(secret)
        return secret


def _single(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}


def _json(content: object, status: int = 200) -> Reply:
    return status, {"Content-Type": "application/json"}, json.dumps(content).encode()
