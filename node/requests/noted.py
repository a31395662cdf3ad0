"""What the audit has of the pause and the grants, so that each change is told once.

People change both by files, whether or not the node runs. ``requests/noted.json`` says which state
the audit tells; the node writes down what differs from it.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from vantage6.common import logs
from vantage6.common.errors import Unavailable
from vantage6.node.requests.folder import Damaged, RequestFolder
from vantage6.node.requests.grants import Grant, Grants
from vantage6.node.requests.pause import Pause, PauseChange
from vantage6.node.rules.audit import FILE_NAME, entries

log = logs.get(__name__)

#: Writes an event into the audit, before what it announces happens.
Record = Callable[..., None]
_Lines = list[tuple[str, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class _Noted:
    """A state of the pause and the grants."""

    pause: str = ""
    #: A hash of what each grant covers, by its id.
    grants: dict[str, str] = field(default_factory=dict)
    #: Lines are being written, and some may be in the audit already.
    is_writing: bool = False


class Noted:
    """What the audit of one node has. Safe for threads; the node alone writes it.

    Parameters
    ----------
    data
        The data folder of the node.
    grants, pause
        What may have changed.
    """

    def __init__(self, data: Path, grants: Grants, pause: Pause) -> None:
        self._audit = data / FILE_NAME
        self._folder = RequestFolder(data)
        self._path = self._folder.path / "noted.json"
        self._grants = grants
        self._pause = pause
        self._lock = threading.Lock()
        #: The marks of the files of which all is noted.
        self._seen: object = None

    def note(self, record: Record) -> None:
        """Write what is new or gone into the audit, each change once.

        Raises
        ------
        OSError
            If it cannot be written, or a decision cannot be read.
        """
        with self._lock:
            seen = self._grants.mark, self._pause.mark
            if seen == self._seen:
                return
            try:
                self._note(record)
            except Unavailable as error:
                # As a disk that is busy: it is tried again.
                raise OSError(str(error)) from error
            self._seen = seen

    def _note(self, record: Record) -> None:
        before, grants, pause = self._read(), self._grants.list(), self._pause.last()
        lines = [
            (event, facts | {"change": _hash([event, facts])[:16]})
            for event, facts in (*_of_pause(before, pause), *_of_grants(before, grants))
        ]
        if not lines:
            return
        if before.is_writing:
            # The node ended, or the disk was full, in the middle of it.
            told = {entry.get("change") for entry in self._entries()}
            lines = [(event, facts) for event, facts in lines if facts["change"] not in told]
        else:
            self._write(replace(before, is_writing=True))
        for event, facts in lines:
            record(event, **facts)
        self._write(_Noted(_mark(pause), {one.id: _mark(one) for one in grants}))

    def _entries(self) -> Iterator[dict[str, Any]]:
        if self._audit.exists():
            yield from entries(self._audit)

    def _read(self) -> _Noted:
        try:
            return _Noted(**(self._folder.read(self._path) or {}))
        except (Damaged, TypeError) as error:
            # Then all is told once more.
            log.warning("noted changes not readable", reason=str(error))
            return _Noted()

    def _write(self, noted: _Noted) -> None:
        with self._folder.lock():
            self._folder.write(self._path, asdict(noted))


def _of_pause(before: _Noted, last: PauseChange | None) -> _Lines:
    if last is None or before.pause == _mark(last):
        return []
    begin = replace(last, is_on=True, by=last.began_by or last.by, at=last.began_at or last.at)
    lines = [] if before.pause == _mark(begin) else [_describe_pause(begin)]
    return lines if last.is_on else [*lines, _describe_pause(last)]


def _describe_pause(change: PauseChange) -> tuple[str, dict[str, Any]]:
    event = "paused" if change.is_on else "resumed"
    return event, {"by": change.by, "since": change.at, "note": change.note}


def _of_grants(before: _Noted, grants: list[Grant]) -> _Lines:
    gone = before.grants.keys() - {grant.id for grant in grants}
    return [
        *(
            ("grant", {"grant": one.id, "covers": _describe_grant(one), "by": list_givers(one)})
            for one in grants
            if before.grants.get(one.id) != _mark(one)
        ),
        *(("grant_revoked", {"grant": id_}) for id_ in sorted(gone)),
    ]


def _describe_grant(grant: Grant) -> str:
    """Return what a grant covers, without how often it counted."""
    return replace(grant, used=()).describe()


def list_givers(grant: Grant) -> list[str]:
    """Return the people that gave a grant."""
    return [name for name in (grant.by, grant.confirmed_by) if name]


def _mark(value: PauseChange | Grant | None) -> str:
    if isinstance(value, Grant):
        return _hash(replace(value, used=()).to_json())
    if value is None:
        return ""
    return _hash([value.is_on, value.by, value.at])


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
