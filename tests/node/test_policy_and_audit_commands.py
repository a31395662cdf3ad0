"""What ``vnode policy`` and ``vnode audit`` say."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from vantage6.node.cli import main
from vantage6.node.rules.audit import FILE_NAME, Audit

Vnode = Callable[..., Result]


@pytest.fixture
def vnode(tmp_path: Path) -> Vnode:
    """Give a function that runs a command on a node with a policy."""
    settings = {
        "api_key": "key",
        "server_url": "http://127.0.0.1",
        "encryption": {"enabled": False},
        "task_dir": str(tmp_path / "node"),
        "databases": {"default": "a.csv", "closed": "b.csv"},
        "policies": {
            "allowed_algorithms": ["a/.*", f"b/c@sha256:{'1' * 64}"],
            "allowed_users": [7, "alice"],
            "databases": {"default": ".*"},
            "max_input_bytes": 1000,
        },
    }
    file = tmp_path / "station.yaml"
    file.write_text(yaml.safe_dump({"application": settings}))
    file.chmod(0o600)

    def run(*arguments: Any) -> Result:
        words = [str(word) for word in arguments]
        return CliRunner().invoke(main, [*words[:2], "--config", str(file), *words[2:]])

    return run


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    """Give an audit file with three events."""
    folder = tmp_path / "node"
    folder.mkdir()
    audit = Audit(folder)
    audit.record("asked", result_id=5, image="=HYPERLINK(1)", organizations=[1, 2])
    audit.record("refused", result_id=5, code="image_not_allowed")
    audit.record("released", result_id=5, output_bytes=0)
    audit.close()
    return audit


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (
            ["--image", "a/x", "--init-user", 7, "--input-bytes", 5, "--data-format", "json"],
            0,
            "The task would run.",
        ),
        (["--image", "a/x", "--init-user", 7, "--data-format", "legacy"], 1, "pickle_not_allowed"),
        (["--image", "a/x", "--init-user", 7], 0, "Only if the input is JSON."),
        (["--image", "a/x", "--init-user", "alice"], 0, "No rule refuses it so far."),
        (["--image", "a/x", "--init-user", 8], 1, "initiator_not_allowed"),
        (["--image", "x/x", "--init-user", 7], 1, "image_not_allowed"),
        (["--image", "b/c:2", "--init-user", 7], 0, "has a digest that is listed"),
        (
            ["--image", "b/c:2", "--init-user", 7, "--digest", f"sha256:{'2' * 64}"],
            1,
            "image_not_allowed",
        ),
        (["--image", "a/x", "--init-user", 7, "--database", "closed"], 1, "database_not_allowed"),
        (["--image", "a/x", "--init-user", 7, "--database", "typo"], 1, "unknown_database"),
        (["--image", "a/x", "--init-user", 7, "--input-bytes", 2000], 1, "input_too_large"),
    ],
)
def test_policy_is_explained_rule_by_rule(
    vnode: Vnode, options: list[Any], code: int, said: str
) -> None:
    done = vnode("policy", "test", *options)
    assert done.exit_code == code, done.output
    assert said in done.output
    for rule in (
        "policies.allowed_algorithms",
        "policies.allowed_users",
        "max_input_bytes",
        "allow_pickle",
    ):
        assert rule in done.output


def test_it_is_told_whether_a_person_would_look_first(vnode: Vnode, tmp_path: Path) -> None:
    asked = ("--image", "a/x", "--init-user", 7, "--function", "mean")
    assert "no person has to approve it" in vnode("policy", "test", *asked).output
    file = tmp_path / "station.yaml"
    settings = yaml.safe_load(file.read_text())
    settings["application"]["policies"]["approval"] = {
        "rules": [{"function": "mean", "ask": "always"}]
    }
    file.write_text(yaml.safe_dump(settings))
    said = vnode("policy", "test", *asked).output
    assert "policies.approval.rules, number 1: a person has to approve it, unless a grant" in said


def test_digest_that_is_none_is_refused(vnode: Vnode) -> None:
    done = vnode("policy", "test", "--image", "a/x", "--digest", "sha256:2")
    assert done.exit_code == 10
    assert "--digest" in done.output


def test_whole_audit_file_is_told_with_its_head(vnode: Vnode, audit: Audit) -> None:
    done = vnode("audit", "verify")
    assert done.exit_code == 0, done.output
    assert f"3 lines are whole. Head: {audit.head}" in done.output
    assert vnode("audit", "verify", "--head", str(audit.head)).exit_code == 0


def test_changed_and_shortened_audit_files_are_told(
    vnode: Vnode, audit: Audit, tmp_path: Path
) -> None:
    path = tmp_path / "node" / FILE_NAME
    whole = path.read_text()
    path.write_text(whole.replace("image_not_allowed", "image_not_found"))
    done = vnode("audit", "verify")
    assert done.exit_code == 14
    assert "line 3" in done.output
    path.write_text("".join(whole.splitlines(keepends=True)[:2]))
    assert vnode("audit", "verify").exit_code == 14
    (path.parent / "audit.head").unlink()
    assert "lines missing at the end cannot be seen" in vnode("audit", "verify").output
    assert vnode("audit", "verify", "--head", str(audit.head)).exit_code == 14
    assert vnode("audit", "verify", "--head", "rubbish").exit_code == 10


def test_audit_file_is_exported(vnode: Vnode, audit: Audit) -> None:
    done = vnode("audit", "export")
    assert [json.loads(line)["event"] for line in done.output.splitlines()] == [
        "asked",
        "refused",
        "released",
    ]
    assert vnode("audit", "export", "--since", "2100-01-01").output == ""
    rows = list(csv.DictReader(io.StringIO(vnode("audit", "export", "--format", "csv").output)))
    assert rows[1]["code"] == "image_not_allowed"
    assert rows[0]["organizations"] == "[1, 2]"
    # A program for tables would compute it.
    assert rows[0]["image"] == "'=HYPERLINK(1)"


def test_node_that_never_ran_has_no_audit_file(vnode: Vnode) -> None:
    assert vnode("audit", "verify").exit_code == 10
