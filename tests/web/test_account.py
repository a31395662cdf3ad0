"""The page of the own account."""

from collections.abc import Callable
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from tests.web.browsing import Browsing, enter
from tests.web.people import PEOPLE, Person
from vantage6.common.errors import Unauthenticated
from vantage6.sandbox.federation import PASSWORD, Federation

pytestmark = pytest.mark.slow

SignIn = Callable[..., Page]


def test_a_user_changes_the_profile(signed_in: SignIn) -> None:
    page = signed_in("organization_admin", "me")
    page.get_by_label("First name").fill("Olga Maria")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The profile is saved.")).to_be_visible()
    page.get_by_role("link", name="Home", exact=True).click()
    expect(page.get_by_text("Welcome, Olga Maria")).to_be_visible()


def test_a_user_without_rights_sees_no_button_that_the_server_would_refuse(
    browsing: Browsing, federation: Federation
) -> None:
    nora = Person("nora", PASSWORD, "")
    with closing(federation.client("root", "root")) as root:
        root.user.create(
            username=nora.username,
            firstname="Nora",
            lastname="Example",
            password=nora.password,
            email="nora@example.org",
            organization=next(iter(federation.ids.values())),
            roles=[],
        )
    page = browsing.open("me")
    enter(page, nora)
    expect(page.get_by_text("Your roles do not let you change your profile")).to_be_visible()
    expect(page.get_by_label("First name")).to_be_disabled()
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    page.get_by_role("link", name="Tasks", exact=True).click()
    expect(page.get_by_text("Your roles do not let you see tasks.")).to_be_visible()
    page.get_by_role("link", name="Stations", exact=True).click()
    expect(page.get_by_text("You see no collaboration.")).to_be_visible()


def test_a_wrong_present_password_changes_nothing_and_counts_once(
    browsing: Browsing, signed_in: SignIn
) -> None:
    page = signed_in("collaboration_admin", "me")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_label("Present password").fill("wrong")
    page.get_by_label("New password").fill("Another-password-2")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("alert")).to_contain_text("Wrong")
    assert sum("/password/change" in url for url in asked) == 1
    assert not [url for url in asked if "/token/refresh" in url]
    browsing.check(page)


def test_a_session_is_ended_by_name(signed_in: SignIn, federation: Federation) -> None:
    with closing(federation.client(PEOPLE["collaboration_admin"].username)) as other:
        page = signed_in("collaboration_admin", "me")
        rows = page.get_by_role("table", name="Sessions").get_by_role("row")
        foreign = rows.filter(has_text="httpx")
        foreign.first.wait_for()
        count = foreign.count()
        foreign.first.get_by_role("button").click()
        dialog = page.get_by_role("dialog", name="End this session?")
        expect(dialog).to_contain_text("httpx")
        expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
        dialog.get_by_role("button", name="End the session").click()
        expect(foreign).to_have_count(count - 1)
        with pytest.raises(Unauthenticated, match="ended"):
            other.request("session")
        signed_in("collaboration_admin").get_by_role("heading", name="Home").wait_for()
        page.get_by_role("link", name="Home", exact=True).click()
        page.get_by_role("link", name="Account of").click()
        page.get_by_role("button", name="End all other sessions").click()
        page.get_by_role("dialog").get_by_role("button", name="End all other sessions").click()
        expect(page.get_by_text("This is the only session.")).to_be_visible()


def test_the_browser_remembers_theme_and_language_only(signed_in: SignIn) -> None:
    page = signed_in("viewer", "me")
    page.get_by_label("dark").check()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 20, 24)"
    page.get_by_label("Language").select_option("nl")
    expect(page.locator("html")).to_have_attribute("lang", "nl")
    page.reload()
    expect(page.get_by_role("heading", name="Inloggen")).to_be_visible()
    assert page.evaluate("({...localStorage})") == {
        "vantage6.theme": "dark",
        "vantage6.language": "nl",
    }
