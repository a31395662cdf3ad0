"""The pause of a station: nothing new starts, and what runs goes on.

It is a file, ``requests/pause.json``, and lasts until a person ends it, also over restarts. The
file stays then, and says who ended it.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

from vantage6.common import clock
from vantage6.common.durable_files import mark_of
from vantage6.node.requests.folder import RequestFolder

_MOST_NOTE = 500


@dataclass(frozen=True, slots=True)
class PauseChange:
    """The last change of the pause."""

    is_on: bool
    by: str
    at: str
    note: str = ""
    #: Of the end of a pause: the person that began it, and when.
    began_by: str = ""
    began_at: str = ""


class Pause:
    """The pause of one node. Safe for threads and processes.

    Parameters
    ----------
    data
        The data folder of the node.
    """

    def __init__(self, data: Path) -> None:
        self._folder = RequestFolder(data)
        self._path = self._folder.path / "pause.json"

    @property
    def mark(self) -> object:
        """What differs after each change of the pause."""
        return mark_of(self._path)

    @property
    def is_on(self) -> bool:
        """Whether nothing new may start."""
        last = self.last()
        return last is not None and last.is_on

    def last(self) -> PauseChange | None:
        """Return the last change; None if the station was never paused.

        SECURITY: a file that cannot be read is a pause.
        """
        try:
            values = self._folder.read(self._path)
            change = None if values is None else PauseChange(**values)
        except (OSError, TypeError):
            return PauseChange(is_on=True, by="", at="", note=f"{self._path} cannot be read")
        if change is not None and change.is_on is not False:
            return PauseChange(is_on=True, by=change.by, at=change.at, note=change.note)
        return change

    def set(self, by: str, note: str = "") -> PauseChange:
        """Let nothing new start from now on; a pause that is on stays as it is."""
        change = PauseChange(is_on=True, by=by, at=clock.now().isoformat(), note=note[:_MOST_NOTE])
        with self._folder.lock():
            last = self.last()
            return last if last is not None and last.is_on else self._write(change)

    def clear(self, by: str) -> PauseChange | None:
        """Let results start again, and return the last change; harmless if there is no pause."""
        with self._folder.lock():
            last = self.last()
            if last is None or not last.is_on:
                return last
            began = {"note": last.note, "began_by": last.by, "began_at": last.at}
            return self._write(PauseChange(False, by, clock.now().isoformat(), **began))

    def _write(self, change: PauseChange) -> PauseChange:
        self._folder.write(self._path, asdict(change))
        return change
