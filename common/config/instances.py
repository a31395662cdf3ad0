"""Where configurations, data and logs lie on this machine, and which instances there are.

Each instance is one file; its name is the name of the file. There are two scopes: of the whole
machine, the usual one for servers, and of one user, the usual one for nodes.
"""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

from vantage6.common.config.remembered import forget, recall, remember
from vantage6.common.errors import ConfigurationError
from vantage6.common.selection import COMMANDS, Selection

Kind = Literal["server", "node"]

_APPLICATION = "vantage6"
_SUFFIXES = (".yaml", ".yml")
_ON_LINUX: bool = sys.platform.startswith("linux")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Found:
    """A configuration file, and the scope whose folders its instance uses."""

    file: Path
    system: bool

    @property
    def name(self) -> str:
        """Name of the instance."""
        return self.file.stem

    @property
    def scope(self) -> str:
        """The scope as a word."""
        return "system" if self.system else "user"


def configuration_folders(kind: Kind, *, system: bool) -> tuple[Path, ...]:
    """Return where configurations are looked for; a new one is written into the first."""
    if not system:
        return (platformdirs.user_config_path(_APPLICATION, appauthor=False) / kind,)
    usual = platformdirs.site_config_path(_APPLICATION, appauthor=False) / kind
    # Where administrators of Linux look first, and what 3.11 calls it in one of its pages.
    also = Path("/etc", _APPLICATION, kind)
    return (usual, also) if _ON_LINUX else (usual,)


def data_folder(kind: Kind, name: str, *, system: bool) -> Path:
    """Return the folder for what an instance writes."""
    return _data_of_all(kind, system=system) / name


def sandbox_folder() -> Path:
    """Return the folder of a user's sandbox: a whole federation to try things out."""
    return platformdirs.user_data_path(_APPLICATION, appauthor=False) / "sandbox"


def log_folder(kind: Kind, name: str, *, system: bool) -> Path:
    """Return the folder for the logs of an instance."""
    if system:
        return data_folder(kind, name, system=True)
    if _ON_LINUX:
        # Not in the folder for states, as newer conventions have it: 3.11 writes there.
        return platformdirs.user_cache_path(_APPLICATION, appauthor=False) / "log" / kind / name
    return platformdirs.user_log_path(_APPLICATION, appauthor=False) / kind / name


def find_all(kind: Kind) -> list[Found]:
    """Return all configurations of both scopes: in their folders, and started elsewhere."""
    scopes = (True, False)
    found = [found for system in scopes for found in _in_scope(kind, system=system)]
    return found + [one for system in scopes for one in _elsewhere(kind, system=system)]


def note_start(kind: Kind, found: Found) -> None:
    """Remember a configuration that is started, so that it is listed and found by its name."""
    if found.file.parent not in configuration_folders(kind, system=found.system):
        remember(_data_of_all(kind, system=found.system), found.file)


def note_removal(kind: Kind, found: Found) -> None:
    """Forget a configuration that is removed."""
    forget(_data_of_all(kind, system=found.system), found.file)


def find(kind: Kind, selection: Selection) -> Found:
    """Return the configuration that was selected; the only one if nothing says which.

    Raises
    ------
    ConfigurationError
        If there is none, or several to choose from; the message lists the names.
    """
    if selection.file is not None:
        file = selection.file.absolute()
        in_system = file.parent in configuration_folders(kind, system=True)
        return Found(file, in_system if selection.system is None else selection.system)
    scopes = [kind == "server", kind != "server"]
    if selection.system is not None:
        scopes = [selection.system]
    known = [found for system in scopes for found in _in_scope(kind, system=system)]
    elsewhere = [found for system in scopes for found in _elsewhere(kind, system=system)]
    if selection.name is not None:
        for one in known:
            if one.name == selection.name:
                return one
        named = [one for one in elsewhere if one.name == selection.name]
        if len(named) > 1:
            files = ", ".join(str(one.file) for one in named)
            raise ConfigurationError(f"Which {kind} {selection.name}? Name one with -c: {files}.")
        if not named:
            raise ConfigurationError(_not_found(kind, selection.name, scopes, known + elsewhere))
        return named[0]
    choice = known or elsewhere
    names = sorted({found.name for found in choice})
    if len(names) > 1:
        raise ConfigurationError(f"Which {kind}? Name one with -n: {', '.join(names)}.")
    if not names:
        raise ConfigurationError(_not_found(kind, None, scopes, []))
    return choice[0]


def check_name(name: str) -> str:
    """Return a name that a new instance may have; spaces become hyphens.

    Raises
    ------
    ConfigurationError
        If it holds anything but letters, digits, hyphens, underscores and dots.
    """
    name = name.strip().replace(" ", "-")
    if not _NAME.fullmatch(name) or name.startswith("."):
        raise ConfigurationError(
            f"{name!r} cannot be a name: letters a-z and A-Z, digits, '-', '_' and '.' only."
        )
    return name


def writable_folder(kind: Kind, *, system: bool) -> Path:
    """Return the folder for a new configuration, which may still have to be made.

    Raises
    ------
    ConfigurationError
        If nothing may be written there; the message names the other scope.
    """
    folder = configuration_folders(kind, system=system)[0]
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        hint = "use --user, or run this as root" if system else "check its owner and mode"
        raise ConfigurationError(f"Cannot write into {there}: {hint}.")
    return folder


def _not_found(kind: Kind, name: str | None, scopes: list[bool], known: list[Found]) -> str:
    folders = [str(configuration_folders(kind, system=system)[0]) for system in scopes]
    names = ", ".join(sorted({found.name for found in known}))
    there = f"; there are: {names}" if names else ""
    return (
        f"There is no {kind}{f' {name!r}' if name else ''} in {' or '.join(folders)}{there}. "
        f"`{COMMANDS[kind]} new` makes one, and -c names any file."
    )


def _data_of_all(kind: Kind, *, system: bool) -> Path:
    """Return the folder in which all instances of a kind have their data folders."""
    folder = platformdirs.site_data_path if system else platformdirs.user_data_path
    return folder(_APPLICATION, appauthor=False) / kind


def _elsewhere(kind: Kind, *, system: bool) -> list[Found]:
    """Return what was started from files outside of the usual folders."""
    usual = configuration_folders(kind, system=system)
    files = recall(_data_of_all(kind, system=system))
    return [Found(file, system) for file in files if file.parent not in usual]


def _in_scope(kind: Kind, *, system: bool) -> list[Found]:
    folders = configuration_folders(kind, system=system)
    return [Found(file, system) for folder in folders for file in _files(folder)]


def _files(folder: Path) -> list[Path]:
    """Return the configuration files in a folder; none if it is missing or closed to us."""
    try:
        return sorted(file for file in folder.iterdir() if file.suffix in _SUFFIXES)
    except OSError:
        return []
