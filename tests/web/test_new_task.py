"""New tasks by their forms: what is sent, to whom, and the same by template, copy and script."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.web.browsing import LOST, PATIENCE, Browsing
from vantage6.client import Client, RSACryptor
from vantage6.common import clock
from vantage6.common.serialization import serialize
from vantage6.sandbox.federation import PASSWORD, Federation

pytestmark = pytest.mark.slow
expect.set_options(timeout=PATIENCE)

OpenPage = Callable[..., Page]
_MOST_COMPUTING_SECONDS = 180
_INPUT = {
    "method": "cox",
    "kwargs": {"time": "days", "event": "died", "formula": "age + arm"},
    "master": True,
}


@pytest.fixture
def client(federation: Federation) -> Iterator[Client]:
    """Give a client with the key of the organization."""
    with closing(federation.client()) as made:
        yield made


@pytest.fixture
def key(federation: Federation) -> Path:
    """Give the file with the private key of the organization."""
    return federation.key_file(next(iter(federation.ids)))


def test_the_shelf_is_searched_and_each_function_has_an_address(
    browsing: Browsing, signed_in: OpenPage
) -> None:
    page = signed_in("viewer", "shelf")
    expect(page.get_by_role("link", name="Fit Cox's proportional hazards model")).to_be_visible()
    browsing.photograph(page, "shelf")
    page.get_by_label("Search by name").fill("hazards")
    page.get_by_role("link", name="Fit Cox's proportional hazards model").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Cox")
    expect(page.get_by_role("listitem").filter(has_text="sums over risk sets")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^formula .* required"))).to_be_visible()
    expect(page.get_by_text("Came with the server")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Search by name")).to_have_value("hazards")
    page.get_by_label("Search by name").fill("no such thing")
    expect(page.get_by_text("No function fits.")).to_be_visible()


def test_a_form_says_at_each_field_what_it_needs(signed_in: OpenPage) -> None:
    page = _open_cox(signed_in("researcher"))
    page.get_by_role("button", name="Review", exact=True).click()
    expect(page.get_by_label("Time", exact=True)).to_be_focused()
    expect(page.get_by_text("This is needed.")).to_have_count(3)
    page.get_by_label("Formula").fill("age +")
    expect(page.get_by_text("A column is missing beside +.")).to_be_visible()
    page.get_by_label("Formula").fill("open(age)")
    expect(page.get_by_text("The function open is not allowed")).to_be_visible()
    page.get_by_label("Formula").fill("log(age) + arm")
    expect(page.get_by_text("Columns: age, arm")).to_be_visible()
    page.get_by_text("more options").click()
    page.get_by_label("Confidence").fill("2")
    expect(page.get_by_text("This has to be at most 0.999.")).to_be_visible()


def test_the_first_cox_result_is_a_minute_away_by_visible_labels(
    browsing: Browsing, signed_in: OpenPage, client: Client, federation: Federation, key: Path
) -> None:
    began = time.monotonic()
    page = _fill_cox(_open_cox(signed_in("researcher")))
    table = page.get_by_role("region", name="What goes to whom")
    expect(table.get_by_text("online", exact=True)).to_have_count(3)
    expect(table.get_by_text(RSACryptor.fingerprint(_public(key)))).to_be_visible()
    _load_key(page, key)
    id_ = _send(page)
    chart = page.get_by_role("img", name="Estimates with intervals")
    expect(chart).to_be_visible(timeout=_MOST_COMPUTING_SECONDS * 1000)
    expect(chart).to_contain_text("arm[T.usual]")
    took = time.monotonic() - began
    browsing.photograph(page, "result")
    (result,) = federation.results(client, id_).values()
    # The stations of a busy machine take their time; the pages may not.
    assert took - _seconds_at_stations(result) < 60
    assert result["result"]["n"]["used"] == 660
    assert _sent(client, id_, key) == serialize(_INPUT, "json")
    task = client.task.get(id_)
    assert (task["image"], task["database"]) == ("vantage6/statistics", "patients")
    assert task["name"] == "statistics"  # the function is part of the input, which is encrypted


def test_a_task_is_repeated_with_changes(
    signed_in: OpenPage, client: Client, federation: Federation, key: Path
) -> None:
    page = signed_in("researcher", "key")
    _load_key(page, key)
    _go(page, f"new?task={_create(client, federation)}")
    expect(page.get_by_label("Formula")).to_have_value("age + arm")
    page.get_by_label("Formula").fill("age")
    _review(page)
    changed = {**_INPUT, "kwargs": {"time": "days", "event": "died", "formula": "age"}}
    assert _sent(client, _send(page), key) == serialize(changed, "json")


def test_without_the_key_a_task_cannot_be_repeated(
    signed_in: OpenPage, client: Client, federation: Federation
) -> None:
    page = signed_in("researcher", f"new?task={_create(client, federation)}")
    expect(page.get_by_text("private key of your organization is not loaded")).to_be_visible()


def test_a_template_fills_the_form_again(
    browsing: Browsing, signed_in: OpenPage, tmp_path: Path
) -> None:
    page = _fill_cox(_open_cox(signed_in("researcher")))
    browsing.photograph(page, "review")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as template").click()
    file = tmp_path / "template.json"
    download.value.save_as(file)
    assert json.loads(file.read_text())["input"] == _INPUT
    page.get_by_role("link", name="New task").click()
    page.get_by_label("Open a template").set_input_files(file)
    expect(page.get_by_label("Formula")).to_have_value("age + arm")
    expect(page.get_by_label("Database")).to_have_value("patients")
    browsing.photograph(page, "form")


def test_the_script_of_a_task_does_the_same(
    signed_in: OpenPage, client: Client, key: Path, tmp_path: Path
) -> None:
    page = _open(signed_in("organization_admin"), "summary", "Describe columns")
    page.get_by_label("Columns").fill("age, pressure")
    page.get_by_label("Database").fill("patients")
    _review(page)
    page.get_by_text("The same in Python").click()
    script = page.locator("pre", has_text="from vantage6.client").inner_text()
    (tmp_path / "private_key.pem").write_bytes(key.read_bytes())
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=f"{PASSWORD}\n",
        env={"HOME": str(tmp_path), "PATH": ""},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        start_new_session=True,  # without a terminal, the password is read from standard input
    )
    assert done.returncode == 0, done.stderr
    assert "'mean'" in done.stdout
    tasks: Any = client.call("get", "task", params={"page": 1, "per_page": 20})
    id_ = max(one["id"] for one in tasks if one["parent"] is None)
    input_ = {"method": "summary", "kwargs": {"columns": ["age", "pressure"]}, "master": True}
    assert _sent(client, id_, key) == serialize(input_, "json")


def test_an_image_without_a_card_is_asked_by_hand(
    signed_in: OpenPage, client: Client, federation: Federation, key: Path
) -> None:
    page = signed_in("researcher", "new")
    page.get_by_role("link", name="Name any image").click()
    page.get_by_label("Image").fill("example.org/without/card")
    page.get_by_label("Input").fill("{method:")
    page.get_by_role("button", name="Review", exact=True).click()
    expect(page.get_by_text("This is not a JSON object.")).to_be_visible()
    input_ = {"method": "f", "args": [1, "é"], "kwargs": {}}
    page.get_by_label("Input").fill(json.dumps(input_))
    for name in list(federation.ids)[1:]:
        page.get_by_label(name).uncheck()
    _review(page)
    expect(page.get_by_text("no reviewed card of this image")).to_be_visible()
    assert _sent(client, _send(page), key) == serialize(input_, "json")


def test_a_lost_answer_makes_no_second_task(
    browsing: Browsing, signed_in: OpenPage, client: Client
) -> None:
    page = signed_in("researcher", "new")
    page.get_by_role("link", name="Name any image").click()
    page.get_by_label("Image").fill("example.org/without/card")
    page.get_by_label("Input").fill('{"method": "f"}')
    page.get_by_text("Name and description", exact=True).click()
    page.get_by_label("Name", exact=True).fill("lost-answer")
    _review(page)
    keys: list[str] = []

    def lose(route: Route) -> None:
        """Let the server act, and the answers to the first four requests be lost."""
        keys.append(route.request.headers["idempotency-key"])
        answer = route.fetch()
        if len(keys) > 4:
            route.fulfill(response=answer)
        else:
            route.abort()

    page.route(lambda address: address.endswith("/task"), lose)
    with browsing.allowing(LOST):
        page.get_by_role("button", name="Send the task").click()
        expect(page.get_by_text("The server does not answer.", exact=True)).to_be_visible()
        sent = _send(page)
    assert len(keys) == 5
    assert len(set(keys)) == 1
    tasks: Any = client.call("get", "task", params={"name": "lost-answer"})
    assert [task["id"] for task in tasks] == [sent]


def test_a_key_that_changed_has_to_be_compared(signed_in: OpenPage) -> None:
    page = _open_cox(signed_in("researcher"))
    page.evaluate("localStorage.setItem('vantage6.fingerprints', '{\"2\": \"aa:bb\"}')")
    _fill_cox(page)
    expect(page.get_by_text("changed since the last task")).to_be_visible()
    expect(page.get_by_role("button", name="Send the task")).to_be_disabled()
    page.get_by_label("I have compared its new fingerprint").check()
    expect(page.get_by_role("button", name="Send the task")).to_be_enabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_form_and_the_review_fit_a_telephone(
    browsing: Browsing, signed_in: OpenPage, scheme: str
) -> None:
    page = _open_cox(signed_in("researcher", color_scheme=scheme))
    page.set_viewport_size({"width": 360, "height": 740})
    page.get_by_text("more options").click()
    _fits(page)
    browsing.check(page)
    _fill_cox(page)
    page.get_by_text("The same in Python").click()
    _fits(page)


# Steps


def _go(page: Page, address: str) -> None:
    """Go to another address without a reload, which would forget the key."""
    page.evaluate(
        """(address) => {
            history.pushState(null, '', `/app/${address}`);
            dispatchEvent(new PopStateEvent('popstate'));
        }""",
        address,
    )


def _open_cox(page: Page) -> Page:
    return _open(page, "cox", "Fit Cox's proportional hazards model")


def _open(page: Page, search: str, title: str) -> Page:
    """Open the form of a function as a user finds it."""
    page.get_by_role("link", name="New task").click()
    page.get_by_label("Search by name").fill(search)
    page.get_by_role("link", name=title).click()
    page.get_by_role("heading", name="What is computed").wait_for()
    return page


def _fill_cox(page: Page) -> Page:
    """Fill in the form, and go to the review."""
    page.get_by_label("Time", exact=True).fill("days")
    page.get_by_label("Event").fill("died")
    page.get_by_label("Formula").fill("age + arm")
    page.get_by_label("Database").fill("patients")
    _review(page)
    return page


def _review(page: Page) -> None:
    page.get_by_role("button", name="Review", exact=True).click()
    page.get_by_role("button", name="Send the task").wait_for()


def _load_key(page: Page, key: Path) -> None:
    page.get_by_label("File with the private key").set_input_files(key)
    page.get_by_text("The private key is loaded").wait_for()


def _send(page: Page) -> int:
    page.get_by_role("button", name="Send the task").click()
    page.wait_for_url(re.compile(r"/app/tasks/\d+$"))
    return int(page.url.rpartition("/")[2])


def _seconds_at_stations(result: dict[str, Any]) -> float:
    began, ended = (clock.parse(result[key]) for key in ("assigned_at", "finished_at"))
    return (ended - began).total_seconds()


def _public(key: Path) -> str:
    return RSACryptor(key).public_key_str


def _create(client: Client, federation: Federation) -> int:
    first = next(iter(federation.ids.values()))
    task = client.task.create(
        collaboration=federation.collaboration,
        organizations=[first],
        name="",
        image="vantage6/statistics",
        description="",
        input=_INPUT,
        data_format="json",
        database="nowhere",  # so that nothing is computed
    )
    id_: int = task["id"]
    return id_


def _sent(client: Client, task: int, key: Path) -> bytes:
    """Return the input that the own organization got, as its station decrypts it."""
    results: Any = client.call("get", "result", params={"task_id": task})
    own = RSACryptor(key)
    plain = []
    for result in results:
        try:
            plain.append(own.decrypt_str_to_bytes(result["input"]))
        except ValueError:
            continue  # for another organization
    (found,) = plain
    return found


def _fits(page: Page) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360, f"the page is {wide} pixels wide"
