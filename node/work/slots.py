"""Whose turn it is: how many results are computed at once, so that none waits for ever.

A task waits only for tasks one level below it: its own sub-tasks, here or at other stations. Each
level has slots of its own, and where memory is bounded for all of them together, a result leaves
room for one of each level below its own. So what runs at the lowest level ends, then what waits for
it, and so on upwards, without regard to other stations.
"""

from collections import Counter
from dataclasses import dataclass, field

from vantage6.common.config.node import NodeConfig


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many results may be computed at once."""

    #: Of the first tasks of their runs.
    first: int
    #: Of sub-tasks, for each level.
    below: int
    #: How many levels there are.
    levels: int
    #: All together; None without bound. At least one for each level.
    together: int | None = None


def bounds(config: NodeConfig) -> Bounds:
    """Return how many results a configuration lets compute at once."""
    memory = config.parallel_memory_bytes
    return Bounds(
        first=config.parallel,
        below=config.parallel_subtasks,
        levels=config.subtask_levels + 1,
        together=None if memory is None else memory // config.limits.memory_bytes,
    )


@dataclass(slots=True)
class Slots:
    """The queue of one station. Not safe for threads.

    Each method that makes room returns the ids of those whose turn it is then.
    """

    bounds: Bounds
    #: The level of each result that waits for its first turn, oldest first.
    _waiting: dict[int, int] = field(default_factory=dict)
    #: The same for those that had a turn and gave it up for a while: they come first.
    _returning: dict[int, int] = field(default_factory=dict)
    _running: dict[int, int] = field(default_factory=dict)
    _counts: Counter[int] = field(default_factory=Counter)

    def holds(self, id_: int) -> bool:
        """Tell whether it is a result's turn."""
        return id_ in self._running

    def is_waiting(self, id_: int) -> bool:
        """Tell whether a result waits for its first turn."""
        return id_ in self._waiting

    def force(self, id_: int, level: int) -> None:
        """Count a result that runs already, whether there is room or not."""
        self._running[id_] = level
        self._counts[level] += 1

    def arrive(self, id_: int, level: int) -> list[int]:
        """Let a result wait for its turn, which may be now."""
        self._waiting[id_] = level
        return self._next()

    def reacquire(self, id_: int, level: int) -> list[int]:
        """Let a result wait for its turn before all that never had one."""
        self._returning[id_] = level
        return self._next()

    def leave(self, id_: int) -> list[int]:
        """Take a result out, wherever it is."""
        self._waiting.pop(id_, None)
        self._returning.pop(id_, None)
        level = self._running.pop(id_, None)
        if level is not None:
            self._counts[level] -= 1
        return self._next()

    def clear(self) -> None:
        """End all waits."""
        self._waiting.clear()
        self._returning.clear()

    def _next(self) -> list[int]:
        started: list[int] = []
        for queue in (self._returning, self._waiting):
            passed: set[int] = set()
            for id_, level in list(queue.items()):
                # Nobody overtakes within a level.
                if level in passed or (
                    queue is self._waiting and level in self._returning.values()
                ):
                    continue
                if not self._may_run(level):
                    passed.add(level)
                    continue
                del queue[id_]
                self.force(id_, level)
                started.append(id_)
        return started

    def _may_run(self, level: int) -> bool:
        bounds, counts = self.bounds, self._counts
        if counts[level] >= (bounds.below if level else bounds.first):
            return False
        if bounds.together is None:
            return True
        # More may run than the bound allows after a restart with another one. Even then the first
        # of a level never waits for a level above, which may wait for it.
        if not any(counts[other] for other in range(level, bounds.levels)):
            return True
        wanted = {*self._waiting.values(), *self._returning.values()}
        kept = sum(
            not counts[other] and (other > level or other in wanted)
            for other in range(bounds.levels)
            if other != level
        )
        return len(self._running) + 1 + kept <= bounds.together
