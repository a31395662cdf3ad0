"""What Prometheus says to be let in."""

from vantage6.common.config import Instance
from vantage6.common.secret_files import ensure_secret


def scrape_token(instance: Instance) -> str | None:
    """Return the token for the metrics, which is made at the first call; None where there are none.

    It is configured, or kept in the file ``metrics.key`` with the data.
    """
    wanted = instance.config.metrics
    if wanted is None:
        return None
    if wanted.token is not None:
        return wanted.token.get_secret_value()
    return ensure_secret(instance.folder / "metrics.key")
