"""The numbers that a server shows to its operator: each once, with its meaning.

The board, the alerts and the page on monitoring name these and no others; tests compare them.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """One kind of number, in the terms of Prometheus."""

    name: str
    kind: Literal["gauge", "counter", "histogram"]
    text: str
    labels: tuple[str, ...] = ()
    #: Upper bounds of a histogram, without infinity.
    buckets: tuple[float, ...] = ()

    @property
    def series(self) -> tuple[str, ...]:
        """The names under which its numbers are found."""
        if self.kind == "histogram":
            return tuple(f"{self.name}_{ending}" for ending in ("bucket", "sum", "count"))
        return (self.name,)


# What is asked for at the moment of the scrape.
INFO = Metric("vantage6_info", "gauge", "always 1", ("version",))
UP = Metric("vantage6_up", "gauge", "1 where a part of the server answers", ("part",))
QUEUE = Metric("vantage6_queue_messages", "gauge", "messages in a queue of the workers", ("queue",))
INBOXES = Metric("vantage6_inbox_messages", "gauge", "messages in the inboxes of all nodes")
INBOX_MAX = Metric("vantage6_inbox_messages_max", "gauge", "messages in the fullest inbox")
KNOWN = Metric("vantage6_nodes_known", "gauge", "registered nodes")
ONLINE = Metric("vantage6_nodes_online", "gauge", "nodes that consume their inbox")
OUTBOX = Metric("vantage6_outbox_messages", "gauge", "messages that wait to be sent", ("topic",))
OUTBOX_AGE = Metric(
    "vantage6_outbox_oldest_seconds", "gauge", "age of the oldest message that waits to be sent"
)
OUTBOX_DEAD = Metric(
    "vantage6_outbox_dead_messages", "gauge", "messages that were tried too often to be tried again"
)
OPEN = Metric("vantage6_results_open", "gauge", "results that have not ended", ("status",))
PENDING_AGE = Metric(
    "vantage6_results_pending_oldest_seconds",
    "gauge",
    "age of the oldest result that waits although its node is online",
)

# What is counted where it happens, by all processes of the server together.
REQUESTS = Metric(
    "vantage6_request_seconds",
    "histogram",
    "time to answer a request",
    ("method", "route", "status"),
    (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
CLAIMS = Metric(
    "vantage6_claim_seconds",
    "histogram",
    "time from the creation of a result to its first claim by a node",
    (),
    (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600),
)
ENDED = Metric("vantage6_results_ended_total", "counter", "results that ended", ("status",))
OFFERED_AGAIN = Metric(
    "vantage6_results_offered_again_total",
    "counter",
    "results that were offered again because their node fell silent",
)
MAILS = Metric("vantage6_mails_total", "counter", "attempts to send a mail", ("outcome",))
WORK_FAILED = Metric(
    "vantage6_worker_failures_total", "counter", "work of the workers that failed", ("task",)
)

METRICS = (
    INFO,
    UP,
    QUEUE,
    INBOXES,
    INBOX_MAX,
    KNOWN,
    ONLINE,
    OUTBOX,
    OUTBOX_AGE,
    OUTBOX_DEAD,
    OPEN,
    PENDING_AGE,
    REQUESTS,
    CLAIMS,
    ENDED,
    OFFERED_AGAIN,
    MAILS,
    WORK_FAILED,
)
