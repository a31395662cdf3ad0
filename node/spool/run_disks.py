"""A file system of its own for each run, so that its results cannot write more than they may.

It lies in a file, which takes no more room than what was written. The kernel counts everything:
files that were removed and are still open, and room that was only reserved. Quotas of projects
would not do: the owner of a file may move it to another project.

It needs a node that runs as root in the view that the engine has of this machine, and loop devices.
"""

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from vantage6.common import logs
from vantage6.common.config.node import NodeConfig
from vantage6.node.outcomes import size
from vantage6.node.runtime.engine import address
from vantage6.node.runtime.listeners import engine_socket, socket_owner
from vantage6.node.spool import removal

log = logs.get(__name__)

_SUFFIX = ".img"
#: Of a file system that is being made, and what the name of one begins with that is only tried.
_PART, _TRIED = ".part", ".try-"
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
_SECONDS = 60
#: No journal: after a crash of the machine nobody needs what was half written.
_MAKE = ("-q", "-F", "-m", "0", "-O", "^has_journal,^resize_inode", "-i", "16384")
_MAKE_LAZILY = ("-E", "lazy_itable_init=1,nodiscard")
#: What is removed inside is given back to the disk outside.
_OPTIONS = "loop,nosuid,nodev,noatime,discard,noinit_itable"
#: Enough to try whether one can be made.
_LEAST_BYTES = 2**20
#: A write that was refused can leave some blocks: it would have taken others to keep track of it.
_LAST_BLOCKS = 16
#: A run that was used so recently does not make room for others.
_RECENT_SECONDS = 60.0


