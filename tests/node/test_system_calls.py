"""Which system calls algorithms may make. No socket is connected to anything outside."""

import json
import os
import platform
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.node.conftest import MakeBench
from tests.node.factories import make_claim, make_program_image
from vantage6.node.runtime import seccomp
from vantage6.node.runtime.docker import DockerRuntime

#: AF_UNIX, AF_INET, AF_INET6 and AF_NETLINK.
LISTED = [1, 2, 10, 16]
#: More than this kernel knows, AF_VSOCK (40) among them.
FAMILIES = 64
#: What Docker's documentation of its default profile names as refused, the calls that are newer,
#: and the ways to look into other processes, which Docker lets through.
REFUSED = """
acct add_key bpf chroot clock_adjtime clock_settime create_module delete_module fanotify_init
finit_module fsconfig fsmount fsopen fspick get_kernel_syms get_mempolicy init_module io_uring_enter
io_uring_register io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load keyctl
listmount listns lookup_dcookie lsm_get_self_attr lsm_list_modules lsm_set_self_attr mbind
migrate_pages modify_ldt mount mount_setattr move_mount move_pages name_to_handle_at nfsservctl
open_by_handle_at open_tree perf_event_open pidfd_getfd pivot_root process_madvise ptrace
query_module quotactl quotactl_fd reboot request_key set_mempolicy sethostname setdomainname setns
settimeofday statmount stime swapoff swapon sysfs _sysctl syslog umount umount2 unshare uselib
userfaultfd ustat vhangup vm86 vm86old
"""
#: Numbers of some of them, to try: x86_64, its 32-bit way, aarch64.
NUMBERS = {
    "io_uring_setup": (425, 425, 425),
    "io_uring_enter": (426, 426, 426),
    "io_uring_register": (427, 427, 427),
    "bpf": (321, 357, 280),
    "ptrace": (101, 26, 117),
    "keyctl": (250, 288, 219),
    "add_key": (248, 286, 217),
    "request_key": (249, 287, 218),
    "userfaultfd": (323, 374, 282),
    "perf_event_open": (298, 336, 241),
    "mount": (165, 21, 40),
    "umount2": (166, 52, 39),
    "pivot_root": (155, 217, 41),
    "setns": (308, 346, 268),
    "unshare": (272, 310, 97),
    "open_by_handle_at": (304, 342, 265),
    "pidfd_getfd": (438, 438, 438),
    "process_madvise": (440, 440, 440),
    "kcmp": (312, 349, 272),
    "fsopen": (430, 430, 430),
    "open_tree": (428, 428, 428),
    "fanotify_init": (300, 338, 262),
    "init_module": (175, 128, 105),
    "kexec_load": (246, 283, 104),
}
CALLS = """
import ctypes, errno, json, mmap, os, platform
is_x86 = platform.machine() == 'x86_64'
library = ctypes.CDLL(None, use_errno=True)

def name(number):
    return errno.errorcode.get(number, str(number))

def call(*numbers):
    ctypes.set_errno(0)
    made = library.syscall(*map(ctypes.c_long, numbers))
    return 'made' if made >= 0 else name(ctypes.get_errno())

def low(protection):
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40  # where 32 bits reach
    block = mmap.mmap(-1, 4096, flags=flags, prot=protection)
    return block, ctypes.addressof(ctypes.c_char.from_buffer(block))

if is_x86:
    code, place = low(mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    # push rbx; eax, ebx, ecx, edx, esi = the arguments; int 0x80; pop rbx; ret
    code.write(bytes.fromhex('5389f889f34189d189ca4489c94489c6cd805bc3'))
    enter = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_long] * 5)(place)
    values, address = low(mmap.PROT_READ | mmap.PROT_WRITE)

def old_call(*numbers):
    made = enter(*numbers, *[0] * (5 - len(numbers)))
    return 'made' if made >= 0 else name(-made)

def socketcall(which, *numbers):
    for place, number in enumerate(numbers):
        ctypes.c_uint.from_address(address + 4 * place).value = number
    return old_call(102, which, address)
"""
FAMILY_PROBE = """
import socket

def pythons(make, *numbers):
    try:
        make(*numbers)
    except OSError as error:
        return name(error.errno)
    return 'made'

out = {}
for family in range(FAMILIES):
    found = out[family] = {}
    for type_ in (1, 2, 3, 5):
        found[f'socket {type_}'] = pythons(socket.socket, family, type_)
        if is_x86:
            found[f'old socket {type_}'] = old_call(359, family, type_)
            found[f'socketcall {type_}'] = socketcall(1, family, type_, 0)
    found['socketpair'] = pythons(socket.socketpair, family, 1)
    if is_x86:
        found['old socketpair'] = old_call(360, family, 1, 0, address + 256)
        found['socketcall pair'] = socketcall(8, family, 1, 0, address + 256)
        # In the upper half, which the kernel does not look at.
        found['upper half'] = call(41, 1 << 32 | family, 1, 0)
        found['x32'] = call(1 << 30 | 41, family, 1, 0)
"""
KIND_PROBE = """
import socket
out = {}
for protocol in range(256):
    for family, type_ in ((2, 1), (2, 2), (2, 5), (2, 6), (10, 1), (10, 2), (10, 5), (16, 3)):
        try:
            socket.socket(family, type_, protocol)
        except OSError as error:
            if name(error.errno) == 'EPERM':
                continue
        out.setdefault(f'{family} {type_}', []).append(protocol)
"""
REFUSED_PROBE = """
out = {}
column = 0 if is_x86 else 2
for which, numbers in json.loads(NUMBERS).items():
    out[which] = call(numbers[column], 0, 0, 0, 0, 0)
    if is_x86:
        out['old ' + which] = old_call(numbers[1])
NEW_USER, NEW_NET, SIGCHLD = 0x10000000, 0x40000000, 17
for flags in (NEW_USER, NEW_USER | NEW_NET):
    out[f'clone {flags:x}'] = call(56 if is_x86 else 220, flags | SIGCHLD, 0, 0, 0, 0)
    if is_x86:
        out[f'old clone {flags:x}'] = old_call(120, flags | SIGCHLD, 0, 0)
out['personality'] = call(135 if is_x86 else 92, 0x40000)
"""
ORDINARY = """
import asyncio, concurrent.futures, ctypes, fcntl, hashlib, importlib, json, mmap, multiprocessing
import os, select, signal, socket, sqlite3, ssl, subprocess, sys, tempfile, threading, time

def double(number):
    return 2 * number

async def talk():
    async def answer(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()
    said = []
    async with await asyncio.start_server(answer, '127.0.0.1', 0) as server:
        host, port = server.sockets[0].getsockname()[:2]
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b'hello\\n')
        said.append((await reader.readline()).decode())
        writer.close()
    process = await asyncio.create_subprocess_exec('cat', stdin=-1, stdout=-1)
    said.append((await process.communicate(b'cat'))[0].decode())
    loop = asyncio.get_running_loop()
    said.append(await loop.run_in_executor(None, double, 2))
    return said

out = {'asyncio': asyncio.run(talk())}
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    out['threads'] = sum(pool.map(double, range(100)))
context = multiprocessing.get_context('fork')
with context.Pool(2) as pool:
    out['processes'] = sum(pool.map(double, range(100)))
shell = "for i in 1 2 3; do echo $i; done | tr -d '\\\\n' | sha256sum | cut -c 1-8"
out['shell'] = subprocess.run(shell, shell=True, check=True, capture_output=True).stdout.decode()
out['hash'] = hashlib.sha256(b'123').hexdigest()[:8] + '\\n'
python = subprocess.run([sys.executable, '-I', '-c', 'print(6 * 7)'], capture_output=True)
out['python'] = python.stdout.decode()
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, 'file')
    with sqlite3.connect(path) as database:
        database.execute('PRAGMA journal_mode=WAL')
        database.execute('CREATE TABLE numbers AS SELECT 42 AS number')
        out['sqlite'] = database.execute('SELECT number FROM numbers').fetchall()
    database.close()
    os.mkfifo(path + '.pipe')
    with open(path + '.map', 'w+b') as file:
        file.truncate(4096)
        fcntl.flock(file, fcntl.LOCK_EX)
        with mmap.mmap(file.fileno(), 4096) as mapped:
            mapped[:2] = b'42'
            mapped.flush()
        out['map'] = file.read(2).decode()
    os.posix_fallocate(os.open(path + '.more', os.O_CREAT | os.O_WRONLY), 0, 100)
    out['files'] = sorted(os.listdir(folder))
    os.chmod(path, 0o600), os.utime(path), os.stat(path), os.statvfs(path)
out['addresses'] = sorted({info[4][0] for info in socket.getaddrinfo('127.0.0.1', 80)})
out['interfaces'] = [name for _, name in socket.if_nameindex()]
signal.signal(signal.SIGALRM, lambda *_: out.update(alarm=True))
signal.setitimer(signal.ITIMER_REAL, 0.01)
signal.pause()
with socket.socketpair()[0] as pair, select.epoll() as epoll:
    epoll.register(pair)
    out['epoll'] = len(epoll.poll(1))
out['tls'] = ssl.create_default_context().check_hostname
out['memory'] = os.memfd_create('x') > 0
out['random'] = len(os.urandom(8)) + len(os.getrandom(8))
out['scheduling'] = len(os.sched_getaffinity(0)) > 0
out['child'] = os.waitstatus_to_exitcode(os.waitpid(os.posix_spawn('/bin/true', ['x'], {}), 0)[1])
"""
FRAMES = """
import numpy, pandas
frame = pandas.read_csv(os.environ['DEFAULT_DATABASE_URI'])
square = numpy.linspace(0, 1, 400).reshape(20, 20) + 2 * numpy.eye(20)
values = [frame.age.mean(), float((square @ numpy.linalg.inv(square)).trace())]
for _ in range(3):
    big = numpy.random.default_rng(1).normal(size=(500, 500))
    numpy.linalg.svd(big @ big.T)
out = values + [len(frame.groupby('age').size())]
"""
REPORT = "\njson.dump(out, open(os.environ['OUTPUT_FILE'], 'w'))"


