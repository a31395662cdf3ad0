"""What a container knows about its task: environment variables that the node has set."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from vantage6.tools.errors import AlgorithmError


@dataclass(frozen=True)
class Container:
    """The contract between a node and the container of an algorithm."""

    #: Input of the task.
    input_file: Path
    #: Where the output goes.
    output_file: Path
    #: Token for the local proxy.
    token_file: Path
    #: Address, port and prefix of the local proxy.
    host: str
    port: str
    api_path: str
    #: Databases of the node: label in upper case to address, and to type where one is set.
    uris: Mapping[str, str]
    types: Mapping[str, str]
    #: Labels of the databases, as the administrator of the node wrote them.
    labels: tuple[str, ...]
    #: Label that the task asks for; None if the node has no such database.
    requested: str | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the variables.

        Raises
        ------
        AlgorithmError
            If one is missing.
        """
        try:
            return cls(
                input_file=Path(environment["INPUT_FILE"]),
                output_file=Path(environment["OUTPUT_FILE"]),
                token_file=Path(environment["TOKEN_FILE"]),
                host=environment.get("HOST", ""),
                port=environment.get("PORT", ""),
                api_path=environment.get("API_PATH", ""),
                uris=_ending(environment, "_DATABASE_URI"),
                types=_ending(environment, "_DATABASE_TYPE"),
                labels=tuple(json.loads(environment.get("DB_LABELS", "[]"))),
                requested=environment.get("USER_REQUESTED_DATABASE_LABEL"),
            )
        except KeyError as error:
            raise AlgorithmError(
                f"The environment variable {error.args[0]} is not set. This program is started by "
                "a node; use vantage6.tools.mock_client to try an algorithm without one."
            ) from error
        except ValueError as error:
            raise AlgorithmError("The environment variable DB_LABELS is not JSON.") from error

    def token(self) -> str:
        """Return the token for the local proxy."""
        return self.token_file.read_text("ascii").strip()

    def requested_uri(self) -> str:
        """Return the address of the database that the task asks for.

        Raises
        ------
        AlgorithmError
            If the node has no such database.
        """
        uri = self.uris.get((self.requested or "").upper())
        if uri is None:
            asked = f"called {self.requested!r}" if self.requested else "with the requested label"
            has = ", ".join(self.labels) or "none at all"
            raise AlgorithmError(f"This node has no database {asked}. It has: {has}.")
        return uri

    def requested_type(self) -> str:
        """Return the type of the database that the task asks for, in lower case."""
        return self.types.get((self.requested or "").upper(), "csv").lower()


def _ending(environment: Mapping[str, str], ending: str) -> dict[str, str]:
    return {
        name.removesuffix(ending): value
        for name, value in environment.items()
        if name.endswith(ending)
    }
