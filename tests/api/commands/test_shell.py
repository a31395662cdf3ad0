"""The shell reads, changes and saves entities; a mistake is one line and leaves nothing behind."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.api.commands.conftest import Operator
from tests.models.factories import (
    World,
    finish,
    make_task,
    make_user,
    make_world,
    sealed,
)
from vantage6.api.identity import passwords
from vantage6.broker import acl, presence, queues
from vantage6.broker.connection import client
from vantage6.common.enums import Operation, Scope
from vantage6.common.errors import Conflict, Invalid, NotFound
from vantage6.models import database
from vantage6.models.store import nodes, outbox, results, tasks
from vantage6.models.tables import Membership, Outbox, Payload, Result
from vantage6.server.setup import set_up
from vantage6.server.shell import Database, namespace


@pytest.fixture
def db(operator: Operator):
    """Give the shell's ``db``, on a database that the server has set up, with a world."""
    set_up(operator.instance)
    with database.session():
        yield namespace(operator.instance)["db"]
    database.dispose()


@pytest.fixture
def world(db: Database) -> World:
    return make_world()


def test_a_new_object_is_stored_with_what_it_needs(db: Database):
    organization = db.Organization(name="A", zipcode="01234")
    role = db.Role(name="r", rules=[db.Rule.get(1), db.Rule.get(2)], organization=organization)
    user = db.User(username="u", password="p", roles=[role], organization=organization)
    assert user.id is None
    user.save()
    assert db.User.get_by_username("u") == user
    assert [rule.id for rule in db.User.get(user.id).roles[0].rules] == [1, 2]
    assert db.Organization.get_by_name("A").users == [user]
    assert user.organization.roles == [role]


def test_all_one_or_none_are_found(db: Database, world: World):
    assert [one.name for one in db.Collaboration.get()] == ["north", "south"]
    assert db.Collaboration.get(world.north.id).name == "north"
    assert db.Collaboration.get(9999) is None
    assert db.Organization.get_by_name("Nobody") is None
    assert db.Collaboration.name_exists("north")
    assert db.Node.exists(world.cairo.id, world.south.id)
    assert not db.Node.exists(world.cairo.id, world.north.id)
    with pytest.raises(NotFound, match="no user whose username is 'nobody'"):
        db.User.get_by_username("nobody")


def test_changes_count_when_they_are_saved(db: Database, world: World):
    organization = db.Organization.get_by_name("Cairo")
    organization.country = "Egypt"
    assert db.Organization.get_by_name("Cairo").country is None
    organization.save()
    assert db.Organization.get_by_name("Cairo").country == "Egypt"


def test_only_what_was_changed_is_written(db: Database, world: World):
    mine, yours = db.Organization.get_by_name("Cairo"), db.Organization.get_by_name("Cairo")
    mine.country, yours.domain = "Egypt", "cairo.example"
    mine.save()
    yours.save()
    assert db.Organization.get_by_name("Cairo").country == "Egypt"


def test_lists_follow_the_database_until_they_are_changed(db: Database, world: World):
    user = db.User.of(make_user(world.cairo))
    assert user.rules == []
    again = db.User.get(user.id)
    again.rules.append(db.Rule.get(1))
    again.save()
    assert user.rules == [db.Rule.get(1)]
    user.rules.append(db.Rule.get(2))
    again.rules = []
    again.save()
    user.save()
    # What was appended, and not what the list was taken for.
    assert user.rules == [db.Rule.get(2)] == db.User.get(user.id).rules


def test_many_to_many_lists_can_be_changed_from_both_sides(db: Database, world: World):
    cairo, north = db.Organization.get_by_name("Cairo"), db.Collaboration.get_by_name("north")
    cairo.collaborations.append(north)
    cairo.save()
    assert cairo in north.organizations
    north.organizations.remove(cairo)
    north.save()
    assert [one.name for one in cairo.collaborations] == ["south"]
    assert Membership.select().count() == 4


def test_who_leaves_a_collaboration_ends_what_it_computes_there(db: Database, world: World):
    task = make_task(world.north, [world.amsterdam, world.berlin])
    north = db.Collaboration.get_by_name("north")
    north.organizations = [one for one in north.organizations if one.name != "Berlin"]
    north.save()
    statuses = {one.organization.name: one.status for one in db.Task.get(task.id).results}
    assert statuses == {"Amsterdam": "pending", "Berlin": "killed by user"}


