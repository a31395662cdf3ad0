"""A task that failed says so where one waits for it, with the first cause."""

from typing import Any

import pytest

from vantage6.client import Client
from vantage6.common import bytes_to_base64s


def _result(id_: int, status: str, **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "input": None,
        "result": bytes_to_base64s(b"json.1") if status == "completed" else "",
        "log": None,
        "status": status,
        "reason": None,
        "organization": {"id": id_ + 1},
        **more,
    }


def _reason(code: str, msg: str) -> dict[str, dict[str, str]]:
    return {"reason": {"code": code, "msg": msg}}


def _wait(peer: Any, client: Client, *results: dict[str, Any]) -> Any:
    peer.answers |= {
        "GET task/13/status": (200, {"id": 13, "complete": True, "results": []}),
        "GET result": lambda asked: (
            200,
            list(results) if asked.query["task_id"] == "13" else [below],
        ),
        "GET organization/2": (200, {"id": 2, "name": "example_org1"}),
        "GET organization/3": (200, {"id": 3, "name": "example_org2"}),
    }
    return client.wait_for_results(13)


below = _result(
    2, "crashed", **_reason("exit_code", "The algorithm ended with exit code 1. Its last words: x.")
)
NO_DATABASE = "This node has no database 'followup'; it has: default."


def test_a_line_stays_with_the_first_cause(peer, client, caplog) -> None:
    failed = [_result(id_, "failed", **_reason("unknown_database", NO_DATABASE)) for id_ in (1, 2)]
    found = _wait(peer, client, *failed)
    assert [result["status"] for result in found] == ["failed", "failed"]
    assert [record.getMessage() for record in caplog.records] == [
        f"Task 13: 2 of 2 failed. example_org1: {NO_DATABASE}"
    ]


def test_a_task_that_succeeds_asks_and_says_nothing_more(peer, client, caplog) -> None:
    _wait(peer, client, _result(1, "completed"))
    assert not caplog.records
    assert peer.calls() == ["GET task/13/status", "GET result"]


def test_the_log_tells_what_an_encrypted_reason_may_not(peer, client, caplog) -> None:
    said = _result(
        1,
        "crashed",
        log="a\nreason > There is no column 'agee'.\n",
        **_reason("exit_code", "The algorithm ended with exit code 1."),
    )
    _wait(peer, client, said, _result(2, "completed"))
    assert caplog.messages == ["Task 13: 1 of 2 failed. example_org1: There is no column 'agee'."]


def test_lines_after_the_reason_do_not_hide_it(peer, client, caplog) -> None:
    """An engine reads the two streams of a container one beside the other."""
    said = _result(
        1,
        "crashed",
        log="reason > an older one\nreason > There is no column 'x'.\ninfo > Asking 3\n",
        **_reason("exit_code", "The algorithm ended with exit code 1."),
    )
    _wait(peer, client, said)
    assert caplog.messages == ["Task 13: 1 of 1 failed. example_org1: There is no column 'x'."]


@pytest.mark.parametrize(
    "quote", ["Its last words: There is no column 'height'", "Its last error: ValueError."]
)
def test_quoted_words_are_the_cause_however_they_end(peer, client, caplog, quote: str) -> None:
    said = f"The algorithm ended with exit code 1. {quote}"
    peer.answers["GET task"] = (200, [{"id": 20}])
    _wait(peer, client, _result(1, "crashed", **_reason("exit_code", said)))
    assert caplog.messages == [f"Task 13: 1 of 1 failed. example_org1: {said}"]


def test_the_cause_is_found_in_sub_tasks(peer, client, caplog) -> None:
    bare = _reason("exit_code", "The algorithm ended with exit code 1.")
    peer.answers["GET task"] = (200, [{"id": 20}])
    _wait(peer, client, _result(1, "crashed", **bare))
    assert caplog.messages == [
        "Task 13: 1 of 1 failed. example_org1: Sub-task 20 failed at example_org2: The algorithm "
        "ended with exit code 1. Its last words: x."
    ]


def test_sub_tasks_are_looked_at_a_bounded_number_of_times(peer, client, caplog) -> None:
    bare = _reason("exit_code", "The algorithm ended with exit code 1.")
    peer.answers["GET task"] = (200, [{"id": number} for number in range(20, 25)])
    _wait(peer, client, _result(1, "crashed", **bare))
    peer.asked.clear()
    silent = _result(2, "crashed", **bare)
    peer.answers["GET result"] = (200, [silent])
    client.wait_for_results(13)
    assert len(peer.asked) < 40
    assert caplog.messages[-1].endswith("The algorithm ended with exit code 1.")


def test_without_any_cause_the_status_is_told(peer, client, caplog) -> None:
    _wait(peer, client, _result(7, "killed by user"))
    assert caplog.messages == ["Task 13: 1 of 1 failed. organization 8: killed by user."]


def test_client_says_what_it_is(peer, client) -> None:
    assert repr(client) == f"<UserClient at {peer.address}/api: Frodo of The Shire>"
    client.whoami = None
    assert repr(client).endswith(": not logged in>")


def test_unknown_field_is_told(peer, client, caplog) -> None:
    peer.answers |= {
        "GET task": (200, {"data": [{"id": 1, "name": "a"}], "links": {}}),
        "GET task/1": (200, {"id": 1, "name": "a"}),
    }
    assert client.task.list(fields=["id", "nme"]) == [{"id": 1}]
    assert client.task.get(1, field="nme") == {}
    assert caplog.messages == ["No item has nme. There are: id, name."] * 2
    caplog.clear()
    assert client.task.list(fields=["id"]) == [{"id": 1}]
    peer.answers["GET task"] = (200, {"data": [], "links": {}})
    assert client.task.list(fields=["nme"]) == []
    assert not caplog.records