def profile() -> dict[str, Any]:
    """Return what engines get."""
    return json.loads(seccomp.option(is_podman=False, folder=None).removeprefix("seccomp="))


def test_profile_refuses_what_it_does_not_list() -> None:
    assert (profile()["defaultAction"], profile()["defaultErrnoRet"]) == ("SCMP_ACT_ERRNO", 1)


def test_profile_lists_nothing_that_engines_refuse() -> None:
    allowed = {
        name
        for rule in profile()["syscalls"]
        if rule["action"] != "SCMP_ACT_ERRNO"
        for name in rule["names"]
    }
    assert not allowed & {*REFUSED.split(), "clone3", "socketcall"}


def test_profile_names_the_family_of_each_socket() -> None:
    rules = [rule for rule in profile()["syscalls"] if "socket" in str(rule["names"])]
    # With another error than the default: engines leave rules out that change nothing, and
    # libseccomp then lets `socketcall` through with the first rule about `socket`.
    assert (rules[0]["names"], rules[0]["errnoRet"]) == (["socketcall"], 38)
    families = set()
    for rule in rules[1:]:
        assert set(rule["names"]) <= {"socket", "socketpair"}
        (family,) = [one for one in rule["args"] if one["index"] == 0]
        assert family["op"] == "SCMP_CMP_EQ"
        families.add(family["value"])
        assert family["value"] == 1 or rule["names"] == ["socket"]
    assert sorted(families) == LISTED