def test_a_password_is_hashed_and_ends_sessions(db: Database, world: World):
    user = db.User.of(make_user(world.cairo))
    user.password = "x"
    user.save()
    row = db.User.get(user.id).row
    assert passwords.matches(row.password, "x")
    assert row.tokens_valid_from is not None
    assert user.check_password("x")
    assert "at least 8" in user.set_password("short")
    assert user.set_password("Long-enough-1") is None
    assert db.User.get(user.id).check_password("Long-enough-1")


def test_an_api_key_is_hashed(db: Database, world: World):
    db.Node(name="n", organization_id=world.cairo.id, api_key="key").save()
    assert nodes.with_key("key").name == "n"
    assert db.Node.get_by_api_key("key").check_key("key")


def test_a_rule_is_found_by_its_words_or_the_least_of_several(db: Database):
    rule = db.Rule.get_by_("node", Scope.GLOBAL, Operation.VIEW)
    assert (rule.name, rule.scope, rule.operation) == ("node", "GLOBAL", "VIEW")
    assert db.Rule.get_by_("node", "GLOBAL", "VIEW") == rule
    assert db.Rule.get_by_("node", "glo", "v") is None
    least = db.Rule.get_by_("node", Scope, Operation)
    assert (least.scope, least.operation) == (Scope.ORGANIZATION, Operation.VIEW)


def test_what_a_user_may_do_can_be_asked(db: Database, world: World):
    user = db.User.of(make_user(world.cairo, "Researcher"))
    assert user.can("task", "ORGANIZATION", "CREATE")
    assert not user.can("task", "GLOBAL", "CREATE")
    assert user.is_blocked(5, 15) == (False, 0)


@pytest.mark.slow
def test_a_new_result_kicks_the_workers(operator: Operator, redis_url: str):
    set_up(operator.instance)
    with operator.connected():
        world = make_world()
        task = make_task(world.north, [world.berlin])
    code = f"db.Result(task=db.Task.get({task.id}), organization=db.Organization.get(1)).save()"
    operator.set(broker=redis_url)
    operator.does("shell", "--code", code)
    with client(redis_url) as admin:
        assert admin.exists(queues.WORKERS_CALLED)


def test_a_new_result_says_nothing_of_workers_that_are_away(operator: Operator):
    set_up(operator.instance)
    with operator.connected():
        world = make_world()
        task = make_task(world.north, [world.berlin])
    code = f"db.Result(task=db.Task.get({task.id}), organization=db.Organization.get(1)).save()"
    assert operator.does("shell", "--code", code) == ""


def test_a_result_is_announced_and_can_be_claimed(db: Database, world: World):
    task = db.Task(
        name="t",
        image="img",
        collaboration=db.Collaboration.get(world.north.id),
        initiator=db.Organization.get(world.berlin.id),
    )
    task.save()
    berlin = db.Organization.get(world.berlin.id)
    result = db.Result(task=task, organization=berlin, input={"method": "m"})
    # A time without zone is that of this machine.
    result.assigned_at = datetime(2026, 1, 2, 3, 4)  # noqa: DTZ001
    result.save()
    assert [message.content for message in outbox.new()] == [{"result_ids": [result.id]}]
    results.claim(result.id, world.berlin_north, 180)
    assert db.Result.get(result.id).status == "initializing"
    assert Payload.get().content == "anNvbi57Im1ldGhvZCI6ICJtIn0="
    assert db.Result.get(result.id).input == Payload.get().content
    assert db.Result.get(result.id).node.name == world.berlin_north.name
    assert db.Result.get(result.id).assigned_at.tzinfo is UTC


def test_a_result_of_an_encrypted_collaboration_needs_a_key(db: Database, world: World):
    task = db.Task(collaboration_id=world.south.id, initiator_id=world.cairo.id)
    result = db.Result(task=task, organization_id=world.cairo.id, input={})
    with pytest.raises(Invalid, match="Cairo has no usable public key"):
        result.save()
    # Nothing of it is left, neither here nor there.
    assert (result.id, task.id, Outbox.select().count()) == (None, None, 0)
    result.input = "readable"
    with pytest.raises(Invalid, match="is encrypted, but this input is not"):
        result.save()
    result.input = sealed("written by somebody who knows how")
    result.save()
    assert db.Result.get(result.id).task == task


