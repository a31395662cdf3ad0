"""Tasks with and without encryption, and what comes back."""

import json
import pickle
import sys
import time
from io import StringIO
from pathlib import Path
from typing import Any

import numpy
import pytest
from IPython.lib.pretty import pretty
from rich.console import Console

from tests.public_keys import write_short_key
from vantage6.client import Client, StillRunning, waiting
from vantage6.client.deserialization import load_data
from vantage6.client.encryption import RSACryptor
from vantage6.client.waiting import Results
from vantage6.common import base64s_to_bytes, bytes_to_base64s
from vantage6.common.encryption import DummyCryptor
from vantage6.common.errors import Conflict, Invalid, NotFound
from vantage6.common.serialization import serialize

INPUT = {"method": "master", "kwargs": {"column_name": "age"}, "master": True}
WORKED_EXAMPLE = (
    "anNvbi57Im1ldGhvZCI6ICJtYXN0ZXIiLCAia3dhcmdzIjogeyJjb2x1bW5fbmFtZSI6ICJh"
    "Z2UifSwgIm1hc3RlciI6IHRydWV9"
)


@pytest.fixture(scope="session")
def key_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "own.pem"
    RSACryptor.create_new_rsa_key(path)
    return path


@pytest.fixture(scope="session")
def other_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "other.pem"
    RSACryptor.create_new_rsa_key(path)
    return path


def _create(client: Client, **changes):
    return client.task.create(
        **{
            "collaboration": 1,
            "organizations": [2, 3],
            "name": "an-awesome-task",
            "image": "harbor2.vantage6.ai/demo/average",
            "description": "",
            "input": INPUT,
            "data_format": "json",
            **changes,
        }
    )


def _collaboration(peer, encrypted: bool) -> None:
    peer.answers["GET collaboration/1"] = (200, {"id": 1, "encrypted": encrypted})
    peer.answers["POST task"] = (201, {"id": 5})


@pytest.mark.parametrize("is_set_up", [True, False])
def test_plain_task_is_sent_byte_by_byte_as_the_protocol_says(peer, client, is_set_up) -> None:
    _collaboration(peer, encrypted=False)
    if is_set_up:
        client.setup_encryption("")
    assert _create(client) == {"id": 5}
    assert peer.asked[-1].body == {
        "name": "an-awesome-task",
        "image": "harbor2.vantage6.ai/demo/average",
        "collaboration_id": 1,
        "description": "",
        "database": "default",
        "organizations": [{"id": 2, "input": WORKED_EXAMPLE}, {"id": 3, "input": WORKED_EXAMPLE}],
    }
    _create(client, database="my_other_database")
    assert peer.asked[-1].body["database"] == "my_other_database"
    assert peer.calls().count("GET collaboration/1") == 1


@pytest.mark.parametrize(
    "answer",
    [
        (401, {"msg": "no", "code": "forbidden"}),
        (200, [{"id": 4, "name": "of the original server, which does not say whose it is"}]),
    ],
)
def test_who_may_not_see_the_nodes_sends_tasks_all_the_same(peer, client, caplog, answer) -> None:
    _collaboration(peer, encrypted=False)
    peer.answers["GET collaboration/1/node"] = answer
    assert _create(client) == {"id": 5}
    assert not caplog.records


def test_default_format_is_a_bare_pickle(peer, client) -> None:
    _collaboration(peer, encrypted=False)
    client.post_task("n", "i", 1, INPUT, organization_ids=[2])
    sent = peer.asked[-1].body["organizations"][0]["input"]
    assert pickle.loads(base64s_to_bytes(sent)) == INPUT


