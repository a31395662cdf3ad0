"""The pages of the console: whether each answers its question."""

import csv
import html
import io
import json
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.conftest import MakeContext, MakeScheduler
from tests.node.console_bench import (
    HOSTILE,
    IMAGE,
    LOG,
    OUTPUT,
    Browser,
    make_station,
    write_past,
)
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.common.config.policies import PolicyConfig
from vantage6.node.control import Control
from vantage6.node.instance import Instance
from vantage6.node.reports.record import EVENTS
from vantage6.node.rules.audit import FILE_NAME, Audit, entries, hash_of
from vantage6.node.work.contact import Contact
from vantage6.node.work.questions import Questions
from vantage6.node.work.scheduler import Scheduler

RUNNING = (
    "print('read <b>2</b> rows\\x1b[2J', flush=True);"
    "open(os.environ['TEMPORARY_FOLDER'] + '/up', 'w'); import time; time.sleep(60)"
)


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    made = make_station(tmp_path)
    write_past(made)
    return made


@pytest.fixture
def browser(instance: Instance) -> Browser:
    made = Browser(instance)
    made.enter()
    return made


class Running:
    """A node that runs, as far as the console sees it."""

    def __init__(self, instance: Instance, scheduler: Scheduler, wire: Wire) -> None:
        self.scheduler, self.wire, self.contact = scheduler, wire, Contact()
        self.contact.note_answer()
        self._lock = instance.lock()
        runtime = scheduler._context.runtime
        self._control = Control(instance.data, Questions(scheduler, runtime, self.contact).handlers)

    def close(self) -> None:
        self._control.close()


@pytest.fixture
def node(
    wire: Wire, make_context: MakeContext, make_scheduler: MakeScheduler, tmp_path: Path
) -> Iterator[Running]:
    (tmp_path / "data").mkdir()
    scheduler = make_scheduler(make_context())
    made = Running(make_station(tmp_path), scheduler, wire)
    yield made
    made.close()


def answer_of(page: str) -> str:
    found = re.search("<h1>(.*?)</h1>", page, re.DOTALL)
    assert found is not None
    return " ".join(re.sub("<[^>]*>", "", found[1]).split())


def test_now_says_that_the_node_does_not_run(browser: Browser) -> None:
    page = browser.get("/now").text
    assert answer_of(page) == "Stopped: nothing runs."
    assert "The node does not run" in page
    assert "Stop everything" not in page


def test_now_shows_what_runs_and_stops_it(node: Running, tmp_path: Path) -> None:
    browser = Browser(make_station(tmp_path))
    browser.enter()
    assert answer_of(browser.get("/now").text) == "Online: nothing runs."
    node.wire.add(5, RUNNING)
    node.scheduler.accept(5)
    eventually(lambda: (tmp_path / "data/runs/1/up").exists())
    page = browser.get("/now").text
    assert answer_of(page) == "Online: 1 result runs."
    for words in ("alice", "org 1", "MiB"):
        assert words in page
    one = browser.get("/now/5").text
    assert "read &lt;b&gt;2&lt;/b&gt; rows\\u001b[2J" in one
    assert browser.post("/now/5", reason=" ").status_code == 400
    told = browser.post("/now/5", reason="the wrong column").text
    assert "Stopped: result 5." in told
    assert node.wire.results[5]["reason"]["msg"] == "Stopped by the data station: the wrong column"
    (event,) = [one for one in entries(tmp_path / "data" / FILE_NAME) if one["event"] == "stopped"]
    assert event["by"].endswith(" (olivia at the console)")
    # What has ended is found in the record.
    gone = browser.get("/now/5")
    assert gone.headers["location"] == f"{browser.base}/left/5"
    assert browser.post("/now/5", reason="again").status_code == 409


def test_everything_is_stopped_at_once(node: Running, tmp_path: Path) -> None:
    browser = Browser(make_station(tmp_path))
    browser.enter()
    node.wire.add(5, RUNNING)
    node.scheduler.accept(5)
    eventually(lambda: (tmp_path / "data/runs/1/up").exists())
    assert "Stop everything" in browser.get("/now").text
    assert "Stopped: result 5." in browser.post("/stop", reason="a mistake").text
    assert "Nothing ran" in browser.post("/stop", reason="a mistake").text


