"""A document comes from a file or over https, and never without a bound."""

import os
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.services.certificate import write_certificate
from vantage6.client import documents
from vantage6.client.documents import read_document
from vantage6.common.errors import Invalid

MOST = 2**20


class _Store(BaseHTTPRequestHandler):
    """Answers by path."""

    asked: list[str]
    is_over: threading.Event

    def do_GET(self) -> None:
        self.asked.append(self.headers.get("Authorization", ""))
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/good")
            self.end_headers()
        elif self.path == "/good":
            self._send(b'{"name": "a"}')
        elif self.path == "/long":
            self._send(b"x" * (MOST + 1))
        elif self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                for _ in range(10_000):
                    self.wfile.write(b"x" * 1000)
        elif self.path == "/slow":
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                while not _Store.is_over.wait(0.02):
                    self.wfile.write(b"x")
        else:
            self.send_error(404)

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(OSError):  # the reader has had enough
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the output of the tests free of requests."""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give the address of a store that speaks https, with an authority of its own."""
    certificate, key = write_certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    _Store.asked, _Store.is_over = [], threading.Event()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Store) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"https://localhost:{server.server_port}"
        _Store.is_over.set()
        server.shutdown()
        thread.join()


def test_a_document_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "card.json"
    file.write_bytes(b"{}")
    assert read_document(file, MOST) == read_document(str(file), MOST) == b"{}"
    file.write_bytes(b"x" * (MOST + 1))
    with pytest.raises(Invalid, match="larger than 1024 kB"):
        read_document(file, MOST)


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, words in (
        (tmp_path / "none", "cannot be read: No such file"),
        (tmp_path, "is not a file"),
        (tmp_path / "pipe", "is not a file"),
        (Path("/dev/zero"), "is not a file"),
    ):
        with pytest.raises(Invalid, match=words):
            read_document(path, MOST)


def test_a_document_comes_over_https(store: str) -> None:
    assert read_document(f"{store}/good", MOST) == b'{"name": "a"}'
    # No token of the server goes there.
    assert _Store.asked == [""]


@pytest.mark.parametrize(
    "address",
    ["http://localhost/card", "ftp://localhost/card", "file:///etc/passwd", "https://", "x://y"],
)
def test_another_way_than_https_is_refused(address: str) -> None:
    with pytest.raises(Invalid, match="has to begin with https://"):
        read_document(address, MOST)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("none", "answers 404"),
        ("moved", "leads to /good"),
        ("long", "larger than 1024 kB"),
        ("endless", "larger than 1024 kB"),
    ],
)
def test_an_answer_that_is_no_document_is_refused(store: str, path: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        read_document(f"{store}/{path}", MOST)


def test_an_answer_without_end_is_broken_off(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "_SECONDS", 0.2)
    with pytest.raises(Invalid, match="takes longer than"):
        read_document(f"{store}/slow", MOST)


def test_a_certificate_of_a_stranger_is_refused(
    store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(Invalid, match="is not trusted"):
        read_document(f"{store}/good", MOST)
