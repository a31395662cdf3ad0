"""Users sign in by what they see, and the bench notices what a page may not do."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.browsing import Browsing
from tests.web.people import PEOPLE
from vantage6.sandbox.federation import Federation

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("role", PEOPLE)
def test_a_user_signs_in_by_visible_labels(signed_in: Callable[..., Page], role: str) -> None:
    page = signed_in(role)
    expect(page.get_by_text(PEOPLE[role].username, exact=True)).to_be_visible()


def test_a_wrong_password_is_answered_by_a_sentence(browsing: Browsing) -> None:
    page = browsing.open()
    page.get_by_label("User name", exact=True).fill("rosa")
    page.get_by_label("Password", exact=True).fill("wrong-password")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert").first).to_contain_text("assword")


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        ("fetch('http://127.0.0.1:9/').catch(() => 0)", "connect-src"),
        ("setTimeout(() => { throw new Error('nothing catches this') })", "nothing catches"),
        ("document.body.innerHTML = '<b>x</b>'", "require-trusted-types-for"),
        ("console.error('a fault of a page')", "a fault of a page"),
        ("document.querySelector('label').remove()", "label"),
    ],
    ids=["connect", "exception", "markup", "console", "axe"],
)
def test_the_bench_notices_what_a_page_may_not_do(
    browser: Browser, federation: Federation, deed: str, words: str
) -> None:
    browsing = Browsing(browser, federation.address)
    page = browsing.open()
    page.get_by_label("User name").wait_for()
    # After the evaluation itself: what it throws is not the page's.
    page.evaluate(f"void setTimeout(() => {{ {deed} }})")
    page.wait_for_function("new Promise((done) => setTimeout(() => done(true), 100))")
    with pytest.raises(AssertionError, match=words):
        browsing.finish()
