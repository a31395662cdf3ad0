"""Very many rows of every kind, in one statement for each table."""

from tests.models.factories import World
from vantage6.models.database import db
from vantage6.models.tables import User

#: Ids start here, above those of a world.
_BASE = 1000

#: What row number ``i`` of a table has in each column. It is about organization ``i``, which is in
#: the north and in a collaboration of its own, where it has a node.
_ROWS = [
    ("organization", {"id": "i", "name": "'place ' || i", "public_key": "''"}),
    ("collaboration", {"id": "i", "name": "'group ' || i", "encrypted": "false"}),
    ("membership", {"organization_id": "i", "collaboration_id": "i"}),
    ("membership", {"organization_id": "i", "collaboration_id": "{north}"}),
    (
        "node",
        {
            "id": "i",
            "name": "'node ' || i",
            "organization_id": "i",
            "collaboration_id": "i",
            "last_seen": "'2026-05-04 12:00:00'",
        },
    ),
    ("node_config", {"id": "i", "node_id": "i", "key": "'encryption'", "value": "'0'"}),
    ("role", {"id": "i", "name": "'role ' || i", "description": "''", "organization_id": "i"}),
    ("role_rule", {"role_id": "i", "rule_id": "1"}),
    (
        "account",
        {
            "id": "i",
            "username": "'person ' || i",
            "password": "'!'",
            "organization_id": "i",
            "failed_login_attempts": "0",
        },
    ),
    ("user_role", {"user_id": "i", "role_id": "i"}),
    ("user_rule", {"user_id": "i", "rule_id": "2"}),
    ("run", {"id": "i"}),
    (
        "task",
        {
            "id": "i",
            "name": "'task ' || i",
            "description": "''",
            "image": "'image'",
            "collaboration_id": "{north}",
            "run_id": "i",
            "initiator_id": "{amsterdam}",
            "init_user_id": "i",
            "created_at": "'2026-05-04 12:00:00'",
        },
    ),
    (
        "result",
        {
            "id": "i",
            "task_id": "i",
            "organization_id": "{berlin}",
            "status": "'pending'",
            "attempt": "0",
            "assigned_at": "'2026-05-04 12:00:00'",
        },
    ),
    ("payload", {"result_id": "i", "kind": "'input'", "content": "'x'"}),
    ("algorithm_port", {"id": "i", "port": "80", "result_id": "i"}),
]


def grow(world: World, size: int) -> None:
    """Add rows until there are this many of each kind beside those of the world."""
    there = User.select().where(User.id >= _BASE).count()
    names = {name: row.id for name, row in vars(world).items()}
    numbers = (
        f"WITH RECURSIVE n(i) AS (SELECT {_BASE + there} "
        f"UNION ALL SELECT i + 1 FROM n WHERE i < {_BASE + size - 1})"
    )
    moments = {"last_seen", "created_at", "assigned_at"}
    with db.atomic():
        for table, columns in _ROWS:
            values = [
                f"CAST({value} AS TIMESTAMP)" if column in moments and db.for_update else value
                for column, value in columns.items()
            ]
            db.execute_sql(
                f"INSERT INTO {table} ({', '.join(columns)}) {numbers} "
                f"SELECT {', '.join(values).format(**names)} FROM n"
            )
