"""Whether the server lives, whether it is ready, and what it is."""

import pytest
from pydantic import SecretStr

from tests.api.client import Api
from tests.api.conftest import Server
from tests.models.factories import migrated
from tests.services.postgres import PostgresCluster
from vantage6.api.app import create_app
from vantage6.broker.connection import client
from vantage6.common import __version__
from vantage6.common.config import Instance
from vantage6.models import database, migrate
from vantage6.sandbox.ports import free_port
from vantage6.workers.tasks import announce


def test_the_version(api: Api):
    assert api.get("/version").json == {"version": __version__}


def test_a_server_lives_without_broker_but_is_not_ready(api: Api):
    assert api.get("/health").json == {"database": True}
    ready = api.get("/ready")
    assert ready.status == 503
    assert ready.json == {
        "database": True,
        "migrations": True,
        "broker": False,
        "workers": False,
    }


def test_a_server_whose_schema_is_old_is_not_ready(api: Api):
    migrate.down()
    assert api.get("/ready").json["migrations"] is False


@pytest.mark.slow
def test_a_server_with_everything_is_ready(server: Server, redis_url: str):
    settings = {"broker": SecretStr(redis_url)}
    config = server.instance.config.model_copy(update=settings)
    database_of_test = database.db.obj
    app = create_app(Instance(server.instance.file, None, config))
    try:
        api = Api(app, server.api.tokens)
        parts = {"database": True, "migrations": True, "broker": True}
        assert api.get("/ready").json == parts | {"workers": False}
        with client(redis_url) as broker:
            announce(broker)
        ready = api.get("/ready")
        assert (ready.status, ready.json) == (200, parts | {"workers": True})
    finally:
        database.db.initialize(database_of_test)


def test_health_is_always_200(server: Server):
    database.bind(
        f"postgresql://nobody@127.0.0.1:{free_port()}/none", folder=server.instance.folder
    )
    assert server.api.get("/health").json == {"database": False}
    ready = server.api.get("/ready")
    assert (ready.status, ready.json["database"], ready.json["migrations"]) == (503, False, False)
    assert server.api.get("/task").problem == (503, "unavailable")


@pytest.mark.slow
def test_a_database_that_goes_away_is_noticed_and_found_again(
    server: Server, postgres: PostgresCluster
):
    with postgres.database() as uri:
        database.bind(uri, folder=server.instance.folder)
        with migrated():
            assert server.api.get("/health").json == {"database": True}
            database.db.execute_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            # The connection in the pool is dead; whoever gets it learns that, and only that.
            statuses = [server.api.get("/health").json["database"] for _ in range(2)]
            assert statuses[-1] is True