def test_now_says_that_the_server_does_not_answer(node: Running, tmp_path: Path) -> None:
    browser = Browser(make_station(tmp_path))
    browser.enter()
    node.contact.note_failure("Connection refused.")
    page = browser.get("/now").text
    assert answer_of(page).startswith("Not online:")
    assert "Connection refused." in page
    node.contact.note_answer()
    assert answer_of(browser.get("/now").text).startswith("Online:")


def test_what_left_is_told_with_its_hash_and_its_copy(browser: Browser) -> None:
    page = browser.get("/left").text
    assert answer_of(page) == "3 results; from 1 of them something left, 43 bytes in all"
    only = browser.get("/left?only=left").text
    assert "Hospital West" in only
    assert "image_not_allowed" not in only
    assert "No result fits." in browser.get("/left?words=nonsense").text
    one = browser.get("/left/1").text
    for words in (hash_of(OUTPUT), hash_of(LOG), "ab:cd", "rosa", IMAGE):
        assert words in one
    assert "&#34;mean&#34;: 61.4" in one
    saved = browser.get("/left/1/output")
    assert saved.content == OUTPUT
    assert saved.headers["content-disposition"].startswith("attachment")
    assert saved.headers["content-type"] == "application/octet-stream"
    assert browser.get("/left/1/input").status_code == 404
    assert browser.get("/left/2/output").status_code == 404
    assert browser.get("/left/99").status_code == 404
    assert "No copy" not in browser.get("/left/2").text


@pytest.mark.parametrize("page", ["now", "left", "left/3", "record", "data"])
def test_what_comes_from_outside_is_shown_harmlessly(browser: Browser, page: str) -> None:
    text = browser.get(f"/{page}").text
    assert "<script" not in text
    assert "<b>sex" not in text
    assert not set(HOSTILE).difference(map(chr, range(32, 127))) & set(text)


def test_the_record_is_verified_while_it_is_looked_at(browser: Browser) -> None:
    page = browser.get("/record").text
    assert answer_of(page) == "The record is whole: 8 lines, all verified just now"
    path = browser.instance.data / FILE_NAME
    path.write_text(path.read_text().replace("Hospital West", "Hospital East", 1))
    page = browser.get("/record").text
    assert answer_of(page) == "The record was changed at line 3"


def test_the_record_is_searched_and_saved(browser: Browser) -> None:
    found = browser.get("/record?words=IMAGE_not_allowed").text
    assert found.count("<tr>") == 2
    assert browser.get("/record?kind=released").text.count("<tr>") == 3
    # The words may be in any fact, and not in the names that JSON writes.
    assert "No line fits." in browser.get("/record?words=nonsense").text
    saved = browser.get("/record/export?format=json&kind=released")
    assert [json.loads(line)["result_id"] for line in saved.text.splitlines()] == [1, 2]
    table = list(csv.DictReader(io.StringIO(browser.get("/record/export?format=csv").text)))
    assert len(table) == 8
    assert table[1]["organization"] == "Hospital West"
    assert browser.get("/record/export?format=xml").status_code == 400


def test_every_event_of_the_documentation_can_be_chosen() -> None:
    page = (Path(__file__).parents[2] / "docs" / "audit.md").read_text()
    table = page.partition("## Events")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert set(EVENTS) == {name for cell in cells for name in re.findall("`([a-z_]+)`", cell)}


def test_a_verdict_is_shown_with_its_output(browser: Browser) -> None:
    audit = Audit(browser.instance.data)
    audit.record("judged", result_id=1, verdict="held")
    audit.record("release_decided", result_id=1, decision="released", by="ann")
    audit.close()
    assert "held, released by ann" in browser.get("/left/1").text


