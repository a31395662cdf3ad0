"""What ``vnode release`` says, and what it does to outputs that wait."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner, Result

from tests.node.test_held_outputs import hold
from vantage6.common.errors import Conflict
from vantage6.node.cli import main
from vantage6.node.release.held_outputs import HeldOutputs

Vnode = Callable[..., Result]


@pytest.fixture
def vnode(tmp_path: Path) -> Vnode:
    """Give a function that runs a command on a strict node."""
    pd.DataFrame({"dose": [number * 1.2345678 for number in range(100)]}).to_csv(
        tmp_path / "a.csv", index=False
    )

    def run(*arguments: Any, mode: str = "enforce") -> Result:
        settings = {
            "api_key": "key",
            "server_url": "http://127.0.0.1",
            "encryption": {"enabled": False},
            "task_dir": str(tmp_path / "node"),
            "databases": {"default": str(tmp_path / "a.csv"), "far": "postgresql://h/d"},
            "policies": {"allowed_algorithms": [".*"], "release": mode},
        }
        file = tmp_path / "station.yaml"
        file.write_text(yaml.safe_dump({"application": settings}))
        file.chmod(0o600)
        words = [str(word) for word in arguments]
        return CliRunner().invoke(main, [*words[:2], "--config", str(file), *words[2:]])

    return run


def test_a_held_output_is_listed_shown_and_released(vnode: Vnode, tmp_path: Path) -> None:
    assert "No output waits." in vnode("release", "list").output
    hold(tmp_path / "node", 5, b'{"a": "\x1b[31m"}')
    listed = vnode("release", "list").output
    assert "org 1" in listed
    assert "alice" in listed
    shown = vnode("release", "show", 5)
    assert shown.exit_code == 0
    assert "size at the whole output: Ask for less." in shown.output
    assert "\x1b" not in shown.output
    assert r"\u001b[31m" in shown.output
    copy = tmp_path / "copy"
    assert vnode("release", "show", 5, "--output", copy).exit_code == 0
    assert copy.read_bytes() == b'{"a": "\x1b[31m"}'
    assert copy.stat().st_mode & 0o077 == 0
    assert vnode("release", "approve", 5).exit_code == 0
    assert "No output waits." in vnode("release", "list").output
    answer = HeldOutputs(tmp_path / "node").answer(5)
    assert answer is not None
    assert answer.decision == "released"
    assert answer.by


def test_a_refusal_is_told_and_the_first_answer_counts(vnode: Vnode, tmp_path: Path) -> None:
    hold(tmp_path / "node")
    assert vnode("release", "refuse", 5, "--reason", "Merge levels.").exit_code == 0
    again = vnode("release", "approve", 5)
    assert again.exit_code not in (0, 2)
    assert "has refused the output of result 5 already" in again.output
    with pytest.raises(Conflict):
        HeldOutputs(tmp_path / "node").release(5, "x")


def test_what_is_not_held_is_said(vnode: Vnode) -> None:
    for command in ("show", "approve", "refuse"):
        failed = vnode("release", command, 5)
        assert failed.exit_code not in (0, 2)
        assert "No output of result 5 is held" in failed.output


def test_the_rules_are_explained_offline(vnode: Vnode, tmp_path: Path) -> None:
    output = tmp_path / "output.json"
    output.write_text(json.dumps({"patients": [number * 1.2345678 for number in range(3)]}))
    found = vnode("release", "test", "--database", "default", output)
    assert found.exit_code == 1
    assert "100 rows of default are compared with." in found.output
    assert "refused   unique_cell at /patients/1" in found.output
    assert "The output would be refused." in found.output
    warned = vnode("release", "test", "--database", "default", output, mode="warn")
    assert warned.exit_code == 0
    assert "The output would leave, since" in warned.output
    output.write_text('{"n": 100}')
    assert vnode("release", "test", "--database", "default", output).exit_code == 0
    assert "cannot read far" in vnode("release", "test", "--database", "far", output).output
    assert "no database 'x'" in vnode("release", "test", "--database", "x", output).output


def test_a_card_makes_the_rules_count(vnode: Vnode, tmp_path: Path) -> None:
    card = tmp_path / "card.json"
    card.write_text(
        json.dumps(
            {
                "card": 1,
                "name": "mine",
                "version": "1",
                "functions": [{"name": "rows", "kind": "partial"}],
            }
        )
    )
    output = tmp_path / "output.json"
    output.write_text(json.dumps([f"level {number}" for number in range(50)]))
    words = ("release", "test", "--card", card, "--function", "rows", output)
    found = vnode(*words, mode="warn")
    assert found.exit_code == 1
    assert "The output would be held." in found.output


def test_an_output_is_held_to_what_its_card_says(vnode: Vnode, tmp_path: Path) -> None:
    card, output = tmp_path / "card.json", tmp_path / "output"
    shares = [{"path": "/n", "class": "count"}, {"path": "/sum", "class": "sum", "of": "/n"}]
    functions = [{"name": "part", "kind": "partial", "shares": shares}]
    card.write_text(json.dumps({"card": 1, "name": "sums", "version": "1", "functions": functions}))
    test = ("release", "test", "--card", card, "--function", "part", output)
    output.write_text('json.{"n": 3, "sum": 63.0}')
    few = vnode(*test)
    assert few.exit_code == 1
    assert "count_below_cell at /n" in few.output
    assert "too_few_records at /sum" in few.output
    output.write_text('json.{"n": 30, "sum": 630.0}')
    assert vnode(*test).exit_code == 0
    output.write_text('json.{"n": 300, "sum": 630.0}')
    compared = vnode(*test[:2], "--database", "default", *test[2:])
    assert "count_beyond_data at /n" in compared.output


def test_the_sum_of_a_column_that_one_record_makes_up_stays(vnode: Vnode, tmp_path: Path) -> None:
    incomes = [100.5 + number for number in range(99)] + [1e6]
    pd.DataFrame({"income": incomes}).to_csv(tmp_path / "incomes.csv", index=False)
    card, output = tmp_path / "card.json", tmp_path / "output"
    shares = [{"path": "/n", "class": "count"}, {"path": "/sum", "class": "sum", "of": "/n"}]
    functions = [{"name": "part", "kind": "partial", "shares": shares}]
    card.write_text(json.dumps({"card": 1, "name": "sums", "version": "1", "functions": functions}))
    output.write_text(json.dumps({"n": 100, "sum": sum(incomes)}))
    options = ("--card", card, "--function", "part", "--database", "default", output)
    assert "dominance" not in vnode("release", "test", *options).output
    (tmp_path / "incomes.csv").replace(tmp_path / "a.csv")
    said = vnode("release", "test", *options)
    assert said.exit_code == 1
    assert "dominance at /sum" in said.output
