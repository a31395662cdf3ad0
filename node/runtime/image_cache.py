"""Which images this node has pulled itself, and when each was last used."""

import json
import threading
from datetime import datetime, timedelta
from pathlib import Path

from vantage6.common import clock, logs
from vantage6.common.durable_files import write_durably

log = logs.get(__name__)

#: Uses may be lost for so long when the node stops.
_PRECISION = timedelta(hours=1)


class ImageCache:
    """References to images, kept in a file. Safe for threads.

    Parameters
    ----------
    path
        The file; None to know of no image, so that none is ever removed.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        #: Held while an image is removed, so that nobody begins to use it meanwhile.
        self.lock = threading.RLock()
        #: The id behind a reference, and when it was used.
        self._images = _load(path)
        self._written_at = clock.now()

    def __contains__(self, reference: str) -> bool:
        return reference in self._images

    def add(self, reference: str, id_: str) -> None:
        """Remember an image that was just pulled."""
        with self.lock:
            self._images[reference] = (id_, clock.now())
            self._write()

    def touch(self, id_: str) -> None:
        """Remember that an image is about to be used, by name, id or digest."""
        with self.lock:
            now = clock.now()
            for reference, (known, _) in self._images.items():
                if known == id_:
                    self._images[reference] = (id_, now)
            if now - self._written_at > _PRECISION:
                self._write()

    def forget(self, reference: str) -> None:
        """Know no more of an image."""
        with self.lock:
            self._images.pop(reference, None)
            self._write()

    def find_unused(self, days: float) -> tuple[str, str] | None:
        """Return reference and id of what was not used for longest, and longer than some days."""
        with self.lock:
            found = min(self._images.items(), key=lambda item: item[1][1], default=None)
        if found is None or clock.now() - found[1][1] < timedelta(days=days):
            return None
        return found[0], found[1][0]

    def _write(self) -> None:
        if self._path is None:
            return
        content = {
            reference: {"id": id_, "used_at": at.isoformat()}
            for reference, (id_, at) in self._images.items()
        }
        try:
            write_durably(self._path, json.dumps(content, indent=1).encode())
        except OSError as error:
            # An image too many stays; none too many goes.
            log.warning("pulled images not written down", reason=str(error))
        self._written_at = clock.now()


def _load(path: Path | None) -> dict[str, tuple[str, datetime]]:
    try:
        content = json.loads(path.read_bytes()) if path else {}
        return {
            reference: (image["id"], clock.parse(image["used_at"]))
            for reference, image in content.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        log.warning("pulled images not known any more: none will be removed", reason=str(error))
        return {}
