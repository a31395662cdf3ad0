"""``vnode`` beside the node itself: instances, new files, keys, and what is cleaned up."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from tests.node.factories import COMMAND, IMAGE, write_database
from tests.node.wire import Wire, make_token
from tests.waiting import eventually
from vantage6.common.config import NodeConfig, load
from vantage6.common.encryption import RSACryptor
from vantage6.node.cli import main

VNODE = [sys.executable, "-m", "vantage6.node"]
DONE = "open(os.environ['OUTPUT_FILE'], 'w').write('done')"

Vnode = Callable[..., Result]
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a home folder of its own."""
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("XDG_CONFIG_DIRS", "XDG_DATA_DIRS"):
        monkeypatch.setenv(variable, str(tmp_path / "system"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def vnode() -> Vnode:
    """Give a function that runs a command in this process."""

    def vnode(*arguments: object, typed: str = "") -> Result:
        return CliRunner().invoke(main, [str(word) for word in arguments], input=typed)

    return vnode


@pytest.fixture
def run() -> Iterator[Run]:
    """Give a function that runs a command as an administrator does; its nodes end with the test."""

    def run(*arguments: object) -> "subprocess.CompletedProcess[str]":
        words = [*VNODE, *map(str, arguments)]
        return subprocess.run(words, capture_output=True, text=True, timeout=60)

    yield run
    run("stop", "--all", "--force")


@pytest.fixture
def file(wire: Wire, home: Path) -> Path:
    """Give the configuration of the node `station`, with comments, in its usual place."""
    write_database(home)
    values = {
        "api_key": "key",
        "server_url": "http://127.0.0.1",
        "port": wire.port,
        "databases": {"default": str(home / "patients.csv")},
        "encryption": {"enabled": False},
        "runtime": "process",
        "processes": {IMAGE: list(COMMAND)},
    }
    file = home / ".config/vantage6/node/station.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("# mine\n" + yaml.safe_dump({"application": values}))
    return file


def change(file: Path, **values: Any) -> None:
    content = yaml.safe_load(file.read_text())
    content["application"].update(values)
    file.write_text("# mine\n" + yaml.safe_dump(content))


@pytest.mark.slow
def test_node_starts_in_the_background_works_and_stops(wire: Wire, file: Path, run: Run) -> None:
    done = run("start", "--name", "station")
    assert done.returncode == 0, done.stderr
    assert "station is online" in done.stdout
    assert "station  application   Running  user" in run("list").stdout
    wire.add(5, DONE)
    assert eventually(lambda: wire.ids("completed") == [5], 90)
    assert "runs already" in run("start").stderr
    assert "was stopped" in run("stop").stdout
    assert "Not running" in run("list").stdout
    assert "does not run" in run("stop").stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        ({"api_key": "wrong"}, 13, "api_key"),
        ({"api_path": "/elsewhere"}, 10, "api_path"),
        ({"runtime": "docker", "docker_host": "unix:///none.sock"}, 20, "docker_host"),
    ],
)
def test_start_in_the_background_says_why_it_failed(
    file: Path, run: Run, values: dict[str, Any], code: int, words: str
) -> None:
    change(file, **values)
    done = run("start")
    assert done.returncode == code, done.stdout + done.stderr
    assert words in done.stderr
    assert "Not running" in run("list").stdout


@pytest.mark.slow
def test_node_that_is_killed_comes_back(home: Path, file: Path, run: Run) -> None:
    assert run("start").returncode == 0
    word = home / ".local/share/vantage6/node/station/state.json"
    pid = json.loads(word.read_text())["pid"]
    os.kill(pid, 9)
    assert eventually(lambda: json.loads(word.read_text())["pid"] != pid)


@pytest.mark.slow
def test_node_in_the_foreground_is_stopped_too(file: Path, run: Run) -> None:
    with subprocess.Popen([*VNODE, "start", "--attach"], stderr=subprocess.DEVNULL) as process:
        try:
            assert eventually(lambda: "  Running" in run("list").stdout)
            assert "was stopped" in run("stop").stdout
            assert process.wait(10) == 0
        finally:
            process.kill()


@pytest.mark.slow
def test_all_nodes_stop_at_once(file: Path, run: Run) -> None:
    (file.parent / "other.yaml").write_text(file.read_text())
    for name in ("station", "other"):
        assert run("start", "-n", name).returncode == 0
    stopped = run("stop", "--all").stdout
    assert "station was stopped" in stopped
    assert "other was stopped" in stopped
    assert "No node runs" in run("stop", "--all").stdout