class RunDisks:
    """The file systems of all runs of a node.

    Parameters
    ----------
    folder
        Where they are mounted; their files lie beside.
    most
        Bytes that one of them holds.
    kept
        Bytes of the disk below them that all together leave free.
    """

    def __init__(self, folder: Path, most: int, kept: int = 0) -> None:
        self._folder = folder
        self._most = most
        self._kept = kept
        self._lock = threading.Lock()

    def open(
        self,
        run_id: int,
        in_use: Callable[[], set[int]],
        kept: Callable[[], set[int]] = set,
    ) -> Path | None:
        """Return where the file system of a run is, made and mounted if it was not.

        None for a run that has a plain folder, from a time before there were file systems.

        Parameters
        ----------
        run_id
            The run.
        in_use
            Tells which runs have results here that write; asked where room is short.
        kept
            Tells which runs have any results here: what is in their file systems stays.

        Raises
        ------
        OSError
            If it cannot be had, mostly since there is no room for all that it may hold.
        """
        mount_point, file = self._folder / str(run_id), self._file(run_id)
        with self._lock:
            if file.exists() and os.path.ismount(mount_point):
                os.utime(file)
                return mount_point
            # Somebody removed the file of a file system that was mounted: the run gets a new one.
            _unmount(mount_point)
            mount_point.mkdir(mode=0o700, exist_ok=True)
            is_new = not file.exists()
            if is_new and any(mount_point.iterdir()):
                return None
            wanted = self._whole if is_new else _promise(file)
            left = self._make_room(wanted, lambda: in_use() | {run_id}, kept)
            if left < wanted:
                raise OSError(
                    f"There is no room at {self._folder} for run {run_id}: it may write "
                    f"{size(wanted)} (limits.disk_bytes), and {size(max(left, 0))} are left beside "
                    "what other runs may write. It waits for them; or make room, or lower "
                    "limits.disk_bytes."
                )
            if is_new:
                _make(file, self._whole)
            _mount(file, mount_point)
            os.utime(file)
            return mount_point

    def room(self, run_id: int) -> int:
        """Return how many bytes a run may still write; less than zero if there is nothing left."""
        found = os.statvfs(self._folder / str(run_id))
        blocks = found.f_bavail - _LAST_BLOCKS
        return blocks * found.f_frsize if blocks > 0 and found.f_favail else -1

    def rest(self, run_ids_in_use: set[int], idle_seconds: float) -> None:
        """Unmount the file systems that no result uses; they keep what is in them.

        Parameters
        ----------
        run_ids_in_use
            Runs that have results here that write, by a look that may be some moments old.
        idle_seconds
            Time since the last use, which keeps those that came after that look.
        """
        oldest = time.time() - idle_seconds
        for file in self._images():
            try:
                with self._lock:
                    if int(file.stem) not in run_ids_in_use and file.stat().st_mtime <= oldest:
                        _unmount(file.with_suffix(""))
            except FileNotFoundError:
                continue
            except OSError as error:
                # It does no harm but to count: the others, and the stop of the node, go on.
                log.warning("not unmounted", run_id=int(file.stem), reason=str(error))

    def make_room(self, in_use: Callable[[], set[int]], kept: Callable[[], set[int]]) -> None:
        """Remove runs before their time where the disk is so full that none could be computed.

        Parameters
        ----------
        in_use, kept
            As for `open`.
        """
        with self._lock:
            self._make_room(0, in_use, kept)

    def shortage(self) -> str:
        """Return why not even one run could start, as a sentence; nothing if one could."""
        # What runs hold already is theirs, or makes room.
        free = self._free() + sum(file.stat().st_blocks * 512 for file in self._images())
        if free >= self._whole:
            return ""
        return (
            f"A run may write {size(self._whole)} (limits.disk_bytes), and the disk of "
            f"{self._folder} has {size(max(free, 0))} for runs: make room, or lower "
            "limits.disk_bytes."
        )

    @property
    def _whole(self) -> int:
        # What the file system keeps for itself does not count.
        return self._most + self._most // 20 + 2**20

    def _make_room(
        self, wanted: int, in_use: Callable[[], set[int]], kept: Callable[[], set[int]]
    ) -> int:
        """Return how many bytes are left, after idle runs made room if it is less than wanted.

        The lock is held. Runs go by their last use, and only where that is enough.
        """
        left = self._free() - self._sum_promises()
        if left >= wanted:
            return left
        used, spared = in_use(), kept()
        idle = [file for file in self._images() if int(file.stem) not in used]
        for file in idle:
            with suppress(OSError):  # What is still mounted counts.
                _unmount(file.with_suffix(""))
        promised, recent = self._sum_promises(), time.time() - _RECENT_SECONDS
        left = self._free() - promised
        details = [(file.stat(), file) for file in idle if int(file.stem) not in spared]
        old = sorted((one.st_mtime, one.st_blocks, file) for one, file in details)
        old = [one for one in old if one[0] < recent]
        if left + 512 * sum(blocks for _, blocks, _ in old) < wanted:
            return left
        for _, _, file in old:
            if left >= wanted:
                break
            remove(self._folder, file.stem)
            left = self._free() - promised
        return left

    def _free(self) -> int:
        found = os.statvfs(self._folder)
        return found.f_bavail * found.f_frsize - self._kept

    def _sum_promises(self) -> int:
        """Return what the mounted file systems may still take of the disk.

        SECURITY: it counts, so that all together cannot fill the disk of the station. The others
        hold what they hold, and must fit when they are mounted again.
        """
        mounted = (file for file in self._images() if os.path.ismount(file.with_suffix("")))
        return sum(map(_promise, mounted))

    def _images(self) -> list[Path]:
        return [file for file in self._folder.glob(f"*{_SUFFIX}") if file.stem.isdecimal()]

    def _file(self, run_id: int) -> Path:
        return self._folder / f"{run_id}{_SUFFIX}"


def open_for(config: NodeConfig, folder: Path) -> RunDisks | None:
    """Return the file systems of runs where this machine offers them, and say in the log which.

    Parameters
    ----------
    config
        The limit, and where the engine is.
    folder
        Where they are mounted.
    """
    if reason := obstacle(config, folder):
        log.warning("limits.disk_bytes is measured, not enforced", reason=reason)
        return None
    log.info("limits.disk_bytes is enforced: each run has a file system of its own")
    if reason := shortage(config, folder):
        log.warning("runs wait for room", reason=reason)
    return _disks(config, folder)


def shortage(config: NodeConfig, folder: Path) -> str:
    """Return why not even one run could start, as a sentence; nothing if one could."""
    return _disks(config, folder).shortage()


