"""Databases and devices, as a container gets them."""

import json
import os
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.node.conftest import MakeBench

pytestmark = pytest.mark.slow

_WALK = """
import json, os
folder = os.environ['DEFAULT_DATABASE_URI']
try:
    open(folder + '/new', 'w')
    wrote = True
except OSError:
    wrote = False
found = {name: open(f'{folder}/{name}').read() for name in sorted(os.listdir(folder))}
json.dump([folder, found, wrote], open(os.environ['OUTPUT_FILE'], 'w'))
"""


@pytest.mark.parametrize("form", ["old", "new"])
def test_folder_can_be_a_database(docker_bench: MakeBench, tmp_path: Path, form: str) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "a.txt").write_text("one")
    databases: Any = {"default": str(folder)}
    if form == "new":
        databases = [{"label": "default", "uri": str(folder), "type": "other"}]
    bench = docker_bench(databases=databases)
    entry, exit_ = bench.run(_WALK)
    assert exit_.code == 0, exit_.log
    assert json.loads(entry.read_output(1000)) == ["/mnt/data/default", {"a.txt": "one"}, False]


def test_database_is_read_afresh_by_each_task(docker_bench: MakeBench, tmp_path: Path) -> None:
    bench = docker_bench()
    program = "print(open(os.environ['DEFAULT_DATABASE_URI']).read())"
    assert "40" in bench.run(program)[1].log
    bench.runtime.remove(5)
    path = tmp_path / "patients.csv"
    _, spec = bench.prepare(program)
    # As most programs write a file: a new one in its place.
    (tmp_path / "new").write_text("age\n99\n")
    (tmp_path / "new").replace(path)
    handle = bench.runtime.start(bench.runtime.create(spec), bench.listeners.append)
    assert "99" in bench.runtime.wait(handle).log


def test_request_for_graphics_processors_is_passed_on(
    docker_bench: MakeBench, engine: docker.APIClient
) -> None:
    bench = docker_bench(algorithm_device_requests={"gpu": True})
    handle = bench.runtime.create(bench.prepare("")[1])
    (request,) = engine.inspect_container(handle.id)["HostConfig"]["DeviceRequests"]
    assert (request["Count"], request["Capabilities"]) == (-1, [["gpu"]])


def test_algorithm_without_configured_limits_leaves_a_processor_to_the_station(
    docker_bench: MakeBench, engine: docker.APIClient
) -> None:
    bench = docker_bench(limits={})
    bench.needs_bound("processors")
    handle = bench.runtime.create(bench.prepare("")[1])
    host = engine.inspect_container(handle.id)["HostConfig"]
    assert host["CpuQuota"] / host["CpuPeriod"] == max(1, (os.cpu_count() or 1) - 1)


def test_container_is_confined_in_every_way_that_the_engine_knows(
    docker_bench: MakeBench, engine: docker.APIClient
) -> None:
    bench = docker_bench(limits={"cpus": 0.5, "memory_bytes": 2**28, "pids": 50})
    handle = bench.runtime.create(bench.prepare("")[1])
    details = engine.inspect_container(handle.id)
    host = details["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert not host["Privileged"]
    first, second = host["SecurityOpt"]
    assert first == "no-new-privileges"
    assert second.startswith("seccomp={")
    assert host["ReadonlyRootfs"]
    assert host["Memory"] == host["MemorySwap"] == 2**28
    assert host["PidsLimit"] == 50
    assert host["CpuQuota"] / host["CpuPeriod"] == 0.5
    assert {limit["Name"] for limit in host["Ulimits"]} == {"fsize", "core", "nofile"}
    assert host["PidMode"] == host["UTSMode"] == ""
    assert host["IpcMode"] == "private"
    assert not host["Devices"]
    assert details["Config"]["User"] not in {"", "0", "root", "0:0"}
    written = [mount["Destination"] for mount in details["Mounts"] if mount["RW"]]
    assert sorted(written) == ["/mnt/data/task-000000005/output", "/mnt/tmp"]