def test_encrypted_task_is_sent_for_each_receiver(peer, client, key_file, other_file) -> None:
    own, other = RSACryptor(key_file), RSACryptor(other_file)
    _collaboration(peer, encrypted=True)
    peer.answers |= {
        "GET organization/7": (200, {"public_key": own.public_key_str}),
        "GET organization": (
            200,
            [
                {"id": 2, "name": "a", "public_key": own.public_key_str},
                {"id": 3, "name": "b", "public_key": other.public_key_str},
            ],
        ),
    }
    client.setup_encryption(key_file)
    assert _create(client) == {"id": 5}
    first, second = (each["input"] for each in peer.asked[-1].body["organizations"])
    assert own.decrypt_str_to_bytes(first) == base64s_to_bytes(WORKED_EXAMPLE)
    assert other.decrypt_str_to_bytes(second) == base64s_to_bytes(WORKED_EXAMPLE)
    # As many requests for a hundred receivers as for two.
    assert peer.calls()[1:] == [
        "GET algorithm/match",
        "GET collaboration/1/node",
        "GET collaboration/1",
        "GET organization",
        "POST task",
    ]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([{"id": 2, "name": "Bree", "public_key": ""}], r"You see no organization 3"),
        (
            [{"id": id_, "name": "Bree", "public_key": ""} for id_ in (2, 3)],
            r"Bree \(id 2\), Bree \(id 3\): it has no public key",
        ),
    ],
)
def test_task_is_refused_early_without_public_keys(
    peer, client, key_file, members, message
) -> None:
    _collaboration(peer, encrypted=True)
    peer.answers["GET organization"] = (200, members)
    client.cryptor = RSACryptor(key_file)
    with pytest.raises(Invalid, match=message):
        _create(client)
    assert "POST task" not in peer.calls()


@pytest.mark.parametrize("cryptor", [None, DummyCryptor()])
def test_encrypted_collaboration_needs_a_key(peer, client, cryptor) -> None:
    _collaboration(peer, encrypted=True)
    client.cryptor = cryptor
    with pytest.raises(Invalid, match="Collaboration 1 is encrypted"):
        _create(client)
    assert "POST task" not in peer.calls()


def test_with_a_key_nothing_is_sent_in_clear(peer, client, key_file) -> None:
    _collaboration(peer, encrypted=False)
    client.cryptor = RSACryptor(key_file)
    with pytest.raises(Invalid, match="is not encrypted, but encryption is set up"):
        _create(client)
    assert "POST task" not in peer.calls()


def test_unknown_collaboration_is_refused_as_the_server_does(peer, client) -> None:
    peer.answers["GET collaboration/1"] = (404, {"msg": "Collaboration not found"})
    for cryptor in (None, DummyCryptor()):
        client.cryptor = cryptor
        assert _create(client)["msg"] == (
            "There is no collaboration 1. Yours: client.collaboration.list(fields=['id', 'name']). "
            "The server says: Collaboration not found"
        )
    client.raise_errors = True
    with pytest.raises(NotFound):
        _create(client)
    assert "POST task" not in peer.calls()


@pytest.mark.parametrize(
    ("organizations", "words"),
    [
        (2, r"a list of ids, such as organizations=\[2\], not 2"),
        ("2", "not '2'"),
        (["2"], r"which are numbers, such as organizations=\[2\], not \['2'\]"),
        (None, "not None"),
        ({2: "a"}, "a list of ids"),
    ],
)
def test_organizations_that_are_no_ids_are_explained(peer, client, organizations, words) -> None:
    with pytest.raises(Invalid, match=words):
        _create(client, organizations=organizations)
    assert peer.calls() == []


def test_ids_of_numpy_and_ranges_are_ids(peer, client) -> None:
    _collaboration(peer, encrypted=False)
    _create(client, organizations=numpy.array([2, 3]))
    _create(client, organizations=range(2, 4))
    assert [
        [each["id"] for each in asked.body["organizations"]] for asked in peer.asked if asked.body
    ] == [[2, 3]] * 2


def test_task_for_nobody_is_not_sent(peer, client) -> None:
    assert _create(client, organizations=[])["code"] == "no_organization"
    assert client.post_task("n", "i", 1, INPUT)["code"] == "no_organization"
    assert peer.calls() == []