def test_a_long_record_is_turned_page_by_page(browser: Browser) -> None:
    audit = Audit(browser.instance.data)
    for number in range(60):
        audit.note("denied", result_id=1, request=f"GET /{number}")
    audit.close()
    page = browser.get("/record").text
    found = re.search(r"before=(\d+)", page)
    assert found is not None
    older = browser.get(f"/record?before={found[1]}").text
    assert "node_started" in older
    assert "node_started" not in re.sub("<option.*?</option>", "", page)


def test_rules_are_told_and_tried(browser: Browser) -> None:
    page = browser.get("/rules").text
    assert answer_of(page) == "Only listed images can run here"
    for words in ("database registry", "no image", "all of the collaboration"):
        assert words in page
    for line in (PolicyConfig().floors.summary, PolicyConfig().release.summary):
        assert html.escape(line).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in page
    fits = browser.get(f"/rules?image={IMAGE}&user=rosa&function=mean").text
    assert "No rule refuses it." in fits
    assert "The image may read the database &#39;default&#39;." in fits
    refused = browser.get("/rules?image=docker.io/evil&database=default").text
    assert "The task would be refused." in refused
    assert "does not allow the image docker.io/evil" in refused
    assert "64 digits" in browser.get(f"/rules?image={IMAGE}&digest=sha256:1").text


def test_the_page_and_the_command_say_the_same_about_a_task(browser: Browser) -> None:
    from click.testing import CliRunner

    from vantage6.node.cli import main

    words = ["policy", "test", "--config", str(browser.instance.file), "--image", IMAGE]
    said = CliRunner().invoke(main, words).output
    page = browser.get(f"/rules?image={IMAGE}").text
    rules = re.findall("<code>(policies.*?)</code></th>", page)
    assert rules
    assert rules == re.findall(r"^(?:allowed|refused|open) +(policies\S*.*?): ", said, re.MULTILINE)


def test_a_wrong_file_is_said_on_the_page(browser: Browser) -> None:
    browser.instance.file.write_text("application: {api_key: 1}")
    for page in ("rules", "data"):
        answer = browser.get(f"/{page}")
        assert answer.status_code == 200
        assert 'role="alert"' in answer.text


def test_data_shows_columns_and_readers_and_no_row(browser: Browser) -> None:
    page = browser.get("/data").text
    assert answer_of(page) == "2 databases; images may read 1 of 2"
    assert "patient" in page
    assert "&lt;b&gt;sex&lt;/b&gt;" in page
    assert "No image." in page
    # Neither the rows nor the password of a service are here.
    assert ">40<" not in page
    assert "secret" not in page.replace("form_secret", "")
    (browser.instance.base / "patients.csv").unlink()
    assert "It cannot be read: No such file" in browser.get("/data").text


def test_columns_are_read_as_algorithms_read_them(tmp_path: Path) -> None:
    import pandas

    (tmp_path / "german.csv").write_text("alter;gr\u00f6\u00dfe\n1;2,5\n", encoding="utf-16")
    pandas.DataFrame({"score": [1.0]}).to_parquet(tmp_path / "scores.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    names = ("german.csv", "scores.parquet", "broken.parquet")
    files = [{"label": name.replace(".", "_"), "uri": name} for name in names]
    browser = Browser(make_station(tmp_path, databases=files, policies=None))
    browser.enter()
    page = browser.get("/data").text
    for column in ("alter", "gr\u00f6\u00dfe", "score"):
        assert f"<li>{column}</li>" in page
    assert page.count("does not read the columns") == 1


def test_a_line_that_keeps_the_time_of_the_file_is_seen(browser: Browser) -> None:
    assert "The record is whole" in browser.get("/record").text
    path = browser.instance.data / FILE_NAME
    before = path.stat()
    path.write_text(path.read_text().replace("Hospital West", "Hospital East", 1))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert "The record was changed at line 3" in browser.get("/record").text


def test_pages_may_be_loaded_side_by_side(browser: Browser) -> None:
    done: list[int] = []
    threads = [
        threading.Thread(target=lambda: done.append(browser.get("/record").status_code))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [200] * 4
