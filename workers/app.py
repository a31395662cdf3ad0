"""The composition root of the workers."""

import logging

from celery import Celery, signals

from vantage6.broker.connection import client
from vantage6.broker.publisher import Publisher
from vantage6.common import logs
from vantage6.common.config import Instance
from vantage6.models import database
from vantage6.workers.mail import Postman
from vantage6.workers.settings import THREADS, settings
from vantage6.workers.tasks import announce, register


def make_app(instance: Instance) -> Celery:
    """Return the Celery application of a server; it connects to nothing yet."""
    database.bind(instance.config.uri, folder=instance.folder, connections=THREADS + 1)
    app = Celery("vantage6", set_as_current=True)
    app.conf.update(settings(instance.broker_url))
    broker = client(instance.broker_url)
    postman = Postman(instance.config, instance.name)
    register(app, Publisher(instance.broker_url), broker, postman)

    @signals.worker_ready.connect(weak=False)
    def _ready(**_: object) -> None:
        announce(broker)

    @signals.setup_logging.connect(weak=False)
    def _logging(**_: object) -> None:
        logs.set_up("workers", level=instance.config.logging.level)
        for chatty in ("celery.beat", "celery.worker.strategy", "celery.app.trace"):
            # They report every round of the schedule; failures are errors and stay visible.
            logging.getLogger(chatty).setLevel(logging.WARNING)

    return app