def test_what_is_computed_follows_the_results(db: Database, world: World):
    row = make_task(world.north, [world.amsterdam, world.berlin])
    task = db.Task.get(row.id)
    assert (task.status, task.complete, task.finished_at) == ("pending", False, None)
    for node in (world.amsterdam_north, world.berlin_north):
        result = next(one for one in task.results if one.organization_id == node.organization_id)
        finish(result.row, node)
    assert (task.status, task.complete) == ("completed", True)
    assert task.finished_at == max(one.finished_at for one in task.results)
    assert [one.result for one in db.Result.get() if one.complete] == ["42", "42"]


def test_a_subtask_shares_the_run_of_its_parent(db: Database, world: World):
    parent = db.Task.of(make_task(world.north, [world.berlin]))
    child = db.Task(parent=parent, collaboration=parent.collaboration, initiator=parent.initiator)
    child.save()
    assert child.run_id == parent.run_id
    assert parent.children == [child]
    assert db.Task.next_run_id() > child.run_id
    stray = db.Task(run_id=9999, collaboration=parent.collaboration, initiator=parent.initiator)
    with pytest.raises(Invalid, match="no run 9999"):
        stray.save()


def test_a_removed_task_ends_what_runs(db: Database, world: World):
    row = make_task(world.north, [world.berlin])
    db.Task.get(row.id).delete()
    assert outbox.new()[-1].topic == "results_killed"
    assert db.Task.get() == []


def test_the_last_administrator_and_default_roles_stay(db: Database):
    with pytest.raises(Invalid, match="last one with the role Root"):
        db.User.get_by_username("root").delete()
    with pytest.raises(Invalid, match="default role"):
        db.Role.get_by_name("Root").delete()


def test_what_others_refer_to_is_not_removed(db: Database, world: World):
    with pytest.raises(Conflict, match="while others refer to it"):
        db.Organization.get_by_name("Cairo").delete()
    with pytest.raises(Conflict, match="was never saved"):
        db.Organization(name="new").delete()


def test_a_moved_node_leaves_what_it_had_taken_to_the_next(db: Database, world: World):
    make_task(world.south, [world.cairo])
    results.claim(Result.get().id, world.cairo_south, 180)
    node = db.Node.get(world.cairo_south.id)
    node.collaboration = None
    node.save()
    assert Result.get().status == "pending"


def test_a_taken_name_of_an_organization_is_told_apart(db: Database, world: World, capsys):
    second = db.Organization(name="Cairo")
    second.save()
    assert second.name == "Cairo (2)"
    assert "already" in capsys.readouterr().out


def test_public_keys_are_read_as_text(db: Database, world: World):
    cairo = db.Organization.get_by_name("Cairo")
    cairo.public_key = "-----BEGIN PUBLIC KEY-----\n"
    cairo.save()
    assert db.Organization.get(cairo.id).public_key == "-----BEGIN PUBLIC KEY-----\n"
    cairo.public_key = "aGVsbG8="
    assert cairo.public_key == "hello"
    with pytest.raises(Invalid, match="cannot be the public_key"):
        cairo.public_key = "ä"


MISTAKES = {
    "unknown": (lambda db: db.Organization(nam="x"), "has no 'nam'"),
    "unknown later": (lambda db: setattr(db.User.get(1), "nam", "x"), "has no 'nam'"),
    "not an entity": (lambda db: db.Role(organization=3), "must be a db.Organization"),
    "fixed": (lambda db: setattr(db.Rule.get(1), "name", "x"), "cannot be changed"),
    "no list": (lambda db: db.Role(rules=3), "must be a list"),
    "other kind": (lambda db: db.Role(name="x", rules=[db.User.get(1)]).save(), "no db.Rule"),
    "missing": (lambda db: db.Task(name="x").save(), "The database refuses"),
    "status": (lambda db: db.Result(status="x"), "cannot be the status"),
    "time": (lambda db: db.Result(assigned_at="x"), "must be a datetime"),
    "input": (lambda db: db.User.exists("nam", 1), "no property 'nam'"),
}


