"""``vantage6 run``, ``task``, ``result`` and ``stations``, against the real server."""

import json
import stat
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.client.command import Command
from tests.models.cards import shelve
from tests.models.factories import IMAGE as CARD_IMAGE
from tests.models.factories import make_task
from tests.waiting import eventually
from vantage6.client import RSACryptor
from vantage6.common.enums import CardState
from vantage6.common.task_status import TaskStatus
from vantage6.models.store import nodes
from vantage6.models.tables import Task

IMAGE = ("--image", "i")


@pytest.fixture(autouse=True)
def logged_in(command: Command) -> None:
    command.log_in()


def answer_both(command: Command, task: int, *values: object) -> None:
    """Let both stations of the north report; None is a failure."""
    world = command.live.world
    places = ((world.amsterdam, world.amsterdam_north), (world.berlin, world.berlin_north))
    for (organization, node), value in zip(places, values, strict=True):
        status = TaskStatus.CRASHED if value is None else TaskStatus.COMPLETED
        command.answer(task, organization, node, value, status)


def inputs(command: Command, task: int) -> list[Any]:
    """Return what the stations read, by the ids of their organizations."""
    found = command.live.client.result.from_task(task)
    found.sort(key=lambda one: one["organization"]["id"])
    return [json.loads(one["input"].removeprefix(b"json.")) for one in found]


