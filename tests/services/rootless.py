"""Container engines of an ordinary user, made for the tests, and programs that run as that user.

The files of the interpreter and of this checkout may lie where other users cannot look, such as
root's home: the programs get a view of the machine in which they can.
"""

import os
import pwd
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.services import missing, needs
from tests.services.podman import prepared, service

_CHECKOUT = Path(__file__).parents[2]
_DOCKERD = Path("/usr/share/docker.io/contrib/dockerd-rootless.sh")
_NUMBERS = Path("/etc/subuid")
_DEVICE = Path("/dev/net/tun")
_SECONDS = 60


@dataclass(frozen=True)
class User:
    """An ordinary user."""

    uid: int
    #: Where it may write.
    folder: Path
    #: Mode of /dev/net/tun as it sees it; the usual one, which not every machine gives its own.
    device_mode: int = 0o666

    def command(self, *arguments: str | Path) -> list[str]:
        """Return how root runs a program as this user."""
        ids = [f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"]
        inner = [needs("setpriv"), *ids, "--", *map(str, arguments)]
        view = [_device(self.device_mode), _opened(self.folder / "view")]
        return [
            needs("unshare"),
            *("--mount", "--propagation", "private", "sh", "-ec"),
            "\n".join([*view, f"exec {shlex.join(inner)}"]),
        ]

    def environment(self, **more: str) -> dict[str, str]:
        """Return the variables of its programs, of which root's are no part."""
        path = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])
        given = {key: value for key, value in os.environ.items() if key in {"CI", "V6_TEST_IMAGE"}}
        home, run = self.folder / "home", self.folder / "run"
        return given | {"PATH": path, "HOME": str(home), "XDG_RUNTIME_DIR": str(run)} | more


@contextmanager
def user() -> Iterator[User]:
    """Give a user with subordinate numbers, who is gone afterwards together with its files."""
    for program in ("useradd", "newuidmap", "slirp4netns"):
        needs(program)
    if os.getuid() != 0:
        missing("root, for engines of another user")
    # Where it is missing, new users get no numbers.
    _NUMBERS.touch()
    name = f"v6-{os.getpid()}"
    # Outside of root's folders. Sockets have short paths.
    folder = Path(tempfile.mkdtemp(prefix="v6-"))
    home = folder / "home"
    _run("useradd", "--user-group", "--no-create-home", f"--home-dir={home}", name)
    try:
        _subordinate(name)
        uid = pwd.getpwnam(name).pw_uid
        for path in (folder, home, folder / "run"):
            path.mkdir(mode=0o700, exist_ok=True)
            os.chown(path, uid, uid)
        yield User(uid, folder)
    finally:
        _remove(name)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def docker(owner: User) -> Iterator[str]:
    """Give the address of a rootless Docker of a user."""
    needs("rootlesskit")
    if not _DOCKERD.exists():
        missing(str(_DOCKERD))
    address = f"unix://{owner.folder}/run/docker.sock"
    places = [f"--data-root={owner.folder}/docker", f"--exec-root={owner.folder}/run/docker"]
    pid = f"--pidfile={owner.folder}/run/docker.pid"
    # The explicit limit: the usual start raises it, which a sandbox does not permit.
    limit = "--default-ulimit=nofile=1024:1024"
    command = [str(_DOCKERD), f"--host={address}", *places, pid, limit]
    with _engine(owner, "docker", command):
        yield address


@contextmanager
def podman(owner: User) -> Iterator[str]:
    """Give the address of a rootless Podman of a user."""
    program, variables, options = prepared(owner.folder)
    address = f"unix://{owner.folder}/run/podman.sock"
    # Left alone, it copies whole images.
    storage = "--storage-driver=overlay"
    command = [program, *options, storage, "system", "service", "--time=0", address]
    with _engine(owner, "podman", command, **variables):
        yield address


@contextmanager
def _engine(
    owner: User, name: str, command: Sequence[str | Path], **variables: str
) -> Iterator[None]:
    log, socket = owner.folder / f"{name}.log", owner.folder / "run" / f"{name}.sock"
    environment = owner.environment(**variables)
    with service(owner.command(*command), log, socket, environment, _SECONDS):
        yield


def _device(mode: int) -> str:
    """Return the commands of root that give a program a /dev/net/tun of its own.

    The machine's own may be closed to others; it stays as it is.
    """
    if not _DEVICE.parent.is_dir():
        missing(f"{_DEVICE}, for networks of an ordinary user's engine (modprobe tun)")
    return f"mount -t tmpfs -o mode=755 none {_DEVICE.parent}\nmknod -m {mode:o} {_DEVICE} c 10 200"


def _opened(view: Path) -> str:
    """Return the commands of root that let others look at what a test needs, and at no more."""
    wanted = sorted({Path(sys.prefix), Path(sys.base_prefix), _CHECKOUT})
    wanted = [
        one
        for one in wanted
        if not any(one.is_relative_to(other) and one != other for other in wanted)
    ]
    closed = {path: first for path in wanted if (first := _first_closed(path))}
    lines = []
    for number, path in enumerate(closed):
        lines += [f"mkdir -p {view}/{number}", f"mount --bind {path} {view}/{number}"]
    lines += [f"mount -t tmpfs -o mode=755 none {first}" for first in sorted(set(closed.values()))]
    for number, path in enumerate(closed):
        lines += [f"mkdir -p {path}", f"mount --bind {view}/{number} {path}"]
    return "\n".join(lines)


def _first_closed(path: Path) -> Path | None:
    """Return the outermost folder on the way to a path that others cannot pass."""
    way = [*reversed(path.parents)]
    return next((folder for folder in way if not folder.stat().st_mode & 0o001), None)


def _remove(name: str) -> None:
    uid = pwd.getpwnam(name).pw_uid
    numbers = {uid, *_subordinate(name)}
    # What its containers left running; nobody else has these numbers.
    for process in psutil.process_iter(["uids"]):
        with suppress(psutil.NoSuchProcess):
            if process.info["uids"].real in numbers:
                process.kill()
    _run("userdel", "--force", name)


def _subordinate(name: str) -> range:
    for line in _NUMBERS.read_text().splitlines():
        owner, first, count = line.split(":")
        if owner == name:
            return range(int(first), int(first) + int(count))
    return missing(f"numbers of {name} in {_NUMBERS}")


def _run(*command: str) -> None:
    subprocess.run(
        [needs(command[0]), *command[1:]], check=True, timeout=_SECONDS, capture_output=True
    )
