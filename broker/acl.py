"""One Redis user per node, which can take from its own inbox and do nothing else.

SECURITY: commands are named one by one, because categories carry surprises (``@connection`` holds
``CLIENT KILL``). Scripts could stop the whole server and are never granted. The three keys are
named one by one as well, and no command appends to a value, so that a node cannot fill the memory
of the broker: all it can store is three values, whose size ``proto-max-bulk-len`` limits.

The users live in the memory of Redis. When it loses them, the next login of a node brings its user
back.
"""

import secrets
from hashlib import sha256

import redis

from vantage6.broker import queues
from vantage6.broker.connection import answering

#: All that consuming takes: connect, wait for a message, take back, acknowledge, be online.
#: AUTH needs no permission.
COMMANDS = ("ping", "blmove", "lmove", "lrem", "set")


def grant(redis_client: redis.Redis, node_id: int) -> str:
    """Let a node consume its inbox with a new password, which is returned; the old one dies.

    Raises
    ------
    BrokerUnavailable
        If the broker does not answer, or refuses to make users.
    """
    password = secrets.token_urlsafe(32)
    name = queues.user(node_id)
    with answering(), redis_client.pipeline(transaction=True) as pipeline:
        # Deleting a user closes its connections. A consumer of an earlier login, perhaps hanging on
        # a dead line, can then no longer take a message away from the new one.
        pipeline.acl_deluser(name)
        pipeline.execute_command("ACL SETUSER", name, *rules(node_id, password))  # type: ignore[no-untyped-call]
        pipeline.execute()
    return password


def revoke(redis_client: redis.Redis, node_id: int) -> None:
    """Remove a node's user, close its connections, and drop what waits for it.

    Raises
    ------
    BrokerUnavailable
        If the broker does not answer.
    """
    with answering(), redis_client.pipeline(transaction=True) as pipeline:
        pipeline.acl_deluser(queues.user(node_id))
        pipeline.delete(*_keys(node_id))
        pipeline.execute()


def rules(node_id: int, password: str) -> list[str]:
    """Return the ACL rules of a node's user, in the words of Redis."""
    return [
        "reset",
        "on",
        # Redis keeps the hash; sending that keeps the password out of MONITOR and SLOWLOG.
        f"#{sha256(password.encode()).hexdigest()}",
        "resetchannels",
        *(f"~{key}" for key in _keys(node_id)),
        "-@all",
        *(f"+{command}" for command in COMMANDS),
    ]


def _keys(node_id: int) -> tuple[str, str, str]:
    return queues.inbox(node_id), queues.inflight(node_id), queues.alive(node_id)
