"""Wrong addresses, ports and paths: one sentence that says what to change, and a short trace."""

import datetime
import socket
import ssl
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from vantage6.client import AuthenticationException, Client
from vantage6.client.session import NoReply, NotTheServer, Session
from vantage6.common.errors import Invalid


@pytest.mark.parametrize("answer", [(404, "<html>"), (404, {"msg": "404 Not Found"}), (405, "no")])
@pytest.mark.parametrize("raise_errors", [True, False])
def test_wrong_path_is_said_in_the_words_of_the_doctor(peer, answer, raise_errors) -> None:
    peer.answers["POST token/user"] = answer
    client = Client(peer.address, None, "/api", raise_errors=raise_errors)
    status = answer[0]
    with pytest.raises(NotTheServer) as refusal:
        client.authenticate("ada", "secret")
    assert str(refusal.value) == (
        f"{peer.address}/api answers {status}, but not as a server of this system: check host, "
        "port and path."
    )
    client.close()


@pytest.mark.parametrize("answer", [(200, ["a list"]), (200, "<html>"), (501, "unsupported")])
def test_other_program_is_noticed_at_the_login(peer, answer) -> None:
    peer.answers["POST token/user"] = answer
    client = Client(peer.address)
    with pytest.raises(NotTheServer, match=f"answers {answer[0]}, but not as a server"):
        client.authenticate("ada", "secret")
    client.close()


class _Silent(BaseHTTPRequestHandler):
    def log_message(self, *_) -> None:
        """Print nothing."""


@contextmanager
def _listening(server: HTTPServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_https_to_a_port_of_http_says_which_to_write() -> None:
    with _listening(HTTPServer(("127.0.0.1", 0), _Silent)) as port:
        client = Client("https://127.0.0.1", port)
        with pytest.raises(NoReply) as refusal:
            client.authenticate("ada", "secret")
        client.close()
    assert str(refusal.value) == (
        f"https://127.0.0.1:{port}/api: that port speaks http, write http:// in place of https://."
    )


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> str:
    """Return the file of a certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return str(path)


@contextmanager
def _tls_port(certificate: str) -> Iterator[int]:
    class Secured(HTTPServer):
        def get_request(self):
            connection, address = super().get_request()
            return context.wrap_socket(connection, server_side=True), address

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with _listening(Secured(("127.0.0.1", 0), _Silent)) as port:
        yield port


def test_http_to_a_port_of_https_says_which_to_write() -> None:
    alert = b"\x15\x03\x01\x00\x02\x02\x46"

    def answer(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(alert)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer, args=(server,))
        thread.start()
        port = server.getsockname()[1]
        client = Client("http://127.0.0.1", port)
        with pytest.raises(NoReply, match="if it speaks https, write https://"):
            client.authenticate("ada", "secret")
        thread.join()
        client.close()


@pytest.mark.parametrize("port", ["abc", -1, 0.5, 65536, "5000/api", True])
def test_port_that_is_no_number_is_refused_at_once(port) -> None:
    with pytest.raises(Invalid, match="not a number from 1 to 65535"):
        Client("http://127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "port", "path", "expected"),
    [
        ("http://a:5000", None, "/api", "http://a:5000/api"),
        ("http://a:5000", 5000, "/api", "http://a:5000/api"),
        ("http://a/api", 5000, "/api", "http://a:5000/api"),
        ("http://a/api/", None, "api", "http://a/api"),
        ("http://a/v6", 5000, "/api", "http://a:5000/v6/api"),
        ("http://[::1]", 5000, "/api", "http://[::1]:5000/api"),
        ("http://[::1]:5000", "", "", "http://[::1]:5000"),
    ],
)
def test_every_sensible_way_to_write_an_address_works(host, port, path, expected) -> None:
    client = Client(host, port, path)
    assert client.base_path == expected
    client.close()


@pytest.mark.parametrize(
    ("host", "port", "said"),
    [
        ("http://::1:x", 5000, "stands in brackets"),
        ("http://a:b", None, "no valid port"),
        ("http://", 5000, "names no host"),
        ("http://a:5000", 443, "not the same port"),
    ],
)
def test_address_that_cannot_work_is_refused_at_once(host, port, said) -> None:
    with pytest.raises(Invalid, match=said):
        Client(host, port)


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("verbose", [False, True])
def test_failed_login_is_one_error_unless_verbose(peer, verbose) -> None:
    peer.answers["POST token/user"] = (401, {"msg": "Invalid username or password!"})
    wrong_port = Client("http://127.0.0.1", _closed_port(), verbose=verbose)
    for client, kind in ((wrong_port, NoReply), (Client(peer.address), AuthenticationException)):
        with pytest.raises(kind) as refusal:
            client.authenticate("ada", "secret")
        client.close()
        shown = "".join(traceback.format_exception(refusal.value))
        if verbose and kind is NoReply:
            assert "httpx2.ConnectError" in shown
            continue
        assert "The above exception" not in shown
        assert "During handling" not in shown
        assert shown.count("\n") < 16


def test_request_that_reached_nobody_has_no_number() -> None:
    client = Client("http://127.0.0.1", _closed_port())
    with pytest.raises(NoReply, match="check host, port and path") as refusal:
        client.task.list()
    assert not getattr(refusal.value, "__notes__", [])
    client.close()


def test_script_with_a_wrong_port_shows_its_own_line_and_one_sentence(tmp_path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from vantage6.client import Client\n"
        f"Client('http://127.0.0.1', {_closed_port()}).authenticate('ada', 'x')\n"
    )
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    lines = ended.stderr.splitlines()
    assert "does not answer" in lines[-1]
    assert len(lines) < 14, ended.stderr  # 62 before
    assert "httpx2" not in ended.stderr


def test_authority_of_requests_is_trusted(certificate, monkeypatch, tmp_path, caplog) -> None:
    for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    with _tls_port(certificate) as port:
        address = ("https://localhost", port, "")
        with pytest.raises(NoReply, match=r"SSL_CERT_FILE or REQUESTS_CA_BUNDLE"):
            Session(*address).request("get", "version")
        for name in ("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
            monkeypatch.setenv(name, certificate)
            with pytest.raises(NotTheServer, match="answers 501"):
                Session(*address).request("get", "version")
            monkeypatch.setenv(name, str(tmp_path / "absent"))
            with pytest.raises(NoReply, match="is not trusted"):
                Session(*address).request("get", "version")
            assert f"{name}: {tmp_path / 'absent'} cannot be used" in caplog.text
            monkeypatch.delenv(name)


def test_proxy_of_the_environment_that_does_not_answer_is_named(
    peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    for name in ("NO_PROXY", "no_proxy", "http_proxy", "HTTP_PROXY"):
        given = f"http://me:secret@127.0.0.1:{port}" if "http" in name.lower() else ""
        monkeypatch.setenv(name, given)
    client = Client(peer.address, None, "/api")
    with pytest.raises(NoReply) as refusal:
        client.authenticate("ada", "secret")
    assert str(refusal.value).startswith(f"The proxy 127.0.0.1:{port} on the way to {peer.address}")
    assert "NO_PROXY" in str(refusal.value)
    assert "secret" not in str(refusal.value)
    client.close()


def test_proxy_that_is_not_used_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    both: tuple[dict[str, Any], ...] = ({"proxies_from_environment": False}, {})
    for settings in both:
        monkeypatch.setenv("no_proxy", "127.0.0.1" if not settings else "")
        session = Session(f"http://127.0.0.1:{port}", **settings)
        with pytest.raises(NoReply) as refusal:
            session.request("get", "version")
        assert "proxy" not in str(refusal.value).lower()
        session.close()
