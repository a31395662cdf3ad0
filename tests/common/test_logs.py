"""Logs of every process: one form, no secrets, failures in full."""

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.common.logfile import Logs, logged_to
from vantage6.common import logs


@pytest.fixture
def logged(tmp_path: Path) -> Iterator[Logs]:
    """Set the logs of this process up for the time of a test."""
    with logged_to(tmp_path / "deep" / "x.log", "tests") as logged:
        yield logged


def test_a_line_has_event_fields_time_level_and_process(logged: Logs):
    logs.get("one").info("result claimed", result_id=3)
    (line,) = logged.lines("one")
    assert str(line.pop("timestamp")).endswith("Z")
    assert line == {
        "event": "result claimed",
        "result_id": 3,
        "level": "info",
        "logger": "one",
        "process": "tests",
    }


def test_lines_of_libraries_and_threads_look_the_same(logged: Logs):
    library = logging.getLogger("library")
    thread = threading.Thread(target=library.warning, args=("lost %s", "it"))
    thread.start()
    thread.join()
    (line,) = logged.lines("library")
    assert (line["event"], line["process"], line["logger"]) == ("lost it", "tests", "library")


def test_before_logs_are_set_up_standard_output_is_for_answers(
    capsys: pytest.CaptureFixture[str],
):
    """Commands answer there, also in JSON."""
    thread = threading.Thread(target=logs.get("one").info, args=("not sent",))
    thread.start()
    thread.join()
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "not sent" in shown.err


def test_a_logger_that_was_used_while_logs_were_set_up_is_silenced_like_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    used = logs.get("one")
    with logged_to(tmp_path / "x.log", "tests"):
        used.info("first")
    with logs.silence():
        used.error("second")
    used.error("third")
    assert "second" not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    "name",
    ["password", "api_key", "apikey", "access_token", "Authorization", "private_key", "jwt_secret"],
)
def test_fields_named_like_secrets_are_hidden(logged: Logs, name: str):
    logs.get("one").info("logged in", **{name: "hidden", "user": "ada"})
    (line,) = logged.lines("one")
    assert (line[name], line["user"]) == ("***", "ada")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://api:hidden@host:1/0 is gone", "redis://api:***@host:1/0 is gone"),
        ("redis://:hidden@host", "redis://:***@host"),
        ("postgresql://a:hidden@one and amqp://b:hidden@two", None),
        ("Authorization: Bearer hidden.hidden", "Authorization: Bearer ***"),
        ("http://host:80/path", "http://host:80/path"),
    ],
)
def test_passwords_in_texts_are_hidden(logged: Logs, text: str, shown: str | None):
    logs.get("one").warning(text, url=text)
    logging.getLogger("library").warning(text)
    assert "***" in logged.console or shown == text
    assert "hidden" not in logged.text
    if shown:
        assert [line["event"] for line in logged.lines("one", "library")] == [shown] * 2


def test_a_failure_is_logged_in_full_without_what_was_in_its_variables(
    logged: Logs,
):
    def fail(argument: str) -> None:
        raise ValueError("redis://api:hidden@host refused")

    try:
        fail("".join(["hid", "den"]))
    except ValueError:
        logs.get("one").exception("request failed")
        logging.getLogger("library").exception("failed too")
    for text in (logged.file.read_text(), logged.console):
        assert text.count("ValueError: redis://api:***@host refused") == 2
        assert "in fail" in text
        assert "hidden" not in text


def test_statements_of_the_database_are_not_logged(logged: Logs):
    logging.getLogger("peewee").debug("INSERT … %s", "hash")
    assert logged.lines("peewee") == []


def test_a_console_may_stay_silent(tmp_path: Path):
    with logged_to(tmp_path / "x.log", "tests", level="WARNING", console=False) as logged:
        logs.get("one").info("quiet")
        logs.get("one").warning("loud")
        assert logged.console == ""
        assert [line["event"] for line in logged.lines("one")] == ["loud"]
