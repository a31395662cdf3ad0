"""The kernel's numbers for one container, from both versions of control groups."""

import os
from pathlib import Path

import pytest

from vantage6.node.runtime import counters
from vantage6.node.runtime.counters import Counters

ID = "4f5e" * 16
#: What a process sees of its groups, and where the numbers are then.
LAYOUTS = {
    "version 1": (
        f"8:pids:/docker/{ID}\n4:memory:/docker/{ID}\n0::/docker/{ID}\n",
        {
            f"pids/docker/{ID}/pids.events": "max 7\n",
            f"memory/docker/{ID}/memory.oom_control": "oom_kill_disable 0\noom_kill 2\n",
        },
    ),
    "version 2, made by systemd": (
        f"0::/system.slice/docker-{ID}.scope\n",
        {
            f"system.slice/docker-{ID}.scope/pids.events": "max 7\n",
            f"system.slice/docker-{ID}.scope/memory.events": "low 0\noom 2\noom_kill 2\n",
        },
    ),
    "version 2, the program one group further down": (
        f"0::/machine.slice/libpod-{ID}.scope/container\n",
        {
            f"machine.slice/libpod-{ID}.scope/pids.events": "max 0\n",
            f"machine.slice/libpod-{ID}.scope/container/pids.events": "max 7\n",
            f"machine.slice/libpod-{ID}.scope/memory.events": "oom_kill 2\n",
            f"machine.slice/libpod-{ID}.scope/container/memory.events": "oom_kill 1\n",
        },
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_numbers_are_found_in_each_layout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    groups, files = LAYOUTS[layout]
    for name, content in files.items():
        (tmp_path / "groups" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / name).write_text(content)
    process = tmp_path / "proc/12"
    (process / "net").mkdir(parents=True)
    (process / "cgroup").write_text(groups)
    (process / "mountinfo").write_text(f"1 2 8:1 /containers/{ID}/hostname /etc/hostname rw\n")
    (process / "net/snmp").write_text(
        "Ip: Forwarding OutNoRoutes\nIp: 1 5\n"
        "Tcp: ActiveOpens AttemptFails\nTcp: 9 3\nUdp: NoPorts\nUdp: 1\n"
    )
    monkeypatch.setattr(counters, "_GROUPS", tmp_path / "groups")
    monkeypatch.setattr(counters, "_PROCESSES", tmp_path / "proc")
    found = Counters(ID, 12)
    assert found.read() == {
        "process_limit": 7,
        "out_of_memory": 2,
        "network_unreachable": 5,
        "connection_refused": 4,
    }
    found.close()
    # A last look may come late.
    assert found.read() == {"process_limit": 7, "out_of_memory": 2}


@pytest.mark.parametrize("pid", [None, 0, pytest.param(os.getpid(), id="own"), 2**22 + 1])
def test_process_that_is_not_the_containers_has_no_numbers(pid: int | None) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    found = Counters(ID, pid)
    assert found.read() == {}
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    found.close()
