"""Settings of gunicorn, which reads this file as its configuration."""

import resource
from typing import Any

from vantage6.api.http import transfers
from vantage6.api.http.gunicorn_worker import MOST_WAITING, let_nobody_in
from vantage6.common import addresses, logs
from vantage6.common.config import Instance
from vantage6.models.database import db

_instance = Instance.from_environment()
_config = _instance.config

bind = addresses.with_port(_config.ip, _config.port)
workers = _config.workers
# Most of them wait, or are not even made; see vantage6.api.http.request_slots.
# Each large body has its own.
threads = _config.threads + _config.waiting_nodes + transfers.MOST + transfers.MOST_WATCHING
worker_class = "vantage6.api.http.gunicorn_worker.Worker"
# One for each of them, for clients that are slow, and as many as usual for those that keep theirs.
worker_connections = threads + MOST_WAITING + 1000
# Not in the master: a connection that is opened before a fork would be shared.
preload_app = True
timeout = 60
graceful_timeout = 20
keepalive = 5
max_requests = 20_000
max_requests_jitter = 2_000
worker_tmp_dir = "/dev/shm"  # noqa: S108  (heartbeats must not wait for a disk)
control_socket_disable = True
# SECURITY: headers named SCRIPT_NAME or PATH_INFO would choose another path than a proxy has seen.
forwarder_headers = ""
logger_class = "vantage6.api.http.gunicorn_worker.Logger"
# Its messages go where ours go.
logconfig_dict: dict[str, Any] = {
    "loggers": {
        "gunicorn.error": {"handlers": [], "propagate": True},
    }
}


def on_starting(server: Any) -> None:
    """Take over the logs before anything is said, and prepare for a stop without losses."""
    let_nobody_in(server)
    logs.set_up("api", level=_config.logging.level, levels=_config.logging.levels)


def post_fork(_: Any, worker: Any) -> None:
    """Forget the connections of the master, and make room for those of this process."""
    db.obj.dispose()
    worker.most_of_an_address = _config.most_connections_of_an_address
    # Each connection takes a descriptor, and the usual limit is 1024.
    wanted = worker_connections + 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def post_worker_init(worker: Any) -> None:
    """Let nodes wait as long as this process serves: a stop must not wait for them."""
    worker.wsgi.serve_while(lambda: worker.alive)
