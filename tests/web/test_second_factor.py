"""The second factor and the ways back into an account, at a server that asks for codes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.services.smtp import MailServer, token_in
from tests.waiting import eventually
from tests.web.browsing import Browsing
from vantage6.sandbox.federation import PASSWORD, Federation

pytestmark = pytest.mark.slow

NEW_PASSWORD = "Another-password-2"
_WAITS = re.compile(r"You can try again in \d+ s\.")


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    """Give the mail server."""
    with MailServer(tmp_path_factory.mktemp("mails")).running() as server:
        yield server


@pytest.fixture(scope="module")
def strict(
    built: Path, mails: MailServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Federation]:
    """Give a server with second factors and mails, and three users who have set up nothing."""
    made = Federation(
        tmp_path_factory.mktemp("strict") / "federation",
        {},
        settings={"two_factor_auth": True, "smtp": mails.settings},
    )
    try:
        made.start_server()
        made.wait_until_ready()
        with httpx2.Client(base_url=f"{made.address}/api", timeout=30) as http:
            _register(http)
        yield made
    finally:
        made.stop_server()


def _register(http: httpx2.Client) -> None:
    root = {"username": "root", "password": "root"}
    secret = http.post("/token/user", json=root).json()["otp_secret"]
    code = pyotp.TOTP(secret).now()
    token = http.post("/token/user", json={**root, "mfa_code": code}).json()["access_token"]
    http.headers["Authorization"] = f"Bearer {token}"
    home = http.post("/organization", json={"name": "home"}).json()
    roles = {role["name"]: role["id"] for role in http.get("/role").json()}
    for name in ("fay", "gus", "hal"):
        user: dict[str, Any] = {
            "username": name,
            "password": PASSWORD,
            "firstname": name,
            "lastname": "Example",
            "email": f"{name}@example.org",
            "organization_id": home["id"],
            "roles": [roles["Researcher"]],
        }
        http.post("/user", json=user).raise_for_status()


@pytest.fixture
def browsing(browser: Browser, strict: Federation) -> Iterator[Browsing]:
    """Give what opens pages of that server."""
    made = Browsing(browser, strict.address)
    yield made
    made.finish()


def type_password(page: Page, username: str, password: str = PASSWORD) -> None:
    """Send the first form of the sign-in."""
    page.get_by_label("User name", exact=True).fill(username)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def enrol(browsing: Browsing, page: Page, username: str) -> tuple[str, list[str]]:
    """Set up an authenticator app; give its secret, and the recovery codes."""
    type_password(page, username)
    expect(page.get_by_role("heading", name="Set up an authenticator app")).to_be_focused()
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    browsing.check(page)
    secret = page.locator("code.secret").inner_text().replace(" ", "")
    page.get_by_label("Code that the app shows now").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Keep your recovery codes")).to_be_focused()
    browsing.check(page)
    codes = page.locator(".codes code").all_inner_texts()
    expect(page.get_by_role("button", name="Go on")).to_be_disabled()
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as a file").click()
    assert codes[0] in Path(download.value.path()).read_text()
    page.get_by_label("I have kept these codes.").check()
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("banner").wait_for()
    return secret, codes


def test_a_user_sets_up_an_app_and_signs_in_with_a_recovery_code(browsing: Browsing) -> None:
    page = browsing.open("stations")
    _, codes = enrol(browsing, page, "fay")
    expect(page.get_by_role("heading", level=1, name="Stations")).to_be_focused()
    page.get_by_role("button", name="Sign out").click()
    type_password(page, "fay")
    expect(page.get_by_role("heading", name="Second factor")).to_be_focused()
    page.get_by_label("Code of the authenticator app").fill("000000")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("A code works once")
    page.get_by_label("Code of the authenticator app").fill(codes[0])
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("banner").wait_for()


def test_a_lost_password_and_a_lost_device_are_replaced(
    browsing: Browsing, mails: MailServer
) -> None:
    page = browsing.open()
    _, codes = enrol(browsing, page, "gus")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="I have lost my password").click()
    page.get_by_label("User name or e-mail address").fill("gus@example.org")
    page.get_by_role("button", name="Send the mail").click()
    page.get_by_label("Token from the mail").fill(_token(mails, "Password reset"))
    page.get_by_label("New password").fill("weak")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("alert")).to_contain_text("at least 8 characters")
    page.get_by_label("New password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("heading", name="The password is set")).to_be_focused()
    page.get_by_role("link", name="Sign in").click()

    type_password(page, "gus", NEW_PASSWORD)
    page.get_by_role("link", name="I have lost the device").click()
    page.get_by_label("User name or e-mail address").fill("gus")
    page.get_by_label("Password", exact=True).fill(NEW_PASSWORD)
    page.get_by_role("button", name="Send the mail").click()
    page.get_by_label("Token from the mail").fill(_token(mails, "Two-factor"))
    page.get_by_label("Recovery code").fill(codes[1])
    browsing.check(page)
    page.get_by_role("button", name="Set up the device").click()
    secret = page.locator("code.secret").inner_text().replace(" ", "")
    page.get_by_role("link", name="Sign in with the code").click()
    # The server shows the secret of an app that has sent no code yet once more.
    type_password(page, "gus", NEW_PASSWORD)
    page.get_by_label("Code that the app shows now").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Keep your recovery codes")).to_be_visible()


def test_too_many_guesses_say_how_long_to_wait(browsing: Browsing) -> None:
    page = browsing.open()
    for _ in range(5):
        type_password(page, "hal", "wrong")
        expect(page.get_by_role("alert")).to_contain_text("Wrong")
        expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_enabled()
    type_password(page, "hal", "wrong")
    expect(page.get_by_role("alert")).to_contain_text(_WAITS)
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_disabled()


def _token(mails: MailServer, subject: str) -> str:
    def found() -> str:
        fitting = [mail for mail in mails.mails if subject in mail["Subject"]]
        assert fitting, f"no mail about {subject} came"
        return token_in(fitting[-1])

    return eventually(found)