def test_podman_gets_a_file_and_docker_the_profile(tmp_path: Path) -> None:
    name, _, path = seccomp.option(is_podman=True, folder=tmp_path).partition("=")
    assert (name, Path(path).parent) == ("seccomp", tmp_path)
    assert json.loads(Path(path).read_text()) == profile()
    # An engine that reads it meanwhile never sees half of it.
    with Path(path).open() as opened:
        seccomp.option(is_podman=True, folder=tmp_path)
        assert json.loads(opened.read()) == profile()
    Path(path).write_text("older")
    with Path(path).open() as opened:
        seccomp.option(is_podman=True, folder=tmp_path)
        assert opened.read() == "older"
    assert json.loads(Path(path).read_text()) == profile()


@pytest.fixture(params=["docker_bench", "podman_bench"])
def make_bench(request: pytest.FixtureRequest) -> MakeBench:
    """Give a function that makes a bench on an engine."""
    make: MakeBench = request.getfixturevalue(request.param)
    return make


def seen(make: MakeBench, program: str) -> Any:
    """Return what a program reports."""
    entry, exit_ = make().run(CALLS + program + REPORT)
    assert exit_.code == 0, exit_.log
    return json.loads(entry.read_output(10**6))


@pytest.mark.slow
def test_sockets_are_of_the_listed_families_only(make_bench: MakeBench) -> None:
    found = seen(make_bench, FAMILY_PROBE.replace("FAMILIES", str(FAMILIES)))
    ways = {way for ways in found.values() for way in ways}
    assert len(ways) == (17 if platform.machine() == "x86_64" else 5)
    refused = {"EPERM", "EAFNOSUPPORT", "ENOSYS"}
    got_through = {
        (int(family), way)
        for family, ways in found.items()
        for way, result in ways.items()
        if result not in refused
    }
    assert {family for family, _ in got_through} <= set(LISTED)
    assert {family for family, way in got_through if "pair" in way} == {1}
    assert not [way for _, way in got_through if way.startswith(("socketcall", "upper", "x32"))]
    assert {(1, "socket 1"), (2, "socket 1"), (10, "socket 2"), (16, "socket 3")} <= got_through


