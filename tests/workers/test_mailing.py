"""Mails from the request to the mail server, with workers as processes."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.api.client import Api
from tests.models.factories import World, make_task, make_user, messages
from tests.services.process import Process
from tests.services.smtp import PASSWORD, MailServer, token_in
from tests.waiting import eventually
from tests.workers.conftest import doorbells, start_worker
from vantage6.api.app import create_app
from vantage6.api.identity import passwords
from vantage6.api.identity.tokens import Tokens
from vantage6.broker.connection import client
from vantage6.broker.sender import ControlSender
from vantage6.common.clock import now
from vantage6.common.config import Instance
from vantage6.models import database
from vantage6.models.store import recovery
from vantage6.models.store.recovery import Mail
from vantage6.models.tables import Outbox

pytestmark = pytest.mark.slow

NEW = "New-password-1"


@pytest.fixture
def smtp(tmp_path: Path) -> Iterator[MailServer]:
    """Give a mail server that wants STARTTLS."""
    with MailServer(tmp_path, "starttls").running() as server:
        yield server


@pytest.fixture
def instance(tmp_path: Path, redis_url: str, smtp: MailServer) -> Instance:
    """Give the configuration of a server that sends mails."""
    file = tmp_path / "server.yaml"
    values = {
        "uri": "sqlite:///x.sqlite",
        "broker": redis_url,
        "data_dir": str(tmp_path / "data"),
        "smtp": smtp.settings,
    }
    file.write_text(yaml.safe_dump({"application": values}))
    return Instance.load(file)


@pytest.fixture
def api(instance: Instance, world: World) -> Api:
    database.close()
    app = create_app(instance)
    database.connect()
    return Api(app, Tokens.from_config(instance.config, instance.folder))


def start_beat(celery: Callable[..., Process]) -> None:
    celery("beat", "--scheduler", "celery.beat:Scheduler", "--schedule", os.devnull)


def test_a_lost_password_is_replaced_with_the_token_from_the_mail(
    api: Api, world: World, smtp: MailServer, celery: Callable[..., Process], redis_url: str
):
    make_user(world.amsterdam, username="ada", password=passwords.hash_password("Old-password-1"))
    worker = start_worker(celery)
    assert api.post("/recover/lost", body={"username": "ada"}).status == 200
    eventually(lambda: len(smtp.mails) == 1)
    token = token_in(smtp.mails[0])
    eventually(lambda: messages() == [])
    answer = api.post("/recover/reset", body={"reset_token": token, "password": NEW})
    assert answer.status == 200
    assert api.post("/token/user", body={"username": "ada", "password": NEW}).status == 200
    for secret in (token, PASSWORD, smtp.receivers[0][0]):
        assert secret not in worker.log.read_text()
    with client(redis_url) as broker:
        for key in broker.scan_iter("*"):
            assert token.encode() not in (broker.dump(key) or b"")


def test_a_mail_whose_kick_was_lost_is_found_by_the_clock(
    world: World, smtp: MailServer, celery: Callable[..., Process], api: Api
):
    recovery.request_mail(Mail.PASSWORD_RESET, make_user(world.amsterdam))
    start_worker(celery)
    start_beat(celery)
    eventually(lambda: len(smtp.mails) == 1)
    eventually(lambda: messages() == [])


def test_a_hanging_mail_server_does_not_keep_nodes_waiting(
    api: Api, world: World, smtp: MailServer, celery: Callable[..., Process], instance: Instance
):
    start_worker(celery)
    smtp.hangs = True
    ada = make_user(world.amsterdam)
    kicker = ControlSender(instance.broker_url)
    for _ in range(6):
        assert kicker.kick(
            "send_mail", recovery.request_mail(Mail.PASSWORD_RESET, ada), 0, queue="mail"
        )
    eventually(lambda: smtp.hanging == 1)
    task = make_task(world.north, [world.amsterdam])
    assert kicker.call("fan_out")
    eventually(
        lambda: len(doorbells(instance.broker_url, world.amsterdam_north.id)) == 1, seconds=8
    )
    assert doorbells(instance.broker_url, world.amsterdam_north.id)[0].task_id == task.id


def test_a_mail_outlives_the_worker_that_was_sending_it(
    api: Api, world: World, smtp: MailServer, celery: Callable[..., Process], instance: Instance
):
    worker = start_worker(celery)
    smtp.hangs = True
    message = recovery.request_mail(Mail.PASSWORD_RESET, make_user(world.amsterdam))
    ControlSender(instance.broker_url).kick("send_mail", message, 0, queue="mail")
    eventually(lambda: smtp.hanging == 1)
    worker.kill()
    eventually(lambda: smtp.hanging == 0)
    smtp.hangs = False
    row = Outbox.get_by_id(message)
    assert (row.attempts, row.available_at > now()) == (1, True)
    assert smtp.mails == []
    # As if the time of that attempt were over.
    Outbox.update(available_at=now()).execute()
    start_worker(celery)
    start_beat(celery)
    eventually(lambda: messages() == [])
    assert len(smtp.mails) == 1
