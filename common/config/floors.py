"""The floors of a station, as they are written down."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from vantage6.common.config.base import Section
from vantage6.common.disclosure.floors import PRESETS, Floors, name_of

Preset = Literal["open", "datashield", "v6", "opensafely", "sacro", "cms", "default"]
Any_ = Literal["any"]


def _number(value: Any) -> Any:
    """Refuse `yes` and `no`, which would count as 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("not a number")
    return value


Count = Annotated[int, BeforeValidator(_number)]
Share = Annotated[float, BeforeValidator(_number), Field(gt=0, le=1, allow_inf_nan=False)]


class FloorsConfig(Section):
    """How little may stand behind a number that leaves: a preset, and what differs from it."""

    preset: Preset = Field(
        "default",
        description="`open`, `datashield`, `v6`, `opensafely`, `sacro`, `cms` or `default`: where "
        "each number comes from that is not written",
    )
    records: Count | None = Field(None, ge=1, description="least number of complete records")
    cell: Count | None = Field(None, ge=1, description="counts above zero and below it are small")
    zeros: bool | None = Field(None, description="a count of zero is small, too")
    parameters: Share | Any_ | None = Field(
        None, description="parameters of a model, as a share of the records, or `any`"
    )
    residual_df: Count | None = Field(
        None, ge=0, description="least number of records beyond the parameters"
    )
    dominance: Share | Any_ | None = Field(
        None,
        description="share of the sum of a column that its two largest values may make up, or "
        "`any`",
    )
    effective: Annotated[float, BeforeValidator(_number)] | None = Field(
        None,
        ge=1,
        allow_inf_nan=False,
        description="least number of records on which the weights of a question rest",
    )
    levels: Annotated[Count, Field(ge=1)] | Any_ | None = Field(
        None, description="most levels of a column, or `any`"
    )
    parties: Count | None = Field(
        None, ge=1, description="least number of organizations that are asked together"
    )

    @property
    def floors(self) -> Floors:
        """The values."""
        values = PRESETS[self.preset].to_json()
        for name in values:
            # SECURITY: a key without a value is that of the preset, and not without a bound.
            if (written := getattr(self, name)) is not None:
                values[name] = None if written == "any" else written
        return Floors(**values)

    @property
    def name(self) -> str:
        """The preset, and what differs from it."""
        return name_of(self.preset, self.floors)

    @property
    def summary(self) -> str:
        """What matters most of them, as a sentence."""
        floors = self.floors
        return (
            f"Floors {self.name}: at least {floors.records} records, {floors.cell} in a cell, and "
            f"{floors.parties} organizations asked together."
        )


def of_preset(value: Any) -> Any:
    """Accept the name of a preset alone."""
    return {"preset": value} if isinstance(value, str) else value
