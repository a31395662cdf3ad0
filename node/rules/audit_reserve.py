"""Disk space that a file has before it is written to.

The reserve lies behind the end of the file, so that its length tells nothing of it, and no process
else on a full disk can take it.
"""

import ctypes
import errno
import os

from vantage6.common import logs

log = logs.get(__name__)

#: Of Linux: the length of the file stays as it is.
_KEEP_SIZE = 1
#: The file system cannot reserve space.
_CANNOT = (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
_LIBC = ctypes.CDLL(None, use_errno=True)


class Reserve:
    """Space for what will be appended to a file.

    Parameters
    ----------
    descriptor
        The open file.
    size
        Bytes to keep behind its end.
    """

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor = descriptor
        self._size = size
        #: Up to where the file has space; what cannot be reserved need not be tried again.
        self._end = 0
        self._can = True

    def fill(self) -> bool:
        """Make up for what was used, once half of it is; tell whether at least that is there."""
        if not self._can:
            return True
        length = os.fstat(self._descriptor).st_size
        if length + self._size // 2 <= self._end:
            return True
        code = _allocate(self._descriptor, length, self._size)
        if code in _CANNOT:
            self._can = False
            log.warning("no space can be reserved for the audit file", reason=os.strerror(code))
        elif code == 0:
            self._end = length + self._size
        return code == 0 or not self._can

    def lose(self) -> None:
        """Know that nothing is reserved any more: the file was made shorter."""
        self._end = 0


def _allocate(descriptor: int, start: int, size: int) -> int:
    """Reserve space from some place on, and return the number of the error, or 0."""
    allocate = getattr(_LIBC, "fallocate", None)
    if allocate is None:
        return errno.ENOSYS
    offset, length = ctypes.c_int64(start), ctypes.c_int64(size)
    for _ in range(10):
        if allocate(descriptor, _KEEP_SIZE, offset, length) == 0:
            return 0
        if ctypes.get_errno() != errno.EINTR:
            break
    return ctypes.get_errno()
