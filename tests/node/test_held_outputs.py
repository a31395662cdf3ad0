"""An output that waits for a person is decided about once, and exactly those bytes leave."""

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.node.factories import make_claim
from vantage6.common import clock
from vantage6.common.disclosure.verdicts import Finding, Verdict
from vantage6.common.errors import Conflict, Invalid, NotFound
from vantage6.node.proxy.tokens import Tokens
from vantage6.node.release.held_outputs import HeldOutputs
from vantage6.node.release.judge import Question, judge
from vantage6.node.release.judgements import (
    MOST_FINDINGS,
    Judgement,
    read_judgement,
    write_judgement,
)
from vantage6.node.rules.audit import hash_of
from vantage6.node.spool.spool import Entry, Spool

HELD = Finding("size", "", Verdict.HELD, "Ask for less.")
REFUSED = Finding("cell", "/a", Verdict.REFUSED, "Ask for a mean.")


def hold(folder: Path, result_id: int = 5, output: bytes = b"exact", seconds: float = 60) -> Entry:
    """Put an output on disk that is held."""
    entry = Spool(folder).create(make_claim(result_id))
    entry.prepare(b"", Tokens("a", "b"))
    (entry.io / "output").write_bytes(output)
    question = Question(is_strict=True)
    until = (clock.now() + timedelta(seconds=seconds)).isoformat()
    judgement = judge(entry.io / "output", question, [lambda _, __: [HELD]])
    write_judgement(entry.folder, replace(judgement, until=until))
    return entry


def test_a_held_output_is_listed_with_its_findings_and_its_bytes(tmp_path: Path) -> None:
    hold(tmp_path)
    outputs = HeldOutputs(tmp_path)
    (held,) = outputs.list()
    assert (held.result_id, held.organization, held.user) == (5, "org 1", "alice")
    assert held.findings == (HELD,)
    assert (held.output_bytes, held.output_hash) == (5, hash_of(b"exact"))
    assert outputs.content(5) == b"exact"


def test_a_damaged_file_hides_no_other_output(tmp_path: Path) -> None:
    hold(tmp_path)
    for result_id, name in ((6, "entry.json"), (7, "judgement.json")):
        (hold(tmp_path, result_id).folder / name).write_text("{")
    assert [held.result_id for held in HeldOutputs(tmp_path).list()] == [5]


@pytest.mark.parametrize(
    "content",
    ["{", "[1]", '{"decision": "refusedX", "by": "bob", "at": "2026-05-03T08:00:00+00:00"}'],
)
def test_what_cannot_be_read_as_an_answer_is_none(content: str, tmp_path: Path) -> None:
    (hold(tmp_path).folder / "answer.json").write_text(content)
    outputs = HeldOutputs(tmp_path)
    assert outputs.answer(5) is None
    assert [held.result_id for held in outputs.list()] == [5]
    outputs.refuse(5, "ann", "No.")
    answer = outputs.answer(5)
    assert answer is not None
    assert answer.decision == "refused"


def test_the_first_answer_stays_and_survives_the_process(tmp_path: Path) -> None:
    hold(tmp_path)
    HeldOutputs(tmp_path).release(5, "ann")
    with pytest.raises(Conflict, match="ann has released"):
        HeldOutputs(tmp_path).refuse(5, "bob", "No.")
    assert HeldOutputs(tmp_path).list() == []
    answer = HeldOutputs(tmp_path).answer(5)
    assert answer is not None
    assert (answer.decision, answer.by) == ("released", "ann")


def test_a_refusal_keeps_the_sentence_for_the_researcher(tmp_path: Path) -> None:
    hold(tmp_path)
    HeldOutputs(tmp_path).refuse(5, "ann", "Merge the levels.")
    answer = HeldOutputs(tmp_path).answer(5)
    assert answer is not None
    assert (answer.decision, answer.sentence) == ("refused", "Merge the levels.")


