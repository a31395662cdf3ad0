"""Getting into the console, and what keeps others out."""

import stat
import threading
import time
from pathlib import Path

import pyotp
import pytest

from tests.node.console_bench import AUDITOR, HOST, OWNER, Browser, make_station, write_past
from vantage6.common.errors import ConfigurationError
from vantage6.node.console.accounts import Accounts
from vantage6.node.console.app import FOLDER
from vantage6.node.console.guard import MOST_FORM_BYTES
from vantage6.node.console.sessions import (
    IDLE_SECONDS,
    LINK_SECONDS,
    SESSION_SECONDS,
    Links,
    Role,
    Sessions,
)
from vantage6.node.instance import Instance

PAGES = ("now", "left", "record", "rules", "data")
PASSWORD = "a long enough password"


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    made = make_station(tmp_path)
    write_past(made)
    return made


@pytest.fixture
def browser(instance: Instance) -> Browser:
    return Browser(instance)


def accounts_of(instance: Instance) -> Accounts:
    return Accounts(instance.data / FOLDER)


def test_a_link_opens_once(browser: Browser) -> None:
    links = Links(browser.instance.data / FOLDER / "links")
    secret = links.make(OWNER)
    assert browser.request("GET", f"/open?link={secret}").status_code == 200
    # Looking at it used nothing up.
    first = browser.send("/open", link=secret)
    assert first.status_code == 303
    assert browser.send("/open", link=secret).status_code == 403
    assert browser.send("/open", link="../../instance").status_code == 403
    assert browser.send("/open", link="").status_code == 403


