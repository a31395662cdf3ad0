"""How much an algorithm has written where no limit of the kernel's counts it all together."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

#: What a file counts at least, so that the number of files is bounded too.
_LEAST_BYTES = 4096


def exceeds(folders: Iterable[Path], most: int) -> bool:
    """Tell whether everything in some folders takes more than a number of bytes on disk.

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
                            return True
                        if entry.is_dir(follow_symlinks=False):
                            open_.append(entry.path)
        except (FileNotFoundError, NotADirectoryError):
            continue  # removed meanwhile
        except OSError:
            return True
    return False
