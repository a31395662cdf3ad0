"""Requests that wait for a person: held, answered once, kept on disk until their result is gone."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from vantage6.common import clock
from vantage6.common.errors import Conflict, Forbidden, Invalid, NotFound
from vantage6.node.requests import held
from vantage6.node.requests.folder import Damaged
from vantage6.node.requests.held import HeldRequest, HeldRequests, State
from vantage6.node.requests.held_request import Requester
from vantage6.node.requests.pause import Pause

DIGESTS = [f"sha256:{letter * 64}" for letter in "ab"]


def make_request(result_id: int = 5, seconds: float = 3600, **values: Any) -> HeldRequest:
    """Return a request that is to be held."""
    now = clock.now()
    standard: dict[str, Any] = {
        "result_id": result_id,
        "task_id": 3,
        "run_id": 1,
        "since": now.isoformat(),
        "until": (now + timedelta(seconds=seconds)).isoformat(),
        "requester": Requester(1, "org 1", 7, "alice", "ab:cd"),
        "image": "vantage6/average",
        "digests": tuple(DIGESTS[:1]),
        "function": "average",
        "is_central": True,
        "arguments": '{"column": "age"}',
        "input_bytes": 40,
        "input_hash": "0" * 64,
        "databases": ("default",),
    }
    return HeldRequest(**standard | values)


def test_a_held_request_is_there_for_its_owner_alone(tmp_path: Path):
    requests = HeldRequests(tmp_path)
    assert requests.list() == []
    request = requests.hold(make_request())
    assert HeldRequests(tmp_path).list() == [request]
    assert HeldRequests(tmp_path).get(5) == request
    for path in (tmp_path / "requests").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    with pytest.raises(NotFound, match="vnode requests"):
        requests.get(6)
    requests.forget(5)
    requests.forget(5)
    assert requests.list() == []


def test_the_first_answer_counts(tmp_path: Path):
    requests = HeldRequests(tmp_path)
    requests.hold(make_request())
    assert requests.approve(5, "bob", requests.get(5).code).state() is State.APPROVED
    for answer in (
        lambda: requests.approve(5, "carol", requests.get(5).code),
        lambda: requests.deny(5, "carol", "No."),
    ):
        with pytest.raises(Conflict, match="approved already"):
            answer()
    requests.hold(make_request(6))
    with pytest.raises(Invalid, match="Say why"):
        requests.deny(6, "bob", "  ")
    denied = requests.deny(6, "bob", "Not this column. " * 100)
    assert denied.denial is not None
    assert len(denied.denial.sentence) == held.MOST_SENTENCE
    with pytest.raises(Conflict, match="denied already"):
        requests.approve(6, "bob", "")


def test_nobody_approves_what_is_over(tmp_path: Path):
    requests = HeldRequests(tmp_path)
    requests.hold(make_request(seconds=-1))
    assert requests.get(5).state() is State.EXPIRED
    with pytest.raises(Conflict, match="expired already"):
        requests.approve(5, "bob", requests.get(5).code)


def test_four_eyes_are_those_of_two_people_and_none_are_the_requesters(tmp_path: Path):
    requests = HeldRequests(tmp_path)
    above = (Requester(2, "org 2", 8, "Dave"),)
    requests.hold(make_request(approvals_needed=2, above=above))
    for name in ("alice", "ALICE", "dave"):
        with pytest.raises(Forbidden, match="own request"):
            requests.approve(5, name, requests.get(5).code)
    assert requests.approve(5, "bob", requests.get(5).code).state() is State.WAITING
    for name in ("bob", " BOB"):
        with pytest.raises(Forbidden, match="another person"):
            requests.approve(5, name, requests.get(5).code)
    assert requests.approve(5, "carol", requests.get(5).code).state() is State.APPROVED


def test_answers_stay_for_the_same_request_and_for_no_other(tmp_path: Path):
    requests = HeldRequests(tmp_path)
    first = requests.hold(make_request())
    requests.approve(5, "bob", requests.get(5).code)
    again = requests.hold(make_request(seconds=9999))
    assert (again.state(), again.since, again.until) == (State.APPROVED, first.since, first.until)
    # The image is not looked up again, as with an engine that is away.
    assert requests.hold(make_request(digests=())).digests == tuple(DIGESTS[:1])
    for other in (
        {"input_hash": "1" * 64},
        {"image": "vantage6/other"},
        {"databases": ("other",)},
        {"requester": Requester(1, "org 1", 8, "eve", "ab:cd")},
        {"requester": Requester(1, "org 1", 7, "alice", "00:00")},
        {"above": (Requester(2),)},
        {"digests": tuple(DIGESTS[1:])},
        {"parties": (1, 2, 3)},
    ):
        requests.forget(5)
        requests.hold(make_request())
        requests.approve(5, "bob", requests.get(5).code)
        assert requests.hold(make_request(**other)).state() is State.WAITING, other


def test_an_approval_without_a_digest_is_not_for_the_image_that_comes(tmp_path: Path):
    requests = HeldRequests(tmp_path)
    first = requests.hold(make_request(digests=()))
    requests.approve(5, "bob", first.code)
    assert requests.hold(make_request(digests=())).state() is State.APPROVED
    fetched = requests.hold(make_request())
    assert (fetched.state(), fetched.approvals) == (State.WAITING, ())
    assert fetched.code != first.code
    with pytest.raises(Conflict, match="another code"):
        requests.approve(5, "bob", first.code)
    requests.approve(5, "bob", fetched.code)
    assert requests.hold(make_request()).state() is State.APPROVED
    # A denial is one of the request, with any image.
    requests.forget(5)
    requests.hold(make_request(digests=()))
    requests.deny(5, "bob", "No.")
    assert requests.hold(make_request()).state() is State.DENIED


def test_texts_from_outside_are_bounded(tmp_path: Path):
    requests = HeldRequests(tmp_path)
    long = "x" * 10**6
    asked = Requester(1, long, 7, long)
    request = make_request(image=long, arguments=long, requester=asked, above=(asked,))
    requests.hold(request)
    assert len((tmp_path / "requests/held/000000005.json").read_bytes()) < 10**5
    kept = requests.get(5)
    assert kept.is_cut
    requests.approve(5, "bob", requests.get(5).code)
    assert requests.hold(request).state() is State.APPROVED


def test_a_damaged_request_is_neither_approved_nor_shown(tmp_path: Path):
    requests = HeldRequests(tmp_path)
    for id_ in (5, 6, 7):
        requests.hold(make_request(id_))
    folder = tmp_path / "requests/held"
    (folder / "000000005.json").write_text("{")
    (folder / "000000006.json").rename(folder / "000000008.json")
    assert [request.result_id for request in requests.list()] == [7]
    for id_ in (5, 8):
        with pytest.raises(Damaged):
            requests.approve(id_, "bob", requests.get(id_).code)


def test_of_answers_at_the_same_moment_one_counts(tmp_path: Path):
    HeldRequests(tmp_path).hold(make_request())
    said = []

    def answer(name: str, says_yes: bool) -> None:
        try:
            requests = HeldRequests(tmp_path)
            _ = (
                requests.approve(5, name, requests.get(5).code)
                if says_yes
                else requests.deny(5, name, "No.")
            )
            said.append(name)
        except Conflict:
            pass

    people = [
        threading.Thread(target=answer, args=(f"person {number}", number % 2 == 0))
        for number in range(8)
    ]
    for person in people:
        person.start()
    for person in people:
        person.join()
    request = HeldRequests(tmp_path).get(5)
    by = request.denial.by if request.denial else request.approvals[0].by
    assert said == [by]


def test_a_pause_lasts_until_somebody_ends_it(tmp_path: Path):
    pause = Pause(tmp_path)
    assert not pause.is_on
    assert pause.last() is None
    assert pause.clear("bob") is None
    pause.set("bob", "Holiday")
    pause.set("carol", "Audit")
    last = Pause(tmp_path).last()
    assert last is not None
    assert (last.is_on, last.by, last.note) == (True, "bob", "Holiday")
    pause.clear("carol")
    last = Pause(tmp_path).last()
    assert last is not None
    assert (last.is_on, last.by) == (False, "carol")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"is_on": 0, "by": "", "at": ""}'])
def test_a_pause_that_cannot_be_read_is_on(content: str, tmp_path: Path):
    Pause(tmp_path).set("bob")
    (tmp_path / "requests/pause.json").write_text(content)
    assert Pause(tmp_path).is_on


def test_a_pause_of_which_nothing_is_known_is_on(tmp_path: Path):
    # As a file that root has written, and has not given to the node yet.
    (tmp_path / "requests/pause.json").mkdir(parents=True)
    assert Pause(tmp_path).is_on


class Holds(RuleBasedStateMachine):
    """Held requests beside a small model of them; every step may be the last of a process."""

    ids = st.integers(1, 3)
    people = st.sampled_from(["bob", "carol", "alice"])

    @initialize(tmp=st.just(None))
    def start(self, tmp: None) -> None:
        from tempfile import TemporaryDirectory

        self.folder = TemporaryDirectory()
        #: Result to needed approvals, approving people, and whether it is denied or over.
        self.model: dict[int, tuple[int, set[str], str]] = {}

    @property
    def requests(self) -> HeldRequests:
        """The requests as a new process sees them."""
        return HeldRequests(Path(self.folder.name))

    def state(self, id_: int) -> State:
        """Return the state that the model expects."""
        needed, people, word = self.model[id_]
        if word == "denied":
            return State.DENIED
        if len(people) >= needed:
            return State.APPROVED
        return State.EXPIRED if word == "over" else State.WAITING

    @rule(id_=ids, needed=st.sampled_from([1, 2]), is_over=st.booleans())
    def hold(self, id_: int, needed: int, is_over: bool) -> None:
        """Hold a request, or look at it again with other rules."""
        request = make_request(id_, -1 if is_over else 3600, approvals_needed=needed)
        kept = self.requests.hold(request)
        if id_ in self.model:
            _, people, word = self.model[id_]
            self.model[id_] = needed, people, word
        else:
            self.model[id_] = needed, set(), "over" if is_over else ""
        assert kept.state() is self.state(id_)

    @rule(id_=ids)
    def change(self, id_: int) -> None:
        """Let the server change the input."""
        if id_ in self.model:
            self.requests.hold(make_request(id_, input_hash="1" * 64))
            self.requests.hold(make_request(id_))
            self.model[id_] = 1, set(), ""

    @rule(id_=ids, by=people)
    def approve(self, id_: int, by: str) -> None:
        """Say yes."""
        try:
            self.requests.approve(id_, by, self.requests.get(id_).code)
        except (NotFound, Conflict):
            assert id_ not in self.model or self.state(id_) is not State.WAITING
            return
        except Forbidden:
            needed, people, _ = self.model[id_]
            assert self.state(id_) is State.WAITING
            assert needed == 2
            assert by == "alice" or by in people
            return
        assert self.state(id_) is State.WAITING
        self.model[id_][1].add(by)

    @rule(id_=ids, by=people)
    def deny(self, id_: int, by: str) -> None:
        """Say no."""
        try:
            self.requests.deny(id_, by, "No.")
        except (NotFound, Conflict):
            assert id_ not in self.model or self.state(id_) is not State.WAITING
            return
        assert self.state(id_) is State.WAITING
        needed, people, _ = self.model[id_]
        self.model[id_] = needed, people, "denied"

    @rule(id_=ids)
    def forget(self, id_: int) -> None:
        """Let the result leave the node."""
        self.requests.forget(id_)
        self.model.pop(id_, None)

    @invariant()
    def agree(self) -> None:
        """See in a new process what the model says."""
        found = {request.result_id: request.state() for request in self.requests.list()}
        assert found == {id_: self.state(id_) for id_ in self.model}

    def teardown(self) -> None:
        """Remove the folder."""
        if hasattr(self, "folder"):
            self.folder.cleanup()


TestHolds = Holds.TestCase
TestHolds.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
