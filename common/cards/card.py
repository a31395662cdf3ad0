"""The card as a model: every field has a type and a bound, and other fields are refused."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    field_validator,
    model_validator,
)

from vantage6.common.cards import schemas
from vantage6.common.cards.texts import Description, Line, Note, Path, check_line

Kind = Literal["central", "partial"]

#: What leaves a site, in the words of ACRO where it has one.
ShareClass = Literal[
    "count",
    "frequency_table",
    "sum",
    "mean",
    "variance",
    "quantile",
    "extreme",
    "histogram",
    "cross_product",
    "regression_coefficient",
    "score_vector",
    "information_matrix",
    "survival_table",
    "risk_set_sum",
    "residual_df",
    "text",
    "parameter",
    "status",
]
#: Numbers of single records, which no function may share.
_FORBIDDEN = ("model_residual", "identifier")

#: The name of a function, without ``RPC_``; R has dots in its names.
FunctionName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.]{0,99}$")]
#: An image as tasks name it, with an optional tag and digest.
ImageReference = Annotated[
    str, Field(max_length=300, pattern=r"^[a-z0-9][A-Za-z0-9._/:-]*(@sha256:[0-9a-f]{64})?$")
]
_Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,99}$")]
_Version = Annotated[str, Field(max_length=50, pattern=r"^[A-Za-z0-9][A-Za-z0-9.+_-]*$")]
_ViewKind = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
_Schema = Annotated[dict[str, Any], AfterValidator(schemas.check_arguments)]


def _check_json(value: JsonValue) -> JsonValue:
    schemas.check_value(value)
    return value


_Json = Annotated[JsonValue, AfterValidator(_check_json)]


class _Part(BaseModel):
    """A part of a card: strict, frozen, strangers refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, allow_inf_nan=False
    )


class Share(_Part):
    """A part of the answer of a partial function."""

    path: Path
    class_: ShareClass = Field(alias="class")
    #: Where the answer says how many records are behind it.
    of: Path | None = None
    #: Where the answer says how many entries of a table are hidden; they are null.
    masked: Path | None = None
    #: Where the answer says how many parameters the model has.
    parameters: Path | None = None
    #: Where the answer says the probabilities of quantiles.
    at: Path | None = None
    #: Whether each number includes those before it.
    cumulative: bool = False
    note: Note = ""

    @field_validator("class_", mode="before")
    @classmethod
    def _is_no_record(cls, class_: Any) -> Any:
        # SECURITY: such a card is refused wherever it is read, and so is its image at a station.
        if class_ in _FORBIDDEN:
            raise ValueError(f"the class {class_} is of single records, which never leave a site")
        return class_


class View(_Part):
    """A way to show a part of a result; a reader that does not know the kind shows the JSON."""

    model_config = ConfigDict(extra="allow")

    kind: _ViewKind
    path: Path = ""

    @model_validator(mode="after")
    def _check_extra(self) -> Self:
        for name, value in (self.__pydantic_extra__ or {}).items():
            check_line(name)
            schemas.check_value(value)
        return self


class Example(_Part):
    """Arguments that a form can be filled with, and what comes of them."""

    title: Line = ""
    arguments: dict[str, _Json]
    result: _Json = None


class Rounds(_Part):
    """How many sub-tasks in sequence a central function makes."""

    at_least: int = Field(1, ge=0, le=1_000_000)
    at_most: int | None = Field(None, ge=0, le=1_000_000)

    @model_validator(mode="after")
    def _is_ordered(self) -> Self:
        if self.at_most is not None and self.at_most < self.at_least:
            raise ValueError("at_most is less than at_least")
        return self


class Function(_Part):
    """A function of an image."""

    name: FunctionName
    kind: Kind
    title: Line = ""
    description: Description = ""
    since: Line = ""
    stability: Literal["stable", "experimental"] = "experimental"
    #: JSON Schema of the arguments; their order is the order of positional ones.
    arguments: _Schema = Field(default_factory=schemas.nothing)
    database: Literal["one", "none"] = "one"
    #: Partial functions that a central one asks for; it asks for no others.
    calls: tuple[FunctionName, ...] = Field((), max_length=100)
    rounds: Rounds | None = None
    minimum_organizations: int = Field(1, ge=1, le=10_000)
    shares: tuple[Share, ...] = Field((), max_length=200)
    views: tuple[View, ...] = Field((), max_length=50)
    examples: tuple[Example, ...] = Field((), max_length=50)

    @property
    def is_central(self) -> bool:
        """Whether a task asks for it with ``master``."""
        return self.kind == "central"

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the arguments, in their order."""
        return tuple(self.arguments["properties"])

    @field_validator("name")
    @classmethod
    def _has_no_prefix(cls, name: str) -> str:
        if name.startswith("RPC_"):
            raise ValueError("the name of a function is written without RPC_")
        return name

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.is_central and self.shares:
            raise ValueError("only a partial function has shares")
        if not self.is_central and (self.calls or self.rounds):
            raise ValueError("only a central function has calls and rounds")
        return self


class Card(_Part):
    """What the functions of an image take, and what they share."""

    #: Version of the form of cards.
    card: int = Field(ge=1, le=1)
    name: _Name
    version: _Version
    title: Line = ""
    description: Description = ""
    licence: Line = ""
    #: Address of the code.
    source: Line = ""
    contact: Line = ""
    #: References under which the image is published, each with an optional digest.
    images: tuple[ImageReference, ...] = Field((), max_length=50)
    functions: tuple[Function, ...] = Field(min_length=1, max_length=300)

    def find(self, name: str, *, is_central: bool) -> Function | None:
        """Return the function that a task asks for; None if there is none.

        Parameters
        ----------
        name
            ``method`` of the input.
        is_central
            Whether the input has ``master``.
        """
        for function in self.functions:
            if function.name == name and function.is_central == is_central:
                return function
        return None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        keys = [(function.name, function.kind) for function in self.functions]
        if len(set(keys)) < len(keys):
            raise ValueError("a function has the name and the kind of another one")
        partial = {name for name, kind in keys if kind == "partial"}
        for function in self.functions:
            if missing := sorted(set(function.calls) - partial):
                raise ValueError(
                    f"{function.name} calls {', '.join(missing)}, and the card has no such partial "
                    "function"
                )
        return self