@pytest.mark.slow
def test_sockets_are_of_the_listed_kinds_only(make_bench: MakeBench) -> None:
    """Others load modules of the kernel, such as SCTP."""
    assert seen(make_bench, KIND_PROBE) == {
        "2 1": [0, 6],
        "2 2": [0, 17],
        "10 1": [0, 6],
        "10 2": [0, 17],
        "16 3": [0],
    }


@pytest.mark.slow
def test_calls_that_engines_refuse_stay_refused(make_bench: MakeBench) -> None:
    found = seen(make_bench, REFUSED_PROBE.replace("NUMBERS", repr(json.dumps(NUMBERS))))
    assert {call: result for call, result in found.items() if result != "EPERM"} == {}


@pytest.mark.slow
def test_ordinary_programs_work(make_bench: MakeBench) -> None:
    found = seen(make_bench, ORDINARY)
    assert found.pop("shell") == found.pop("hash")
    assert "lo" in found.pop("interfaces")
    assert found == {
        "addresses": ["127.0.0.1"],
        "alarm": True,
        "asyncio": ["HELLO\n", "cat", 4],
        "child": 0,
        "epoll": 1,
        "files": ["file", "file.map", "file.more", "file.pipe"],
        "map": "42",
        "memory": True,
        "processes": 9900,
        "python": "42\n",
        "random": 16,
        "scheduling": True,
        "sqlite": [[42]],
        "threads": 9900,
        "tls": True,
    }


@pytest.mark.slow
def test_numbers_and_tables_work(
    docker_bench: MakeBench, engine: docker.APIClient, average_image: str
) -> None:
    image = make_program_image(engine, average_image, f"vantage6-test/frames-{os.getpid()}:latest")
    try:
        entry, exit_ = docker_bench().run(CALLS + FRAMES + REPORT, make_claim(image=image))
    finally:
        engine.remove_image(image, force=True)
    assert exit_.code == 0, exit_.log
    mean, trace, groups = json.loads(entry.read_output(1000))
    assert (mean, round(trace, 6), groups) == (45, 20, 2)


@pytest.mark.slow
def test_profile_of_the_node_takes_the_place_of_the_engines(make_bench: MakeBench) -> None:
    bench = make_bench()
    runtime = bench.runtime
    assert isinstance(runtime, DockerRuntime)
    assert runtime.facts.unfiltered == ""
    handle = runtime.create(bench.prepare("")[1])
    options = runtime.engine.inspect_container(handle.id)["HostConfig"]["SecurityOpt"]
    assert any(option.startswith("seccomp=") for option in options)
