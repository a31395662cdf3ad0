"""Find and read configuration files."""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

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
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = "\n".join(
            f"  {name}.{'.'.join(str(step) for step in problem['loc'])}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise ConfigurationError(f"{path} is not valid:\n{problems}") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
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


def _select(
    path: Path, content: dict[str, Any], environment: str | None
) -> tuple[str, dict[str, Any]]:
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
