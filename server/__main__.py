"""``python -m vantage6.server`` is ``vserver``."""

from vantage6.server.cli import main

main()
