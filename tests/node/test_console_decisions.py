"""What people decide in the console: it is what the commands decide, and about what was seen."""

import html
import re
from dataclasses import replace
from pathlib import Path

import pytest
from markupsafe import escape

from tests.node.console_bench import (
    AUDITOR,
    DIGEST,
    HELD_OUTPUT,
    HOSTILE,
    OWNER,
    Browser,
    make_station,
    write_waiting,
)
from vantage6.node.console.marking import MOST_LINES, mark
from vantage6.node.console.sessions import Person, Role
from vantage6.node.release.held_outputs import HeldOutputs
from vantage6.node.requests.grants import Grants
from vantage6.node.requests.held import HeldRequests, State
from vantage6.node.requests.pause import Pause

REQUEST, OUTPUT = "/requests/21", "/releases/22"


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    instance = make_station(tmp_path)
    write_waiting(instance.data)
    made = Browser(instance)
    made.enter()
    return made


def hidden(browser: Browser, path: str, name: str) -> str:
    found = re.search(f'name="{name}" value="([^"]*)"', browser.get(path).text)
    assert found is not None
    return found[1]


def answer(browser: Browser, path: str, **fields: str) -> str:
    """Send the form of a page as a person who has read it."""
    name = "code" if path.startswith("/requests") else "output_hash"
    sent = {name: hidden(browser, path, name), **fields}
    done = browser.post(path, **sent)
    return f"{done.status_code} {done.text}"


def test_what_waits_is_said_on_every_page(browser: Browser) -> None:
    page = browser.get("/now").text
    assert "1 request</a> and <a" in page
    assert page.count('class="badge">1<') == 2
    assert "1 request waits for an answer" in browser.get("/requests").text
    assert "1 output waits for a person before it leaves" in browser.get("/releases").text


def test_a_request_is_shown_in_words(browser: Browser) -> None:
    page = browser.get(REQUEST).text
    for words in ("University Hospital Example", "rosa", "ab:cd:ef", "kaplan_meier", DIGEST):
        assert words in page
    assert "&#34;days&#34;" in page
    assert "The image is listed." in page
    assert "<script" not in page
    assert not set(HOSTILE).difference(map(chr, range(32, 127))) & set(page)
    assert "No request of result 5 is held" in browser.get("/requests/5").text


def test_a_request_is_approved_once(browser: Browser) -> None:
    assert "Result 21 is approved." in answer(browser, REQUEST, answer="approve")
    held = HeldRequests(browser.instance.data).get(21)
    assert held.state() is State.APPROVED
    assert [one.by for one in held.approvals] == ["olivia"]
    assert "Your answer" not in browser.get(REQUEST).text
    again = browser.post(REQUEST, code=held.code, answer="deny", reason="late")
    assert again.status_code == 409
    assert "approved already" in again.text


def test_a_request_is_denied_with_a_sentence(browser: Browser) -> None:
    assert answer(browser, REQUEST, answer="deny", reason=" ").startswith("409")
    assert "is denied" in answer(browser, REQUEST, answer="deny", reason="Not this column.")
    denial = HeldRequests(browser.instance.data).get(21).denial
    assert denial is not None
    assert (denial.by, denial.sentence) == ("olivia", "Not this column.")


def test_a_grant_is_given_listed_and_revoked(browser: Browser) -> None:
    told = answer(browser, REQUEST, answer="grant", organization="yes", days="30", times="5")
    assert "Further requests like it run by grant" in told
    grants = Grants(browser.instance.data)
    _, given = grants.list()
    assert (given.function, given.digest, given.user_id) == ("kaplan_meier", DIGEST, None)
    assert (given.times, given.by) == (5, "olivia")
    assert given.arguments is not None
    assert given.until is not None
    assert escape(given.describe().partition("; with")[0]) in browser.get("/rules").text
    assert browser.post("/grants", grant=given.id, answer="revoke").status_code == 303
    assert given.id not in [one.id for one in grants.list()]
    assert browser.post("/grants", grant="nonsense", answer="revoke").status_code == 409


@pytest.mark.parametrize(
    "wrong", [{"days": "x"}, {"days": "-1"}, {"days": "nan"}, {"times": "1.5"}]
)
def test_a_wrong_number_grants_and_approves_nothing(
    browser: Browser, wrong: dict[str, str]
) -> None:
    assert answer(browser, REQUEST, answer="grant", **wrong).startswith("409")
    assert HeldRequests(browser.instance.data).get(21).state() is State.WAITING
    assert len(Grants(browser.instance.data).list()) == 1


def test_an_answer_is_about_what_the_person_has_read(browser: Browser) -> None:
    for path, field in ((REQUEST, "code"), (OUTPUT, "output_hash")):
        for word in ("approve", "release"):
            done = browser.post(path, answer=word, **{field: "0" * 64})
            assert done.status_code == 409
            assert "changed since" in done.text
    assert HeldRequests(browser.instance.data).get(21).approvals == ()
    assert HeldOutputs(browser.instance.data).answer(22) is None


