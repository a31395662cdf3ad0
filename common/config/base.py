"""What server and node configurations have in common."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationInfo,
    model_validator,
)


class Section(BaseModel):
    """A part of a configuration file: frozen, strangers refused, secrets not echoed.

    Files for 3.11 are read as they are. A key without effect is named and passed over, a key
    without a value counts as absent, and a number stands for the text that is written.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, coerce_numbers_to_str=True
    )

    #: Keys that files for 3.11 may have here, and that have no effect.
    old_keys: ClassVar[frozenset[str]] = frozenset()
    _passed_over: tuple[str, ...] = PrivateAttr(())

    @property
    def without_effect(self) -> tuple[str, ...]:
        """Keys of 3.11 that the file has here or below and that have no effect, by their paths."""
        below = (
            f"{name}.{key}"
            for name, value in self
            for section in _sections(value)
            for key in section.without_effect
        )
        return (*self._passed_over, *dict.fromkeys(below))

    @model_validator(mode="wrap")
    @classmethod
    def _read_as_in_3_11(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(values, dict):
            return handler(values)
        filled = _names_with_default(cls)
        section = handler(
            {
                key: value
                for key, value in values.items()
                if key not in cls.old_keys and not (value is None and key in filled)
            }
        )
        section._passed_over = tuple(sorted(cls.old_keys & set(values)))
        return section


@cache
def _names_with_default(section: type[BaseModel]) -> frozenset[str]:
    """Return the names of keys that may be left out, and for which null says nothing else."""
    return frozenset(
        name
        for key, field in section.model_fields.items()
        if not field.is_required() and type(None) not in get_args(field.annotation)
        for name in (key, field.alias)
        if name
    )


def _sections(value: Any) -> Iterator[Section]:
    """Yield the sections that a value is or holds."""
    if isinstance(value, Section):
        yield value
    elif isinstance(value, tuple | list):
        yield from (item for item in value if isinstance(item, Section))


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "NOTSET"], BeforeValidator(_upper)
]


def _beside(value: str, given: ValidationInfo) -> str:
    folder = (given.context or {}).get("folder")
    return os.path.normpath(folder / Path(value).expanduser()) if folder else value


#: A path that counts from the folder of the configuration file, not from that of the caller.
BesideFile = Annotated[str, AfterValidator(_beside)]


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

    data: BesideFile | None = Field(
        None,
        description="folder for everything that is written; relative to the folder of this file",
    )
    log: BesideFile | None = Field(
        None, description="folder for the logs; relative to the folder of this file"
    )
