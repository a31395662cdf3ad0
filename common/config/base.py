"""What server and node configurations have in common."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Section(BaseModel):
    """A part of a configuration file: frozen, strangers refused, secrets not echoed."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "NOTSET"], BeforeValidator(_upper)
]


class LoggerConfig(Section):
    """The level of one logger."""

    name: str = Field(description="name of the logger")
    level: LogLevel = Field(description="its lowest level that is written")


class LogConfig(Section):
    """Where logs go."""

    level: LogLevel = Field("INFO", description="lowest level that is written")
    file: str | None = Field(
        None, description="name of the log file; without one, the instance's name"
    )
    use_console: bool = Field(True, description="write to the console too")
    backup_count: int = Field(5, gt=0, description="number of rotated files that are kept")
    max_size: int = Field(1024, gt=16, description="size at which a file rotates, in kB")
    format: str | None = Field(None, description="accepted for old files; lines are structured")
    datefmt: str | None = Field(None, description="accepted for old files; times are ISO 8601 UTC")
    loggers: tuple[LoggerConfig, ...] = Field((), description="levels of individual loggers")

    @property
    def levels(self) -> dict[str, str]:
        """Levels of individual loggers by their names."""
        return {logger.name: logger.level for logger in self.loggers}


class DirectoriesConfig(Section):
    """Folders other than those of the scope."""

    data: str | None = Field(None, description="folder for everything that is written")
    log: str | None = Field(None, description="folder for the logs")
