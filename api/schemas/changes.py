"""What changed."""

from pydantic import Field

from vantage6.api.schemas.base import Reply, Request


class ChangesQuery(Request):
    """From where to look, and how long to wait."""

    after: str | None = Field(
        None,
        pattern=r"^[0-9]{1,15}-[0-9]{1,15}$",
        description="`place` of the last answer; without it the answer comes at once and names the "
        "place to begin at",
    )
    wait: int = Field(25, ge=0, le=50, description="seconds to wait for a change")


class ChangeReply(Reply):
    """Something happened to a task or its results."""

    collaboration_id: int
    task_id: int | None = Field(description="null: it may be any task of the collaboration")
    run_id: int | None = Field(description="number that the task shares with its sub-tasks")


class ChangesReply(Reply):
    """What changed after a place."""

    place: str = Field(description="`after` of the next request")
    is_gap: bool = Field(
        description="the server has forgotten the place `after`: read again what is shown"
    )
    data: list[ChangeReply] = Field(description="each change of something that the caller may see")
