"""Tasks and results."""

import re
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    GetPydanticSchema,
    ValidationError,
)
from typing_extensions import TypedDict

from vantage6.api.schemas.base import Flag, Id, Moment, PageQuery, Repeated, Request
from vantage6.common.documents import Link, ResultFacts, TaskBase, exact
from vantage6.common.errors import Invalid
from vantage6.common.task_status import TaskStatus
from vantage6.models.store.payloads import LargeText

#: A text of a result: a large one is read while the answer is written.
StoredText = Annotated[str | LargeText, GetPydanticSchema(lambda _, handler: handler(str))]

#: Reports are looked through for surrogates up to this length.
_MOST_MENDED_BYTES = 2**20
#: An escape of JSON: a pair of surrogates, one that is alone, or any other.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def _first_moment(value: Any) -> Any:
    return value or None


def _without_nul(text: str | None) -> str | None:
    return text and text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def replace_surrogates(raw: str | bytes | bytearray) -> str | bytes | bytearray:
    """Return JSON in which the replacement character stands for what is no Unicode.

    SECURITY: it costs time, so that long texts are left as they are.
    """
    if isinstance(raw, str) or len(raw) > _MOST_MENDED_BYTES:
        return raw
    text = raw.decode("utf-8", "replace").encode()
    return _ESCAPE.sub(lambda found: rb"\ufffd" if found["lone"] else found[0], text)


class Target(Request):
    """An organization and what it gets to compute."""

    model_config = ConfigDict(coerce_numbers_to_str=False)

    id: Id
    input: str | None = None


class TaskCreate(Request):
    """A new task."""

    model_config = ConfigDict(
        json_schema_extra={"required": ["collaboration_id", "organizations", "image"]}
    )

    collaboration_id: Id
    organizations: list[Target] = Field([], max_length=10_000)
    image: str = Field("", max_length=1024)
    name: str | None = Field("", max_length=1024)
    description: str | None = Field("", max_length=65_536)
    database: str | None = Field(None, max_length=255)

    def require_complete(self) -> None:
        """Raise `Invalid` where something is missing.

        Not while the body is read: an unknown collaboration is told of first, as in 3.11.
        """
        missing = [name for name in ("organizations", "image") if name not in self.model_fields_set]
        if missing:
            raise Invalid("; ".join(f"{name}: Field required" for name in missing))
        if not self.image.strip():
            raise Invalid("image: name the container image that holds the algorithm")


class Include(Request):
    """What to add to an answer."""

    include: Repeated = []


class TaskFilter(PageQuery):
    """Which tasks."""

    initiator_id: Id | None = None
    init_user_id: Id | None = None
    collaboration_id: Id | None = None
    parent_id: Id | None = None
    is_sub_task: bool | None = Field(
        None, description="true: those of algorithms only; false: those that users sent only"
    )
    run_id: Id | None = None
    status: str | None = None
    result_id: Id | None = None
    name: str | None = None
    image: str | None = None
    description: str | None = None
    database: str | None = None


Port = Annotated[int, Field(ge=1, le=65_535)]


@exact
class ResultNodeReply(TypedDict):
    """The node that computes a result."""

    id: int
    name: str | None
    status: str | None
    ip: str | None
    config: list[int]


@exact
class NoNodeReply(TypedDict):
    """The organization has no node in the collaboration."""


class ResultBase(ResultFacts):
    """What every form of a result has."""

    input: StoredText | None
    result: StoredText | None
    log: StoredText | None
    node: ResultNodeReply | NoNodeReply


@exact
class InnerResultReply(ResultBase):
    """A result within its task."""

    organization: int


@exact
class TaskResultReply(ResultBase):
    """A result in the list of those of a task."""

    organization: int
    task: int


@exact
class InnerTaskReply(TaskBase):
    """A task within one of its results."""


@exact
class TaskReply(TaskBase):
    """A task."""

    results: list[Link] | list[InnerResultReply] | None


@exact
class ResultReply(ResultBase):
    """A result."""

    organization: Link
    task: Link | InnerTaskReply


@exact
class ResultStatusReply(TypedDict):
    """How far one organization is."""

    id: int
    organization: int
    status: str
    waits_for: Annotated[
        str | None,
        Field(
            description="code of the reason for which its data station holds it back, such as "
            "`awaiting_approval`; null if it does not"
        ),
    ]


@exact
class TaskStatusReply(TypedDict):
    """How far a task is, without anything large."""

    id: int
    status: str
    complete: bool
    results: list[ResultStatusReply]


class ResultFilter(PageQuery):
    """Which results."""

    payload: Flag = Field(True, description="false: leave input, result and log out")
    task_id: Id | None = None
    run_id: Id | None = Field(None, description="of a task with all its sub-tasks")
    organization_id: Id | None = None
    node_id: Id | None = None
    state: str | None = None
    port: Port | None = None
    assigned_from: Moment | None = None
    assigned_till: Moment | None = None
    started_from: Moment | None = None
    started_till: Moment | None = None
    finished_from: Moment | None = None
    finished_till: Moment | None = None


class Reason(Request):
    """Why a result is in its state."""

    #: An algorithm writes it, and so may the station of another organization.
    code: Annotated[str, Field(max_length=64), AfterValidator(_without_nul)]
    msg: Annotated[str, Field(max_length=4096), AfterValidator(_without_nul)]


class ResultUpdate(Request):
    """What a node reports; what is absent stays."""

    model_config = ConfigDict(coerce_numbers_to_str=False)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **how: Any) -> Self:
        """Read a report; what an algorithm wrote into it need not be valid Unicode."""
        try:
            return super().model_validate_json(json_data, **how)
        except ValidationError:
            mended = replace_surrogates(json_data)
            if mended == json_data:
                raise
            return super().model_validate_json(mended, **how)

    status: TaskStatus | None = None
    started_at: Annotated[Moment | None, BeforeValidator(_first_moment)] = None
    finished_at: Annotated[Moment | None, BeforeValidator(_first_moment)] = None
    result: str | None = None
    #: Whatever the algorithm printed must not keep its result from being stored.
    log: Annotated[str | None, AfterValidator(_without_nul)] = None
    reason: Reason | None = None


@exact
class RequesterReply(TypedDict):
    """In whose name one task on the way was sent."""

    task: int
    organization: int
    organization_name: str
    user: int | None
    user_name: str | None
    image: str


@exact
class ClaimTaskReply(TypedDict):
    """The task of a claimed result."""

    id: int
    name: str
    image: str
    database: str | None
    run_id: int
    parent: Link | None
    initiator: int
    initiator_name: str
    init_user: int | None
    init_username: str | None
    collaboration: Link
    requesters: Annotated[
        list[RequesterReply],
        Field(
            description="who asked: for the first task of the run, for each one on the way, and "
            "last for this one"
        ),
    ]
    organizations: Annotated[
        list[int], Field(description="ids of all organizations that the task asks")
    ]


@exact
class ClaimReply(TypedDict):
    """Everything that a node needs to compute a result."""

    id: int
    status: str
    input: StoredText | None
    lease_seconds: int
    task: ClaimTaskReply
    container_token: str
    initiator_public_key: str


class Kill(Request):
    """What to end."""

    id: Id
