"""The console in a real browser: without scripts, and for people of all abilities."""

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from tests.node.console_bench import AUDITOR, OWNER, make_station, serve, write_past
from vantage6.node.console.server import Console
from vantage6.node.console.sessions import Person

pytestmark = pytest.mark.slow

_PAGES = ("now", "left", "left/1", "record", "rules", "data")
#: Where screenshots go, if somebody wants to see them.
_PICTURES = os.environ.get("V6_CONSOLE_PICTURES")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Give Debian's Chromium."""
    program = shutil.which("chromium")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is missing")
        pytest.skip("needs Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def console(tmp_path: Path) -> Iterator[tuple[Console, str]]:
    """Give a console that listens, and its address."""
    instance = make_station(tmp_path)
    write_past(instance)
    with serve(instance) as found:
        yield found


def enter(context: BrowserContext, console: tuple[Console, str], person: Person = OWNER) -> Page:
    """Open a link as a person does."""
    page = context.new_page()
    page.goto(console[0].link_for(person, console[1]))
    page.click("main button")
    assert page.url.endswith("/now")
    return page


@pytest.mark.parametrize("person", [OWNER, AUDITOR], ids=["owner", "auditor"])
def test_all_pages_work_without_scripts(
    chromium: Browser, console: tuple[Console, str], person: Person
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    faults: list[str] = []
    page = enter(context, console, person)
    page.on("console", lambda message: faults.append(message.text))
    page.on("requestfailed", lambda request: faults.append(request.url))
    for words in ("Now", "What left", "Record", "Rules", "Data"):
        page.click(f"nav >> text={words}")
        assert page.locator("nav a[aria-current]").inner_text().startswith(words)
        assert page.locator("h1").inner_text().strip()
    page.click("nav >> text=What left")
    page.click("td a >> text='1'")
    with page.expect_download() as saved:
        page.click("text=Save the whole output")
    assert saved.value.path().read_bytes().startswith(b"json.")
    page.click("nav >> text=Rules")
    page.fill("#image", "docker.io/evil")
    page.click("text=Test the rules")
    assert "The task would be refused." in page.content()
    page.click("nav >> text=Record")
    page.fill("#words", "Hospital")
    page.click("main button >> text=Search")
    assert page.locator("tbody tr").count() == 2
    page.click("text=Sign out")
    assert "Open the console with a link" in page.content()
    page.go_back()
    page.reload()
    assert "Hospital" not in page.content()
    # For Playwright a page that turns out to be a file has failed.
    assert [fault for fault in faults if not fault.endswith("/left/1/output")] == []
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible(
    chromium: Browser, console: tuple[Console, str], scheme: Any, tmp_path: Path
) -> None:
    # axe is a script of the test, which the pages themselves refuse.
    context = chromium.new_context(bypass_csp=True, color_scheme=scheme)
    page = enter(context, console)
    base = page.url.removesuffix("/now")
    found = {}
    for name in (*_PAGES, "nothing", "rules?image=docker.io/evil"):
        page.goto(f"{base}/{name}")
        found[name] = [one["id"] for one in Axe().run(page).response["violations"]]
        _picture(page, f"{name.partition('?')[0].replace('/', '-')}-{scheme}")
    for name in ("", "open?link=x"):
        page.goto(f"{console[1]}/{name}")
        found[f"/{name}"] = [one["id"] for one in Axe().run(page).response["violations"]]
    context.close()
    assert found == {name: [] for name in found}


def test_pages_fit_a_telephone(chromium: Browser, console: tuple[Console, str]) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 700})
    page = enter(context, console)
    base = page.url.removesuffix("/now")
    for name in _PAGES:
        page.goto(f"{base}/{name}")
        width = page.evaluate("document.documentElement.scrollWidth")
        _picture(page, f"{name.replace('/', '-')}-telephone")
        assert width <= 360, name
    context.close()


def test_the_browser_refuses_what_a_page_could_be_made_to_do(
    chromium: Browser, console: tuple[Console, str]
) -> None:
    context = chromium.new_context()
    page = enter(context, console)
    page.set_default_timeout(5000)
    # Scripts, pictures, frames and foreign forms, as if somebody had got them into a page.
    with pytest.raises(Error, match="Content Security Policy"):
        page.add_script_tag(content="document.title = 'taken over'")
    assert page.title() != "taken over"
    # No script sees the cookie.
    assert page.evaluate("document.cookie") == ""
    # Another program of this machine, which the browser takes for the same site, gets no cookie.
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as other:
        thread = threading.Thread(target=_hear, args=(other, heard), daemon=True)
        thread.start()
        page.goto(f"http://127.0.0.1:{other.getsockname()[1]}/")
        thread.join()
    assert b"Host: 127.0.0.1" in heard[0]
    assert b"vantage6_console" not in heard[0]
    context.close()


def test_a_frame_of_another_page_shows_nothing(
    chromium: Browser, console: tuple[Console, str]
) -> None:
    context = chromium.new_context()
    page = enter(context, console)
    page.set_content(f'<iframe src="{page.url}"></iframe>')
    page.wait_for_timeout(300)
    assert all("Hospital" not in frame.content() for frame in page.frames[1:])
    context.close()


def _hear(server: socket.socket, heard: list[bytes]) -> None:
    connection, _ = server.accept()
    with connection:
        heard.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def _picture(page: Page, name: str) -> None:
    if _PICTURES:
        page.screenshot(path=f"{_PICTURES}/{name}.png", full_page=True)
