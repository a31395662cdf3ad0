"""A server with its web pages, three encrypted stations, and a browser."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.services import needs
from tests.services.docker import own_suffix
from tests.web import people
from tests.web.browsing import Browsing
from vantage6.sandbox import demonstration, statistics
from vantage6.sandbox.federation import AS_PROCESSES, IMAGE, Federation
from vantage6.sandbox.runtimes import with_statistics


@pytest.fixture(scope="session")
def federation(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """Give a server, a worker and three stations with the statistics, all encrypted."""
    folder = tmp_path_factory.mktemp("web") / "federation"
    made = demonstration.make_federation(folder, own_suffix())
    settings = with_statistics(AS_PROCESSES)
    assert settings is not None
    made.runtime = settings | demonstration.policies((IMAGE, statistics.IMAGE))
    try:
        made.start_server()
        made.register()
        people.register(made)
        for name in made.ids:
            demonstration.write_databases(made, name)
            made.start_node(name)
        made.wait_until_online()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Give Debian's Chromium, which finds no other host than this machine."""
    program = needs("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
        )
        yield browser
        browser.close()


@pytest.fixture
def browsing(browser: Browser, federation: Federation) -> Iterator[Browsing]:
    """Give what opens pages; at its end it fails on everything that a page may not do."""
    made = Browsing(browser, federation.address)
    yield made
    made.finish()


@pytest.fixture
def page(browsing: Browsing) -> Page:
    """Give the first page, before anybody signed in."""
    return browsing.open()


@pytest.fixture
def signed_in(browsing: Browsing) -> Callable[..., Page]:
    """Give what signs in: `signed_in("researcher")`; see `Browsing.sign_in`."""
    return browsing.sign_in
