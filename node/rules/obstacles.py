"""What keeps a station from computing, as far as it is known when its node starts.

It is said there and then: a node that only calls itself online sends its administrator home, and
the researchers meet the refusals.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from vantage6.common.config.node import NodeConfig
from vantage6.node.databases import Databases
from vantage6.node.rules.encryption import Agreement

#: An expression that goes on where it ends, or is about to.
_GOES_ON = re.compile(r"(\$|\\Z|\.[*+]\??)\)*$")
_REPEATED = re.compile(r"[^.\\][*+]$")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}$")


@dataclass(frozen=True, slots=True)
class Obstacles:
    """What was found."""

    #: For each of these every task is refused.
    of_all: tuple[str, ...]
    #: For each of these some tasks are refused.
    of_some: tuple[str, ...]


def find(config: NodeConfig, base: Path, agreement: Agreement | None = None) -> Obstacles:
    """Return what keeps a station from computing.

    Parameters
    ----------
    config
        Its configuration.
    base
        The folder that relative paths count from.
    agreement
        What node and collaboration agreed on; None where that is not known.
    """
    of_all = list(_of_all(config))
    if agreement is not None and agreement.refusal is not None:
        of_all.insert(0, agreement.refusal.message)
    return Obstacles(tuple(of_all), (*_unreadable(config, base), *begin_only(config)))


def begin_only(config: NodeConfig) -> Iterator[str]:
    """Yield a sentence for each expression that looks as if its beginning were enough.

    3.11 compared the beginning of an image only.
    """
    policies = config.policies
    for key, entries in (
        ("policies.allowed_algorithms", policies.allowed_algorithms if policies else ()),
        ("allowed_images", config.allowed_images),
    ):
        for entry in entries:
            if not _DIGEST.search(entry) and _looks_begun(entry):
                yield (
                    f"{key}: {entry} has to match the whole name of an image, with its tag; in "
                    "3.11 the beginning was enough. Add .* or (:.+)? at its end, or $ if it is "
                    "meant so."
                )


def fitting_begin(entries: Iterable[str], image: str) -> list[str]:
    """Return the expressions that an image only begins to match."""
    return [
        entry
        for entry in entries
        if not _DIGEST.search(entry)
        and (found := re.match(entry, image))
        and found.end()
        and not re.fullmatch(entry, image)
    ]


def _looks_begun(entry: str) -> bool:
    if _GOES_ON.search(entry):
        return False
    return entry.startswith("^") or bool(_REPEATED.search(entry))


def _of_all(config: NodeConfig) -> Iterator[str]:
    policies = config.policies
    if policies is not None and not policies.allowed_algorithms and not config.allowed_images:
        yield "policies.allowed_algorithms names no image, so that none may run here."
    if policies is not None and policies.databases == {}:
        yield "policies.databases names no database, so that no image may read one."
    if config.runtime == "process" and not config.processes:
        yield "processes names no program, and runtime is process: there is nothing to run."


def _unreadable(config: NodeConfig, base: Path) -> Iterator[str]:
    for database in Databases(config.databases, base).all():
        path = database.path
        if path is None:
            continue
        if not path.exists():
            yield f"The database {database.label} is missing: {path} does not exist."
        elif not os.access(path, os.R_OK):
            yield f"The database {database.label} is closed: this account may not read {path}."
