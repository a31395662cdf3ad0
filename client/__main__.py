"""``python -m vantage6.client`` is ``vantage6``."""

from vantage6.client.cli import main

main(prog_name="vantage6")
