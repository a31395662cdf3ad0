"""Flower as a process: as Celery starts it, with everything behind its password."""

import sys

from flower.views import monitor
from tornado.web import authenticated


def close() -> None:
    """Ask for the password at the pages that Flower leaves open, too.

    SECURITY: `/metrics` names nodes, images and how much they compute.
    """
    for handler in (monitor.Metrics, monitor.Healthcheck):
        handler.get = authenticated(handler.get)


if __name__ == "__main__":
    from vantage6.workers.run import app

    close()
    app.start(["flower", *sys.argv[1:]])
