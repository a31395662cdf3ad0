"""How much an algorithm has written where no limit of the kernel's counts it all together."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

#: What a file counts at least, so that the number of files, and with it the time of a measurement,
#: is bounded too.
_LEAST_BYTES = 16_384
#: Nobody writes faster, in bytes a second: what is left lasts so long at least.
_FASTEST = 2 * 2**30
#: Between two measurements.
SHORTEST_SECONDS, LONGEST_SECONDS = 0.1, 0.5


def room(folders: Iterable[Path], most: int) -> int:
    """Return how many bytes are left of a number when everything in some folders is counted.

    Less than zero is too much. It is not counted how much too much.

    SECURITY: what cannot be measured, such as folders nested deeper than a path can be long,
    counts as too much.
    """
    left = most
    open_ = [os.fspath(folder) for folder in folders]
    while open_:
        try:
            with os.scandir(open_.pop()) as found:
                for entry in found:
                    with suppress(FileNotFoundError):
                        details = entry.stat(follow_symlinks=False)
                        left -= max(details.st_blocks * 512, _LEAST_BYTES)
                        if left < 0:
                            return left
                        if entry.is_dir(follow_symlinks=False):
                            open_.append(entry.path)
        except (FileNotFoundError, NotADirectoryError):
            continue  # removed meanwhile
        except OSError:
            return -1
    return left


def pause(left: int) -> float:
    """Return for how many seconds no look is needed, by the space that is left."""
    return min(max(left / _FASTEST, SHORTEST_SECONDS), LONGEST_SECONDS)