@pytest.mark.slow
def test_log_is_shown_until_interrupted_and_the_node_runs_on(file: Path, run: Run) -> None:
    assert run("start").returncode == 0
    shown = subprocess.Popen([*VNODE, "attach"], stdout=subprocess.PIPE, text=True)
    assert shown.stdout
    assert "node starting" in next(line for line in shown.stdout if "starting" in line)
    shown.send_signal(2)
    shown.communicate(timeout=60)
    assert "  Running" in run("list").stdout


def test_files_are_listed_without_passwords(home: Path, file: Path, vnode: Vnode) -> None:
    change(file, databases=[{"label": "db", "uri": "postgresql://me:secret@host/x", "type": "sql"}])
    done = vnode("files")
    assert str(file) in done.output
    assert str(home / ".local/share/vantage6/node/station") in done.output
    assert "Database db = postgresql://me:***@host/x (type: sql)" in done.output


def test_list_names_the_files_that_cannot_be_read(file: Path, vnode: Vnode) -> None:
    (file.parent / "broken.yaml").write_text("[")
    output = vnode("list").output
    assert "station" in output
    assert "broken.yaml" in output


def test_new_file_is_made_from_answers(wire: Wire, home: Path, vnode: Vnode) -> None:
    wire.encrypted = True
    data = write_database(home)
    answers = [
        *("my node", "key", "http://127.0.0.1", str(wire.port), "/api"),
        *("y", "default", str(home / "missing.csv"), "n"),
        *(str(data), "csv", "n"),
        *("/keys/private.pem", r"example\.org/.* other"),
    ]
    done = vnode("new", typed="\n".join(answers) + "\n")
    assert done.exit_code == 0, done.output
    assert "The key is that of station, of org 1, in the encrypted collaboration c." in done.output
    config = load(home / ".config/vantage6/node/my-node.yaml", NodeConfig)
    assert config.encryption.enabled
    assert config.encryption.private_key == "/keys/private.pem"
    assert [(one.label, one.uri, one.type) for one in config.databases] == [
        ("default", str(data), "csv")
    ]
    assert config.policies
    assert config.policies.allowed_algorithms == (r"example\.org/.*", "other")


def test_wrong_answer_is_asked_for_again(wire: Wire, home: Path, vnode: Vnode) -> None:
    answers = ["key", "no address", "http://127.0.0.1", "many", str(wire.port), "", "n", "", ""]
    done = vnode("new", "-n", "mine", typed="\n".join(answers) + "\n")
    assert done.exit_code == 0, done.output
    assert load(home / ".config/vantage6/node/mine.yaml", NodeConfig).port == wire.port


FLAGS = ("--server-url", "http://127.0.0.1", "--api-key-file", "-", "--yes")


def test_new_file_is_made_from_flags(wire: Wire, home: Path, vnode: Vnode) -> None:
    database = f"default:parquet={home}/a.parquet"
    flags = [*FLAGS, "-n", "mine", "-p", wire.port, "--database", database]
    done = vnode("new", *flags, "--set", "limits.cpus=2", "--allow", "x", typed="key\n")
    assert done.exit_code == 0, done.output
    config = load(home / ".config/vantage6/node/mine.yaml", NodeConfig)
    assert config.limits.cpus == 2
    assert config.databases[0].type == "parquet"
    assert not config.encryption.enabled
    again = vnode("new", *flags, typed="key\n")
    assert again.exit_code == 10
    assert "--force" in again.output
    assert vnode("new", *flags, "--force", typed="key\n").exit_code == 0


def test_new_file_is_not_made_for_a_key_that_the_server_refuses(
    wire: Wire, home: Path, vnode: Vnode
) -> None:
    done = vnode("new", *FLAGS, "-n", "mine", "-p", wire.port, typed="wrong\n")
    assert done.exit_code == 10
    assert "--no-ask-server" in done.output
    assert not (home / ".config").exists()