def test_an_output_is_shown_exactly_with_what_the_rules_found(browser: Browser) -> None:
    page = browser.get(OUTPUT).text
    assert html.escape(HELD_OUTPUT.decode()).replace("&quot;", "&#34;") in page
    assert "<mark>      &#34;n&#34;: 2</mark>" in page
    assert page.count("<mark>") == 1
    assert "Merge the groups." in page
    saved = browser.get(f"{OUTPUT}/output")
    assert saved.content == HELD_OUTPUT
    assert saved.headers["content-disposition"].startswith("attachment")
    assert browser.get("/releases/5/output").status_code == 404


def test_an_output_is_released_or_kept(browser: Browser) -> None:
    assert "leaves" in answer(browser, OUTPUT, answer="release")
    found = HeldOutputs(browser.instance.data).answer(22)
    assert found is not None
    assert (found.decision, found.by) == ("released", "olivia")
    held = HeldOutputs(browser.instance.data).get(22)
    again = browser.post(OUTPUT, output_hash=held.output_hash, answer="refuse")
    assert again.status_code == 409


def test_an_output_is_kept_with_a_sentence(browser: Browser) -> None:
    assert "stays" in answer(browser, OUTPUT, answer="refuse", reason="Merge the groups.")
    found = HeldOutputs(browser.instance.data).answer(22)
    assert found is not None
    assert (found.decision, found.sentence) == ("refused", "Merge the groups.")


def test_the_station_is_paused_and_resumed(browser: Browser) -> None:
    assert browser.post("/pause", note="audit day").status_code == 303
    assert Pause(browser.instance.data).is_on
    page = browser.get("/now").text
    assert "Paused:" in page
    assert "audit day" in page
    assert browser.post("/resume").status_code == 303
    assert not Pause(browser.instance.data).is_on


def test_two_people_have_to_agree_where_the_station_says_so(tmp_path: Path) -> None:
    from dataclasses import replace

    instance = make_station(tmp_path)
    write_waiting(instance.data)
    requests = HeldRequests(instance.data)
    requests.hold(replace(requests.get(21), approvals_needed=2))
    first = Browser(instance)
    first.enter()
    assert "A second person has to" in answer(first, REQUEST, answer="approve")
    assert answer(first, REQUEST, answer="approve").startswith("409")
    requester = Browser(instance)
    requester.enter(Person("rosa", Role.OWNER))
    assert answer(requester, REQUEST, answer="approve").startswith("409")
    second = Browser(instance)
    second.enter(Person("ann", Role.OWNER))
    assert "is approved" in answer(second, REQUEST, answer="approve")


def test_an_auditor_decides_nothing(browser: Browser) -> None:
    auditor = Browser(browser.instance)
    auditor.enter(AUDITOR)
    paths = {
        REQUEST: {"answer": "approve", "code": hidden(browser, REQUEST, "code")},
        OUTPUT: {"answer": "release", "output_hash": hidden(browser, OUTPUT, "output_hash")},
        "/pause": {},
        "/resume": {},
        "/grants": {"answer": "revoke", "grant": Grants(browser.instance.data).list()[0].id},
    }
    for path, fields in paths.items():
        assert auditor.post(path, **fields).status_code == 403
    for page in (REQUEST, OUTPUT, "/rules", "/now"):
        text = auditor.get(page).text
        forms = re.findall('<form method="post" action="[^"]*/([^"/]*)"', text)
        assert forms == ["leave"]
    assert HeldRequests(browser.instance.data).get(21).approvals == ()


def test_files_that_cannot_be_read_are_said_and_break_no_other_page(browser: Browser) -> None:
    (browser.instance.data / "requests" / "grants.json").write_text("{")
    assert 'role="alert"' in browser.get("/rules").text
    assert browser.get("/now").status_code == 200
    assert OWNER.name in browser.get("/requests").text


def test_marks_follow_the_pointers_of_findings() -> None:
    lines = mark(b'json.{"a/b": {"c": [1, 2]}, "d": []}', ["/a~1b/c/1", "/d", ""])
    assert lines is not None
    assert [line.strip() for line, is_marked in lines if is_marked] == ["2", '"d": []']
    whole = mark(b'{"a": {"b": 1}}', ["/a"])
    assert whole is not None
    assert [is_marked for _, is_marked in whole] == [False, True, True, True, False]
    assert mark(b"\x93NUMPY", ["/a"]) is None
    assert mark(b"[" * 100_000, ["/a"]) is None
    long = mark(b"[" + b"1," * 9999 + b"1]", [])
    assert long is not None
    assert len(long) == MOST_LINES


def test_a_request_that_is_not_shown_whole_is_approved_knowingly(browser: Browser) -> None:
    held = HeldRequests(browser.instance.data)
    held.hold(replace(held.get(21), result_id=23, is_readable=False))
    assert 'name="unseen"' not in browser.get(REQUEST).text
    path = "/requests/23"
    assert 'name="unseen"' in browser.get(path).text
    assert "Tick the box" in answer(browser, path, answer="approve")
    assert held.get(23).state() is State.WAITING
    answer(browser, path, answer="approve", unseen="yes")
    assert held.get(23).state() is State.APPROVED
