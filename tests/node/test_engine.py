"""What is told of an engine by what it says of itself."""

from typing import Any

import pytest

from vantage6.node.runtime import engine


class Engine:
    """An engine that says of itself what it is given."""

    def __init__(self, version: str, *options: str) -> None:
        self._info = {"ServerVersion": version, "SecurityOptions": list(options)}

    def info(self) -> dict[str, Any]:
        return self._info

    def version(self, *, api_version: bool) -> dict[str, Any]:
        assert not api_version
        return {"Components": [{"Name": "Engine"}]}


@pytest.mark.parametrize(
    ("version", "options", "is_open"),
    [
        ("20.10.24+dfsg1", ["name=seccomp,profile=default"], True),
        ("23.0.0", ["name=seccomp,profile=builtin", "name=cgroupns"], False),
        ("27.3.1", ["name=apparmor", "name=seccomp,profile=builtin"], False),
        ("27.3.1", ["name=seccomp,profile=unconfined"], True),
        ("27.3.1", ["name=seccomp,profile=/etc/own.json"], True),
        ("27.3.1", ["name=apparmor"], True),
        ("dev", ["name=seccomp,profile=builtin"], True),
    ],
)
def test_engine_that_lets_vsock_through_is_known(
    version: str, options: list[str], is_open: bool
) -> None:
    """Docker 20.10 does, which Debian 12 has."""
    facts = engine.facts(Engine(version, *options))
    assert ("AF_VSOCK" in facts.open_sockets) == is_open
