"""Outputs of images with a card: small numbers stay or are hidden, and answers are compared."""

import base64
import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.node.conftest import MakeContext, MakeScheduler
from tests.node.factories import IMAGE, make_config
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.common.cards import parse, write_label
from vantage6.node.release import walk
from vantage6.node.release.held_outputs import HeldOutputs
from vantage6.node.release.hiding import read_hidden
from vantage6.node.rules.audit import entries
from vantage6.node.runtime.base import Image
from vantage6.node.runtime.process import ProcessRuntime
from vantage6.node.work import judging, judging_by_card

CARD = parse(
    {
        "card": 1,
        "name": "groups",
        "version": "1.0.0",
        "functions": [
            {
                "name": "part",
                "kind": "partial",
                "arguments": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "column": {"type": "string", "x-is": "column"},
                        "older_than": {"type": "number"},
                    },
                },
                "shares": [
                    {"path": "/n", "class": "count"},
                    {"path": "/sum", "class": "sum", "of": "/n"},
                    {"path": "/t/*", "class": "frequency_table", "masked": "/hidden"},
                    {"path": "/hidden", "class": "status"},
                ],
            }
        ],
    }
)
DIGEST = f"sha256:{'1' * 64}"
RULES = {"allowed_algorithms": ".*", "direct_partials": [".*"]}
#: Answers what the file of its arguments says.
ANSWER = (
    "import json, os; said = json.loads(open(os.environ['INPUT_FILE']).read()[5:]);"
    "open(os.environ['OUTPUT_FILE'], 'w').write("
    "'json.' + open('{folder}/' + str(said['kwargs']['older_than'])).read())"
)


class Labelled(ProcessRuntime):
    """A runtime whose programs have a card, as images have one in a label."""

    def fetch(
        self,
        image: str,
        cancelled: Callable[[], bool],
        pulling: AbstractContextManager[None] = nullcontext(),
        registries: Any = None,
    ) -> Image:
        """Return the program with the card."""
        found = super().fetch(image, cancelled, pulling, registries)
        return Image(found.id, frozenset({DIGEST}), write_label(CARD))


