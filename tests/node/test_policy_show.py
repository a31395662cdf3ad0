"""``vnode policy show`` answers what may run here without a look at the file."""

from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner

from vantage6.node.cli import main


def shown(tmp_path: Path, **settings: Any) -> list[list[str]]:
    """Return the words of each line, names apart from values."""
    file = tmp_path / "station.yaml"
    content = {
        "api_key": "key",
        "server_url": "http://127.0.0.1",
        "encryption": {"enabled": False},
        "task_dir": str(tmp_path / "node"),
        "databases": {"default": "a.csv", "closed": "b.csv"},
        **settings,
    }
    file.write_text(yaml.safe_dump({"application": content}))
    file.chmod(0o600)
    done = CliRunner().invoke(main, ["policy", "show", "--config", str(file)])
    assert done.exit_code == 0, done.output
    return [line.split(maxsplit=1) for line in done.output.replace("database ", "db_").splitlines()]


def test_every_image_user_and_database_has_a_line(tmp_path: Path) -> None:
    policies = {
        "allowed_algorithms": ["a/.*", "b/c:1"],
        "allowed_users": ["alice"],
        "databases": {"default": ".*"},
        "max_input_bytes": 1000,
        "functions": {"a/.*": ["average_.*"]},
    }
    lines = shown(tmp_path, policies=policies)
    assert lines[:8] == [
        ["images", "a/.*"],
        ["images", "b/c:1"],
        ["organizations", "all of the collaboration"],
        ["users", "alice"],
        ["db_closed", "no image"],
        ["db_default", ".*"],
        ["max_input_bytes", "1000"],
        ["functions", "a/.*: average_.*"],
    ]
    assert [line[0] for line in lines[8:]] == ["Floors", "Outputs", "The"], (
        "and which version counts"
    )


def test_it_says_what_becomes_of_outputs(tmp_path: Path) -> None:
    for policies, said in (
        (None, "if the image has a card"),
        ({"release": "warn"}, "if the image has a card"),
        ({"release": "enforce"}, "for every image"),
    ):
        lines = shown(tmp_path, **({} if policies is None else {"policies": policies}))
        assert [said in line[1] for line in lines if line[0] == "Outputs"] == [True]


def test_a_station_without_rules_says_that_any_image_may_run(tmp_path: Path) -> None:
    assert shown(tmp_path)[0] == ["images", "ANY: `policies` is not written"]


def test_an_empty_list_of_images_lets_none_run(tmp_path: Path) -> None:
    assert shown(tmp_path, policies={})[0] == ["images", "none"]


def test_the_old_form_of_the_list_is_shown(tmp_path: Path) -> None:
    lines = shown(tmp_path, allowed_images=["a/b"])
    assert ["allowed_images", "a/b"] in lines
    assert "images" not in {name for name, *_ in lines}


def test_the_requests_that_a_person_looks_at_are_shown(tmp_path: Path) -> None:
    rules = [{"function": "mean", "database": "default", "ask": "never"}]
    policies = {
        "allowed_algorithms": ".*",
        "approval": {"default": "always", "rules": rules},
        "four_eyes": True,
    }
    lines = shown(tmp_path, policies=policies)
    assert ["approval", "never: function mean, db_default"] in lines
    assert ["approval", "always: everything else"] in lines
    assert ["four_eyes", "True"] in lines
    assert not [line for line in shown(tmp_path, policies={}) if line[0] == "approval"]
