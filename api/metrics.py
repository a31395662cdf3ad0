"""All numbers of the server at one moment, in the form that Prometheus reads.

What it costs grows with what is open and with the number of nodes, not with what has ended.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.core import Metric as Family
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from vantage6.api.service import Service
from vantage6.broker import depths, metrics, telemetry
from vantage6.broker.connection import BrokerUnavailable
from vantage6.broker.metrics import Metric
from vantage6.broker.queues import CONTROL, MAIL, MAINTENANCE
from vantage6.common import __version__
from vantage6.common.clock import now
from vantage6.models import database
from vantage6.models.store import metrics as store_metrics
from vantage6.models.store import outbox

#: The values of a metric by its labels.
Values = Mapping[tuple[str, ...], float]


def exposition(service: Service) -> tuple[str, bytes]:
    """Return type and text of the answer to a scrape. Parts that do not answer are left out."""
    registry = CollectorRegistry()
    registry.register(_Moment(service))
    return CONTENT_TYPE_LATEST, generate_latest(registry)


class _Moment(Collector):
    """Asks database and broker once."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def describe(self) -> list[Family]:
        """Nothing: a registry that asks beforehand would have all numbers collected twice."""
        return []

    def collect(self) -> Iterator[Family]:
        """Yield all numbers."""
        yield _gauge(metrics.INFO, {(__version__,): 1})
        members = None
        if answers := database.answers():
            members = store_metrics.members()
            yield from _read_stored()
            yield _gauge(metrics.KNOWN, {(): len(members)})
        try:
            yield from self._read_waiting(members)
            yield from _read_counted(dict(telemetry.numbers(self._service.broker)))
            reached = True
        except BrokerUnavailable:
            reached = False
        parts = {
            "database": answers,
            "broker": reached,
            "workers": reached and self._service.workers_answer(),
        }
        yield _gauge(metrics.UP, {(part,): int(up) for part, up in parts.items()})

    def _read_waiting(self, members: store_metrics.Members | None) -> Iterator[Family]:
        """Yield what the broker tells; of nodes, if they are known."""
        broker = self._service.broker
        queues = depths.of_queues(broker, (CONTROL, MAINTENANCE, MAIL))
        yield _gauge(metrics.QUEUE, {(name,): depth for name, depth in queues.items()})
        if members is None:
            return
        inboxes = depths.of_inboxes(broker, members)
        yield _gauge(metrics.INBOXES, {(): inboxes.total})
        yield _gauge(metrics.INBOX_MAX, {(): inboxes.most})
        yield _gauge(metrics.ONLINE, {(): len(inboxes.online)})
        online = {members[node_id] for node_id in inboxes.online}
        since = [at for member, at in store_metrics.pending_since().items() if member in online]
        age = (now() - min(since)).total_seconds() if since else 0
        yield _gauge(metrics.PENDING_AGE, {(): age})


def _read_stored() -> Iterator[Family]:
    """Yield what the database tells at once."""
    backlog = outbox.backlog()
    topics = {str(topic): 0 for topic in outbox.Topic} | backlog.waiting
    age = (now() - backlog.oldest).total_seconds() if backlog.oldest else 0
    yield _gauge(metrics.OUTBOX, {(topic,): count for topic, count in topics.items()})
    yield _gauge(metrics.OUTBOX_AGE, {(): max(0, age)})
    yield _gauge(metrics.OUTBOX_DEAD, {(): backlog.dead})
    states = store_metrics.open_results()
    yield _gauge(metrics.OPEN, {(status,): count for status, count in states.items()})


def _gauge(metric: Metric, values: Values) -> Family:
    family = GaugeMetricFamily(metric.name, metric.text, labels=metric.labels)
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family


def _counter(metric: Metric, values: Mapping[tuple[str, ...], Mapping[str, float]]) -> Family:
    family = CounterMetricFamily(metric.name, metric.text, labels=metric.labels)
    for labels, parts in values.items():
        family.add_metric(labels, parts.get("", 0))
    # From the start: an increase from nothing is none to Prometheus.
    if not values and not metric.labels:
        family.add_metric((), 0)
    return family


def _histogram(metric: Metric, values: Mapping[tuple[str, ...], Mapping[str, float]]) -> Family:
    family = HistogramMetricFamily(metric.name, metric.text, labels=metric.labels)
    bounds = [*map(str, metric.buckets), "+Inf"]
    for labels, parts in values.items():
        sums = accumulate(parts.get(bound, 0) for bound in bounds)
        family.add_metric(labels, list(zip(bounds, sums, strict=True)), parts.get(telemetry.SUM, 0))
    return family


_FAMILIES: dict[str, Callable[..., Family]] = {"counter": _counter, "histogram": _histogram}


def _read_counted(found: Mapping[telemetry.Number, float]) -> Iterator[Family]:
    """Yield what was counted by all processes."""
    values: dict[str, dict[tuple[str, ...], dict[str, float]]] = defaultdict(dict)
    for (name, labels, part), value in found.items():
        values[name].setdefault(labels, {})[part] = value
    for metric in metrics.METRICS:
        if metric.kind in _FAMILIES:
            known = {
                labels: parts
                for labels, parts in values[metric.name].items()
                if len(labels) == len(metric.labels)
            }
            yield _FAMILIES[metric.kind](metric, known)
