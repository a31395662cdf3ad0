"""``python -m vantage6.node`` is ``vnode``."""

from vantage6.node.cli import main

main()
