"""Where configurations are looked for, and how one is chosen."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vantage6.common.config import Instance as ServerInstance
from vantage6.common.config import instances
from vantage6.common.errors import ConfigurationError
from vantage6.common.selection import Selection
from vantage6.node.instance import Instance as NodeInstance


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a machine of its own: a home, folders of the system, and an empty current folder."""
    for variable, folder in (
        ("XDG_CONFIG_HOME", "home/config"),
        ("XDG_DATA_HOME", "home/data"),
        ("XDG_CACHE_HOME", "home/cache"),
        ("XDG_CONFIG_DIRS", "system/config"),
        ("XDG_DATA_DIRS", "system/data"),
    ):
        monkeypatch.setenv(variable, str(tmp_path / folder))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def configuration(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text("application: {description: x}\n")
    return file


def test_user_and_system_have_folders_of_their_own(machine: Path) -> None:
    (user,) = instances.configuration_folders("node", system=False)
    system = instances.configuration_folders("node", system=True)
    assert user == machine / "home/config/vantage6/node"
    assert system == (machine / "system/config/vantage6/node", Path("/etc/vantage6/node"))
    assert instances.data_folder("node", "a", system=False) == (
        machine / "home/data/vantage6/node/a"
    )
    assert instances.data_folder("server", "a", system=True) == (
        machine / "system/data/vantage6/server/a"
    )
    assert instances.log_folder("node", "a", system=False) == (
        machine / "home/cache/vantage6/log/node/a"
    )


def test_default_folders_are_those_of_the_documentation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CONFIG_DIRS")
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert Path("/etc/xdg/vantage6/server") in instances.configuration_folders(
        "server", system=True
    )
    assert instances.configuration_folders("server", system=False) == (
        Path("/home/somebody/.config/vantage6/server"),
    )


def test_usual_scope_of_a_kind_comes_first(machine: Path) -> None:
    for kind in ("server", "node"):
        configuration(machine / "home/config/vantage6" / kind, "both.yaml")
        configuration(machine / "system/config/vantage6" / kind, "both.yaml")
    assert instances.find("server", Selection("both")).system
    assert not instances.find("node", Selection("both")).system
    assert instances.find("node", Selection("both", system=True)).system
    assert not instances.find("server", Selection("both", system=False)).system


def test_name_of_the_other_scope_is_found_unless_one_is_asked_for(machine: Path) -> None:
    file = configuration(machine / "home/config/vantage6/server", "mine.yml")
    assert instances.find("server", Selection("mine")) == instances.Found(file, system=False)
    with pytest.raises(ConfigurationError, match="There is no server 'mine'"):
        instances.find("server", Selection("mine", system=True))


def test_a_name_never_picks_up_a_file_of_the_current_folder(machine: Path) -> None:
    configuration(machine / "here", "mine.yaml")
    for selection in (Selection("mine"), Selection()):
        for kind in ("node", "server"):
            with pytest.raises(ConfigurationError, match=f"There is no {kind}"):
                instances.find(kind, selection)


@pytest.mark.parametrize("kind", ["node", "server"])
def test_what_was_started_with_a_file_is_listed_and_found_by_its_name(
    machine: Path, kind: instances.Kind
) -> None:
    file = configuration(machine / "elsewhere", "mars.yaml")
    started = instances.find(kind, Selection(file=file))
    assert instances.find_all(kind) == []
    for _ in range(2):
        instances.note_start(kind, started)
    assert instances.find_all(kind) == [started]
    assert instances.find(kind, Selection("mars")) == started
    assert instances.find(kind, Selection()) == started
    other: instances.Kind = "server" if kind == "node" else "node"
    assert instances.find_all(other) == []
    file.unlink()
    assert instances.find_all(kind) == []


def test_files_of_one_name_have_to_be_told_apart(machine: Path) -> None:
    files = [configuration(machine / name, "srv.yaml") for name in ("second", "third")]
    for file in files:
        instances.note_start("server", instances.find("server", Selection(file=file)))
    with pytest.raises(ConfigurationError) as refused:
        instances.find("server", Selection("srv"))
    assert all(str(file) in refused.value.message for file in files)
    usual = configuration(machine / "home/config/vantage6/server", "srv.yaml")
    assert instances.find("server", Selection("srv")).file == usual


def test_a_list_that_cannot_be_written_or_read_is_done_without(machine: Path) -> None:
    file = configuration(machine / "elsewhere", "mars.yaml")
    (machine / "home").mkdir()
    (machine / "home/data").write_text("a file where a folder should be")
    instances.note_start("node", instances.find("node", Selection(file=file)))
    assert instances.find_all("node") == []


def test_relative_paths_count_from_the_configuration_file(machine: Path) -> None:
    folder = machine / "elsewhere"
    folder.mkdir()
    server = folder / "srv.yaml"
    server.write_text(
        "application: {data_dir: data, directories: {log: ../log}, smtp: {ca_file: ca}}\n"
    )
    node = folder / "station.yaml"
    node.write_text(
        "application: {api_key: k, server_url: 'http://a', encryption: {enabled: no}, "
        "task_dir: tasks, directories: {log: ../log}}\n"
    )
    one = ServerInstance.find(Selection(file=Path("../elsewhere/srv.yaml")))
    assert (one.folder, one.log_folder) == (folder / "data", machine / "log")
    assert one.config.smtp is not None
    assert one.config.smtp.ca_file == str(folder / "ca")
    two = NodeInstance.find(Selection(file=Path("../elsewhere/station.yaml")))
    assert (two.data, two.log_file.parent) == (folder / "tasks", machine / "log")


def _server(folder: Path) -> Path:
    file = configuration(folder, "srv.yaml")
    ServerInstance.find(Selection(file=file)).prepare()
    return file


def _node(folder: Path) -> Path:
    file = configuration(folder, "srv.yaml")
    file.write_text(
        "application: {api_key: k, server_url: 'http://a', encryption: {enabled: no}}\n"
    )
    NodeInstance.find(Selection(file=file)).prepare()
    return file


@pytest.mark.parametrize(
    ("make", "find"), [(_server, ServerInstance.find), (_node, NodeInstance.find)]
)
def test_two_files_of_one_name_do_not_share_a_data_folder(
    machine: Path, make: Callable[[Path], Path], find: Callable[[Selection], object]
) -> None:
    second = make(machine / "second")
    third = configuration(machine / "third", "srv.yaml")
    third.write_text(second.read_text())
    with pytest.raises(ConfigurationError, match="belongs to") as refused:
        find(Selection(file=third))
    assert str(second) in refused.value.message
    # One that was moved takes its folder along, and one that has another folder now lets it go.
    find(Selection(file=second))
    second.write_text(
        second.read_text().replace("application: {", "application: {directories: {data: x}, ")
    )
    find(Selection(file=third))
    second.unlink()
    find(Selection(file=third))


def test_file_comes_before_the_name(machine: Path) -> None:
    configuration(machine / "home/config/vantage6/node", "mine.yaml")
    file = configuration(machine / "elsewhere", "other.yaml")
    found = instances.find("node", Selection("mine", file))
    assert (found.file, found.name, found.scope) == (file, "other", "user")


def test_file_in_a_folder_of_the_system_belongs_to_the_system(machine: Path) -> None:
    file = configuration(machine / "system/config/vantage6/node", "mine.yaml")
    assert instances.find("node", Selection(file=file)).system
    assert not instances.find("node", Selection(file=file, system=False)).system


def test_only_configuration_needs_no_name(machine: Path) -> None:
    configuration(machine / "home/config/vantage6/node", "mine.yaml")
    configuration(machine / "here", "something-else.yaml")
    assert instances.find("node", Selection()).name == "mine"


def test_several_are_named_in_the_error(machine: Path) -> None:
    for name in ("one", "two"):
        configuration(machine / "home/config/vantage6/node", f"{name}.yaml")
    with pytest.raises(ConfigurationError, match="Name one with -n: one, two"):
        instances.find("node", Selection())
    with pytest.raises(ConfigurationError, match="there are: one, two"):
        instances.find("node", Selection("three"))


def test_name_cannot_lead_out_of_the_folders(machine: Path) -> None:
    configuration(machine / "home/config/vantage6", "outside.yaml")
    with pytest.raises(ConfigurationError, match="There is no node"):
        instances.find("node", Selection("../outside"))


@pytest.mark.parametrize("name", ["", "../a", "a/b", ".hidden", "naïve"])
def test_new_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be a name"):
        instances.check_name(name)


def test_spaces_in_a_new_name_become_hyphens() -> None:
    assert instances.check_name(" my first node ") == "my-first-node"


def test_folder_that_is_closed_names_the_other_scope(machine: Path) -> None:
    (machine / "system").write_text("a file where a folder should be")
    with pytest.raises(ConfigurationError, match="use --user"):
        instances.writable_folder("server", system=True)


def test_both_scopes_are_listed(machine: Path) -> None:
    configuration(machine / "home/config/vantage6/server", "mine.yaml")
    configuration(machine / "system/config/vantage6/server", "ours.yaml")
    configuration(machine / "system/config/vantage6/server", "notes.txt")
    assert [(found.name, found.scope) for found in instances.find_all("server")] == [
        ("ours", "system"),
        ("mine", "user"),
    ]
