"""Stations whose places are all taken never wait for each other for ever."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.campaign import effort
from vantage6.node.work.slots import Bounds, Slots

LEVELS = 4


@dataclass
class Job:
    """One result: where it runs, and the sub-tasks that it waits for."""

    station: int
    level: int
    children: list["Job"] = field(default_factory=list)


def jobs(level: int = 0) -> st.SearchStrategy[Job]:
    """Return random results with their sub-tasks, at up to three stations."""
    if level == LEVELS - 1:
        return st.builds(Job, st.integers(0, 2), st.just(level))
    below = st.lists(jobs(level + 1), max_size=3)
    return st.builds(Job, st.integers(0, 2), st.just(level), below)


class World:
    """Stations that compute jobs; whose computation ends next is drawn."""

    def __init__(self, bounds: list[Bounds], top: list[Job]) -> None:
        self.slots = [Slots(one) for one in bounds]
        self.jobs: dict[int, Job] = {}
        self.open: dict[int, int] = {}
        self.parents: dict[int, int | None] = {}
        self.running: set[int] = set()
        for job in top:
            self.arrive(job, None)

    def arrive(self, job: Job, parent: int | None) -> None:
        number = len(self.jobs)
        self.jobs[number], self.parents[number] = job, parent
        self.open[number] = len(job.children)
        self.begin(self.slots[job.station].arrive(number, job.level))

    def begin(self, numbers: list[int]) -> None:
        for number in numbers:
            assert number not in self.running
            self.running.add(number)
            for child in self.jobs[number].children:
                self.arrive(child, number)

    def ready(self) -> list[int]:
        return sorted(number for number in self.running if not self.open[number])

    def end(self, number: int) -> None:
        self.running.remove(number)
        parent = self.parents[number]
        if parent is not None:
            self.open[parent] -= 1
        self.begin(self.slots[self.jobs[number].station].leave(number))

    def check_bounds(self) -> None:
        for station, slots in enumerate(self.slots):
            here = [self.jobs[number] for number in self.running]
            here = [job for job in here if job.station == station]
            bounds = slots.bounds
            assert bounds.together is None or len(here) <= bounds.together
            for level in range(LEVELS):
                count = sum(job.level == level for job in here)
                assert count <= (bounds.below if level else bounds.first)


_bounds = st.builds(
    Bounds,
    first=st.integers(1, 3),
    below=st.integers(1, 3),
    levels=st.just(LEVELS),
    together=st.none() | st.integers(LEVELS, LEVELS + 3),
)


@settings(max_examples=effort(100), deadline=None)
@given(
    bounds=st.lists(_bounds, min_size=3, max_size=3),
    top=st.lists(jobs(), min_size=1, max_size=5),
    data=st.data(),
)
def test_everything_ends_whatever_stations_wait_for(
    bounds: list[Bounds], top: list[Job], data: st.DataObject
) -> None:
    world = World(bounds, top)
    while world.running:
        world.check_bounds()
        ready = world.ready()
        assert ready, "they wait for each other"
        world.end(data.draw(st.sampled_from(ready)))
    assert all(not one for one in world.open.values())
    assert not any(slots.is_waiting(n) for slots in world.slots for n in world.jobs)


def _two_that_ask_each_other() -> Iterator[tuple[int, Job]]:
    """Yield at each of two stations as many central parts as it has places."""
    for station in (0, 1):
        for _ in range(2):
            children = [Job(0, 1, [Job(1, 2)]), Job(1, 1, [Job(0, 2)])]
            yield station, Job(station, 0, children)


def test_two_stations_full_of_central_parts_serve_each_other() -> None:
    bounds = [Bounds(first=2, below=1, levels=LEVELS, together=LEVELS)] * 2
    world = World(bounds, [job for _, job in _two_that_ask_each_other()])
    while world.running:
        world.check_bounds()
        world.end(world.ready()[-1])
    assert len(world.jobs) == 4 * 5


def test_an_old_station_with_one_pool_for_all_would_wait_for_ever() -> None:
    """What the levels are for: with one place for all sub-tasks, the second level never runs."""
    slots = Slots(Bounds(first=1, below=1, levels=2))
    assert slots.arrive(1, 1) == [1]
    assert slots.arrive(2, 1) == []  # its parent is result 1: same level, same place
    levels = Slots(Bounds(first=1, below=1, levels=3))
    assert levels.arrive(1, 1) == [1]
    assert levels.arrive(2, 2) == [2]


def test_memory_is_left_for_sub_tasks() -> None:
    slots = Slots(Bounds(first=8, below=8, levels=2, together=3))
    assert [slots.arrive(id_, 0) for id_ in (1, 2, 3)] == [[1], [2], []]
    assert slots.arrive(4, 1) == [4]
    assert slots.arrive(5, 1) == []
    assert slots.leave(4) == [5]
    assert slots.leave(5) == []
    assert slots.leave(1) == [3]


def test_a_stream_of_sub_tasks_starves_no_first_task() -> None:
    slots = Slots(Bounds(first=1, below=8, levels=2, together=2))
    assert slots.arrive(1, 1) == [1]
    assert slots.arrive(2, 1) == [2]
    assert slots.arrive(3, 0) == []
    assert slots.arrive(4, 1) == []
    assert slots.leave(1) == [3]
    assert slots.leave(2) == [4]


def test_what_runs_after_a_restart_with_less_memory_still_gets_its_sub_tasks() -> None:
    slots = Slots(Bounds(first=8, below=8, levels=3, together=3))
    for id_ in range(6):
        slots.force(id_, 0)
    assert slots.arrive(10, 0) == []
    assert slots.arrive(11, 1) == [11]
    assert slots.arrive(12, 1) == []
    assert slots.arrive(13, 2) == [13]
    assert slots.leave(11) == []
    assert slots.leave(13) == [12]


@pytest.mark.parametrize("back_first", [True, False])
def test_who_gave_up_a_turn_comes_before_those_who_never_had_one(back_first: bool) -> None:
    slots = Slots(Bounds(first=1, below=1, levels=2))
    assert slots.arrive(1, 0) == [1]
    assert slots.arrive(2, 0) == []
    assert slots.leave(1) == [2]
    assert slots.arrive(3, 0) == []
    if back_first:
        assert slots.reacquire(1, 0) == []
        assert slots.leave(2) == [1]
    else:
        assert slots.leave(2) == [3]
        assert slots.reacquire(1, 0) == []
        assert slots.leave(3) == [1]
    assert slots.holds(1)
