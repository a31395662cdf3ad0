"""A browser that notes everything that no page may do."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

from tests.web.people import PEOPLE, Person

#: How long a page may take until it shows what a test looks for, in milliseconds.
PATIENCE = 20_000
#: A refusal of the API, which a page shows as a sentence.
_REFUSED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d ")
#: What a browser says of a request without an answer.
LOST = r"Failed to load resource: net::ERR_"
_REPORT = """addEventListener("securitypolicyviolation", (report) =>
  console.error(`policy: ${report.violatedDirective} ${report.blockedURI} ${report.sample}`));"""


@dataclass
class Browsing:
    """Opens pages of one server, and fails where one breaks a rule.

    The rules: no report of the content security policy, no error or warning in the console, no
    exception that nothing catches, no request to another origin, nothing that axe finds.

    Parameters
    ----------
    browser
        Chromium.
    address
        Where the server is, as `http://127.0.0.1:5000`.
    """

    browser: Browser
    address: str
    faults: list[str] = field(default_factory=list)
    _allowed: list[str] = field(default_factory=list)
    _contexts: list[BrowserContext] = field(default_factory=list)

    def open(self, path: str = "", **options: Any) -> Page:
        """Open an address below ``/app/`` in a browser without memory.

        Parameters
        ----------
        path
            Address below ``/app/``.
        options
            Of `Browser.new_context`, as `viewport={"width": 360, "height": 740}` and
            `color_scheme="dark"`.
        """
        context = self.browser.new_context(**options)
        context.set_default_timeout(PATIENCE)
        context.add_init_script(_REPORT)
        context.on("console", self._note_words)
        context.on("weberror", lambda fault: self.faults.append(f"exception: {fault.error}"))
        context.on("request", self._note_request)
        self._contexts.append(context)
        page = context.new_page()
        page.goto(f"{self.address}/app/{path}")
        return page

    def sign_in(self, role: str, path: str = "", **options: Any) -> Page:
        """Open an address, and sign in there as a user of a role does.

        Parameters
        ----------
        role
            A key of `PEOPLE`.
        path, options
            As for `open`.
        """
        page = self.open(path, **options)
        enter(page, PEOPLE[role])
        return page

    @contextmanager
    def allowing(self, *patterns: str) -> Iterator[None]:
        """Let the console say what fits a pattern: `LOST` where a test cuts the connection."""
        self._allowed += patterns
        yield
        for context in self._contexts:
            for page in context.pages:
                page.evaluate("0")  # what was said has arrived when this has
        for pattern in patterns:
            self._allowed.remove(pattern)

    def check(self, page: Page, *, leaving_out: Sequence[str] = ()) -> None:
        """Fail if axe finds anything in the present state of a page.

        Parameters
        ----------
        page
            The page.
        leaving_out
            Names of rules of axe that do not hold here.
        """
        # By the debugger, as the policy of the page refuses scripts of others.
        session = page.context.new_cdp_session(page)
        session.send("Runtime.evaluate", {"expression": AXE_SCRIPT})
        session.detach()
        found = page.evaluate("axe.run()")["violations"]
        said = [_said(one) for one in found if one["id"] not in leaving_out]
        if said:
            raise AssertionError(f"{page.url}: {'; '.join(said)}")

    def photograph(self, page: Page, name: str) -> None:
        """Write a picture for the documentation, if `V6_WEB_PICTURES` names its folder.

        `V6_WEB_PICTURES=docs/web make test T=tests/web` makes all of them anew.
        """
        folder = os.environ.get("V6_WEB_PICTURES")
        if folder:
            page.set_viewport_size({"width": 1100, "height": 760})
            page.evaluate("scrollTo(0, 0)")
            page.screenshot(path=Path(folder) / f"{name}.png")

    def finish(self) -> None:
        """Look at the last state of each page, close all, and fail if there was any fault."""
        pages = [page for context in self._contexts for page in context.pages]
        try:
            for page in pages:
                self.check(page)
        finally:
            for context in self._contexts:
                context.close()
        if self.faults:
            raise AssertionError("; ".join(self.faults))

    def _note_words(self, message: ConsoleMessage) -> None:
        text = f"{message.type}: {message.text}"
        is_allowed = any(re.search(pattern, text) for pattern in self._allowed)
        # The tests open more pages as one user than may wait for changes at once; such a page asks
        # again after a while, as docs/web.md says.
        is_allowed |= "503" in text and "/change" in message.location["url"]
        if message.type in ("error", "warning") and not _REFUSED.search(text) and not is_allowed:
            self.faults.append(text)

    def _note_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        is_own = f"{parts.scheme}://{parts.netloc}" == self.address
        if not is_own and parts.scheme not in ("blob", "data"):
            self.faults.append(f"request to another origin: {request.url}")


def enter(page: Page, person: Person) -> None:
    """Fill in the form of the sign-in, and wait until the user is in."""
    page.get_by_label("User name", exact=True).fill(person.username)
    page.get_by_label("Password", exact=True).fill(person.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    # The menu is folded on narrow screens.
    page.get_by_role("banner").wait_for()


def _said(violation: dict[str, Any]) -> str:
    places = ", ".join(str(node["target"]) for node in violation["nodes"])
    return f"{violation['id']} ({violation['help']}): {places}"
