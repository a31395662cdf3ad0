"""The rules of a station for outputs, as they are written down."""

from typing import Any, Literal

from pydantic import Field

from vantage6.common.config.base import Section


class ReleaseConfig(Section):
    """What the station does with outputs that look like the data: a mode, and what differs."""

    mode: Literal["enforce", "warn"] = Field(
        "warn",
        description="what counts for images without a card: `enforce` holds or refuses outputs "
        "that break a rule, `warn` only writes it to the audit. For images with a card the rules "
        "always count",
    )
    compare_with_data: bool = Field(
        True,
        description="compare outputs with the data. The node reads each version of a file once, "
        "and keeps a sketch of it that is as confidential as the data. Where the rules do not "
        "count, it reads nothing",
    )
    compare_bytes: int = Field(2 * 2**30, ge=0, description="largest file that is read for that")

    @property
    def summary(self) -> str:
        """What the rules do with outputs, as a sentence."""
        if self.mode == "enforce":
            return "Outputs that look like the data are held or refused, for every image."
        return (
            "Outputs that look like the data are held or refused if the image has a card. Of other "
            "images they leave, and the audit names the rules (`policies.release: warn`)."
        )


def of_mode(value: Any) -> Any:
    """Accept the mode alone."""
    return {"mode": value} if isinstance(value, str) else value