def test_key_is_uploaded_where_there_is_none(peer, client, key_file) -> None:
    own = RSACryptor(key_file)
    peer.answers |= {
        "GET organization/7": (200, {"public_key": ""}),
        "PATCH organization/7": (200, {"public_key": own.public_key_str}),
    }
    client.setup_encryption(str(key_file))
    assert peer.asked[-1].body == {"public_key": own.public_key_str}
    assert isinstance(client.cryptor, RSACryptor)


def test_another_key_is_not_replaced_unasked(peer, client, key_file, other_file) -> None:
    own, other = RSACryptor(key_file), RSACryptor(other_file)
    peer.answers |= {
        "GET organization/7": (200, {"public_key": other.public_key_str}),
        "PATCH organization/7": (200, {"public_key": own.public_key_str}),
    }
    with pytest.raises(Conflict, match=r"replace=True") as refusal:
        client.setup_encryption(key_file)
    for key in (own, other):
        assert RSACryptor.fingerprint(key.public_key_str) in str(refusal.value)
    assert client.cryptor is None
    assert "PATCH organization/7" not in peer.calls()
    client.setup_encryption(key_file, replace=True)
    assert isinstance(client.cryptor, RSACryptor)


def test_key_that_nothing_can_be_encrypted_for_is_not_published(peer, client, tmp_path) -> None:
    peer.answers["GET organization/7"] = (200, {"public_key": ""})
    with pytest.raises(ValueError, match=r"1,024 bits"):
        client.setup_encryption(write_short_key(tmp_path / "short.pem"))
    assert client.cryptor is None
    assert "PATCH organization/7" not in peer.calls()


def test_refused_upload_is_not_taken_for_success(peer, client, key_file) -> None:
    peer.answers |= {
        "GET organization/7": (200, {"public_key": ""}),
        "PATCH organization/7": (401, {"msg": "You lack the permission", "code": "forbidden"}),
    }
    with pytest.raises(Exception, match="You lack the permission"):
        client.setup_encryption(key_file)
    assert client.cryptor is None


def test_new_private_key_never_overwrites_a_file(peer, client, key_file, tmp_path) -> None:
    with pytest.raises(FileExistsError):
        client.util.generate_private_key(key_file)
    peer.answers |= {
        "GET organization/7": (200, {"public_key": ""}),
        "PATCH organization/7": lambda asked: (200, asked.body),
    }
    client.util.generate_private_key(tmp_path / "new.pem")
    assert client.cryptor.public_key_str == peer.asked[-1].body["public_key"]


def _row(id_: int, result: str) -> dict[str, Any]:
    return {"id": id_, "input": "secret of another$x$y", "result": result, "status": "completed"}


def _rows(key_file: Path, other_file: Path) -> list[dict[str, Any]]:
    own, other = RSACryptor(key_file), RSACryptor(other_file)
    answer = serialize({"average": 53.25})
    return [
        _row(1, bytes_to_base64s(answer)),
        _row(2, own.encrypt_bytes_to_str(answer, own.public_key_str)),
        _row(3, own.encrypt_bytes_to_str(answer, other.public_key_str)),
        _row(4, bytes_to_base64s(pickle.dumps({"average": 53.25}))),
        _row(5, ""),
        _row(6, bytes_to_base64s(b"json.{")),
    ]


def test_results_are_decoded_and_none_is_dropped(
    peer, client, key_file, other_file, caplog
) -> None:
    rows = _rows(key_file, other_file)
    peer.answers["GET result"] = (200, {"data": rows, "links": {}})
    client.cryptor = RSACryptor(key_file)
    read = [row["result"] for row in client.result.list(task=1)["data"]]
    assert read[1] == {"average": 53.25}
    assert read[2] == rows[2]["result"]  # encrypted for somebody else: stays text
    assert read[4] == ""
    assert "Results that cannot be decrypted: 1 (id 3)" in caplog.text
    client.setup_encryption(None)
    peer.answers["GET result"] = (200, {"data": _rows(key_file, other_file), "links": {}})
    read = [row["result"] for row in client.result.list(task=1)["data"]]
    assert read[0] == {"average": 53.25}
    assert read[3] == {"average": 53.25}  # names nothing
    assert read[4:] == ["", b"json.{"]
    assert "Results that stay bytes: 1 (id 6)" in caplog.text


