"""Settings of gunicorn, which reads this file as its configuration."""

from typing import Any

from vantage6.common import logs
from vantage6.common.config import Instance
from vantage6.models.database import db

_instance = Instance.from_environment()
_config = _instance.config

bind = f"{_config.ip}:{_config.port}"
workers = _config.workers
threads = _config.threads
worker_class = "gthread"
# Not in the master: a connection that is opened before a fork would be shared.
preload_app = True
timeout = 60
graceful_timeout = 20
keepalive = 5
max_requests = 20_000
max_requests_jitter = 2_000
worker_tmp_dir = "/dev/shm"  # noqa: S108  (heartbeats must not wait for a disk)
control_socket_disable = True
# Its messages go where ours go; its access log stays silent, as ours logs every request.
logconfig_dict: dict[str, Any] = {
    "loggers": {
        "gunicorn.error": {"handlers": [], "propagate": True},
        "gunicorn.access": {"level": "WARNING", "handlers": [], "propagate": True},
    }
}


def on_starting(_: Any) -> None:
    """Take over the logs before anything is said."""
    logs.set_up("api", level=_config.logging.level)


def post_fork(_: Any, __: Any) -> None:
    """Forget the connections of the master."""
    db.obj.dispose()
