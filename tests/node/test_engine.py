"""What is told of an engine by what it says of itself."""

from typing import Any

import pytest

from vantage6.node.runtime import engine


class Engine:
    """An engine that says of itself what it is given."""

    def __init__(self, architecture: str, *options: str) -> None:
        self._info = {"Architecture": architecture, "SecurityOptions": list(options)}

    def info(self) -> dict[str, Any]:
        return self._info

    def version(self, *, api_version: bool) -> dict[str, Any]:
        assert not api_version
        return {"Components": [{"Name": "Engine"}]}


@pytest.mark.parametrize(
    ("architecture", "options", "obstacle"),
    [
        ("x86_64", ["name=seccomp,profile=default"], ""),
        ("aarch64", ["name=apparmor", "name=seccomp,profile=builtin", "name=cgroupns"], ""),
        # What the engine gives unasked is not used.
        ("amd64", ["name=seccomp,profile=unconfined"], ""),
        ("arm64", ["name=apparmor"], "it has no seccomp"),
        ("x86_64", [], "it has no seccomp"),
        ("riscv64", ["name=seccomp,profile=builtin"], "system calls of riscv64"),
    ],
)
def test_engine_that_cannot_filter_system_calls_is_known(
    architecture: str, options: list[str], obstacle: str
) -> None:
    told = engine.facts(Engine(architecture, *options)).unfiltered
    assert obstacle in told
    assert bool(told) == bool(obstacle)
