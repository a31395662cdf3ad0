"""What a station says about disclosure: its floors, which organizations are asked, and its own.

All of it comes in files of the node, and never from the input of the task.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from vantage6.common.disclosure import FLOORS_FILE, PARTIES_FILE
from vantage6.common.disclosure.floors import Floors
from vantage6.common.disclosure.parties import parties_from_json
from vantage6.common.errors import Invalid
from vantage6.common.token_claims import claims
from vantage6.tools.errors import AlgorithmError

#: What the mock client says in place of a node.
_MOCKED: ContextVar[tuple[Floors, tuple[int, ...], int | None] | None] = ContextVar(
    "mocked", default=None
)


def floors() -> Floors:
    """Return the floors of this station; the default ones where it has set none.

    Raises
    ------
    AlgorithmError
        If the station has set some that cannot be read.
    """
    if mocked := _MOCKED.get():
        return mocked[0]
    if not os.environ.get(FLOORS_FILE):
        return Floors()
    try:
        return Floors.from_json(_read(FLOORS_FILE))
    except (OSError, ValueError) as error:
        # SECURITY: those of the station may be stricter than the default ones.
        raise AlgorithmError("The floors of this station cannot be read.") from error


def parties() -> tuple[int, ...]:
    """Return the ids of the organizations that are asked together, as the node knows them.

    None where the node does not know them, which is fewer than any station asks for.

    Raises
    ------
    AlgorithmError
        If the file of the node cannot be read.
    """
    if mocked := _MOCKED.get():
        return mocked[1]
    if not os.environ.get(PARTIES_FILE):
        return ()
    try:
        return parties_from_json(_read(PARTIES_FILE))
    except (OSError, ValueError) as error:
        raise AlgorithmError("The organizations that are asked together cannot be read.") from error


def organization() -> int | None:
    """Return the id of the organization of this station; None where the node does not say it.

    The node has made the token that says it, for this one run.
    """
    if mocked := _MOCKED.get():
        return mocked[2]
    try:
        said = claims(Path(os.environ["TOKEN_FILE"]).read_text("ascii").strip())
    except (KeyError, OSError, ValueError, Invalid):
        return None
    subject = said.get("sub", said.get("identity"))
    id_ = subject.get("organization_id") if isinstance(subject, dict) else None
    return id_ if isinstance(id_, int) and not isinstance(id_, bool) else None


@contextmanager
def mocked_station(
    station: Floors, organization_ids: tuple[int, ...], own: int | None = None
) -> Iterator[None]:
    """Let functions within see a mocked station.

    Parameters
    ----------
    station
        Its floors.
    organization_ids
        The organizations that are asked together.
    own
        The one of the station.
    """
    token = _MOCKED.set((station, tuple(sorted(set(organization_ids))), own))
    try:
        yield
    finally:
        _MOCKED.reset(token)


def _read(variable: str) -> Any:
    return json.loads(Path(os.environ[variable]).read_text("utf-8"))