def test_a_link_is_kept_as_a_hash_and_for_the_account_alone(instance: Instance) -> None:
    folder = instance.data / FOLDER / "links"
    secret = Links(folder).make(OWNER)
    (kept,) = folder.iterdir()
    assert secret not in kept.name + kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_old_link_opens_nothing(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    links = Links(instance.data / FOLDER / "links")
    secret, then = links.make(OWNER), time.time()
    monkeypatch.setattr(time, "time", lambda: then + LINK_SECONDS + 1)
    assert links.open(secret) is None


def test_the_cookie_is_for_one_place_and_for_no_script(browser: Browser) -> None:
    answer = browser.enter()
    (text,) = [value for name, value in answer.headers.items() if name.lower() == "set-cookie"]
    assert "HttpOnly" in text
    assert "SameSite=Strict" in text
    assert f"Path={browser.base}/" in text
    assert f"Max-Age={SESSION_SECONDS}" in text
    # The cookie of one session is worth nothing at the place of another.
    other = Browser(browser.instance)
    other.enter()
    assert browser.request("GET", f"{other.base}/now").status_code == 303


def test_a_session_ends_without_use_and_in_any_case(instance: Instance) -> None:
    moment = [0.0]
    sessions = Sessions(now=lambda: moment[0])
    browser = Browser(instance, sessions)
    browser.enter()
    moment[0] = IDLE_SECONDS - 1
    assert browser.get("/now").status_code == 200
    moment[0] += IDLE_SECONDS
    assert browser.get("/now").status_code == 303
    browser.enter()
    begin = moment[0]
    while moment[0] < begin + SESSION_SECONDS:
        moment[0] += IDLE_SECONDS / 2
        status = browser.get("/now").status_code
    assert status == 303


def test_signing_out_ends_the_session(browser: Browser) -> None:
    browser.enter()
    assert browser.post("/leave").status_code == 303
    assert browser.get("/now").status_code == 303


@pytest.mark.parametrize("page", [*PAGES, "left/1", "record/export"])
def test_without_a_session_there_is_no_page(browser: Browser, page: str) -> None:
    answer = browser.request("GET", f"/guessed/{page}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "Hospital" not in answer.text


@pytest.mark.parametrize(
    "host",
    ["evil.example.org", "evil.example.org:8700", "127.0.0.1.evil.org", "10.0.0.1", "none"],
)
def test_a_name_that_was_pointed_here_is_refused(browser: Browser, host: str) -> None:
    """DNS rebinding: the page of an attacker's name reaches this machine."""
    browser.enter()
    for path in ("/", "/open", f"{browser.base}/now", "/console.css"):
        answer = browser.request("GET", path, {"Host": host})
        assert answer.status_code == 403
        assert "Hospital" not in answer.text


@pytest.mark.parametrize("host", ["localhost:9999", "[::1]:8700", "127.0.0.1", HOST])
def test_the_names_of_this_machine_are_answered(browser: Browser, host: str) -> None:
    assert browser.request("GET", "/", {"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example.org"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_of_another_page_is_refused(browser: Browser, headers: dict[str, str]) -> None:
    browser.enter()
    fields = {"form_secret": browser.form_secret, "reason": "x"}
    answer = browser.send(f"{browser.base}/stop", headers, **fields)
    assert answer.status_code == 403
    secret = Links(browser.instance.data / FOLDER / "links").make(OWNER)
    assert browser.send("/open", headers, link=secret).status_code == 403


def test_a_form_without_the_secret_of_its_session_is_refused(browser: Browser) -> None:
    browser.enter()
    other = Browser(browser.instance)
    other.enter()
    for secret in ("", "x", other.form_secret):
        answer = browser.post("/leave", form_secret=secret)
        assert answer.status_code == 403
    assert browser.get("/now").status_code == 200


def test_a_page_that_another_site_asks_for_is_refused(browser: Browser) -> None:
    browser.enter()
    for site in ("cross-site", "same-site"):
        assert browser.get("/now", {"Sec-Fetch-Site": site}).status_code == 403
        # A link in a mail leads to the entrance.
        assert browser.request("GET", "/", {"Sec-Fetch-Site": site}).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(browser: Browser, method: str) -> None:
    browser.enter()
    assert browser.request(method, f"{browser.base}/now").status_code == 405


def test_no_get_changes_anything(browser: Browser) -> None:
    browser.enter()
    for path in ("/stop", "/leave"):
        assert browser.get(path).status_code == 405
    assert browser.get("/now").status_code == 200


def test_long_and_strange_bodies_are_refused(browser: Browser) -> None:
    browser.enter()
    long = browser.send("/enter", name="x" * MOST_FORM_BYTES, password="x")
    assert long.status_code == 413
    strange = browser.send("/enter", {"Content-Type": "application/json"}, name="x")
    assert strange.status_code == 415
    # A field that is there twice is none.
    twice = browser.request(
        "POST",
        f"{browser.base}/leave",
        {"Origin": f"http://{HOST}", "Content-Type": "application/x-www-form-urlencoded"},
        "form_secret=a&form_secret=b",
    )
    assert twice.status_code == 403


def test_an_auditor_looks_and_changes_nothing(browser: Browser) -> None:
    browser.enter(AUDITOR)
    assert browser.get("/record").status_code == 200
    assert "Stop all" not in browser.get("/now").text
    answer = browser.post("/stop", reason="because")
    assert answer.status_code == 403
    assert "auditor" in answer.text
    assert browser.post("/leave").status_code == 303


def test_every_answer_keeps_the_browser_from_all_but_the_style(browser: Browser) -> None:
    browser.enter()
    paths = ["/", "/console.css", "/open", "/nothing", f"{browser.base}/now", "/a/b/c/d/e"]
    for path in paths:
        headers = browser.request("GET", path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; form-action 'self'")
        assert "script-src" not in policy
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"


def test_a_password_and_a_second_factor_open_a_session(browser: Browser) -> None:
    accounts = accounts_of(browser.instance)
    assert "password" not in browser.request("GET", "/").text
    accounts.add("olivia", Role.OWNER, PASSWORD, with_totp=False)
    assert 'name="password"' in browser.request("GET", "/").text
    assert browser.send("/enter", name="olivia", password=PASSWORD).status_code == 303
    for name, password in (("olivia", "wrong"), ("nobody", PASSWORD), ("", "")):
        assert browser.send("/enter", name=name, password=password).status_code == 403
    address = accounts.add("amir", Role.AUDITOR, PASSWORD, with_totp=True)
    assert address is not None
    digits = pyotp.parse_uri(address).now()  # type: ignore[union-attr]
    assert browser.send("/enter", name="amir", password=PASSWORD).status_code == 403
    fields = {"name": "amir", "password": PASSWORD, "digits": digits}
    assert browser.send("/enter", **fields).status_code == 303
    # Digits that somebody saw are worth nothing.
    assert browser.send("/enter", **fields).status_code == 403
    kept = (browser.instance.data / FOLDER / "accounts.json").read_text()
    assert PASSWORD not in kept
    assert "$argon2id$" in kept


def test_guesses_are_counted_before_they_are_checked(browser: Browser) -> None:
    accounts_of(browser.instance).add("olivia", Role.OWNER, PASSWORD, with_totp=False)
    said = [browser.send("/enter", name="olivia", password="x").status_code for _ in range(11)]
    assert said == [403] * 10 + [429]
    answer = browser.send("/enter", name="olivia", password=PASSWORD)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    # A link is the way in meanwhile.
    assert browser.enter().status_code == 303


def test_a_short_password_is_refused(instance: Instance) -> None:
    with pytest.raises(ConfigurationError, match="12 characters"):
        accounts_of(instance).add("olivia", Role.OWNER, "short", with_totp=False)
    with pytest.raises(ConfigurationError, match="no account"):
        accounts_of(instance).remove("olivia")


def test_accounts_that_are_made_at_once_are_all_there(instance: Instance) -> None:
    names = [f"person{number}" for number in range(4)]
    threads = [
        threading.Thread(
            target=accounts_of(instance).add,
            args=(name, Role.AUDITOR, PASSWORD),
            kwargs={"with_totp": False},
        )
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(accounts_of(instance).all()) == names
