"""Find and read configuration files."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from vantage6.common.config.problems import explain
from vantage6.common.errors import ConfigurationError

ENVIRONMENTS = ("application", "dev", "test", "acc", "prod")

C = TypeVar("C", bound=BaseModel)


def load(path: Path, model: type[C], environment: str | None = None) -> C:
    """Return the checked configuration in one environment of a file.

    Parameters
    ----------
    path
        A YAML file with the key ``application``, the key ``environments``, or both.
    model
        What the file must look like.
    environment
        One of ``application``, ``dev``, ``test``, ``acc``, ``prod``. Default: ``application``
        where the file has it, else the only environment in the file.

    Raises
    ------
    ConfigurationError
        If the file is missing, is not YAML, or holds a wrong, missing or unknown key. The
        message names each by its path in the file.
    """
    name, values = _select(path, _read(path), environment)
    _fetch(values, path)
    return validate(values, model, path, name)


def validate(values: dict[str, Any], model: type[C], path: Path, name: str) -> C:
    """Return the configuration that consists of values.

    Parameters
    ----------
    values
        What one environment holds.
    model
        What it must look like.
    path, name
        File and environment, for messages.

    Raises
    ------
    ConfigurationError
        If a key is wrong, missing or unknown; the message names each by its path in the file.
    """
    try:
        return model.model_validate(values, context={"folder": path.absolute().parent})
    except ValidationError as error:
        problems = "\n".join(f"  {line}" for line in explain(error, model, name))
        raise ConfigurationError(f"{path} is not valid:\n{problems}") from error


def environments(path: Path) -> tuple[str, ...]:
    """Return the names of the environments in a file.

    Raises
    ------
    ConfigurationError
        If it is no configuration file.
    """
    return tuple(_environments(path, _read(path)))


def files_of(path: Path) -> tuple[Path, ...]:
    """Return a configuration file, and those that it takes values from (``!file``).

    A file that cannot be read names none.
    """
    try:
        content = _read(path)
    except ConfigurationError:
        return (path,)
    named = {path.parent / value.name for _, _, value in _elsewhere_in(content) if value.is_file}
    return (path, *sorted(named))


def parse(text: str) -> Any:
    """Return what a text in YAML says; secrets that are kept elsewhere are not fetch."""
    return yaml.load(text, _Loader)  # noqa: S506 (it is a SafeLoader)


@dataclass(frozen=True)
class _Elsewhere:
    """A value that is kept in another file (``!file path``) or in a variable (``!env NAME``)."""

    tag: str
    name: str
    line: int

    @property
    def is_file(self) -> bool:
        """Whether a file has the value."""
        return self.tag == "!file"

    def fetch(self, path: Path) -> str:
        """Return the value; paths are relative to the folder of the configuration."""
        where = f"{path}, line {self.line}: {self.tag} {self.name}"
        if self.tag == "!env":
            if self.name not in os.environ:
                raise ConfigurationError(f"{where}: there is no such variable.")
            return os.environ[self.name]
        try:
            return (path.parent / self.name).read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise ConfigurationError(f"{where}: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"{where}: not UTF-8 text.") from error


class _Whole(int):
    """A whole number that remembers how it is written: 0123 may be a password, and no octal."""

    written: str

    def __str__(self) -> str:
        return self.written


class _Broken(float):
    """A number with a point that remembers how it is written: 1.10 may be a version."""

    written: str

    def __str__(self) -> str:
        return self.written


class _Loader(yaml.SafeLoader):
    """Reads what may stand in a configuration."""


def _whole(loader: _Loader, node: yaml.ScalarNode) -> _Whole:
    number = _Whole(loader.construct_yaml_int(node))
    number.written = node.value
    return number


def _broken(loader: _Loader, node: yaml.ScalarNode) -> _Broken:
    number = _Broken(loader.construct_yaml_float(node))
    number.written = node.value
    return number


_Loader.add_constructor("tag:yaml.org,2002:int", _whole)
_Loader.add_constructor("tag:yaml.org,2002:float", _broken)


def _elsewhere(loader: _Loader, node: yaml.ScalarNode) -> _Elsewhere:
    return _Elsewhere(node.tag, str(loader.construct_scalar(node)), node.start_mark.line + 1)


for _tag in ("!file", "!env"):
    _Loader.add_constructor(_tag, _elsewhere)


def _fetch(root: Any, path: Path) -> None:
    """Put what is kept elsewhere into its place, wherever it is named below a value."""
    for container, key, value in _elsewhere_in(root):
        container[key] = value.fetch(path)


def _elsewhere_in(root: Any) -> Iterator[tuple[Any, Any, _Elsewhere]]:
    """Give all that is kept elsewhere, with the container and the key of its place."""
    # Each container once: an alias of YAML is the same object again, and aliases of aliases grow
    # without bound.
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        container = waiting.pop()
        if id(container) in seen or not isinstance(container, dict | list):
            continue
        seen.add(id(container))
        entries = container.items() if isinstance(container, dict) else enumerate(container)
        for key, value in list(entries):
            if isinstance(value, _Elsewhere):
                yield container, key, value
            else:
                waiting.append(value)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"Cannot read the configuration {path}: {error.strerror}."
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8 text.") from error
    except yaml.YAMLError as error:
        # Not the message itself, which quotes the line and with it perhaps a password.
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None)
        raise ConfigurationError(
            f"{path} is not YAML{where}" + (f": {problem}." if problem else ".")
        ) from None
    except Exception:
        # PyYAML passes on whatever Python says of a date in month 13 or of endless brackets.
        raise ConfigurationError(f"{path} is not YAML that can be read.") from None
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path} holds no mapping; see docs/configuration.md.")
    return content


def _environments(path: Path, content: dict[str, Any]) -> dict[str, Any]:
    environments = content.get("environments") or {}
    if not isinstance(environments, dict):
        raise ConfigurationError(f"`environments` in {path} is no mapping.")
    found = {
        str(name): values
        for name, values in {"application": content.get("application"), **environments}.items()
        if values
    }
    # A key of YAML can be a number or a date.
    unknown = sorted({str(key) for key in content} - {"application", "environments"}) + sorted(
        set(found) - set(ENVIRONMENTS)
    )
    if unknown:
        raise ConfigurationError(
            f"{path} has unknown keys: {', '.join(unknown)}. At the top stand `application` "
            f"and `environments`; environments are {', '.join(ENVIRONMENTS[1:])}."
        )
    return found


def _select(
    path: Path, content: dict[str, Any], environment: str | None
) -> tuple[str, dict[str, Any]]:
    found = _environments(path, content)
    if environment is None and ("application" in found or len(found) == 1):
        environment = "application" if "application" in found else next(iter(found))
    if environment is None:
        names = ", ".join(found)
        raise ConfigurationError(
            f"{path} has several environments; choose one of {names}."
            if found
            else f"{path} configures nothing: it has neither `application` nor an environment."
        )
    values = found.get(environment)
    if values is None:
        raise ConfigurationError(
            f"{path} has no environment `{environment}`; it has: {', '.join(found) or 'none'}."
        )
    return environment, values
