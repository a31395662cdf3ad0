"""The built pages are served, and no other file is."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from falcon.testing import TestClient

from tests.api.client import Answer, Api
from tests.api.conftest import configured
from vantage6 import web
from vantage6.api.app import create_app
from vantage6.api.service import Service
from vantage6.common.config import Instance
from vantage6.web.site import HEADERS, Site

INDEX = "<!doctype html><title>vantage6</title>" + " " * 500
SCRIPT = "export default 1;" * 100
ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
Serve = Callable[..., Api]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder of built pages, as the build writes it."""
    built = tmp_path / "site" / "built"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text(INDEX)
    (built / "icon.svg").write_text("<svg/>")
    (built / "assets" / "index-C0ffee12.js").write_text(SCRIPT)
    (built / "notes.secret").write_text("no page")
    (built.parent / "outside.js").write_text("no page")
    monkeypatch.setattr(web, "BUILT", built)
    return built


@pytest.fixture
def serve(instance: Instance) -> Serve:
    """Give a server with some settings."""

    def start(**settings: Any) -> Api:
        changed = configured(instance, **settings)
        service = Service.of(changed)
        return Api(create_app(changed, service), service.tokens)

    return start


def get(api: Api, path: str, **headers: str) -> Answer:
    return api.send("GET", path, prefix="", headers=headers)


@pytest.mark.parametrize("path", ["/app/", "/app/index.html", "/app/task/12", "/app/x/../../etc"])
def test_each_address_of_the_pages_gives_the_first_page(folder: Path, serve: Serve, path: str):
    answer = get(serve(), path)
    assert (answer.status, answer.text) == (200, INDEX)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    for name, value in HEADERS.items():
        assert answer.headers[name.lower()] == value


def test_the_policy_of_the_pages_trusts_this_origin_alone(folder: Path, serve: Serve):
    policy = get(serve(), "/app/").headers["content-security-policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "worker-src": "'self'",
        "form-action": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
    }


def test_a_hashed_file_is_kept_for_ever(folder: Path, serve: Serve):
    api, path = serve(), "/app/assets/index-C0ffee12.js"
    plain = get(api, path)
    assert plain.text == SCRIPT
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["vary"] == "Accept-Encoding"
    again = get(api, path, **{"If-None-Match": plain.headers["etag"]})
    assert (again.status, again.text) == (304, "")
    assert get(api, "/app/icon.svg").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("accepted", ["gzip", "br, GZIP;q=0.5", "deflate, gzip"])
def test_a_file_is_compressed_for_clients_that_take_it(folder: Path, serve: Serve, accepted: str):
    api, path = serve(), "/app/assets/index-C0ffee12.js"
    sent = api.thread.submit(_raw, api, path, accepted).result(60)
    assert sent.headers["content-encoding"] == "gzip"
    assert gzip.decompress(sent.content).decode() == SCRIPT
    assert int(sent.headers["content-length"]) == len(sent.content) < len(SCRIPT)
    assert sent.headers["etag"] != get(api, path).headers["etag"]


def _raw(api: Api, path: str, accepted: str) -> Any:
    return TestClient(api.app).simulate_get(path, headers={"Accept-Encoding": accepted})


def test_a_client_may_refuse_compression(folder: Path, serve: Serve):
    answer = get(serve(), "/app/assets/index-C0ffee12.js", **{"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    "name",
    [
        "assets/none.js",
        "assets/../index.html",
        "assets/%2e%2e/%2e%2e/outside.js",
        "assets//index-C0ffee12.js",
        "assets/index-C0ffee12.js%00",
        "assets/index-C0ffee12.js/",
        "assets/",
    ],
)
def test_what_is_no_asset_is_not_found(folder: Path, serve: Serve, name: str):
    answer = get(serve(), f"/app/{name}")
    assert answer.problem == (404, "not_found")


@pytest.mark.parametrize(
    "name",
    [
        "notes.secret",
        "../outside.js",
        "%2e%2e%2foutside.js",
        "late.js",
        "link.js",
        "..\\outside.js",
    ],
)
def test_only_what_the_build_wrote_is_sent(folder: Path, serve: Serve, name: str):
    api = serve()
    (folder / "late.js").write_text("no page")
    (folder / "link.js").symlink_to(folder.parent / "outside.js")
    assert get(api, f"/app/{name}").text == INDEX


def test_a_link_out_of_the_folder_is_not_followed(folder: Path, tmp_path: Path, serve: Serve):
    (folder / "link.js").symlink_to(folder.parent / "outside.js")
    (folder / "elsewhere").symlink_to(folder.parent)
    assert sorted(Site(folder).files) == ["assets/index-C0ffee12.js", "icon.svg", "index.html"]


def test_the_settings_of_the_pages_are_those_of_the_server(folder: Path, serve: Serve):
    shown = get(serve(), "/app/settings.json")
    assert shown.headers["cache-control"] == "no-store"
    assert shown.json == {"apiPath": "/api", "name": "vantage6", "contact": None, "imprint": None}
    named = {
        "name": "Network </script>",
        "contact": "help@example.org",
        "imprint": "https://example.org/imprint",
    }
    own = get(serve(api_path="/v6/api", web=named), "/app/settings.json")
    assert own.json == {"apiPath": "/v6/api", **named}


def test_pages_and_an_api_without_prefix_stand_beside_each_other(folder: Path, serve: Serve):
    api = serve(api_path="")
    assert get(api, "/app/settings.json").json["apiPath"] == ""
    assert get(api, "/app/task").text == INDEX
    assert get(api, "/version").json["version"]


def test_a_browser_is_led_to_the_pages(folder: Path, serve: Serve):
    api = serve()
    answer = get(api, "/", Accept=ACCEPT)
    assert (answer.status, answer.headers["location"]) == (302, "/app/")
    assert answer.headers["vary"] == "Accept"
    assert get(api, "/").json["name"] == "vantage6"
    assert get(api, "/app").headers["location"] == "/app/"


@pytest.mark.parametrize(
    ("settings", "is_built", "words"),
    [
        ({}, False, "make web"),
        ({"web": {"enabled": False}}, True, "web.enabled"),
        ({"api_path": "/app"}, True, "api_path"),
        ({"api_path": "/app/api"}, True, "api_path"),
    ],
)
def test_the_start_page_says_why_there_are_no_pages(
    folder: Path, serve: Serve, settings: dict[str, Any], is_built: bool, words: str
):
    if not is_built:
        (folder / "index.html").unlink()
    api = serve(**settings)
    assert words in get(api, "/", Accept=ACCEPT).text
    assert get(api, "/app/").status == 404
    assert get(api, f"{settings.get('api_path', '/api')}/version").status == 200
