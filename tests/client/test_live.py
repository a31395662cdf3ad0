"""The client and the real server: what only shows when the two meet."""

import logging
from datetime import UTC, datetime

import pandas
import pyotp
import pytest

from tests.client.conftest import Live
from tests.models.factories import LEASE, finish, make_task, result_of
from vantage6.broker import queues
from vantage6.broker.connection import client as broker_client
from vantage6.client import AuthenticationException, RSACryptor
from vantage6.client.node_client import NodeClient
from vantage6.common import bytes_to_base64s
from vantage6.common.errors import Invalid, NotFound, Unauthenticated
from vantage6.common.serialization import serialize
from vantage6.common.task_status import TaskStatus
from vantage6.models.store import organizations, results


def _create(live: Live, *organization_ids: int, collaboration: int | None = None):
    return live.client.task.create(
        collaboration or live.world.north.id, list(organization_ids), "n", "i", "", {}, "json"
    )


def _everybody_is_online(live: Live, broker_url: str) -> None:
    with broker_client(broker_url) as admin:
        for node in (live.world.amsterdam_north, live.world.berlin_north):
            node.last_seen = datetime(2026, 2, 3, 14, 5, tzinfo=UTC)
            node.save()
            admin.set(queues.alive(node.id), "1", ex=60)


