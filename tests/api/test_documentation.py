"""The documentation of the API: complete, true, and readable without internet."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from tests.api.client import Api
from tests.api.conftest import configured
from vantage6.api.app import create_app
from vantage6.api.openapi import document
from vantage6.api.routes import ROUTES
from vantage6.api.schemas.base import Reply
from vantage6.api.service import Service
from vantage6.common.config import Instance

#: What the API looked like at the last change that somebody wanted. To change it:
#: python -m tests.api.test_documentation
SNAPSHOT = Path(__file__).parent / "openapi.json"


def written() -> str:
    """Return the document as it is kept; the version is left out."""
    made = document(ROUTES, "/api")
    made["info"]["version"] = "any"
    return json.dumps(made, indent=1, sort_keys=True) + "\n"


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    found = document(ROUTES, "/api")["paths"]
    return [(path, verb, found[path][verb]) for path in found for verb in found[path]]


def page(api: Api, path: str) -> Any:
    return api.send("GET", path, prefix="")


def test_the_api_is_what_it_was():
    assert written() == SNAPSHOT.read_text(), "wanted? then: python -m tests.api.test_documentation"


def test_every_route_is_documented():
    documented = {path for path, _, _ in operations()}
    assert documented == {re.sub(r"\{(\w+)_:[^}]*\}", r"{\1}", route.path) for route in ROUTES}


def test_every_operation_says_what_it_does_and_for_whom():
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))
    for path, verb, operation in operations():
        assert operation["summary"].endswith("."), (path, verb)
        assert "For: " in operation["description"]
        assert all(reply["description"] for reply in operation["responses"].values())
        assert ("security" in operation) == ("For: everybody" not in operation["description"])


def test_every_reference_leads_somewhere():
    made = document(ROUTES, "/api")
    references = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(made)))
    assert references == set(made["components"]["schemas"]) & references
    assert len(references) > 30


def test_every_field_that_is_sent_is_in_the_document():
    schemas = document(ROUTES, "/api")["components"]["schemas"]

    def models(parent: type[BaseModel]) -> set[type[BaseModel]]:
        below = set(parent.__subclasses__())
        return below.union(*(models(model) for model in below))

    for model in models(Reply):
        if model.__name__ in schemas:
            assert set(schemas[model.__name__]["properties"]) == set(model.model_fields)


def test_the_server_sends_the_document(api: Api):
    sent = page(api, "/openapi.json").json
    sent["info"]["version"] = "any"
    assert sent == json.loads(SNAPSHOT.read_text())


@pytest.mark.parametrize("path", ["/apidocs", "/redoc"])
def test_pages_load_nothing_from_elsewhere(api: Api, path: str):
    answer = page(api, path)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert not re.findall(r"https?://|//\w", answer.text.replace("<!doctype html>", ""))
    for used in re.findall(r'(?:src|href|spec-url)="([^"]+)"', answer.text):
        assert page(api, used).status == 200, used
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-eval" not in policy
    for script in re.findall(r"<script>(.+?)</script>", answer.text):
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("swagger-ui.js", "text/javascript"),
        ("swagger-ui.css", "text/css"),
        ("redoc.js", "text/javascript"),
    ],
)
def test_scripts_and_styles_are_part_of_the_server(api: Api, name: str, kind: str):
    answer = page(api, f"/apidocs/{name}")
    assert (answer.status, answer.headers["content-type"]) == (200, kind)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert len(answer.text) > 10_000


def test_nothing_else_is_served(api: Api):
    for path in ("/apidocs/none.js", "/apidocs/..%2Fsetup.cfg", "/static", "/apidocs/"):
        assert page(api, path).status == 404, path


def without_pages(instance: Instance) -> Api:
    """Return a server that shows no web pages, whether they are built or not."""
    changed = configured(instance, web={"enabled": False})
    service = Service.of(changed)
    return Api(create_app(changed, service), service.tokens)


def test_the_way_to_everything(api: Api):
    shown = page(api, "/").json
    assert (shown["name"], shown["api"]) == ("vantage6", "/api")
    for path in shown["documentation"]:
        assert page(api, path).status == 200
    assert "Disallow: /" in page(api, "/robots.txt").text


def test_browsers_get_a_page_that_loads_nothing(instance: Instance):
    api = without_pages(instance)
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    shown = api.send("GET", "/", prefix="", headers={"Accept": accept})
    assert shown.headers["content-type"].startswith("text/html")
    assert shown.headers["vary"] == "Accept"
    policy = shown.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    (style,) = re.findall("<style>(.*?)</style>", shown.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert not re.findall(r"<script|<form|<img|<iframe|https?://", shown.text)
    for link in re.findall('href="([^"]+)"', shown.text):
        assert page(api, link).status == 200, link


if __name__ == "__main__":
    SNAPSHOT.write_text(written())