def test_encrypted_logs_are_opened(peer, client, key_file, other_file) -> None:
    own, other = RSACryptor(key_file), RSACryptor(other_file)
    mine = own.encrypt_bytes_to_str("patient é\xff".encode() + b"\xff", own.public_key_str)
    theirs = other.encrypt_bytes_to_str(b"x", other.public_key_str)
    logs = [mine, theirs, None, "", None]
    rows = [{"id": i, "input": None, "result": "", "log": log} for i, log in enumerate(logs)]
    peer.answers["GET result"] = (200, {"data": rows, "links": {}})
    client.cryptor = own
    read = [row["log"] for row in client.result.list(task=1)["data"]]
    assert read == ["patient é\xff\N{REPLACEMENT CHARACTER}", theirs, None, "", None]


def test_encrypted_log_without_key_stays_text(peer, client, key_file) -> None:
    own = RSACryptor(key_file)
    mine = own.encrypt_bytes_to_str(b"x", own.public_key_str)
    peer.answers["GET result/2"] = (200, {"id": 2, "input": "", "result": "", "log": mine})
    assert client.result.get(2)["log"] == mine


def test_encrypted_result_without_key_stays_text(
    peer, client, key_file, other_file, caplog
) -> None:
    row = _rows(key_file, other_file)[1]
    peer.answers["GET result/2"] = (200, row)
    assert client.result.get(2)["result"] == row["result"]
    assert "Call client.setup_encryption" in caplog.text


def test_one_warning_says_how_many_results_are_encrypted(peer, client, key_file, caplog) -> None:
    own = RSACryptor(key_file)
    text = own.encrypt_bytes_to_str(b"json.1", own.public_key_str)
    peer.answers["GET result"] = (200, [_row(id_, text) for id_ in range(1, 13)])
    assert [row["result"] for row in client.result.from_task(1)] == [text] * 12
    (said,) = (message for message in caplog.messages if "cannot be decrypted" in message)
    assert said.startswith(
        "Results that cannot be decrypted: 12 (id 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...). Call "
        "client.setup_encryption"
    )


def test_pickles_are_read_where_the_client_allows_it(peer) -> None:
    content = pickle.dumps({"sum": numpy.int64(1)})
    peer.answers["GET result"] = (200, [_row(4, bytes_to_base64s(content))])
    client = Client(peer.address, None, "/api", allow_pickle=True)
    assert client.result.from_task(1)[0]["result"] == {"sum": 1}
    client.close()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("prefix", [b"", b"pickle."])
def test_pickle_of_plain_values_is_always_read(peer, client, prefix, protocol) -> None:
    """Published wrappers pickle their answers, whatever the format of the input is."""
    value = {"average": 53.25, "n": [1, -2, 2**70], "t": ("a", None, True, "é"), 3: {}}
    content = prefix + pickle.dumps(value, protocol)
    peer.answers["GET result"] = (200, [_row(4, bytes_to_base64s(content))])
    assert client.result.from_task(1)[0]["result"] == value
    assert load_data(content) == value


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps(numpy.int64(1)),
        pickle.dumps({"frame": numpy.zeros(2)}),
        pickle.dumps(range(3)),
        b"cos\nsystem\n(S'touch hacked'\ntR.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
        b"\x80\x02\x82\x01.",
    ],
)
def test_pickle_that_names_something_stays_bytes(peer, client, caplog, content) -> None:
    peer.answers["GET result"] = (200, [_row(4, bytes_to_base64s(content))])
    assert client.result.from_task(1)[0]["result"] == content
    assert "allow_pickle=True" in caplog.text


