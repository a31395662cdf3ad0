"""What all bodies and queries share."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    field_validator,
)
from typing_extensions import TypedDict

from vantage6.common.documents import exact


class Request(BaseModel):
    """A body or a query.

    Unknown keys are ignored, and a number is taken for a text, as clients of 3.11 expect.
    """

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, coerce_numbers_to_str=True)

    @field_validator("*")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        """Refuse the one character that PostgreSQL cannot store."""
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and "\0" in text:
                raise ValueError("must not contain NUL characters")
        return value


class Reply(BaseModel):
    """An answer; documents what the server sends."""

    model_config = ConfigDict(extra="forbid")


def _utc(value: datetime) -> datetime:
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must be within the years 1 to 9999 of UTC") from error


def one_or_more(value: Any) -> Any:
    """Return a single value of a query as a list of one."""
    return value if isinstance(value, list) else [value]


def one_or_more_or_none(value: Any) -> Any:
    """Return a single value of a body as a list of one, as 3.11 does in some routes."""
    return value if value is None else one_or_more(value)


#: A moment as ISO 8601; without an offset it is UTC.
Moment = Annotated[
    datetime, AfterValidator(_utc), PlainSerializer(lambda value: value.isoformat(), str)
]


#: A query parameter that may be repeated.
Repeated = Annotated[list[str], BeforeValidator(one_or_more)]

#: Clients of 3.11 send True and False, as text, in queries.
Flag = Annotated[bool, BeforeValidator(lambda v: v.lower() if isinstance(v, str) else v)]

#: What must not be empty.
Name = Annotated[str, Field(min_length=1, max_length=255)]
#: What may be.
Text = Annotated[str, Field(max_length=255)]

Id = Annotated[int, Field(ge=1, le=2**31 - 1)]

#: One id or several.
OptionalIds = Annotated[list[Id] | None, BeforeValidator(one_or_more_or_none)]


class PageQuery(Request):
    """Which part of a list."""

    page: Id | None = Field(None, description="number of the page, from 1; default: all")
    per_page: int = Field(10, ge=1, le=1000, description="rows on a page; only with `page`")
    include: Repeated = Field([], description="`metadata` wraps the list in {data, links}")


@exact
class Message(TypedDict):
    """A sentence for people."""

    msg: str


class Problem(Reply):
    """What went wrong."""

    msg: str = Field(description="a sentence that says what to do")
    code: str = Field(description="stable, for programs")
    request_id: str = Field(description="finds the request in the server's log")
