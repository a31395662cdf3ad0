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

from tests.node.conftest import MakeContext, MakeScheduler
from tests.node.console_bench import AUDITOR, OWNER, make_station, serve, write_past, write_waiting
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.node.console.server import Console
from vantage6.node.console.sessions import Person
from vantage6.node.control import Control
from vantage6.node.work.contact import Contact
from vantage6.node.work.questions import Questions

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow

_WORDS = ("Now", "Requests", "Releases", "What left", "Record", "Rules", "Data")
_PAGES = (
    "now",
    "requests",
    "requests/21",
    "releases",
    "releases/22",
    "left",
    "left/1",
    "record",
    "rules",
    "data",
)
#: Where screenshots go, if somebody wants to see them.
_PICTURES = os.environ.get("V6_CONSOLE_PICTURES")
#: Those of the documentation; `V6_CONSOLE_PICTURES=docs/console` makes them anew.
_DOCUMENTED = {
    "now": "now",
    "request": "requests/21",
    "release": "releases/22",
    "result": "left/1",
    "record": "record",
}
_MOST_PICTURE_BYTES = 150_000


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
    write_waiting(instance.data)
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
    for words in _WORDS:
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
    page.click("nav >> text=Releases")
    page.click("text=Look")
    assert page.locator("mark").inner_text().strip() == '"n": 2'
    if person is OWNER:
        page.click("text=Let it leave")
        assert "The output of result 22 leaves." in page.content()
        page.click("nav >> text=Requests")
        page.click("text=Look and answer")
        page.click("text=Approve it and others like it")
        page.click("text=Approve and grant")
        assert "Result 21 is approved." in page.content()
        page.click("nav >> text=Now")
        page.click("text=Pause the station")
        assert "Paused:" in page.content()
        page.click("text=Resume")
        assert "Paused:" not in page.content()
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


def test_the_pictures_of_the_documentation_are_made(
    chromium: Browser,
    wire: Wire,
    make_context: MakeContext,
    make_scheduler: MakeScheduler,
    tmp_path: Path,
) -> None:
    """A node computes a result; its owner looks at each page."""
    instance = make_station(tmp_path)
    write_past(instance, "survival")
    write_waiting(instance.data, "sex")
    scheduler = make_scheduler(make_context())
    names = {"initiator_name": "University Hospital Example", "init_username": "rosa"}
    program = "open(os.environ['TEMPORARY_FOLDER'] + '/up', 'w'); import time; time.sleep(60)"
    wire.add(5, program, **names)
    scheduler.accept(5)
    eventually(lambda: (tmp_path / "data/runs/1/up").exists())
    folder = Path(_PICTURES or tmp_path)
    contact = Contact()
    contact.note_answer()
    questions = Questions(scheduler, scheduler._context.runtime, contact)
    control, lock = Control(instance.data, questions.handlers), instance.lock()
    try:
        with serve(instance) as found:
            context = chromium.new_context(viewport={"width": 1000, "height": 700})
            page = enter(context, found)
            base = page.url.removesuffix("/now")
            for name, path in _DOCUMENTED.items():
                page.goto(f"{base}/{path}")
                page.screenshot(path=folder / f"{name}.png")
            page.goto(f"{base}/now")
            assert "Online: 1 result runs" in page.locator("h1").inner_text()
            context.close()
    finally:
        control.close()
        os.close(lock)
    documented = {path.stem for path in (ROOT / "docs/console").glob("*.png")}
    assert documented == set(_DOCUMENTED)
    for name in _DOCUMENTED:
        assert 0 < (folder / f"{name}.png").stat().st_size < _MOST_PICTURE_BYTES
