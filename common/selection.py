"""The options of a command that name an instance; `vantage6.common.config.instances` finds it.

Nothing heavy is imported here, so that ``--help`` stays quick.
"""

from dataclasses import dataclass
from pathlib import Path

#: What each kind of instance is managed with.
COMMANDS = {"server": "vserver", "node": "vnode"}


@dataclass(frozen=True, slots=True)
class Selection:
    """The options that name the instance of a command."""

    name: str | None = None
    #: Comes before the name.
    file: Path | None = None
    environment: str | None = None
    #: None: the usual scope of its kind first, then the other.
    system: bool | None = None