def test_refusal_of_results_is_handed_on(peer, client) -> None:
    peer.answers["GET result"] = (401, {"msg": "no", "code": "forbidden"})
    refusal = {"msg": "no", "code": "forbidden"}
    assert client.result.list() == client.result.from_task(1) == client.get_results() == refusal


def test_get_results_decrypts_but_does_not_decode(peer, client) -> None:
    peer.answers["GET result"] = (200, [_row(1, bytes_to_base64s(b"json.[1]"))])
    assert client.get_results(task_id=1, params={"page": 1})[0]["result"] == b"json.[1]"
    assert peer.asked[-1].query == {"task_id": "1", "page": "1"}


def _status(complete: bool, *states: str) -> tuple[int, dict[str, Any]]:
    results = [{"id": n, "organization": n, "status": state} for n, state in enumerate(states)]
    return 200, {"id": 3, "status": "x", "complete": complete, "results": results}


def test_waiting_asks_the_light_status_until_complete(peer, client, capsys) -> None:
    peer.answers |= {
        "GET task/3/status": [_status(False, "active"), _status(True, "completed")],
        "GET result": (200, [_row(1, bytes_to_base64s(b"json.[1]"))]),
    }
    assert client.wait_for_results(3)[0]["result"] == b"json.[1]"
    assert peer.calls() == ["GET task/3/status"] * 2 + ["GET result"]
    assert capsys.readouterr().out == ""  # not a terminal


def test_waiting_works_with_the_original_server(peer, client) -> None:
    peer.answers |= {
        "GET task/3": [(200, {"id": 3, "complete": False}), (200, {"id": 3, "complete": True})],
        "GET result": (200, []),
    }
    assert client.wait_for_results(3, 0.01) == []
    with pytest.raises(NotFound):
        client.wait_for_results(4)


def test_waiting_gives_up_in_time(peer, client) -> None:
    peer.answers["GET task/3/status"] = _status(False, "active")
    started = time.monotonic()
    with pytest.raises(TimeoutError, match=r"within 0\.2 seconds") as late:
        client.wait_for_results(3, timeout=0.2)
    assert isinstance(late.value, StillRunning)
    assert time.monotonic() - started < 10


def test_waiting_survives_a_restart_of_the_server(peer, client) -> None:
    peer.answers |= {
        "GET task/3/status": [(503, {"msg": "later"}), _status(True, "completed")],
        "GET result": (200, []),
    }
    assert client.wait_for_results(3) == []


def test_wait_leaves_a_busy_server_alone(peer, client) -> None:
    peer.answers["GET task/3/status"] = (429, {"msg": "too often"})
    with pytest.raises(StillRunning):
        client.wait_for_results(3, timeout=0.5)
    assert len(peer.asked) == 2  # at once and in the end, not every 50 ms


def test_interrupted_wait_says_how_to_come_back(peer, client, capsys) -> None:
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    client.call = interrupt
    with pytest.raises(KeyboardInterrupt):
        client.wait_for_results(3)
    shown = capsys.readouterr().err
    assert "client.wait_for_results(3)" in shown
    assert "client.task.kill(3)" in shown


def test_pauses_are_a_twentieth_of_the_time_so_far_within_limits() -> None:
    moments = iter([100.0, 100.0, 101.0, 102.0, 120.0, 3700.0])
    pauses = waiting.pauses(0.05, 2.0, lambda: next(moments))
    assert [next(pauses) for _ in range(5)] == [0.05, 0.05, 0.1, 1.0, 2.0]


