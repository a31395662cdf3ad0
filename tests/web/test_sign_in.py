"""Signing in and out, and what stays when a session or the connection ends."""

import re
from collections.abc import Callable
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from tests.waiting import eventually
from tests.web.browsing import LOST, Browsing, enter
from tests.web.people import PEOPLE
from vantage6.sandbox.federation import Federation

pytestmark = pytest.mark.slow

SignIn = Callable[..., Page]
ROSA = PEOPLE["researcher"]


def heading(page: Page, name: str) -> None:
    """Wait for the heading of a page, which has the focus and names the tab."""
    found = page.get_by_role("heading", level=1, name=name, exact=True)
    expect(found).to_be_focused()
    expect(page).to_have_title(re.compile(f"^{re.escape(name)} · "))


def test_the_page_that_was_asked_for_opens_after_the_sign_in(signed_in: SignIn) -> None:
    page = signed_in("researcher", "tasks?mine=1")
    heading(page, "Tasks")
    assert page.url.endswith("/app/tasks?mine=1")


def test_a_wrong_password_says_what_to_do(browsing: Browsing) -> None:
    page = browsing.open()
    page.get_by_label("User name", exact=True).fill(ROSA.username)
    page.get_by_label("Password", exact=True).fill("wrong-password")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("set a new one by e-mail")
    browsing.check(page)
    page.get_by_role("link", name="I have lost my password").click()
    heading(page, "Set a new password")
    # Such a server has no mails; it does not tell whether there is the account either.
    page.get_by_label("User name or e-mail address").fill("nobody")
    page.get_by_role("button", name="Send the mail").click()
    expect(page.get_by_role("status").first).to_contain_text("If there is such an account")


def test_signing_out_ends_this_session_only(signed_in: SignIn, federation: Federation) -> None:
    page = signed_in("viewer")
    with closing(federation.client(PEOPLE["viewer"].username)) as other:
        before = {row["id"] for row in other.request("session")}
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("status")).to_have_text("You are signed out.")

        def gone() -> set[int]:
            return before - {row["id"] for row in other.request("session")}

        assert len(eventually(gone)) == 1
    page.reload()
    heading(page, "Sign in")


def test_an_ended_session_asks_for_the_password_and_goes_on(
    signed_in: SignIn, federation: Federation
) -> None:
    page = signed_in("researcher", "me")
    heading(page, "My account")
    with closing(federation.client(ROSA.username)) as other:
        other.request("session", method="delete")
    page.get_by_role("link", name="Tasks", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Your session has ended")
    enter(page, ROSA)
    heading(page, "Tasks")


def test_a_lost_connection_is_said_and_healed(signed_in: SignIn, browsing: Browsing) -> None:
    page = signed_in("researcher")
    heading(page, "Home")
    page.get_by_role("link", name="Tasks", exact=True).hover()
    with browsing.allowing(LOST):
        # The code of the page is there already: the network is lost, not the browser's cache.
        page.get_by_role("link", name="Tasks", exact=True).click()
        page.get_by_role("searchbox").wait_for()
        page.context.set_offline(True)
        page.get_by_label("Only mine").check()
        expect(page.get_by_role("alert").first).to_contain_text("does not answer")
        page.context.set_offline(False)
        expect(page.get_by_role("alert")).to_have_count(0)
        expect(page.get_by_text("No task fits").or_(page.get_by_role("table"))).to_be_visible()


def test_no_token_and_no_password_is_stored(signed_in: SignIn) -> None:
    page = signed_in("researcher", "tasks")
    heading(page, "Tasks")
    kept = page.evaluate(
        "async () => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie,"
        " history.state, location.href, await indexedDB.databases(), await caches.keys()])"
    )
    assert "eyJ" not in kept
    assert ROSA.password not in kept


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_menu_works_at_every_width(signed_in: SignIn, width: int, scheme: str) -> None:
    page = signed_in("researcher", viewport={"width": width, "height": 800}, color_scheme=scheme)
    heading(page, "Home")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for name, title in (("Tasks", "Tasks"), ("Stations", "Stations"), ("Account of", "My account")):
        if width <= 768:
            page.get_by_role("button", name="Menu").click()
        page.get_by_role("banner").get_by_role("link", name=name).click()
        heading(page, title)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_an_address_that_does_not_exist_says_so(signed_in: SignIn) -> None:
    page = signed_in("viewer", "no/such/page")
    heading(page, "Page not found")
    page.get_by_role("main").get_by_role("link", name="Home").click()
    heading(page, "Home")
