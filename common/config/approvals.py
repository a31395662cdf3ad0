"""The requests that a person at the station looks at first, as they are written down."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from vantage6.common.config.base import Section
from vantage6.common.config.expressions import Expression

Mode = Literal["never", "first_use", "always"]


class ApprovalRuleConfig(Section):
    """A rule for some requests; it counts for those that everything fits which it names."""

    image: Expression | None = Field(
        None, description="image, as in `allowed_algorithms`; default: every image"
    )
    function: Expression | None = Field(
        None, description="name of a function, as a regular expression; default: every function"
    )
    database: str | None = Field(None, description="label of a database; default: every database")
    ask: Mode = Field(description="`never`, `first_use` or `always`, as in `approval`")

    @property
    def line(self) -> str:
        """The rule as a line for people."""
        named = (("image", self.image), ("function", self.function), ("database", self.database))
        return f"{self.ask}: " + ", ".join(f"{name} {value}" for name, value in named if value)

    @model_validator(mode="after")
    def _names_something(self) -> "ApprovalRuleConfig":
        if self.image is None and self.function is None and self.database is None:
            raise ValueError("names no image, no function and no database: set `default`")
        return self


class ApprovalConfig(Section):
    """When a person at the station is asked."""

    default: Mode = Field("never", description="what counts where no rule fits")
    rules: tuple[ApprovalRuleConfig, ...] = Field(
        (), description="exceptions; the first one that fits counts"
    )

    @property
    def lines(self) -> list[str]:
        """Each rule as a line for people, in the order in which they count."""
        return [*(rule.line for rule in self.rules), f"{self.default}: everything else"]


def of_mode(value: Any) -> Any:
    """Accept one word for all requests."""
    return {"default": value} if isinstance(value, str) else value


Approval = Annotated[ApprovalConfig, BeforeValidator(of_mode)]
