"""All checks of one node, in the order in which to mend what they find.

Nothing is changed, at the station or at the server.
"""

from collections.abc import Iterator
from contextlib import closing

from vantage6.common.cli.doctor import (
    Check,
    Doubtful,
    Finding,
    findings,
    refuse_shared,
)
from vantage6.common.cli.notices import without_effect
from vantage6.node.doctor.server import ServerChecks
from vantage6.node.doctor.services import ServiceChecks
from vantage6.node.doctor.station import StationChecks
from vantage6.node.instance import Instance


class Doctor:
    """Looks at one node, which may run meanwhile."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def findings(self) -> Iterator[Finding]:
        """Look at everything, one thing after the other."""
        return findings(self._checks())

    def _checks(self) -> Iterator[Check]:
        instance = self._instance
        yield "configuration", self._file
        if instance.config.without_effect:
            yield "old settings", self._old_settings
        with closing(StationChecks(instance)) as station, closing(ServerChecks(instance)) as server:
            yield from station.prerequisites()
            yield from server.checks()
            yield from station.databases()
            yield from ServiceChecks(instance, station).checks()
            yield from station.policies()

    def _file(self) -> str:
        file = self._instance.file
        refuse_shared(file, 0o600)
        return f"{file} is valid, and closed to others."

    def _old_settings(self) -> str:
        raise Doubtful(without_effect(self._instance.config.without_effect))