def _disks(config: NodeConfig, folder: Path) -> RunDisks:
    most = config.limits.disk_bytes
    # An output that comes home is there twice for a moment.
    kept = config.keep_free_bytes + min(most, config.limits.file_bytes)
    return RunDisks(folder, most, kept)


def obstacle(config: NodeConfig, folder: Path) -> str:
    """Return why runs get no file systems of their own, as a sentence; nothing if they do."""
    if os.getuid() != 0:
        return "The node does not run as root."
    for name in ("mkfs.ext4", "mount", "umount"):
        if shutil.which(name, path=_PATH) is None:
            return f"The program {name} is missing: install e2fsprogs and mount."
    pid, _ = socket_owner(engine_socket(address(config)))
    if not pid:
        return "The engine is not a process of this machine that the node can see."
    try:
        with tempfile.TemporaryDirectory(prefix=_TRIED, dir=folder) as name:
            file, mount_point = Path(name, "file"), Path(name, "mount")
            mount_point.mkdir()
            _make(file, _LEAST_BYTES)
            _mount(file, mount_point)
            try:
                seen = Path(f"/proc/{pid}/root", *mount_point.resolve().parts[1:])
                is_seen = seen.stat().st_dev == mount_point.stat().st_dev
            finally:
                _unmount(mount_point)
    except OSError as error:
        return f"No file system can be made in {folder}: {error}."
    if not is_seen:
        return "The engine does not see what the node mounts: run both in one mount namespace."
    return ""


def remove(folder: Path, run_id: str) -> None:
    """Remove the folder of a run, and its file system if it has one."""
    mount_point = folder / run_id
    _unmount(mount_point)
    removal.remove(mount_point)
    removal.remove(folder / f"{run_id}{_SUFFIX}")


def unmount_all(folder: Path) -> None:
    """Unmount every file system of a folder, which is to go."""
    for file in folder.glob(f"*{_SUFFIX}"):
        _unmount(file.with_suffix(""))


def names(folder: Path) -> set[str]:
    """Return the runs that have anything in a folder, and what was left of making file systems.

    SECURITY: only files of these names are removed. Others can be files of a user.
    """
    found = {path.name.removesuffix(_SUFFIX) for path in folder.iterdir()}
    return {
        name for name in found if name.removesuffix(_PART).isdecimal() or name.startswith(_TRIED)
    }


def last_use(folder: Path, run_id: str) -> float:
    """Return when a run was last used, as a timestamp."""
    return _sign(folder, run_id).stat().st_mtime


def keep(folder: Path, run_id: str) -> None:
    """Remember that a run is in use."""
    os.utime(_sign(folder, run_id))


def _sign(folder: Path, run_id: str) -> Path:
    """Return what bears the time of the last use of a run."""
    file = folder / f"{run_id}{_SUFFIX}"
    return file if file.exists() else folder / run_id


def _promise(file: Path) -> int:
    """Return what a file system may still take of the disk, beside what it holds."""
    try:
        details = file.stat()
    except FileNotFoundError:
        return 0
    return max(0, details.st_size - details.st_blocks * 512)


def _make(file: Path, length: int) -> None:
    part = file.with_suffix(_PART)
    with part.open("wb") as made:
        made.truncate(length)
    part.chmod(0o600)
    _run("mkfs.ext4", *_MAKE, *_MAKE_LAZILY, str(part))
    part.replace(file)


def _mount(file: Path, mount_point: Path) -> None:
    _run("mount", "-t", "ext4", "-o", _OPTIONS, str(file), str(mount_point))


def _unmount(mount_point: Path) -> None:
    if os.path.ismount(mount_point):
        # What still looks into it may go on; the file system ends with the last of them.
        _run("umount", "--lazy", str(mount_point))


def _run(program: str, *arguments: str) -> None:
    found = shutil.which(program, path=_PATH)
    if found is None:
        raise OSError(f"The program {program} is missing.")
    try:
        done = subprocess.run(  # noqa: S603 (every part of it is ours)
            [found, *arguments],
            env={"PATH": _PATH, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{program} does not end.") from error
    if done.returncode:
        raise OSError(f"{program}: {done.stderr.strip()[-300:] or done.returncode}")
