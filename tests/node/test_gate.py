"""What may start at a station, beside a small model; each step may be the last of a process."""

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.node.test_grants import DIGESTS, make_asked, make_grant
from tests.node.test_held_requests import make_request
from vantage6.common import clock
from vantage6.common.errors import Conflict, Forbidden, NotFound
from vantage6.node.outcomes import RefusalError
from vantage6.node.requests.gate import Gate, HeldExecution, Terms
from vantage6.node.requests.grants import Limit
from vantage6.node.requests.held import State

IDS = st.integers(1, 4)
PEOPLE = st.sampled_from(["bob", "carol"])
MODES = st.sampled_from(["never", "first_use", "always"])
COLUMNS = ("age", "sex")


@dataclass
class Given:
    """A grant, as the model knows it."""

    column: str | None
    times: int | None
    people: set[str]
    used: set[int] = field(default_factory=set)

    def covers(self, id_: int, needed: int) -> bool:
        """Tell whether it lets a result run."""
        has_turns = self.times is None or id_ in self.used or len(self.used) < self.times
        fits = self.column in (None, COLUMNS[id_ % 2])
        return fits and has_turns and len(self.people) >= needed


class Station(RuleBasedStateMachine):
    """Four results that ask for the mean of one of two columns."""

    @initialize()
    def begin(self) -> None:
        self.folder = TemporaryDirectory()
        self.is_paused = False
        #: Approving people, by result that is held; None once it is denied.
        self.held: dict[int, set[str] | None] = {}
        self.needed: dict[int, int] = {}
        self.over: set[int] = set()
        self.grants: dict[str, Given] = {}
        self.lines: list[dict[str, Any]] = []

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()

    @property
    def gate(self) -> Gate:
        """The gate as a new process sees it."""
        return Gate(Path(self.folder.name))

    def record(self, event: str, **facts: Any) -> None:
        """Take a line for the audit."""
        self.lines.append({"event": event, **facts})

    def said(self, id_: int, mode: Any, needed: int, *, is_last: bool) -> str:
        """Ask, and return what the gate says."""
        column = COLUMNS[id_ % 2]
        request = make_request(
            id_,
            function="mean",
            arguments=f'{{"column": "{column}"}}',
            approvals_needed=needed,
            input_hash=column,
        )
        asked = make_asked(arguments={"column": column})
        try:
            self.gate.check(
                request, asked, Terms(mode, "policies.approval"), self.record, is_last=is_last
            )
        except HeldExecution as hold:
            return hold.reason.code
        except RefusalError as refusal:
            return refusal.reason.code
        return "starts"

    def expected(self, id_: int, mode: str, needed: int, *, is_last: bool) -> str:
        """Return what the gate has to say, and remember what comes of it."""
        if self.held.get(id_, set()) is None:
            return "approval_denied"
        if self.is_paused:
            return "station_paused"
        if mode == "never":
            return "starts"
        for given in self.grants.values():
            if given.covers(id_, needed):
                if is_last and given.times is not None:
                    given.used.add(id_)
                return "starts"
        people = self.held.setdefault(id_, set())
        self.needed[id_] = needed
        assert people is not None
        if len(people) >= needed:
            return "starts"
        return "approval_expired" if id_ in self.over else "awaiting_approval"

    @rule(id_=IDS, mode=MODES, needed=st.sampled_from([1, 2]), is_last=st.booleans())
    def ask(self, id_: int, mode: str, needed: int, is_last: bool) -> None:
        """Let a result try to start; what starts is computed and leaves."""
        was_approved = self.held.get(id_)
        covered = any(given.covers(id_, needed) for given in self.grants.values())
        expected = self.expected(id_, mode, needed, is_last=is_last)
        assert self.said(id_, mode, needed, is_last=is_last) == expected
        if expected == "starts" and is_last:
            is_new = mode == "first_use" and was_approved and not covered
            if is_new and was_approved is not None:
                known = set(self.grants)
                (id_of_grant,) = {one.id for one in self.gate.grants.list()} - known
                first, *others = sorted(was_approved)
                people = {first, *others[:1]}
                self.grants[id_of_grant] = Given(None, None, people)
            self.kill(id_)

    @rule(id_=IDS)
    def wait(self, id_: int) -> None:
        """Let the time of a held request be over."""
        if self.held.get(id_) is not None and id_ not in self.over:
            held = self.gate.held
            request = replace(held.get(id_), until=(clock.now() - timedelta(1)).isoformat())
            file = Path(self.folder.name) / f"requests/held/{id_:09d}.json"
            file.write_text(json.dumps(request.to_json()))
            self.over.add(id_)

    @rule(id_=IDS, by=PEOPLE)
    def approve(self, id_: int, by: str) -> None:
        """Say yes."""
        people = self.held.get(id_)
        is_open = people is not None and len(people) < self.needed[id_] and id_ not in self.over
        try:
            self.gate.held.approve(id_, by, self.gate.held.get(id_).code)
        except (NotFound, Conflict):
            assert not is_open
        except Forbidden:
            assert is_open
            assert people is not None
            assert by in people
        else:
            assert is_open
            assert people is not None
            people.add(by)

    @rule(id_=IDS, by=PEOPLE)
    def deny(self, id_: int, by: str) -> None:
        """Say no."""
        people = self.held.get(id_)
        is_open = people is not None and len(people) < self.needed[id_] and id_ not in self.over
        try:
            self.gate.held.deny(id_, by, "No.")
        except (NotFound, Conflict):
            assert not is_open
        else:
            assert is_open
            self.held[id_] = None

    @rule(id_=IDS)
    def kill(self, id_: int) -> None:
        """Withdraw a result at the server."""
        self.gate.forget(id_)
        self.held.pop(id_, None)
        self.over.discard(id_)

    @rule(column=st.sampled_from([None, *COLUMNS]), times=st.sampled_from([None, 1, 2]), by=PEOPLE)
    def grant(self, column: str | None, times: int | None, by: str) -> None:
        """Give a standing approval."""
        limits = None if column is None else {"column": Limit((column,))}
        given = self.gate.grants.add(make_grant(arguments=limits, times=times, by=by))
        self.grants[given.id] = Given(column, times, {by})

    @rule(number=st.integers(0, 3), by=PEOPLE)
    def confirm(self, number: int, by: str) -> None:
        """Confirm a grant as a second person."""
        if number < len(self.grants):
            id_, given = list(self.grants.items())[number]
            if by in given.people or len(given.people) == 2:
                with pytest.raises((Forbidden, Conflict)):
                    self.gate.grants.confirm(id_, by)
            else:
                self.gate.grants.confirm(id_, by)
                given.people.add(by)

    @rule(number=st.integers(0, 3))
    def revoke(self, number: int) -> None:
        """Take back a standing approval."""
        if number < len(self.grants):
            id_ = list(self.grants)[number]
            self.gate.grants.revoke(id_)
            del self.grants[id_]

    @rule(is_on=st.booleans())
    def pause(self, is_on: bool) -> None:
        """Pause the station, or let it go on."""
        _ = self.gate.pause.set("bob") if is_on else self.gate.pause.clear("bob")
        self.is_paused = is_on

    @invariant()
    def the_files_are_as_the_model(self) -> None:
        gate = self.gate
        assert {request.result_id for request in gate.held.list()} == set(self.held)
        for request in gate.held.list():
            people = self.held[request.result_id]
            is_denied = request.state() is State.DENIED
            assert is_denied is (people is None)
        assert [one.id for one in gate.grants.list()] == list(self.grants)

    @invariant()
    def what_is_ready_does_start_or_end(self) -> None:
        for id_, people in self.held.items():
            needed = self.needed[id_]
            may = any(given.covers(id_, needed) for given in self.grants.values())
            may = may or len(people or ()) >= needed or id_ in self.over
            may = may and not self.is_paused
            assert self.gate.is_ready(id_) is (people is None or may)