def test_of_many_answers_at_once_one_counts(tmp_path: Path) -> None:
    hold(tmp_path)
    outcomes: list[str] = []

    def decide(name: str) -> None:
        try:
            HeldOutputs(tmp_path).release(5, name)
        except Conflict:
            outcomes.append("")
        else:
            outcomes.append(name)

    threads = [threading.Thread(target=decide, args=(f"p{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = filter(None, outcomes)
    answer = HeldOutputs(tmp_path).answer(5)
    assert answer is not None
    assert answer.by == winner


def test_other_bytes_than_those_that_were_judged_are_not_released(tmp_path: Path) -> None:
    entry = hold(tmp_path)
    (entry.io / "output").write_bytes(b"other")
    with pytest.raises(Conflict, match="not the one that was judged"):
        HeldOutputs(tmp_path).release(5, "ann")
    assert HeldOutputs(tmp_path).answer(5) is None


def test_a_link_in_the_place_of_the_output_is_not_followed(tmp_path: Path) -> None:
    entry = hold(tmp_path)
    (tmp_path / "secret").write_bytes(b"exact")
    (entry.io / "output").unlink()
    (entry.io / "output").symlink_to(tmp_path / "secret")
    with pytest.raises(OSError, match="not a plain file"):
        HeldOutputs(tmp_path).content(5)


def test_an_output_that_waited_too_long_is_not_released(tmp_path: Path) -> None:
    hold(tmp_path, seconds=0)
    outputs = HeldOutputs(tmp_path)
    with pytest.raises(Conflict, match="waited too long"):
        outputs.release(5, "ann")
    (held,) = outputs.list()
    assert clock.parse(held.until) <= clock.now()


def test_what_is_not_held_cannot_be_decided_about(tmp_path: Path) -> None:
    outputs = HeldOutputs(tmp_path)
    with pytest.raises(NotFound):
        outputs.release(5, "ann")
    Spool(tmp_path).create(make_claim(6))
    with pytest.raises(NotFound):
        outputs.refuse(6, "ann")
    hold(tmp_path, 7)
    with pytest.raises(Invalid):
        outputs.refuse(7, "ann", "x" * 5000)


def test_what_the_server_withdraws_is_held_no_more(tmp_path: Path) -> None:
    hold(tmp_path).delete()
    assert HeldOutputs(tmp_path).list() == []


def test_the_strictest_finding_decides_and_nothing_counts_without_enforcement() -> None:
    for is_enforced, verdict in ((True, Verdict.REFUSED), (False, Verdict.PASS)):
        judgement = Judgement.of((HELD, REFUSED), 1, "h", "now", is_enforced=is_enforced)
        assert judgement.verdict is verdict
        assert judgement.findings == (REFUSED, HELD)
    assert Judgement.of((), 1, "h", "now").verdict is Verdict.PASS


def test_an_image_with_a_card_is_always_enforced() -> None:
    assert not Question().is_enforced
    assert Question(is_strict=True).is_enforced
    assert Question(card={}).is_enforced


def test_a_judgement_survives_on_disk_and_is_bounded(tmp_path: Path) -> None:
    many = tuple(Finding("cell", f"/{i}", Verdict.HELD, "") for i in range(MOST_FINDINGS))
    judgement = Judgement.of((*many, REFUSED), 1, "h", "now")
    write_judgement(tmp_path, judgement)
    found = read_judgement(tmp_path)
    assert found == judgement
    assert found.findings[0] == REFUSED
    assert len(found.findings) == MOST_FINDINGS


def test_of_a_judgement_that_cannot_be_read_nothing_is_assumed(tmp_path: Path) -> None:
    assert read_judgement(tmp_path) is None
    for content in (b"", b"{}", b'{"verdict": "pass"}', b"[]"):
        (tmp_path / "judgement.json").write_bytes(content)
        with pytest.raises(OSError, match="no judgement"):
            read_judgement(tmp_path)