def _of_the_client(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return what the client logged; the server logs in this process, too."""
    return [one for one in caplog.records if one.name.startswith("vantage6.client")]


def test_task_for_nodes_that_are_away_is_sent_with_a_warning(live, caplog) -> None:
    node = live.world.amsterdam_north
    node.last_seen = datetime(2026, 2, 3, 14, 5, tzinfo=UTC)
    node.save()
    task = _create(live, live.world.amsterdam.id, live.world.berlin.id)
    assert task["status"] == TaskStatus.PENDING
    first, second = (record.getMessage() for record in _of_the_client(caplog))
    assert f"{node.name}, the node of organization {live.world.amsterdam.id}, is offline" in first
    assert "was last seen 2026-02-03 14:05 UTC" in first
    assert "has never been online" in second


class TestOnline:
    """With a broker, which tells who is online."""

    @pytest.fixture
    def broker_url(self, redis_url: str) -> str:
        return redis_url

    def test_task_for_nodes_that_are_online_is_sent_silently(
        self, live, broker_url, caplog
    ) -> None:
        _everybody_is_online(live, broker_url)
        assert _create(live, live.world.amsterdam.id, live.world.berlin.id)["id"]
        assert _of_the_client(caplog) == []


class TestSecondFactor:
    """With a second factor, which the server asks everybody for."""

    @pytest.fixture
    def settings(self) -> dict[str, bool]:
        return {"two_factor_auth": True}

    def test_login_sets_an_app_up_and_then_takes_its_codes(self, live, capsys) -> None:
        client = live.client
        assert client.whoami is None  # nobody is logged in before the app is set up
        client.authenticate("ada", "secret")
        secret = capsys.readouterr().out.rpartition("secret:")[2].strip()
        app = pyotp.TOTP(secret)
        client.authenticate("ada", "secret", mfa_code=app.now())
        assert client.user.get()["username"] == "ada"
        with pytest.raises(AuthenticationException, match="send the code of your app"):
            client.authenticate("ada", "secret")
        with pytest.raises(AuthenticationException, match="used already"):
            client.authenticate("ada", "secret", mfa_code=app.now())


def test_task_for_a_stranger_is_refused_with_the_names_of_the_members(live) -> None:
    world = live.world
    refusal = _create(live, world.berlin.id, world.cairo.id)
    assert refusal["code"] == "no_member"
    assert refusal["msg"] == (
        f"Organization {world.cairo.id} is not in collaboration {world.north.id}. These are: "
        f"Amsterdam (id {world.amsterdam.id}), Berlin (id {world.berlin.id})."
    )


def test_task_for_an_organization_without_a_node_says_how_to_register_one(live) -> None:
    world = live.world
    live.client.node.delete(world.berlin_north.id)
    live.client.raise_errors = True
    with pytest.raises(Invalid) as refusal:
        _create(live, world.amsterdam.id, world.berlin.id)
    assert refusal.value.error_code == "no_node"
    call = f"client.node.create(collaboration={world.north.id}, organization={world.berlin.id})"
    assert call in str(refusal.value)
    created = live.client.node.create(collaboration=world.north.id, organization=world.berlin.id)
    assert created["api_key"]
    assert _create(live, world.amsterdam.id, world.berlin.id)["id"]


def test_missing_public_key_is_named_before_anything_is_sent(live, tmp_path) -> None:
    world, client = live.world, live.client
    own = client.collaboration.create("own", [world.amsterdam.id, world.cairo.id], encrypted=True)
    for organization in (world.amsterdam, world.cairo):
        client.node.create(own["id"], organization.id)
    RSACryptor.create_new_rsa_key(tmp_path / "key.pem")
    client.setup_encryption(tmp_path / "key.pem")
    with pytest.raises(Invalid, match=rf"Cairo \(id {world.cairo.id}\): it has no public key"):
        _create(live, world.amsterdam.id, world.cairo.id, collaboration=own["id"])
    assert client.task.list(collaboration=own["id"])["data"] == []
    assert _create(live, world.amsterdam.id, collaboration=own["id"])["id"]


def test_all_pages_bring_everything_once(live) -> None:
    wanted = [organizations.create(name=f"o-{number}").id for number in range(120)]
    known = [live.world.amsterdam.id, live.world.berlin.id, live.world.cairo.id]
    client = live.client
    first = client.organization.list(page=1, per_page=20)
    assert len(first["data"]) == 20
    assert first["links"]["next"]
    for per_page in ({}, {"per_page": 7}):
        found = client.organization.list(all_pages=True, field="id", **per_page)
        assert sorted(each["id"] for each in found) == sorted(known + wanted)
    (only,) = client.organization.list(all_pages=True, filter_=("name", "o-119"))
    assert only["id"] == wanted[-1]
    assert client.collaboration.list(all_pages=True) == client.collaboration.list()
    assert client.task.list(all_pages=True) == []


def test_rules_are_put_into_a_role_and_taken_out(live) -> None:
    client = live.client
    first, second = client.rule.list(name="node")["data"][:2]
    role = client.role.create("r", "why", [first["id"]])
    added = client.role.add_rule(role["id"], second["id"])
    assert {rule["id"] for rule in added} == {first["id"], second["id"]}
    listed = client.role.list_rules(role["id"])["data"]
    assert {rule["id"] for rule in listed} == {first["id"], second["id"]}
    assert [rule["id"] for rule in client.role.remove_rule(role["id"], first["id"])] == [
        second["id"]
    ]


def test_everything_that_the_server_deletes_the_client_deletes(live) -> None:
    client, world = live.client, live.world
    role = client.role.create("r", "why", [client.rule.list()["data"][0]["id"]])
    user = client.user.create("bob", "B", "B", "Some-thing-1!", "bob@example.org")
    task = _create(live, world.amsterdam.id)
    client.raise_errors = True
    for group, id_ in [
        (client.task, task["id"]),
        (client.user, user["id"]),
        (client.role, role["id"]),
        (client.node, world.berlin_north.id),
        (client.collaboration, world.north.id),
    ]:
        assert "removed" in group.delete(id_)["msg"]
        with pytest.raises(NotFound):
            group.get(id_)


def test_members_and_nodes_of_a_collaboration_come_and_go(live) -> None:
    client, world = live.client, live.world
    north = world.north.id
    assert len(client.collaboration.add_organization(north, world.cairo.id)) == 3
    assert len(client.collaboration.add_node(north, world.cairo_south.id)) == 3
    assert "taken out" in client.collaboration.remove_node(north, world.cairo_south.id)["msg"]
    assert len(client.collaboration.remove_organization(north, world.cairo.id)) == 2


def test_new_api_key_replaces_the_old_one(live) -> None:
    live.client.node.delete(live.world.berlin_north.id)
    node = live.client.node.create(live.world.north.id, live.world.berlin.id)
    new_key = live.client.node.reset_api_key(node["id"])["api_key"]
    base = NodeClient(live.client.base_path, "")
    with pytest.raises(Unauthenticated):
        base.authenticate(node["api_key"])
    base.authenticate(new_key)
    base.close()


def test_tasks_of_a_node_are_killed(live) -> None:
    world = live.world
    task = make_task(world.north, [world.amsterdam, world.berlin])
    results.claim(result_of(task, world.amsterdam).id, world.amsterdam_north, LEASE)
    live.client.node.kill_tasks(world.amsterdam_north.id)
    rows = live.client.result.list(task=task.id, payload=False)["data"]
    assert [row["status"] for row in rows] == [TaskStatus.PENDING, TaskStatus.KILLED]


def _finished(live: Live) -> int:
    """Return the id of a task that both organizations have answered."""
    world = live.world
    task = make_task(world.north, [world.amsterdam, world.berlin])
    for organization, node, answer in [
        (world.amsterdam, world.amsterdam_north, {"sum": 253, "count": 4}),
        (world.berlin, world.berlin_north, {"sum": 50, "count": 1}),
    ]:
        row, _ = results.claim(result_of(task, organization).id, node, LEASE)
        finish(row, node, result=bytes_to_base64s(serialize(answer)), log="large")
    return task.id


def test_results_become_a_table_in_one_step(live) -> None:
    task_id = _finished(live)
    rows = pandas.DataFrame(live.client.result.list(task=task_id)["data"])
    assert {"id", "status", "result", "organization"} <= set(rows)
    answers = pandas.DataFrame(row["result"] for row in live.client.result.from_task(task_id))
    assert answers["sum"].sum() / answers["count"].sum() == 60.6
    assert list(answers["count"]) == [1, 4]  # the newest first


def test_results_are_listed_without_what_may_be_large(live) -> None:
    rows = live.client.result.list(task=_finished(live), payload=False)["data"]
    assert [(row["status"], row["result"], row["log"]) for row in rows] == [
        (TaskStatus.COMPLETED, None, None)
    ] * 2


def test_login_is_renewed_on_demand(live) -> None:
    old = live.client.token
    live.client.refresh_token()
    assert live.client.token != old
    assert live.client.user.get()["username"] == "ada"
