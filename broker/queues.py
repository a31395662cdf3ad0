"""Names of everything that this system keeps in Redis. All of it lives under ``v6:``."""

#: Prefix of every key and channel that Celery uses (its ``global_keyprefix``).
CELERY_PREFIX = "v6:celery:"

#: Celery queue of what must happen now: fan-out of new tasks, kills.
CONTROL = "control"
#: Celery queue of what may wait: relay, sweep, prune.
MAINTENANCE = "maintenance"
#: Celery queue of what waits for a mail server.
MAIL = "mail"

#: Prefix of the counters of attempts.
LIMITS_PREFIX = "v6:limits"

#: Channel of the ids of nodes whose inboxes got messages, separated by blanks; also `CHANGES_WORD`.
WAKEUPS = "v6:rings"

#: Stream of the tasks that changed lately, and what the channel says when there are more.
CHANGES = "v6:changes"
CHANGES_WORD = "changes"

#: Hash of what all processes of the server have counted.
METRICS = "v6:metrics"

#: Key that exists while a worker works off its queues.
WORKERS_ALIVE = "v6:workers:alive"
#: Key that exists while a worker is on its way to the new messages of the outbox.
WORKERS_CALLED = "v6:workers:called"


def inbox(node_id: int) -> str:
    """Return the queue that a node consumes."""
    return f"v6:node:{node_id}:inbox"


def inflight(node_id: int) -> str:
    """Return the list of what a node has taken from its inbox and not acknowledged."""
    return inflight_of(inbox(node_id))


def inflight_of(queue: str) -> str:
    """Return the list of what has been taken from a queue and not acknowledged."""
    return f"{queue}:inflight"


def alive(node_id: int) -> str:
    """Return the key that exists while a node consumes."""
    return f"v6:node:{node_id}:alive"


def user(node_id: int) -> str:
    """Return the name of a node's Redis user."""
    return f"node-{node_id}"
