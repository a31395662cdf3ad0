"""The rules of a station as its file says them now, and which version of them the node follows.

A changed file counts from the next task on, as a whole or not at all. Beside its other files the
node says which version it follows, for commands that look at the file meanwhile.
"""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vantage6.common import clock, logs
from vantage6.common.config import NodeConfig
from vantage6.common.config.files import files_of
from vantage6.common.errors import ConfigurationError
from vantage6.common.secret_files import write_private
from vantage6.node.rules.audit import Audit
from vantage6.node.rules.policy import Policy

if TYPE_CHECKING:
    from vantage6.node.instance import Instance

log = logs.get(__name__)

#: The settings that a running node takes up from its changed file.
TAKEN_UP = ("policies", "allowed_images")
#: The setting whose secret is the key of all hashes; its own says only whether it is the same.
_KEY = "api_key"
#: A file that was changed less than this ago may be half written.
_SETTLED_SECONDS = 1.0
_MOST_CHECKS = 50
_FILE = "policy.json"
_SHOWN_DIGITS = 12


@dataclass(frozen=True, slots=True)
class FollowedPolicy:
    """What a running node says about the rules that it follows."""

    #: A hash of the rules.
    version: str
    #: Since when it follows them.
    since: str
    #: Why the file as it is now was refused, if it was.
    refused: str | None
    #: A keyed hash of each setting that the node took up when it started.
    settings: dict[str, str]

    def changed_settings(self, config: NodeConfig) -> list[str]:
        """Return the settings that differ from those of the running node, until it is restarted."""
        now = _hashes(config)
        if now[_KEY] != self.settings.get(_KEY):
            return [_KEY]  # with another key all hashes differ
        return sorted(name for name in now if now[name] != self.settings.get(name))


def version_of(config: NodeConfig) -> str:
    """Return a hash of the rules in a configuration, of which people compare the beginning."""
    rules = config.model_dump(mode="json", include=set(TAKEN_UP))
    return _hash(rules)[:_SHOWN_DIGITS]


