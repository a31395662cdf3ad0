"""What has to survive a restart about one result, without the input and without secrets."""

from dataclasses import dataclass
from typing import Any, Self

from vantage6.common import clock
from vantage6.node.claims import Claim


@dataclass(frozen=True, slots=True)
class Record:
    """One result, as ``entry.json`` holds it."""

    result_id: int
    task_id: int
    run_id: int
    image: str
    initiator_public_key: str
    is_subtask: bool
    claimed_at: str
    #: The request that created it.
    request_id: str | None = None
    #: Organization that receives the output; unknown for what an older version left.
    initiator: int | None = None
    #: Set just before the algorithm starts; from then on it is never started again.
    started_at: str | None = None
    #: How many tasks are above; None where that is not known.
    level: int | None = None
    #: Who asked, and for which method, as far as it is known.
    organization: str | None = None
    user: str | None = None
    method: str | None = None
    database: str | None = None
    #: What runs, set with `started_at`: the id of its image, and the functions that it may ask
    #: for in sub-tasks, as its card says.
    image_id: str | None = None
    calls: tuple[str, ...] = ()
    #: The version of the database at the start; empty where the node cannot tell.
    database_version: str | None = None

    @classmethod
    def of(cls, claim: Claim) -> Self:
        """Return what a claim leaves on disk."""
        return cls(
            result_id=claim.result_id,
            task_id=claim.task_id,
            run_id=claim.run_id,
            image=claim.image,
            initiator_public_key=claim.initiator_public_key,
            is_subtask=claim.is_subtask,
            claimed_at=clock.now().isoformat(),
            request_id=claim.request_id,
            initiator=claim.initiator,
            level=claim.level,
            organization=claim.initiator_name,
            user=claim.init_username,
            database=claim.database,
        )

    def is_of(self, claim: Claim) -> bool:
        """Tell whether a later claim of the result is for the same work.

        SECURITY: what is judged, shown to people and compared is what this record names.
        """
        before = (self.initiator, self.database)
        now = (claim.initiator, claim.database)
        return (self.task_id, self.run_id, self.image, self.is_subtask) == (
            claim.task_id,
            claim.run_id,
            claim.image,
            claim.is_subtask,
        ) and all(one is None or one == other for one, other in zip(before, now, strict=True))

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Read what JSON holds of one.

        Raises
        ------
        TypeError
            If it is something else.
        """
        return cls(**values | {"calls": tuple(values.get("calls") or ())})
