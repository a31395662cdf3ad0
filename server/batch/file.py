"""The file of a batch import: what may stand in it, and in which line it stands."""

import base64
import uuid
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn

import yaml
from pydantic import AfterValidator, Field, SecretStr, ValidationError

from vantage6.common.config.base import Section
from vantage6.common.config.problems import sentences
from vantage6.common.errors import Invalid

#: Where something stands: keys and positions from the top.
Location = tuple[str | int, ...]

#: How YAML writes nothing.
_NOTHING = ("", "~", "null", "Null", "NULL")


def _uuid(text: str) -> str:
    try:
        uuid.UUID(text)
    except ValueError as error:
        raise ValueError("must be a UUID, such as `python -m uuid` prints") from error
    return text


def _base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except ValueError as error:
        raise ValueError("must be the base64 of a PEM text") from error
    return text


Name = Annotated[str, Field(min_length=1, max_length=255)]
Text = Annotated[str, Field(max_length=255)]


class UserEntry(Section):
    """A user of an organization; without roles, the user gets its role `super`."""

    username: Name
    password: SecretStr
    firstname: Text | None = None
    lastname: Text | None = None
    email: Text | None = None
    roles: tuple[Name, ...] | None = None


class OrganizationEntry(Section):
    """An organization and its users."""

    name: Name
    domain: Text | None = None
    address1: Text | None = None
    address2: Text | None = None
    zipcode: Text | None = None
    country: Text | None = None
    public_key: Annotated[str, AfterValidator(_base64)] | None = None
    users: tuple[UserEntry, ...] | None = None


class ParticipantEntry(Section):
    """An organization in a collaboration, and the API key of its node there; None: a new one."""

    name: Name
    api_key: Annotated[str, AfterValidator(_uuid)] | None = Field(None, repr=False)


class CollaborationEntry(Section):
    """A collaboration, its participants, and images of tasks for all of them."""

    name: Name
    participants: tuple[ParticipantEntry, ...] = Field(min_length=1)
    tasks: tuple[Name, ...] | None = None
    encrypted: bool = True


class Entries(Section):
    """Everything in a file."""

    old_keys = frozenset({"nodes"})

    organizations: tuple[OrganizationEntry, ...] | None = None
    collaborations: tuple[CollaborationEntry, ...] | None = None


class BatchFile:
    """A file that was read and checked, as far as that is possible without a database.

    Raises
    ------
    Invalid
        If it cannot be read, or holds something wrong; the message names each line.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._top = self._parse()
        try:
            self.entries = Entries.model_validate(self._value(self._top))
        except ValidationError as error:
            problems = [
                (location, f"`{location[-1]}`: {sentence}")
                for location, sentence in sentences(error, Entries)
                if location
            ]
            self._refuse(problems or [((), "this is no mapping")])
        self._check_unique()

    def fail(self, location: Location, message: str) -> NoReturn:
        """Raise `Invalid` for something at a location in the file."""
        self._refuse([(location, message)])

    def _refuse(self, problems: Sequence[tuple[Location, str]]) -> NoReturn:
        lines = sorted({(self._line(location), message) for location, message in problems})
        raise Invalid("\n".join(f"{self._path}, line {line}: {text}" for line, text in lines))

    def _parse(self) -> yaml.Node:
        try:
            node = yaml.compose(self._path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        except OSError as error:
            raise Invalid(f"Cannot read {self._path}: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise Invalid(f"{self._path} is not UTF-8 text.") from error
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise Invalid(f"{self._path}, line {line}: not YAML: {error.problem}") from error
        except (yaml.YAMLError, RecursionError) as error:
            raise Invalid(f"{self._path} is not YAML that can be read.") from error
        if node is None:
            raise Invalid(f"{self._path} is empty.")
        return node

    def _value(self, node: Any) -> Any:
        """Return what a node says, with every scalar as it is written.

        YAML would take the zip code 01234 for a number, and not even for that one.
        """
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item) for item in node.value]
        if isinstance(node, yaml.MappingNode):
            pairs = [(self._value(key), self._value(value)) for key, value in node.value]
            keys = Counter(str(key) for key, _ in pairs)
            for key, _ in node.value:
                if keys[str(key.value)] > 1:
                    line = key.start_mark.line + 1
                    raise Invalid(f"{self._path}, line {line}: `{key.value}` stands here twice.")
            return {str(key): value for key, value in pairs}
        return None if node.style is None and node.value in _NOTHING else node.value

    def _line(self, location: Location) -> int:
        """Return the line of the last step to a location that is in the file."""
        node, line = self._top, self._top.start_mark.line
        for step in location:
            found = None
            if isinstance(node, yaml.MappingNode):
                found = next((pair for pair in node.value if pair[0].value == step), None)
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                found = (node.value[step],) * 2 if step < len(node.value) else None
            if found is None:
                break
            line, node = found[0].start_mark.line, found[1]
        return line + 1

    def _check_unique(self) -> None:
        """Refuse what must not stand twice in a file."""
        seen: dict[tuple[str, str], int] = {}
        for location, kind, value in self._unique():
            line = self._line(location)
            first = seen.setdefault((kind, value), line)
            if first != line:
                self.fail(location, f"the same {kind} stands in line {first}.")

    def _unique(self) -> "list[tuple[Location, str, str]]":
        found: list[tuple[Location, str, str]] = []
        for i, organization in enumerate(self.entries.organizations or ()):
            location: Location = ("organizations", i)
            found.append(((*location, "name"), "organization", organization.name))
            for j, user in enumerate(organization.users or ()):
                found.append(((*location, "users", j, "username"), "username", user.username))
                if user.email:
                    found.append(((*location, "users", j, "email"), "e-mail address", user.email))
        for i, collaboration in enumerate(self.entries.collaborations or ()):
            location = ("collaborations", i)
            found.append(((*location, "name"), "collaboration", collaboration.name))
            for j, one in enumerate(collaboration.participants):
                here = (*location, "participants", j)
                if one.api_key is not None:
                    found.append(((*here, "api_key"), "API key", one.api_key))
                found.append(((*here, "name"), f"participant of {collaboration.name}", one.name))
        return found