def read_followed(folder: Path) -> FollowedPolicy | None:
    """Return what the node with a data folder said last; None if it said nothing."""
    try:
        return FollowedPolicy(**json.loads((folder / _FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return None


class CurrentPolicy:
    """The rules that count for the next task. Safe for threads.

    Parameters
    ----------
    config
        The configuration with which the node started.
    load
        Reads the configuration file again; without it, the rules stay as they are.
    file
        The configuration file.
    audit
        Where a change is written down before it counts.
    folder
        Where the node says which version it follows.
    """

    def __init__(
        self,
        config: NodeConfig,
        load: Callable[[], NodeConfig] | None = None,
        file: Path | None = None,
        audit: Audit | None = None,
        folder: Path | None = None,
    ) -> None:
        self._started_with = config
        self._load = load
        self._file = file
        self._audit = audit
        self._folder = folder
        self._lock = threading.Lock()
        #: What the rules come from: the file, and the files that it names.
        self._files = self._named()
        self._mark = _mark(self._files)
        #: The configuration whose rules count.
        self.config = config
        self.rules = Policy(config)
        self.version = version_of(config)
        self._since = clock.now().isoformat()
        self._tell(None)

    def refresh(self) -> Policy:
        """Take up the rules of a changed file, and return those that count.

        A file that is not valid changes nothing: the rules before it stay.

        Raises
        ------
        OSError
            If the change cannot be written down.
        """
        with self._lock:
            if self._load is not None and _mark(self._files) != self._mark:
                self._take_up(self._load)
            return self.rules

    def _take_up(self, load: Callable[[], NodeConfig]) -> None:
        self._files = self._named()
        mark = _await_settled(self._files)
        try:
            new = load()
            if _mark(self._files) != mark or self._named() != self._files:
                self._mark = ()
                return  # changed while it was read: the next look reads it again
            # SECURITY: made before anything counts, so that no half of it ever does.
            config = self._started_with.model_copy(
                update={name: getattr(new, name) for name in TAKEN_UP}
            )
            rules = Policy(config) if version_of(new) != self.version else self.rules
        except ConfigurationError as error:
            self._refuse(error.message)
            self._mark = mark if self._named() == self._files else ()
            return
        if rules is not self.rules:
            version = version_of(new)
            if self._audit is not None:
                # SECURITY: on record before the first task that it lets in.
                self._audit.record_whole(
                    "policy_changed",
                    version=version,
                    before=self.version,
                    **config.model_dump(mode="json", include=set(TAKEN_UP)),
                )
            self.config, self.rules, self.version = config, rules, version
            self._since = clock.now().isoformat()
            log.warning("policies of the changed file count from now on", version=version)
        self._mark = mark
        self._tell(None)
        told = None if self._folder is None else read_followed(self._folder)
        if told is not None and (names := told.changed_settings(new)):
            log.warning("changed settings count after a restart", settings=names)

    def _named(self) -> tuple[Path, ...]:
        return () if self._file is None else files_of(self._file)

    def _refuse(self, why: str) -> None:
        log.error(
            "the changed file is wrong: the policies from before it stay",
            version=self.version,
            reason=why,
        )
        if self._audit is not None:
            self._audit.record("policy_refused", version=self.version, message=why)
        self._tell(why)

    def _tell(self, refused: str | None) -> None:
        if self._folder is None:
            return
        told = FollowedPolicy(self.version, self._since, refused, _hashes(self._started_with))
        # Nothing depends on it but what commands say.
        with suppress(OSError):
            write_private(self._folder / _FILE, json.dumps(asdict(told)))


def describe_followed(instance: "Instance") -> list[str]:
    """Return which version of the rules counts, the one of the file or an earlier one."""
    version = version_of(instance.config)
    if instance.holder() is None:
        return [f"The node does not run. It will follow {instance.file}, version {version}."]
    told = read_followed(instance.data)
    if told is None:
        return ["The running node does not say which policies it follows: restart it."]
    lines = [f"The running node follows this version, {version}, since {told.since}."]
    if told.version != version:
        lines = [
            f"The running node follows version {told.version} since {told.since}. It takes up this "
            f"file, version {version}, for its next task."
        ]
    if names := told.changed_settings(instance.config):
        lines.append(f"Changed settings that count after a restart: {', '.join(names)}.")
    return lines


def _hashes(config: NodeConfig) -> dict[str, str]:
    """Return a hash of each setting that a running node does not take up.

    SECURITY: some hold passwords, as in the address of a database. Without the API key, which is
    random, no guess of them can be tried.
    """
    key = config.api_key.get_secret_value().encode()
    values = config.model_dump(mode="json", exclude={*TAKEN_UP, _KEY}) | {_KEY: None}
    return {
        name: hmac.digest(key, _as_bytes([name, value]), "sha256").hex()[:_SHOWN_DIGITS]
        for name, value in values.items()
    }


def _hash(value: Any) -> str:
    return hashlib.sha256(_as_bytes(value)).hexdigest()


def _as_bytes(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, default=str).encode()


_Mark = tuple[tuple[int, int, int] | None, ...]


def _mark(files: Iterable[Path]) -> _Mark:
    """Return what tells one state of some files from the next one."""
    return tuple(_mark_of_one(file) for file in files)


def _mark_of_one(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _await_settled(files: Iterable[Path]) -> _Mark:
    """Return the mark of files once they have not changed for a while; a few seconds at most."""
    mark = _mark(files)
    for _ in range(_MOST_CHECKS):
        newest = max((one[0] for one in mark if one), default=0)
        if not 0 <= time.time() - newest / 1e9 < _SETTLED_SECONDS:
            break
        time.sleep(0.1)
        mark = _mark(files)
    return mark