@pytest.mark.parametrize(
    ("setting", "key", "words"),
    [
        ("limits.cpus=-1", "k", "limits.cpus"),
        ("limits.cpu=1", "k", "limits.cpu"),
        ("no_such=1", "k", "no_such"),
        ("port=5000", "", "api_key"),
    ],
)
def test_wrong_setting_is_named_and_nothing_is_written(
    home: Path, vnode: Vnode, setting: str, key: str, words: str
) -> None:
    flags = [*FLAGS, "-n", "mine", "--no-ask-server"]
    done = vnode("new", *flags, "--set", setting, typed=f"{key}\n")
    assert done.exit_code == 10
    assert words in done.output
    assert not (home / ".config").exists()


def test_key_of_the_node_is_set_from_standard_input(file: Path, vnode: Vnode) -> None:
    done = vnode("set-api-key", typed="fresh\n")
    assert done.exit_code == 0, done.output
    assert load(file, NodeConfig).api_key.get_secret_value() == "fresh"
    assert file.read_text().startswith("# mine\n")


@pytest.fixture
def user(wire: Wire) -> Wire:
    """Let a user of organization 1 log in."""
    token = make_token(3)
    wire.answers["POST /token/user"] = (200, {"access_token": token, "refresh_token": token})
    wire.answers["GET /user/3"] = (200, {"id": 3, "organization": {"id": 1}})
    return wire


def test_private_key_is_made_named_and_published(
    user: Wire, home: Path, file: Path, vnode: Vnode
) -> None:
    done = vnode("create-private-key", typed="me\npassword\n\n")
    assert done.exit_code == 0, done.output
    key = home / ".local/share/vantage6/node/privkey_org 1.pem"
    assert key.stat().st_mode & 0o777 == 0o600
    assert load(file, NodeConfig).encryption.private_key == str(key)
    assert "# mine" in file.read_text()
    assert user.public_keys[1] == RSACryptor(key).public_key_str


def test_private_key_is_kept_unless_told_otherwise(home: Path, file: Path, vnode: Vnode) -> None:
    command = ("create-private-key", "-o", "mine", "--no-upload")
    assert vnode(*command).exit_code == 0
    key = home / ".local/share/vantage6/node/privkey_mine.pem"
    first = key.read_bytes()
    assert "is kept" in vnode(*command).output
    assert key.read_bytes() == first
    assert vnode(*command, "--overwrite").exit_code == 0
    assert key.read_bytes() != first


def test_clean_removes_what_no_result_needs_after_asking(
    home: Path, file: Path, vnode: Vnode
) -> None:
    data = home / ".local/share/vantage6/node"
    for node, run_id in (("station", 1), ("station", 2), ("other", 1)):
        (data / node / "runs" / str(run_id)).mkdir(parents=True)
    entry = {"result_id": 5, "task_id": 1, "run_id": 2, "image": "x", "is_subtask": False}
    folder = data / "station" / "results" / "task-000000005"
    folder.mkdir(parents=True)
    record = {**entry, "initiator_public_key": "", "claimed_at": "2026-01-01T00:00:00+00:00"}
    (folder / "entry.json").write_text(json.dumps(record))
    assert vnode("clean", typed="n\n").exit_code == 1
    assert (data / "station/runs/1").exists()
    assert vnode("clean", typed="y\n").exit_code == 0
    assert not (data / "station/runs/1").exists()
    assert (data / "station/runs/2").exists()
    assert (data / "other/runs/1").exists()
    assert "nothing to remove" in vnode("clean").output


def test_remove_asks_and_keeps_the_key_of_the_organization(
    home: Path, file: Path, vnode: Vnode
) -> None:
    data = home / ".local/share/vantage6/node"
    (data / "station").mkdir(parents=True)
    RSACryptor.create_new_rsa_key(data / "station/private_key.pem")
    assert vnode("remove", typed="\n").exit_code == 1
    assert file.exists()
    done = vnode("remove", typed="y\n")
    assert done.exit_code == 0, done.output
    assert not file.exists()
    assert not (data / "station").exists()
    assert RSACryptor(data / "privkey_of_station.pem").public_key_str


def test_folder_that_was_chosen_by_hand_is_not_removed(
    home: Path, file: Path, vnode: Vnode
) -> None:
    change(file, task_dir=str(home / "shared"))
    (home / "shared").mkdir()
    assert vnode("remove", "--yes").exit_code == 0
    assert (home / "shared").exists()


@pytest.mark.slow
def test_what_runs_is_neither_cleaned_nor_removed(file: Path, run: Run) -> None:
    assert run("start").returncode == 0
    for command in ("clean", "remove"):
        done = run(command, "--yes")
        assert done.returncode == 12
        assert "stop it first" in done.stderr
