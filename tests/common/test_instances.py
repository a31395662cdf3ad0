"""Where configurations are looked for, and how one is chosen."""

from pathlib import Path

import pytest

from vantage6.common.config import instances
from vantage6.common.errors import ConfigurationError
from vantage6.common.selection import Selection


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


def test_current_folder_is_searched_last(machine: Path) -> None:
    here = configuration(machine / "here", "mine.yaml")
    assert instances.find("node", Selection("mine")).file == here
    known = configuration(machine / "home/config/vantage6/node", "mine.yaml")
    assert instances.find("node", Selection("mine")).file == known


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
        instances.checked_name(name)


def test_spaces_in_a_new_name_become_hyphens() -> None:
    assert instances.checked_name(" my first node ") == "my-first-node"


def test_folder_that_is_closed_names_the_other_scope(machine: Path) -> None:
    (machine / "system").write_text("a file where a folder should be")
    with pytest.raises(ConfigurationError, match="use --user"):
        instances.writable_folder("server", system=True)


def test_both_scopes_are_listed(machine: Path) -> None:
    configuration(machine / "home/config/vantage6/server", "mine.yaml")
    configuration(machine / "system/config/vantage6/server", "ours.yaml")
    configuration(machine / "system/config/vantage6/server", "notes.txt")
    assert [(found.name, found.scope) for found in instances.listed("server")] == [
        ("ours", "system"),
        ("mine", "user"),
    ]