def test_progress_says_how_far_the_organizations_are() -> None:
    status = _status(False, "completed", "active", "initializing", "pending", "crashed")[1]
    line = "Task 3: 1 of 5 organizations done, 2 running, 1 waiting, 1 failed (1:05)"
    assert waiting.summary(status, 65.4) == line
    assert waiting.summary({"id": 3, "results": [{"id": 1, "link": "/x"}]}, 5) == "Task 3 (0:05)"


def test_progress_says_that_a_person_at_a_station_has_to_approve() -> None:
    status = _status(False, "completed", "pending", "pending")[1]
    status["results"][1]["waits_for"] = "awaiting_approval"
    status["results"][2]["waits_for"] = "station_paused"
    line = "Task 3: 1 of 3 organizations done, 2 waiting (1 for approval) (0:05)"
    assert waiting.summary(status, 5) == line


def test_a_terminal_says_at_which_organization_a_task_waits_for_approval(capsys) -> None:
    from vantage6.client.commands.waiting import LinesOfStations

    screen = LinesOfStations({1: "Amsterdam", 2: "Berlin"})
    results = [
        {"id": 5, "organization": 1, "status": "pending", "waits_for": "awaiting_approval"},
        {"id": 6, "organization": 2, "status": "pending", "waits_for": "a_later_word"},
    ]
    for elapsed in (1, 2):
        screen.show({"id": 3, "complete": False, "results": results}, elapsed)
    results[0] = {**results[0], "status": "active", "waits_for": None}
    screen.show({"id": 3, "complete": False, "results": results}, 3)
    assert capsys.readouterr().err.splitlines() == [
        "0:01  waits for approval at Amsterdam",
        "0:01  Berlin: pending",
        "0:03  Amsterdam: active",
    ]


def test_progress_is_written_over_in_a_notebook() -> None:
    out = StringIO()
    with waiting.NotebookDisplay(out) as screen:
        for elapsed in (1, 1.2, 2):  # what has not changed is not written again
            screen.show(_status(False, "active", "pending")[1], elapsed)
        screen.show(_status(True, "completed", "completed")[1], 3)
    lines = [line.rstrip() for line in out.getvalue().split("\r")]
    assert lines == [
        "",
        "Task 3: 0 of 2 organizations done, 1 running, 1 waiting (0:01)",
        "Task 3: 0 of 2 organizations done, 1 running, 1 waiting (0:02)",
        "Task 3: 2 of 2 organizations done (0:03)",
    ]
    assert out.getvalue().endswith("   \n")  # the rest of the longer line is covered


def test_display_fits_where_the_program_runs(monkeypatch) -> None:
    class OutStream(StringIO):
        """What a notebook puts in place of the standard output."""

    OutStream.__module__ = "ipykernel.iostream"

    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    for stream, kind in [
        (OutStream(), waiting.NotebookDisplay),
        (Terminal(), waiting.TerminalDisplay),
        (StringIO(), waiting.SilentDisplay),
    ]:
        monkeypatch.setattr(sys, "stdout", stream)
        with waiting.display() as screen:
            assert type(screen) is kind


def test_progress_is_drawn_on_a_terminal() -> None:
    drawn = StringIO()
    console = Console(force_terminal=True, file=drawn, width=100)
    with waiting.TerminalDisplay(console) as screen:
        screen.show(_status(False, "active")[1], 1)
        time.sleep(0.2)
    assert "0 of 1 organizations done, 1 running" in drawn.getvalue()


def test_last_line_of_a_notebook_cell_is_a_line_for_each_result() -> None:
    results = Results(
        [
            {"id": 4, "status": "completed", "result": b"x" * 5_000, "task": {"id": 2}},
            {"id": 5, "status": "crashed", "result": None, "task": {"id": 2}},
        ]
    )
    assert pretty(results).splitlines() == [
        "result 4: completed, 5000 bytes",
        "result 5: crashed, 0 bytes",
        "client.result.from_task(2) returns them as Python objects.",
    ]
    assert json.dumps([one["id"] for one in results]) == "[4, 5]"
    assert results == list(results), "it is a list for programs"
