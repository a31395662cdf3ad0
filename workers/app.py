"""The composition root of the workers."""

import logging
import os
from pathlib import Path
from typing import Any

from celery import Celery, signals

from vantage6.broker import metrics
from vantage6.broker.connection import client
from vantage6.broker.publisher import Publisher
from vantage6.broker.telemetry import Telemetry
from vantage6.common import logs
from vantage6.common.config import Instance
from vantage6.models import database
from vantage6.workers.mail import Mailer
from vantage6.workers.settings import THREADS, settings
from vantage6.workers.tasks import announce, register

#: Variable that names a file to be touched whenever work was done or, by beat, sent: a process that
#: runs proves nothing, one that gets on does.
ALIVE_VARIABLE = "V6_ALIVE_FILE"


def make_app(instance: Instance) -> Celery:
    """Return the Celery application of a server; it connects to nothing yet."""
    database.bind(instance.config.uri, folder=instance.folder, connections=THREADS + 1)
    app = Celery("vantage6", set_as_current=True)
    flower = instance.config.flower
    app.conf.update(settings(instance.broker_url, has_flower=flower is not None))
    broker = client(instance.broker_url)
    telemetry = Telemetry(instance.broker_url)
    mailer = Mailer(instance.config, instance.name, telemetry)
    register(
        app,
        Publisher(instance.broker_url),
        broker,
        mailer,
        telemetry,
        has_flower=flower is not None,
        shows_housekeeping=flower is not None and flower.housekeeping,
    )

    @signals.task_failure.connect(weak=False)
    def _count_failure(sender: Any = None, **_: object) -> None:
        telemetry.count(metrics.WORK_FAILED, str(getattr(sender, "name", "")))

    @signals.worker_ready.connect(weak=False)
    def _ready(**_: object) -> None:
        announce(broker)

    if alive := os.environ.get(ALIVE_VARIABLE):

        @signals.task_postrun.connect(weak=False)
        @signals.after_task_publish.connect(weak=False)
        def _lives(**_: object) -> None:
            Path(alive).touch()

    @signals.setup_logging.connect(weak=False)
    def _logging(**_: object) -> None:
        wanted = instance.config.logging
        logs.set_up("workers", level=wanted.level, levels=wanted.levels)
        for chatty in ("celery.beat", "celery.worker.strategy", "celery.app.trace"):
            # They report every round of the schedule; failures are errors and stay visible.
            logging.getLogger(chatty).setLevel(logging.WARNING)

    return app