TestStation = Station.TestCase
TestStation.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)


def test_what_is_over_ends_after_a_pause_and_not_in_circles(tmp_path: Path) -> None:
    gate, terms = Gate(tmp_path), Terms("always", "policies.approval")
    gate.held.hold(make_request(seconds=-1))
    gate.pause.set("bob")
    assert not gate.is_ready(5)
    with pytest.raises(HeldExecution):
        gate.check(make_request(), make_asked(), terms, lambda *_, **__: None, is_last=False)
    gate.pause.clear("bob")
    assert gate.is_ready(5)
    with pytest.raises(RefusalError, match="in time"):
        gate.check(make_request(), make_asked(), terms, lambda *_, **__: None, is_last=False)


def test_a_pause_is_on_record_once_for_each_change(tmp_path: Path) -> None:
    gate, lines = Gate(tmp_path), []

    def record(event: str, **facts: Any) -> None:
        lines.append((event, facts["by"]))

    gate.note_changes(record)
    gate.pause.set("bob", "Holiday")
    for _ in range(2):
        gate.note_changes(record)
    gate.pause.clear("carol")
    for _ in range(2):
        gate.note_changes(record)
    assert lines == [("paused", "bob"), ("resumed", "carol")]
    Gate(tmp_path).note_changes(record)
    assert len(lines) == 2
    # While no node runs: one that ends, and one that goes on.
    for by in ("dave", "erin"):
        gate.pause.set(by)
        gate.pause.clear(f"{by} again")
    gate.pause.set("fay")
    Gate(tmp_path).note_changes(record)
    assert lines[2:] == [("paused", "fay")]
    gate.pause.clear("fay")
    gate.pause.set("gus")
    gate.pause.clear("gus")
    Gate(tmp_path).note_changes(record)
    assert lines[3:] == [("paused", "gus"), ("resumed", "gus")]


