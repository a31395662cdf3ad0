"""The page of a task, over three encrypted stations: what it draws is what Python collects."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Download, Locator, Page, expect

from tests.web.browsing import PATIENCE, Browsing
from vantage6.client import Client
from vantage6.sandbox import statistics
from vantage6.sandbox.federation import Federation

pytestmark = pytest.mark.slow
expect.set_options(timeout=PATIENCE)

#: Markup, a change of direction, and a character without width.
HOSTILE = '<img src=x onerror="alert(1)">\u202edetrever\u200b'
#: How the page, as the command line, writes that.
SHOWN = '<img src=x onerror="alert(1)">\\u202edetrever\\u200b'
ANALYSES: dict[str, dict[str, Any]] = {
    "cox": {"formula": "age + arm", "time": "days", "event": "died"},
    "kaplan_meier": {"time": "days", "event": "died", "group": "arm"},
    "summary": {"columns": ["age", "stage"], "by": "arm"},
    "crosstab": {"rows": "stage", "columns": "died"},
    "histogram": {"column": "age", "edges": [40, 41, 42, 60, 80, 100]},
}


class Sent:
    """The tasks of these tests, by name, and what Python collects of them."""

    def __init__(self, federation: Federation, client: Client) -> None:
        self.federation = federation
        self.client = client
        self.ids: dict[str, int] = {}

    def send(self, name: str, function: str, organizations: list[str], **more: Any) -> int:
        first = {"method": function, "master": True, "kwargs": more.pop("kwargs", {})}
        task = self.client.task.create(
            **{
                "collaboration": self.federation.collaboration,
                "organizations": [self.federation.ids[one] for one in organizations],
                "name": name,
                "image": statistics.IMAGE,
                "description": "",
                "input": first,
                "data_format": "json",
                "database": "patients",
                **more,
            }
        )
        self.ids[name] = int(task["id"])
        return self.ids[name]

    def answer(self, name: str) -> Any:
        """Return what Python collects: the answer of the first organization."""
        return self.client.result.from_task(self.ids[name])[0]["result"]


@pytest.fixture(scope="module")
def sent(federation: Federation) -> Iterator[Sent]:
    """Send all tasks, and wait for them."""
    first, second, third = federation.ids
    with closing(federation.client()) as client:
        made = Sent(federation, client)
        for name, arguments in ANALYSES.items():
            made.send(name, name, [first], kwargs=arguments)
        made.send("older", "cox", [first], kwargs={**ANALYSES["cox"], "formula": "age"})
        made.send("refused", "master", [second, third], image="nobody/allows-this")
        made.ids["crashed"] = federation.send(
            client,
            [first],
            "average_partial",
            name=HOSTILE,
            description=HOSTILE,
            input={"method": "average_partial", "kwargs": {"column_name": HOSTILE}},
        )
        for id_ in made.ids.values():
            client.wait_for_results(id_, timeout=120)
        yield made


@pytest.fixture(scope="module")
def key(federation: Federation) -> Path:
    """Give the private key of the organization of all users."""
    return federation.key_file(next(iter(federation.ids)))


def open_task(browsing: Browsing, id_: int, key: Path | None = None, **options: Any) -> Page:
    page = browsing.sign_in("researcher", f"tasks/{id_}", **options)
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Task {id_}")
    if key is not None:
        page.get_by_label("File with the private key").set_input_files(key)
        expect(page.get_by_label("File with the private key")).to_have_count(0)
    return page


def picture(page: Page, title: str) -> Locator:
    return page.get_by_role("img", name=title)


def downloaded(page: Page, press: Callable[[], None]) -> str:
    with page.expect_download() as found:
        press()
    download: Download = found.value
    return Path(download.path()).read_text()


def test_a_cox_model_has_the_numbers_of_python(browsing: Browsing, sent: Sent, key: Path) -> None:
    answer = sent.answer("cox")
    page = open_task(browsing, sent.ids["cox"], key)
    expect(picture(page, "Estimates with intervals")).to_be_visible()
    header = page.locator(".result-table th").all_inner_texts()
    assert header[:5] == [
        *("term", "hazard_ratio", "hazard_ratio_lower", "hazard_ratio_upper"),
        "p_value",
    ]
    for term in answer["result"]["coefficients"]:
        row = page.get_by_role("row").filter(has_text=term["term"]).first
        cells = row.get_by_role("cell").all_inner_texts()
        assert cells[1] == f"{term['hazard_ratio']:.6g}"
        assert cells[4] == f"{term['p_value']:.6g}"
    said = page.locator("svg desc").text_content() or ""
    assert f"{answer['result']['coefficients'][0]['hazard_ratio']:.6g}" in said
    # The arguments, too, were encrypted for this organization.
    expect(page.get_by_text("age + arm", exact=True)).to_be_visible()
    whole = downloaded(page, page.get_by_role("button", name="Download JSON").click)
    assert json.loads(whole) == answer
    browsing.check(page)


def test_survival_curves_and_their_files(browsing: Browsing, sent: Sent, key: Path) -> None:
    answer = sent.answer("kaplan_meier")
    page = open_task(browsing, sent.ids["kaplan_meier"], key)
    expect(picture(page, "Survival curves")).to_be_visible()
    browsing.photograph(page, "survival")
    assert page.locator("path.band").count() == 2
    risk = page.locator(".risk").text_content() or ""
    for curve in answer["result"]["curves"]:
        assert curve["level"] in risk
        assert str(curve["n"]) in risk
    row = page.get_by_role("row").filter(has_text="log_rank").first
    tested = answer["result"]["tests"][0]
    assert f"{tested['statistic']:.6g}" in row.inner_text()
    table = page.get_by_role("button", name="Download as CSV: Table").first
    rows = list(csv.DictReader(io.StringIO(downloaded(page, table.click))))
    assert [int(one["n"]) for one in rows] == [one["n"] for one in answer["result"]["curves"]]
    drawn = downloaded(page, page.get_by_role("button", name="Download as SVG").click)
    assert drawn.startswith("<svg")
    assert "class=" not in drawn
    assert "rgb(" in drawn
    with page.expect_download() as found:
        page.get_by_role("button", name="Download as PNG").click()
    content = Path(found.value.path()).read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) > 10_000


def test_the_first_table_of_a_paper(browsing: Browsing, sent: Sent, key: Path) -> None:
    answer = sent.answer("summary")
    page = open_task(browsing, sent.ids["summary"], key)
    table = page.get_by_role("group", name="Description")
    expect(table).to_be_visible()
    for stratum in answer["result"]["strata"]:
        expect(table.get_by_role("columnheader", name=stratum["level"])).to_be_visible()
        age = stratum["columns"]["age"]
        expect(table).to_contain_text(f"{age['mean']:.4g} ({age['sd']:.4g})")
    expect(picture(page, "Quantiles of age")).to_be_visible()


def test_a_cross_table_has_the_counts_of_python(browsing: Browsing, sent: Sent, key: Path) -> None:
    answer = sent.answer("crosstab")["result"]
    page = open_task(browsing, sent.ids["crosstab"], key)
    cells = page.locator("table.counts td")
    expect(cells.first).to_be_visible()
    shown = cells.all_inner_texts()
    assert shown == [str(count) for row in answer["counts"] for count in row]


def test_masked_bars_are_hatched(browsing: Browsing, sent: Sent, key: Path) -> None:
    counts = sent.answer("histogram")["result"]["counts"]
    page = open_task(browsing, sent.ids["histogram"], key)
    expect(picture(page, "Histogram of age")).to_be_visible()
    assert page.locator("rect.column").count() == len(counts)
    assert page.locator("rect.column.masked").count() == counts.count(None)


def test_the_course_has_sub_tasks_and_stations(browsing: Browsing, sent: Sent, key: Path) -> None:
    page = open_task(browsing, sent.ids["cox"], key)
    course = page.get_by_role("region", name="Course")
    below = sent.client.task.list(parent=sent.ids["cox"], include_metadata=False)
    assert course.locator("details > summary strong").count() == len(below) > 1
    first = course.locator("li.branch-of-tree").first
    first.locator("summary").first.click()
    for name in sent.federation.ids:
        expect(first.get_by_text(name, exact=True)).to_be_visible()
    first.get_by_role("link").click()
    expect(page.get_by_role("link", name=f"Task {sent.ids['cox']}")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_contain_text("cox")


def test_a_refusal_says_why_and_what_to_do(browsing: Browsing, sent: Sent) -> None:
    page = open_task(browsing, sent.ids["refused"])
    expect(page.get_by_text("Agree with its administrator.").first).to_be_visible()
    answers = page.get_by_role("region", name="Answers")
    expect(answers.get_by_text("not allowed", exact=True)).to_have_count(2)
    browsing.check(page)


def test_hostile_texts_are_text(browsing: Browsing, sent: Sent, key: Path) -> None:
    page = open_task(browsing, sent.ids["crashed"], key)
    heading = page.get_by_role("heading", level=1)
    assert heading.inner_text() == f"Task {sent.ids['crashed']}: {SHOWN}"
    expect(page.get_by_role("region", name="Course").get_by_text("crashed")).to_be_visible()
    page.get_by_text("Log", exact=True).click()
    expect(page.locator(".log pre")).to_contain_text("onerror")
    expect(page.get_by_role("region", name="Arguments")).to_contain_text(SHOWN)
    assert page.locator("main img:not([src*=icon])").count() == 0
    words = page.evaluate("document.documentElement.outerHTML")
    assert "\u202e" not in words
    assert "\u200b" not in words


def test_without_the_key_nothing_is_read(browsing: Browsing, sent: Sent) -> None:
    page = open_task(browsing, sent.ids["cox"])
    expect(page.get_by_label("File with the private key")).to_be_visible()
    expect(page.get_by_role("heading", name="Course")).to_be_visible()
    assert page.locator("svg[role=img]").count() == 0
    assert "hazard_ratio" not in page.locator("main").inner_text()


def test_two_tasks_stand_beside_each_other(browsing: Browsing, sent: Sent, key: Path) -> None:
    page = open_task(browsing, sent.ids["cox"], key)
    page.get_by_role("link", name="Compare", exact=True).click()
    page.get_by_label("Number of the second task").fill(str(sent.ids["older"]))
    page.get_by_role("button", name="Compare", exact=True).click()
    row = page.get_by_role("region", name="Arguments that differ").get_by_role("row").nth(1)
    assert row.inner_text().split("\t") == ["formula", "age + arm", "age"]
    expect(picture(page, "Estimates with intervals")).to_have_count(2)
    assert f"a={sent.ids['cox']}&b={sent.ids['older']}" in page.url
    browsing.check(page)


@contextmanager
def held(federation: Federation, name: str) -> Iterator[Callable[[], None]]:
    """Hold a station, so that its tasks wait; give what lets it go on."""
    node = federation.node(name)
    assert node is not None
    node.suspend()
    try:
        yield node.resume
    finally:
        node.resume()


def test_a_page_follows_its_task(browsing: Browsing, sent: Sent, key: Path) -> None:
    third = [*sent.federation.ids][2]
    with held(sent.federation, third) as let_go:
        id_ = sent.federation.send(sent.client, [third], "average_partial")
        page = open_task(browsing, id_, key)
        expect(page.get_by_text("There is no answer yet.")).to_be_visible()
        let_go()
        expect(page.get_by_text("1 of 1 organizations done")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("region", name="Answer")).to_contain_text("count")


def test_a_stop_names_what_it_ends(browsing: Browsing, sent: Sent) -> None:
    third = [*sent.federation.ids][2]
    with held(sent.federation, third):
        id_ = sent.federation.send(sent.client, [third], "average_partial", name="too long")
        page = browsing.sign_in("organization_admin", f"tasks/{id_}")
        page.get_by_role("button", name="Stop", exact=True).click()
        question = page.get_by_role("dialog")
        expect(question).to_contain_text(f"Task {id_}: too long: computing at {third}")
        browsing.check(page)
        question.get_by_role("button", name=f"Stop task {id_}").click()
        expect(page.get_by_role("region", name="Answer")).to_contain_text("stopped by a user")


def test_a_viewer_has_no_button_to_stop(browsing: Browsing, sent: Sent) -> None:
    third = [*sent.federation.ids][2]
    with held(sent.federation, third):
        id_ = sent.federation.send(sent.client, [third], "average_partial")
        page = browsing.sign_in("viewer", f"tasks/{id_}")
        expect(page.get_by_text("There is no answer yet.")).to_be_visible()
        expect(page.get_by_role("link", name="Compare")).to_be_visible()
        assert page.get_by_role("button", name="Stop", exact=True).count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_tasks_fit_their_window(
    browsing: Browsing, sent: Sent, key: Path, scheme: Any, tmp_path: Path
) -> None:
    page = open_task(browsing, sent.ids["kaplan_meier"], key, color_scheme=scheme)
    for width in (360, 768, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        expect(picture(page, "Survival curves")).to_be_visible()
        page.wait_for_function("document.querySelector('svg[role=img]').clientWidth <= innerWidth")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.screenshot(path=tmp_path / f"task-{width}-{scheme}.png", full_page=True)
