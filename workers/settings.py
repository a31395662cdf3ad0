"""Every setting of Celery beside those of the connection, each with its reason."""

from typing import Any

from kombu import Queue

from vantage6.broker.connection import celery_settings
from vantage6.broker.flower import BEAT_SECONDS
from vantage6.broker.queues import CONTROL, MAIL, MAINTENANCE

#: Tasks that one worker runs at once, each in a thread with its own database connection.
THREADS = 4


def settings(broker_url: str, *, has_flower: bool = True) -> dict[str, Any]:
    """Return the settings of the workers."""
    watch = {"task": "watch", "schedule": BEAT_SECONDS, "options": {"expires": 30}}
    return celery_settings(broker_url) | {
        # They wait for the network, mostly; a process for each would only take memory.
        "worker_pool": "threads",
        "worker_concurrency": THREADS,
        # SECURITY: nothing is ever unpickled.
        "task_serializer": "json",
        "accept_content": ["json"],
        "event_serializer": "json",
        # Outcomes live in the database.
        "task_ignore_result": True,
        # A lost worker must not lose the message; tasks may run twice without harm.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        # A typo in a queue's name is an error.
        "task_create_missing_queues": False,
        "task_queues": [
            Queue(CONTROL, exchange="", routing_key=CONTROL),
            Queue(MAINTENANCE, exchange="", routing_key=MAINTENANCE),
            Queue(MAIL, exchange="", routing_key=MAIL),
        ],
        "task_default_queue": MAINTENANCE,
        "task_default_exchange": "",
        "task_default_routing_key": MAINTENANCE,
        "task_routes": {"fan_out": {"queue": CONTROL}, "send_mail": {"queue": MAIL}},
        # Late-acknowledged tasks would run twice side by side after a reconnect.
        "worker_cancel_long_running_tasks_on_connection_loss": True,
        "worker_soft_shutdown_timeout": 10,
        # For Flower.
        "worker_send_task_events": True,
        # The worker tells when it receives a task. What is told before would be told of the rounds
        # of the schedule, too.
        "task_send_sent_event": False,
        # Ours stays in charge.
        "worker_hijack_root_logger": False,
        "timezone": "UTC",
        "enable_utc": True,
        "beat_schedule": {
            # What nobody fetched in time is pointless: the next round does the same.
            "relay": {"task": "relay", "schedule": 2.0, "options": {"expires": 10}},
            "sweep": {"task": "sweep", "schedule": 10.0, "options": {"expires": 30}},
            "prune": {"task": "prune", "schedule": 3600.0, "options": {"expires": 7200}},
            **({"watch": watch} if has_flower else {}),
        },
    }