@pytest.fixture(autouse=True)
def _database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have data of sixty records."""

    def write_database(folder: Path) -> Path:
        path = folder / "patients.csv"
        if not path.exists():
            path.write_text("age\n" + "".join(f"{20 + number % 7}\n" for number in range(60)))
        return path

    monkeypatch.setattr("tests.node.contexts.write_database", write_database)


Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(
    wire: Wire, make_scheduler: MakeScheduler, make_context: MakeContext, tmp_path: Path
) -> Ask:
    """Give a function that has the node compute an answer, and returns the result."""
    answers = tmp_path / "answers"
    answers.mkdir()
    command = ("python3", "-c", ANSWER.replace("{folder}", str(answers)))
    config = make_config(processes={IMAGE: command})
    runtime = Labelled(tmp_path / "labelled", config.processes, config.limits)
    scheduler = make_scheduler(make_context(policies=RULES, runtime=runtime))
    asked: list[int] = []

    def end(answer: Any, column: str = "age", **task: Any) -> dict[str, Any]:
        id_ = 5 + len(asked)
        asked.append(id_)
        (answers / str(id_)).write_text(answer if isinstance(answer, str) else json.dumps(answer))
        wire.add(id_, **task)
        input_ = {"method": "part", "kwargs": {"column": column, "older_than": id_}}
        sent = b"json." + json.dumps(input_).encode()
        wire.results[id_]["input"] = base64.b64encode(sent).decode()
        scheduler.accept(id_)
        ended = ("completed", "not allowed", "crashed", "failed")
        eventually(lambda: id_ in wire.ids(*ended))
        return wire.results[id_]

    return end


def content(result: dict[str, Any]) -> Any:
    """Return what left."""
    return json.loads(base64.b64decode(result["result"]).removeprefix(b"json."))


def audit(folder: Path, event: str) -> list[dict[str, Any]]:
    return [e for e in entries(folder / "data" / "audit.jsonl") if e["event"] == event]


def test_a_sum_of_few_records_stays(ask: Ask, tmp_path: Path) -> None:
    result = ask({"n": 3, "sum": 66.0})
    assert result["status"] == "not allowed"
    assert result["reason"]["code"] == "output_refused"
    assert "66" not in json.dumps(result["reason"])
    assert not result.get("result")
    (judged,) = audit(tmp_path, "judged")
    assert {found["rule"] for found in judged["findings"]} >= {"count_below_cell"}


def test_sums_of_enough_records_leave(ask: Ask) -> None:
    answer = {"n": 50, "sum": 1150.0}
    assert content(ask(answer)) == answer


def test_small_cells_are_hidden_and_said(ask: Ask, tmp_path: Path) -> None:
    result = ask({"n": 50, "t": [2, 20, 28], "hidden": 0})
    assert result["status"] == "completed"
    assert content(result) == {"n": 50, "t": [None, None, 28], "hidden": 2}
    (judged,) = audit(tmp_path, "judged")
    assert judged["verdict"] == "mitigated"
    (released,) = audit(tmp_path, "released")
    assert released["output_hash"] == judged["output_hash"]


def test_an_answer_that_is_nested_too_deeply_stays(ask: Ask) -> None:
    assert ask('{"n": 50, "t": ' + "[" * 900 + "]" * 900 + "}")["status"] == "not allowed"


def test_spaces_and_ways_to_write_a_number_carry_nothing(ask: Ask) -> None:
    result = ask('{"n":  5e1,\t\n "sum": 1150.000, "t": [], "hidden": 0}  ')
    sent = base64.b64decode(result["result"])
    assert sent == b'json.{"n": 50.0, "sum": 1150.0, "t": [], "hidden": 0}'


def test_what_the_card_does_not_name_stays(ask: Ask) -> None:
    result = ask({"n": 50, "ages": [20, 21]})
    assert "undeclared" in result["reason"]["msg"]


@pytest.mark.parametrize("answer", ["null", '{"n": 50, "n": 3}', "n,sum\n3,66\n", "\ufeff{}"])
def test_an_answer_that_is_no_json_for_all_readers_stays(ask: Ask, answer: str) -> None:
    result = ask(answer)
    assert "not_json" in result["reason"]["msg"]


def test_two_groups_that_differ_by_one_record_do_not_both_leave(ask: Ask) -> None:
    assert ask({"n": 50, "sum": 1150.0})["status"] == "completed"
    near = ask({"n": 49, "sum": 1127.0})
    assert near["status"] == "not allowed"
    assert "near_an_earlier_answer" in near["reason"]["msg"]
    # The same group, another one, and the same column asked for by another organization.
    assert ask({"n": 50, "sum": 1150.0})["status"] == "completed"
    assert ask({"n": 44, "sum": 1012.0})["status"] == "completed"
    assert ask({"n": 49, "sum": 1127.0}, initiator=2)["status"] == "completed"
    assert ask({"n": 49, "sum": 10.0}, column="height")["status"] == "completed"


def test_cells_that_were_hidden_stay_hidden_after_a_crash(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The node fails after it has hidden cells, before there is a verdict."""
    judge = judging.judge
    seen: list[Any] = []

    def fail_once(output: Path, *known: Any) -> Any:
        seen.append(read_hidden(output.parent.parent))
        if len(seen) == 1:
            raise OSError("no room")
        return judge(output, *known)

    monkeypatch.setattr(judging, "judge", fail_once)
    result = ask({"n": 50, "t": [2, 20, 28], "hidden": 0})
    assert content(result) == {"n": 50, "t": [None, None, 28], "hidden": 2}
    assert len(seen) == 2
    assert seen[0] == seen[1] != ()
    assert {judged["verdict"] for judged in audit(tmp_path, "judged")} == {"mitigated"}


@pytest.mark.parametrize("step", ["judge_by_card", "rewrite_output", "_describe"])
def test_a_defect_before_the_judgement_holds_the_output(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, step: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(judging_by_card, step, fail)
    # No person decides in time.
    monkeypatch.setattr(HeldOutputs, "has_expired", lambda *_: True)
    assert ask({"n": 50, "sum": 1150.0})["reason"]["code"] == "release_expired"
    (judged,) = audit(tmp_path, "judged")
    assert judged["verdict"] == "held"
    assert [found["rule"] for found in judged["findings"]] == ["not_judged"]


def test_what_the_rules_without_a_card_refused_has_answered_nothing(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as refusing:
        refusing.setattr(judging, "all_checks", lambda _: (lambda *_: [walk.found("row_like")],))
        assert ask({"n": 30, "sum": 700.5})["status"] == "not allowed"
    assert ask({"n": 29, "sum": 670.25})["status"] == "completed"


def test_answers_are_compared_by_the_data_with_which_they_began(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask({"n": 30, "sum": 700.5})["status"] == "completed"
    judge = judging.judge

    def judge_after_a_change(*args: Any) -> Any:
        with (tmp_path / "patients.csv").open("a") as file:
            file.write("25\n")
        return judge(*args)

    with monkeypatch.context() as changing:
        changing.setattr(judging, "judge", judge_after_a_change)
        changing.setattr(judging, "_data", lambda *_: None)
        assert ask({"n": 29, "sum": 670.25})["status"] == "not allowed"
