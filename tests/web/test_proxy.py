"""The proxy of the deployment passes the pages on as the server sends them."""

import re
import ssl
from pathlib import Path

import httpx2
import pytest

from tests.services.nginx import nginx
from vantage6.sandbox.federation import Federation
from vantage6.web.site import HEADERS

pytestmark = pytest.mark.slow


def test_policy_compression_and_caching_pass_the_proxy(
    federation: Federation, tmp_path: Path
) -> None:
    with (
        nginx(tmp_path, federation.port) as (port, certificate),
        httpx2.Client(
            base_url=f"https://localhost:{port}",
            verify=ssl.create_default_context(cafile=str(certificate)),
            timeout=30,
        ) as browser,
    ):
        page = browser.get("/app/task/1")
        assert page.status_code == 200
        assert page.headers["cache-control"] == "no-store"
        for name, value in HEADERS.items():
            assert page.headers[name] == value
        assert "strict-transport-security" in page.headers
        (script,) = re.findall(r'<script[^>]* src="([^"]+)"', page.text)
        sent = browser.get(script, headers={"Accept-Encoding": "gzip"})
        assert sent.headers["content-encoding"] == "gzip"
        assert sent.headers["cache-control"].endswith("immutable")
        known = {"If-None-Match": sent.headers["etag"], "Accept-Encoding": "gzip"}
        assert browser.get(script, headers=known).status_code == 304
