"""Questions about a new configuration: asked at a terminal, or answered by options."""

import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import click
import yaml
from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError

from vantage6.common.config import instances, template
from vantage6.common.config.files import environments, load, validate
from vantage6.common.errors import ConfigurationError
from vantage6.common.selection import COMMANDS


def _as_it_is(text: str) -> str:
    return text


class Wizard:
    """Collects the values of a new configuration.

    Parameters
    ----------
    model
        What a configuration looks like.
    asks
        Whether a person is there to answer.
    """

    def __init__(self, model: type[BaseModel], *, asks: bool) -> None:
        self._model = model
        self.asks = asks
        self.values: dict[str, Any] = {}

    def take(self, key: str, given: Any, default: Any, question: str) -> Any:
        """Set a key to what was given, else to the answer to a question, else to the default."""
        if given is None:
            given = self.ask(key, default, question) if self.asks else default
        if given is not None:
            self.values[key] = given
        return given

    def ask(
        self, key: str, default: Any, question: str, read: Callable[[str], Any] = _as_it_is
    ) -> Any:
        """Return the answer to a question; asked again until the key may have it.

        Parameters
        ----------
        key
            What is asked for.
        default
            What counts if nothing is typed; an empty text is not shown.
        question
            For people.
        read
            Turns what was typed into a value for the key.
        """
        field = self._model.model_fields[key]
        if field.annotation is bool:
            return click.confirm(question, default=bool(default))
        kind: Any = Annotated[field.annotation, field]
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
        return click.prompt(
            question,
            default=default,
            show_default=default != "",
            value_proc=_checker(adapter, read),
            hide_input="SecretStr" in str(field.annotation) and sys.stdin.isatty(),
        )

    def section(self, key: str) -> None:
        """Ask for every setting of a section that has to be given."""
        section = template.section_of(self._model.model_fields[key].annotation)
        if section is None:
            raise TypeError(f"{key} is no section")
        answers = Wizard(section, asks=True)
        for name, field in section.model_fields.items():
            if field.is_required():
                answers.take(name, None, None, f"{key}.{name}: {field.description}")
        self.values[key] = answers.values

    def put(self, settings: Iterable[str]) -> None:
        """Set what is written as ``key=value``, with dots for sections and YAML for values.

        Raises
        ------
        ConfigurationError
            If one is not written so.
        """
        for setting in settings:
            path, equals, text = setting.partition("=")
            *sections, last = path.split(".")
            place = self.values
            for section in sections:
                place = place.setdefault(section, {})
                if not isinstance(place, dict):
                    raise ConfigurationError(f"{path}: {section} is not a section.")
            try:
                place[last] = yaml.safe_load(text)
            except yaml.YAMLError as error:
                raise ConfigurationError(f"{path}: the value is not YAML.") from error
            if not equals or not last:
                raise ConfigurationError(f"--set {setting}: write KEY=VALUE.")


def new_file(
    kind: instances.Kind, name: str | None, environment: str, *, system: bool, force: bool
) -> Path:
    """Return the file for a new configuration.

    Raises
    ------
    ConfigurationError
        If it exists already, or may not be written.
    """
    folder = instances.writable_folder(kind, system=system)
    if name is None:
        name = click.prompt("Name of the configuration", value_proc=_name)
    file = folder / f"{instances.check_name(name)}.yaml"
    if not force and file.exists() and environment in environments(file):
        raise ConfigurationError(
            f"{file} has the environment {environment} already; --force replaces the whole file."
        )
    return file


def write(
    kind: instances.Kind,
    file: Path,
    model: type[BaseModel],
    values: dict[str, Any],
    environment: str,
    *,
    force: bool,
) -> None:
    """Check the values and write them.

    Raises
    ------
    ConfigurationError
        If they are not valid; nothing is written then.
    """
    draft = file.with_name(f".{file.name}.new")
    # A key that does not exist would not even get into the file.
    validate(values, model, file, environment)
    try:
        # Not before all questions are answered: who breaks off leaves nothing behind.
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists() and not force:
            draft.write_bytes(file.read_bytes())
        template.write(draft, model, values, environment, f"{COMMANDS[kind]} new")
        load(draft, model, environment)
        draft.replace(file)
    except ConfigurationError as error:
        raise ConfigurationError(error.message.replace(str(draft), str(file))) from error
    except OSError as error:
        raise ConfigurationError(f"Cannot write {file}: {error.strerror}.") from error
    finally:
        with suppress(OSError):
            draft.unlink()


def _name(text: str) -> str:
    try:
        return instances.check_name(text)
    except ConfigurationError as error:
        raise click.UsageError(error.message) from error


def _checker(adapter: TypeAdapter[Any], read: Callable[[str], Any]) -> Callable[[str], Any]:
    def check(text: Any) -> Any:
        try:
            value = adapter.validate_python(read(text))
        except ValidationError as error:
            raise click.UsageError(error.errors(include_url=False)[0]["msg"]) from error
        return value.get_secret_value() if isinstance(value, SecretStr) else value

    return check
