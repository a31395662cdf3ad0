"""What ``celery -A`` is pointed at."""

from vantage6.common.config import Instance
from vantage6.workers.app import make_app

app = make_app(Instance.from_environment())