def test_a_grant_is_on_record_when_it_is_given_confirmed_and_revoked(tmp_path: Path) -> None:
    gate, lines = Gate(tmp_path), []

    def record(event: str, **facts: Any) -> None:
        lines.append((event, facts["grant"], facts.get("by")))

    gate.note_changes(record)
    id_ = gate.grants.add(make_grant(by="bob", times=2)).id
    gate.note_changes(record)
    gate.grants.use(make_asked(), "5:a")
    gate.note_changes(record)
    gate.grants.confirm(id_, "carol")
    gate.note_changes(record)
    after_restart = Gate(tmp_path)
    gate.grants.revoke(id_)
    gate.note_changes(record)
    given, both = ("grant", id_, ["bob"]), ("grant", id_, ["bob", "carol"])
    assert lines == [given, both, ("grant_revoked", id_, None)]
    gate.grants.add(make_grant(by="bob"))
    lines.clear()
    after_restart.note_changes(record)
    assert [event for event, _, _ in lines] == ["grant"]


def test_nothing_starts_while_a_decision_cannot_be_read(tmp_path: Path) -> None:
    gate, terms = Gate(tmp_path), Terms("always", "policies.approval")

    def said() -> str:
        try:
            gate.check(make_request(), make_asked(), terms, lambda *_, **__: None, is_last=True)
        except HeldExecution as hold:
            return hold.reason.code
        return "starts"

    assert said() == "awaiting_approval"
    gate.held.approve(5, "bob", gate.held.get(5).code)
    grants = tmp_path / "requests/grants.json"
    grants.write_text("[{}]")
    assert said() == "awaiting_approval"
    assert not gate.is_ready(5)
    grants.unlink()
    assert gate.is_ready(5)
    held = tmp_path / "requests/held/000000005.json"
    kept = held.read_text()
    held.write_text("{")
    assert said() == "awaiting_approval"
    assert not gate.is_ready(5)
    held.write_text(kept)
    assert said() == "starts"


def test_an_image_that_is_looked_up_again_has_to_be_the_granted_one(tmp_path: Path) -> None:
    gate, terms = Gate(tmp_path), Terms("always", "policies.approval")
    lines: list[str] = []

    def said(digests: list[str], *, is_last: bool) -> str:
        request = make_request(digests=tuple(digests), function="mean")
        asked = make_asked(digests=frozenset(digests))
        try:
            gate.check(
                request, asked, terms, lambda event, **_: lines.append(event), is_last=is_last
            )
        except HeldExecution:
            return "waits"
        return "starts"

    assert said(DIGESTS[:1], is_last=False) == "waits"
    gate.grants.add(make_grant())
    # Its registry would have to be asked first: as it was found before.
    assert said([], is_last=False) == "starts"
    assert said(DIGESTS[1:2], is_last=True) == "waits"
    assert gate.held.get(5).digests == tuple(DIGESTS[1:2])
    assert not gate.is_ready(5)