def test_arguments_are_json_where_they_read_as_json_and_text_otherwise(
    command: Command,
    home: Path,
) -> None:
    (home / "arguments.json").write_text('{"column_name": "weight", "bins": 4}')
    task = command.send(
        *("--arg", "column_name=age", "--arg", "levels=[1, 2]", "--arg", "text=a=b"),
        *("--arg", "zero=0", "--arg", 'word="12"', "--arg", "none=null", "--arg", "nan=NaN"),
        *("--arg-file", home / "arguments.json"),
    )
    kwargs = {"column_name": "age", "bins": 4, "levels": [1, 2], "text": "a=b", "zero": 0}
    kwargs |= {"word": "12", "none": None, "nan": "NaN"}
    assert inputs(command, task) == [{"method": "average_partial", "kwargs": kwargs}] * 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--arg", "age"), "key=value"),
        (("--arg", "a=1", "--arg", "a=2"), "given twice"),
        (("--arg-file", "none.json"), "cannot be read"),
        (("--collaboration", "west"), "There is no collaboration 'west'. There are: north (id 1)"),
        (("--organization", "Cairo"), "There is no organization 'Cairo'"),
        (("--organization", "99"), "Amsterdam (id 1), Berlin (id 2)"),
    ],
)
def test_a_wrong_use_is_one_line_and_sends_nothing(
    command: Command,
    words: tuple[str, ...],
    said: str,
) -> None:
    done = command.run("run", "average_partial", *IMAGE, *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert Task.select().count() == 0


def test_a_partial_function_goes_to_all_and_a_central_one_to_the_own_station(
    command: Command,
) -> None:
    world = command.live.world
    for words, receivers, is_central in (
        (("average_partial",), [world.amsterdam, world.berlin], False),
        (("average_partial", "-o", "Berlin"), [world.berlin], False),
        (("master",), [world.amsterdam], True),
        (("glm", "--central", "-o", str(world.berlin.id)), [world.berlin], True),
    ):
        task = command.json("run", *words, *IMAGE, "--no-wait")["task"]
        results = command.live.client.result.from_task(task)
        assert {one["organization"]["id"] for one in results} == {one.id for one in receivers}
        assert [("master" in one) for one in inputs(command, task)] == [is_central] * len(receivers)


def test_run_waits_and_prints_one_document(command: Command) -> None:
    done = {}

    def run() -> None:
        done["run"] = command.run("run", "average_partial", *IMAGE, "--json")

    thread = Thread(target=run)
    thread.start()
    eventually(lambda: Task.select().count() == 1)
    task = Task.get()
    answer_both(command, task.id, {"sum": 253.5, "count": 4}, {"sum": 173, "count": 4})
    thread.join(30)
    assert done["run"].exit_code == 0
    said = json.loads(done["run"].stdout)
    assert said["task"] == task.id
    assert said["complete"] is True
    assert [one["result"] for one in said["results"]] == [
        {"sum": 253.5, "count": 4},
        {"sum": 173, "count": 4},
    ]
    assert [one["organization"]["name"] for one in said["results"]] == ["Amsterdam", "Berlin"]
    # Progress is for people, and stands beside the document.
    assert "was sent to Amsterdam, Berlin" in done["run"].stderr
    assert "Berlin: completed" in done["run"].stderr


def test_results_that_are_rows_are_shown_as_a_table_with_all_digits(
    command: Command,
) -> None:
    task = command.send()
    answer_both(command, task, {"sum": 0.1 + 0.2, "count": 4}, {"sum": 173, "count": 4})
    assert command.ok("result", "show", task).splitlines() == [
        "Organization  sum                  count",
        "Amsterdam     0.30000000000000004  4",
        "Berlin        173                  4",
    ]


def test_one_result_is_shown_by_its_keys_and_a_nested_one_as_json(
    command: Command,
) -> None:
    world = command.live.world
    task = command.json("run", "master", *IMAGE, "--no-wait")["task"]
    command.answer(task, world.amsterdam, world.amsterdam_north, {"average": 53.25})
    assert command.ok("result", "show", task) == "average  53.25\n"
    task = command.json("run", "master", *IMAGE, "--no-wait")["task"]
    command.answer(task, world.amsterdam, world.amsterdam_north, {"a": [1, {"b": None}]})
    assert json.loads(command.ok("result", "show", task)) == {"a": [1, {"b": None}]}


def test_a_result_cannot_command_the_terminal(command: Command) -> None:
    task = command.send()
    answer_both(command, task, {"x": "\x1b[2J\nforged  row"}, {"x": "plain"})
    shown = command.ok("result", "show", task)
    assert "\x1b" not in shown
    assert len(shown.splitlines()) == 3
    assert "\x1b" not in command.ok("result", "show", task, "--json")


def test_a_task_that_failed_ends_with_1_and_says_why(command: Command) -> None:
    task = command.send()
    answer_both(command, task, {"sum": 1, "count": 1}, None)
    done = command.run("result", "show", task)
    assert done.exit_code == 1
    assert "Amsterdam" in done.stdout
    assert "Berlin: crashed" in done.stdout
    assert f"Task {task}: 1 of 2 failed. Berlin: " in done.stderr
    said = command.json("result", "show", task, code=1)
    assert said["cause"].startswith(f"Task {task}: 1 of 2 failed")


def test_a_task_that_goes_on_says_how_to_come_back(command: Command) -> None:
    task = command.send()
    done = command.run("result", "show", task, "--wait", "--timeout", 0.1, "--json")
    assert done.exit_code == 6
    assert json.loads(done.stdout)["error"]["code"] == "still_running"
    assert f"vantage6 result show {task} --wait" in done.stderr
    assert f"vantage6 task kill {task}" in done.stderr
    assert command.json("result", "show", task, code=6)["complete"] is False


def test_results_are_saved_for_their_owner_alone_and_not_over_another_file(
    command: Command,
    home: Path,
) -> None:
    task, file = command.send(), home / "average.json"
    answer_both(command, task, {"sum": 1}, {"sum": 2})
    command.ok("result", "save", task, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one["result"] for one in json.loads(file.read_text())["results"]] == [
        {"sum": 1},
        {"sum": 2},
    ]
    # Later, somebody has to know what the numbers are of.
    saved = json.loads(file.read_text())
    assert saved["input"] == {"method": "average_partial", "kwargs": {}}
    assert (saved["image"], saved["database"]) == ("i", "default")
    done = command.run("result", "save", task, file)
    assert done.exit_code == 5
    assert "--replace" in done.stderr
    file.chmod(0o644)
    command.ok("result", "save", task, file, "--replace")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_sub_tasks_are_listed_only_if_asked_for(command: Command, tmp_path: Path) -> None:
    task, world = command.send("--name", "model"), command.live.world
    for _ in range(3):
        make_task(world.north, [world.amsterdam], parent=Task.get_by_id(task))
    (found,) = command.json("task", "list", "--limit", 2)
    assert found["id"] == task
    everything = command.json("task", "list", "--subtasks")
    assert [one["parent"] for one in everything] == [task, task, task, None]
    assert len(command.json("task", "list", "--subtasks", "--limit", 2)) == 2
    for number, said in ((everything[0]["id"], f"answered to task {task}"), (task, "")):
        done = command.run("result", "save", number, tmp_path / f"{number}.json")
        assert ("is a sub-task" in done.stderr) == bool(said)
        assert said in done.stderr


def test_numbers_of_organizations_and_the_database_are_explained(command: Command) -> None:
    task, world = command.send(), command.live.world
    said = f"Organization {world.berlin.id} takes no part: unknown_column: There is no column 'x'."
    for organization, node in (
        (world.amsterdam, world.amsterdam_north),
        (world.berlin, world.berlin_north),
    ):
        log = f"reason > {said}"
        command.answer(task, organization, node, status=TaskStatus.CRASHED, log=log)
    done = command.run("result", "show", task)
    assert f"Organization {world.berlin.id} is Berlin." in done.stderr
    assert "read the database default; --database names another." in done.stderr


def test_tasks_are_listed_shown_stopped_and_repeated(command: Command) -> None:
    task = command.send("--name", "first", "--arg", "column_name=age")
    assert [one["name"] for one in command.json("task", "list")] == ["first"]
    assert "first" in command.ok("task", "list", "--collaboration", "north")
    shown = command.ok("task", "show", task)
    assert "average_partial" not in shown  # inputs are not shown
    assert "Amsterdam     pending" in shown
    assert "2 results" in command.ok("task", "kill", task)
    assert command.run("task", "kill", task).exit_code == 2
    again = command.json("task", "repeat", task, "--no-wait")["task"]
    assert again != task
    assert inputs(command, again) == inputs(command, task)
    assert command.run("task", "show", 999).exit_code == 2


def test_stations_tell_what_they_publish(command: Command) -> None:
    world = command.live.world
    nodes.tell_config(world.berlin_north, [("allowed_algorithms", "^average$")])
    (north,) = command.json("stations")
    assert (north["name"], north["encrypted"]) == ("north", False)
    berlin = north["organizations"][1]
    assert berlin["name"] == "Berlin"
    assert berlin["stations"][0]["publishes"] == {"allowed_algorithms": ["^average$"]}
    shown = command.ok("stations", "--collaboration", "north")
    assert "north (collaboration 1, not encrypted)" in shown
    assert "^average$" in shown
    world.berlin_north.delete_instance()
    assert "no station" in command.ok("stations")


def test_the_shelf_tells_functions_and_their_arguments(command: Command) -> None:
    row = shelve()
    (found,) = command.json("shelf", "list", "--state", "reviewed")
    assert (found["id"], found["functions"]) == (row.id, ["master", "average_partial"])
    listed = command.ok("shelf", "list").splitlines()
    assert listed[2:] == [
        "",
        f"Functions of card {row.id}, average:",
        # The partial function is asked for by the central one, and not by people.
        *("Function  Title", "master    Average"),
    ]
    shelve(state=CardState.RETIRED, name="old", images=["old/image"])
    assert "Functions of card" in command.ok("shelf", "list")
    assert "old:" not in command.ok("shelf", "list")
    shown = command.ok("shelf", "show", row.id)
    assert "master (central): Average" in shown
    assert "  column_name  column  needed   Column" in shown
    assert command.run("shelf", "show", 999).exit_code == 2


def test_an_argument_that_the_card_does_not_know_is_refused_before_it_is_sent(
    command: Command,
) -> None:
    shelve()
    done = command.run("run", "average_partial", "--image", CARD_IMAGE, "--arg", "column=age")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "It takes: column_name." in done.stderr
    assert Task.select().count() == 0


class TestEncrypted:
    """In an encrypted collaboration of Amsterdam alone."""

    @pytest.fixture
    def place(self, command: Command) -> int:
        client, world = command.live.client, command.live.world
        place = client.collaboration.create("sealed", [world.amsterdam.id], encrypted=True)["id"]
        client.node.create(place, world.amsterdam.id)
        return int(place)

    def test_the_key_of_the_login_closes_inputs_and_opens_results(
        self,
        command: Command,
        home: Path,
        place: int,
    ) -> None:
        words = ("run", "average_partial", *IMAGE, "--no-wait", "--collaboration")
        done = command.run(*words, place)
        assert done.exit_code == 2
        assert "--key FILE" in done.stderr
        key = home / "key.pem"
        RSACryptor.create_new_rsa_key(key)
        command.log_in("--key", key)
        task = command.json(*words, "sealed")["task"]
        (found,) = command.live.client.request("result", params={"task_id": task})
        cryptor = RSACryptor(key)
        payload = cryptor.decrypt_str_to_bytes(found["input"])
        assert json.loads(payload.removeprefix(b"json."))["method"] == "average_partial"
        again = command.json("task", "repeat", task, "--no-wait")["task"]
        (repeated,) = command.live.client.request("result", params={"task_id": again})
        assert cryptor.decrypt_str_to_bytes(repeated["input"]) == payload

    def test_a_server_that_denies_the_encryption_gets_nothing_by_itself(
        self,
        command: Command,
        home: Path,
    ) -> None:
        RSACryptor.create_new_rsa_key(home / "key.pem")
        command.log_in("--key", home / "key.pem")
        words = ("run", "average_partial", *IMAGE, "--no-wait", "--collaboration", "north")
        done = command.run(*words)
        assert done.exit_code == 2
        assert "--unencrypted" in done.stderr
        assert Task.select().count() == 0
        task = command.json(*words, "--unencrypted")["task"]
        answer_both(command, task, {"sum": 1}, {"sum": 2})
        assert command.run("result", "show", task).exit_code == 2
        command.ok("result", "show", task, "--unencrypted")
