"""A node can consume its own inbox, and nothing else in the whole of Redis."""

import pytest
import redis
from redis.exceptions import NoPermissionError

from vantage6.broker import acl, presence, queues
from vantage6.broker.connection import BrokerUnavailable, client
from vantage6.broker.messages import ResultReady
from vantage6.broker.publisher import Publisher

pytestmark = pytest.mark.slow

HOSTILE = [
    # Other nodes, those whose number begins alike included.
    "LRANGE v6:node:8:inbox 0 -1",
    "LLEN v6:node:8:inbox",
    "LPUSH v6:node:8:inbox x",
    "RPOP v6:node:8:inbox",
    "LMOVE v6:node:8:inbox v6:node:7:inbox RIGHT LEFT",
    "BLMOVE v6:node:8:inbox v6:node:7:inbox RIGHT LEFT 1",
    "LMOVE v6:node:7:inbox v6:node:8:inbox RIGHT LEFT",
    "LMOVE v6:node:77:inbox v6:node:7:inbox RIGHT LEFT",
    "LREM v6:node:8:inbox 0 x",
    "SET v6:node:8:alive x",
    "SET v6:node:77:alive x",
    "GET v6:node:8:alive",
    "DEL v6:node:8:inbox",
    # Celery and everything else.
    "LPUSH v6:celery:control x",
    "LMOVE v6:celery:control v6:node:7:inbox RIGHT LEFT",
    "LMOVE v6:node:7:inbox v6:celery:control RIGHT LEFT",
    "SMEMBERS v6:celery:_kombu.binding.control",
    "SET v6:node:7:more x",
    "SET other x",
    # Filling or freezing the server.
    "LPUSH v6:node:7:inbox x",
    "RPUSH v6:node:7:inbox x",
    "APPEND v6:node:7:alive x",
    "SETRANGE v6:node:7:alive 536870911 x",
    "EVAL return(1) 0",
    "EVALSHA 0000000000000000000000000000000000000000 0",
    "SCRIPT LOAD return(1)",
    "SCRIPT FLUSH",
    "MULTI",
    "SORT v6:node:7:inbox",
    "COPY v6:node:7:alive v6:node:8:alive",
    "RENAME v6:node:7:alive v6:node:8:alive",
    # Looking around.
    "KEYS *",
    "SCAN 0",
    "RANDOMKEY",
    "DBSIZE",
    "INFO",
    "SELECT 1",
    "MONITOR",
    "CLIENT LIST",
    "CLIENT INFO",
    "COMMAND",
    "SLOWLOG GET",
    "LATENCY LATEST",
    "MEMORY USAGE v6:node:8:inbox",
    "OBJECT ENCODING v6:node:8:inbox",
    # Ruling.
    "CLIENT KILL USER v6-server",
    "CLIENT PAUSE 1000",
    "CONFIG GET *",
    "CONFIG SET maxmemory 1",
    "ACL LIST",
    "ACL WHOAMI",
    "ACL SETUSER node-7 +@all",
    "ACL DELUSER node-8",
    "FLUSHALL",
    "FLUSHDB",
    "SWAPDB 0 1",
    "MOVE v6:node:7:alive 1",
    "SAVE",
    "BGREWRITEAOF",
    "SHUTDOWN NOSAVE",
    "REPLICAOF 127.0.0.1 1",
    "MODULE LIST",
    "FAILOVER",
    # Listening and speaking.
    "SUBSCRIBE v6:celery:/0.celeryev",
    "PSUBSCRIBE *",
    "PUBLISH v6:celery:/0.celery.pidbox x",
    "PUBSUB CHANNELS",
]


@pytest.fixture
def node(broker):
    with client(broker.node_url(7), retries=0) as connected:
        yield connected


@pytest.mark.parametrize("command", HOSTILE)
def test_a_node_is_refused(broker, node, command):
    with pytest.raises(NoPermissionError):
        node.execute_command(*command.split())

    assert len(broker.denials()) == 1


def test_a_node_cannot_debug(node):
    # Redis 7 refuses this to everybody, before it looks at rights.
    with pytest.raises(redis.ResponseError):
        node.execute_command("DEBUG", "SLEEP", "1")


def test_a_node_cannot_become_somebody_else(broker, node):
    for name, password in [("v6-server", "guess"), ("default", ""), ("default", "x")]:
        with pytest.raises(redis.AuthenticationError):
            node.execute_command("AUTH", name, password)


def test_a_node_cannot_store_much(broker, node):
    with pytest.raises(redis.RedisError):
        node.set(queues.alive(7), b"x" * 2**21)

    assert not broker.admin.exists(queues.alive(7))


def test_nobody_gets_in_without_a_password(broker):
    with client(f"redis://127.0.0.1:{broker.embedded.port}/0", retries=0) as stranger:
        for command in ("PING", "KEYS *", "ACL WHOAMI"):
            with pytest.raises(redis.AuthenticationError):
                stranger.execute_command(*command.split())


def test_consuming_needs_nothing_that_is_refused(broker, inbox):
    """Every path of the consumer under the rights of a node leaves no trace in the log of Redis."""
    node = inbox(broker.node_url(7), 7)
    failures = [RuntimeError()]

    def handle(message):
        if failures:
            raise failures.pop()
        node.received.append(message)

    node.handle = handle
    broker.admin.lpush(queues.inbox(7), b"poison")
    Publisher(broker.url).publish([(7, ResultReady(n, 1)) for n in (1, 2, 3)])
    broker.admin.lmove(queues.inbox(7), queues.inflight(7), "RIGHT", "LEFT")

    node.take(3)
    presence.withdraw(node.consumer._channel.redis, queues.alive(7))

    assert broker.denials() == []


def test_the_commands_of_a_node_are_five(broker):
    acl.grant(broker.server, 7)
    rights = broker.admin.acl_getuser("node-7")

    assert sorted(rights["commands"]) == ["+blmove", "+lmove", "+lrem", "+ping", "+set"]
    assert rights["channels"] in ([], "")
    assert "nopass" not in rights["flags"]


def test_each_login_brings_a_new_password(broker):
    first, second = broker.node_url(7), broker.node_url(7)

    assert first != second
    with client(first, retries=0) as old, pytest.raises(redis.AuthenticationError):
        old.ping()
    with client(second, retries=0) as new:
        assert new.ping()


def test_the_password_itself_never_reaches_redis():
    assert "secret" not in " ".join(acl.rules(7, "secret"))


def test_a_revoked_node_is_unknown(broker):
    url = broker.node_url(7)
    acl.revoke(broker.server, 7)
    acl.revoke(broker.server, 7)

    with client(url, retries=0) as node, pytest.raises(redis.AuthenticationError):
        node.ping()


def test_granting_without_a_broker_is_unavailable(own_broker):
    own_broker.kill()

    for call in (acl.grant, acl.revoke):
        with pytest.raises(BrokerUnavailable):
            call(own_broker.server, 7)
    with pytest.raises(BrokerUnavailable):
        presence.online(own_broker.server, [7])
