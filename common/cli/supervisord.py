"""supervisord, which starts its programs at once instead of after its first second of waiting."""

from contextlib import suppress

from supervisor.medusa.asyncore_25 import ExitNow
from supervisor.options import ServerOptions
from supervisor.supervisord import Supervisor


class _Prompt(Supervisor):  # type: ignore[misc]
    def runforever(self) -> None:
        """Start everything, and look after it until told to stop."""
        for group in sorted(self.process_groups.values()):
            group.transition()
        super().runforever()


def main() -> None:
    """Run as the command line says, in the way of ``supervisord``."""
    options = ServerOptions()
    options.realize(doc=__doc__)
    options.first, options.test = True, False
    with suppress(ExitNow):
        _Prompt(options).main()


if __name__ == "__main__":
    main()