@pytest.mark.parametrize(("mistake", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line(db: Database, mistake, said: str):
    with pytest.raises((Invalid, Conflict)) as error:
        mistake(db)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_an_unknown_attribute_is_explained(db: Database):
    with pytest.raises(AttributeError, match=r"db.User has no 'nam'; `db.User.help\(\)`"):
        _ = db.User.get(1).nam
    with pytest.raises(AttributeError, match=r"There is no db\.Users; there are Organization"):
        _ = db.Users


def test_a_failed_save_can_be_mended(db: Database, world: World):
    user = db.User(username="root", password="x", roles=[db.Role.get(1)])
    with pytest.raises(Conflict):
        user.save()
    user.username = "other"
    user.save()
    assert db.User.get_by_username("other").roles == [db.Role.get(1)]
    user.username, user.firstname = "root", "Some"
    with pytest.raises(Conflict):
        user.save()
    user.username = "third"
    user.save()
    assert db.User.get(user.id).firstname == "Some"


@pytest.mark.parametrize(
    "name",
    [
        *("Organization", "Collaboration", "User", "Role", "Rule"),
        *("Node", "NodeConfig", "Task", "Result", "AlgorithmPort"),
    ],
)
def test_each_entity_explains_itself(db: Database, name: str, capsys):
    getattr(db, name).help()
    text = capsys.readouterr().out
    for title in (f"db.{name}: ", "Properties:", "Relations:", "  save "):
        assert title in text
    assert "insert" not in text


def test_summaries_hold_no_secret(db: Database, world: World):
    assert repr(db.Node.get(world.cairo_south.id)) == (
        f"<Node {world.cairo_south.id}: Cairo - south Node>"
    )
    assert repr(db.User(username="u", password="hush")) == "<User new: u>"


def test_nodes_of_a_collaboration_are_found(db: Database, world: World):
    north = db.Collaboration.get(world.north.id)
    berlin = db.Organization.get(world.berlin.id)
    assert north.get_node_from_organization(berlin).id == world.berlin_north.id
    assert north.get_organization_ids() == [world.amsterdam.id, world.berlin.id]
    task = make_task(world.north, [world.berlin])
    assert north.get_task_ids() == [task.id]
    assert berlin.get_result_ids() == [row.id for row in tasks.results_of([task.id])[task.id]]


def test_online_nodes_are_those_that_consume(db: Database, world: World, redis_url, operator):
    operator.set(broker=redis_url)
    db = namespace(operator.instance)["db"]
    assert db.Node.get_online_nodes() == []
    with client(redis_url) as broker:
        acl.grant(broker, world.cairo_south.id)
        presence.announce(broker, queues.alive(world.cairo_south.id))
    assert db.Node.get_online_nodes() == [db.Node.get(world.cairo_south.id)]


# The command


def test_code_is_run_and_its_value_shown(operator: Operator):
    operator.does("migrate")
    shown = operator.does("shell", "--code", "a = db.Organization(name='A')\na.save()\na")
    assert shown == "<Organization 2: A>\n"
    assert operator.does("shell", stdin="print(db.Organization.get(2).name)") == "A\n"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("db.Organization(nam=1)", "line 1: db.Organization has no 'nam'"),
        ("a = 1\nb", "line 2: NameError: name 'b' is not defined"),
        ("a = (", "line 1: SyntaxError"),
    ],
)
def test_mistakes_in_code_are_one_line(operator: Operator, code: str, said: str):
    operator.does("migrate")
    shown = operator.refused("shell", "--code", code)
    assert said in shown
    assert len(shown.splitlines()) == 1


def test_the_shell_wants_a_database_of_this_version(operator: Operator):
    assert "`vserver migrate`" in operator.refused("shell", "--code", "1", code=12)


@pytest.mark.slow
def test_a_terminal_gets_an_interactive_session(operator: Operator, tmp_path: Path):
    operator.does("migrate")
    main, other = pty.openpty()
    command = [sys.executable, "-c", "from vantage6.server.cli import main; main()", "shell"]
    process = subprocess.Popen(
        [*command, "--config", str(operator.instance.file)],
        stdin=other,
        stdout=other,
        stderr=other,
        env={**os.environ, "HOME": str(tmp_path), "TERM": "dumb"},
    )
    os.close(other)
    shown = ""

    def wait_for(text: str) -> None:
        nonlocal shown
        deadline = time.monotonic() + 60
        while text not in shown:
            assert select.select([main], [], [], max(0, deadline - time.monotonic()))[0], shown
            shown += re.sub(r"\x1b\[[\d;]*m", "", os.read(main, 10_000).decode())
        shown = shown.partition(text)[2]

    try:
        wait_for("vantage6 shell of server")
        wait_for("In [1]:")
        os.write(main, b"db.Rule.get(1)\r")
        wait_for("<Rule 1: node VIEW GLOBAL>")
        wait_for("In [2]:")
        os.write(main, b"db.Organization(nam=1)\r")
        wait_for("Invalid: db.Organization has no 'nam'")
        wait_for("In [3]:")
        os.write(main, b"exit\r")
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        os.close(main)
    # Passwords are typed there.
    assert not list(tmp_path.rglob("history.sqlite"))
