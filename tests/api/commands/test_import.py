"""A batch is imported as a whole or not at all, and twice as well as once."""

import base64
import re
from pathlib import Path
from typing import Any

import pytest

from tests.api.client import logged_in
from tests.api.commands.conftest import Operator, write_batch
from vantage6.api.identity import passwords
from vantage6.common.encryption import RSACryptor
from vantage6.common.secret_files import hash_secret
from vantage6.models.database import db
from vantage6.models.store import nodes, relations, users
from vantage6.models.tables import (
    Collaboration,
    Node,
    Organization,
    Outbox,
    Payload,
    Result,
    Rule,
    Session,
    Task,
    User,
)

KEYS = [f"123e4567-e89b-12d3-a456-42661417400{number}" for number in range(9)]


def batch(**more: Any) -> dict[str, Any]:
    """Return two organizations in one collaboration."""
    return {
        "organizations": [
            {"name": "A", "zipcode": "01234", "users": [{"username": "ann", "password": "secret"}]},
            {"name": "B", "country": None},
        ],
        "collaborations": [
            {
                "name": "AB",
                "encrypted": False,
                "participants": [
                    {"name": "A", "api_key": KEYS[1]},
                    {"name": "B", "api_key": KEYS[2]},
                ],
                "tasks": ["hello-world"],
            }
        ],
        **more,
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_batch(tmp_path / "batch.yaml", batch())


def test_an_import_into_a_new_database_makes_everything(operator: Operator, file: Path):
    said = operator.does("import", file)
    assert "organization A is made" in said
    assert "`root` was made" in said
    with operator.connected():
        ann = users.find_by_name("ann")
        assert passwords.matches(ann.password, "secret")
        # Whether or not the server ran before: every rule there is.
        assert len(users.rules_of(ann.id)) == Rule.select().count() > 0
        assert users.role_names(ann.id) == ["super"]
        assert ann.organization.zipcode == "01234"
        assert nodes.with_key(KEYS[2]).name == "B - AB Node"
        task = Task.get()
        assert (task.image, task.initiator.name) == ("hello-world", "A")
        assert Result.select().where(Result.task == task).count() == 2
        # Nodes that run are told.
        assert Outbox.get().topic == "task_created"


def test_a_second_import_changes_nothing(operator: Operator, file: Path):
    operator.does("import", file)
    assert "nothing was changed" in operator.does("import", file)
    with operator.connected():
        assert Task.select().count() == 1
        assert Organization.select().count() == 3


def test_a_task_that_stands_twice_is_made_twice(operator: Operator, tmp_path: Path):
    content = batch()
    content["collaborations"][0]["tasks"] = ["one", "two", "one"]
    file = write_batch(tmp_path / "batch.yaml", content)
    operator.does("import", file)
    operator.does("import", file)
    with operator.connected():
        assert sorted(task.image for task in Task.select()) == ["one", "one", "two"]


def test_what_differs_is_brought_to_the_file_and_secrets_stay(operator: Operator, tmp_path: Path):
    file = write_batch(tmp_path / "batch.yaml", batch())
    operator.does("import", file)
    content = batch()
    first = content["organizations"][0]
    first |= {"country": "NL", "public_key": base64.b64encode(b"PEM").decode()}
    first["users"][0] |= {"firstname": "Ann", "password": "another"}
    content["organizations"].append({"name": "C"})
    participants = content["collaborations"][0]["participants"]
    participants[1]["api_key"] = KEYS[3]
    participants.append({"name": "C", "api_key": KEYS[4]})
    write_batch(file, content)
    said = operator.does("import", file)
    for line in (
        "organization A gets another country, public key",
        "user ann gets another firstname",
        "collaboration AB gets C",
        "node of C in AB is made",
        "node of B in AB has another API key, which stays",
    ):
        assert line in said
    with operator.connected():
        ann = users.find_by_name("ann")
        assert ann.firstname == "Ann"
        assert passwords.matches(ann.password, "secret")
        assert Node.get(Node.name == "B - AB Node").api_key == hash_secret(KEYS[2])
    first["public_key"] = base64.b64encode(b"another").decode()
    write_batch(file, content)
    assert "A has another public key, which stays" in operator.does("import", file)


def test_inputs_for_an_encrypted_collaboration_are_encrypted(operator: Operator, tmp_path: Path):
    content = batch()
    private = tmp_path / "key.pem"
    RSACryptor.create_new_rsa_key(private)
    cryptor = RSACryptor(private)
    for organization in content["organizations"]:
        organization["public_key"] = cryptor.public_key_str
    del content["collaborations"][0]["encrypted"]
    file = write_batch(tmp_path / "batch.yaml", content)
    operator.does("import", file)
    with operator.connected():
        assert Collaboration.get().encrypted is True
        for payload in Payload.select():
            assert cryptor.decrypt_str_to_bytes(payload.content) == b"json.{}"


def test_a_dry_run_says_the_same_and_does_nothing(operator: Operator, file: Path):
    dry = operator.does("import", file, "--dry-run")
    with operator.connected():
        assert db.get_tables() == []
    real = operator.does("import", file)
    assert {line for line in dry.splitlines() if "is made" in line} == {
        line for line in real.splitlines() if "is made" in line
    }
    write_batch(file, {"organizations": [{"name": "D"}]})
    assert "organization D is made" in operator.does("import", file, "--dry-run")
    with operator.connected():
        assert not Organization.select().where(Organization.name == "D").exists()


def test_drop_all_needs_permission_and_leaves_what_a_first_start_leaves(
    operator: Operator, file: Path
):
    operator.does("import", file)
    with operator.connected():
        old = users.find_by_name("ann").id
        rules = [rule.id for rule in Rule.select().order_by(Rule.id)]
    assert "allow_drop_all" in operator.refused("import", file, "--drop-all", code=13)
    operator.set(allow_drop_all=True)
    write_batch(file, batch(collaborations=[]))
    operator.does("import", file, "--drop-all")
    with operator.connected():
        assert [user.username for user in User.select().order_by(User.username)] == ["ann", "root"]
        assert users.role_names(users.find_by_name("root").id) == ["Root"]
        assert Collaboration.select().count() == 0
        # Tokens name their holders by number.
        assert users.find_by_name("ann").id > old
        assert [rule.id for rule in Rule.select().order_by(Rule.id)] == rules


def test_a_failing_drop_all_leaves_everything(operator: Operator, file: Path):
    operator.set(allow_drop_all=True)
    operator.does("import", file)
    content = batch()
    content["collaborations"][0]["participants"][1]["name"] = "Nobody"
    write_batch(file, content)
    operator.refused("import", file, "--drop-all")
    with operator.connected():
        assert Collaboration.get().name == "AB"


WRONG = {
    "organizations: [": "line 1: not YAML",
    "": "is empty",
    "[]": "line 1: this is no mapping",
    "organizations:\n  - name: A\n    colour: red\n": "line 3: `colour`: there is no such key; ",
    "organizations:\n  - domain: a\n": "line 2: `name`: this key is missing",
    "organizations:\n  - name: A\n  - name: B\n  - name: A\n": "line 4: the same organization",
    "organizations:\n  - name: A\n    name: B\n": "line 2: `name` stands here twice",
    "organizations:\n  - name: A\n    public_key: ä\n": "line 3: `public_key`",
    "organizations:\n  - name: A\n    users:\n      - username: u\n": "line 4: `password`",
    "collaborations:\n  - name: C\n    participants:\n      - name: X\n        api_key: 1\n": (
        "line 5: `api_key`"
    ),
    f"collaborations:\n- name: C\n  participants:\n  - name: X\n    api_key: {KEYS[1]}\n": (
        "line 4: there is no organization 'X'"
    ),
    "organizations:\n- name: A\n  users: [{username: root, password: x}]\n": (
        "line 3: user root belongs to another organization"
    ),
}


@pytest.mark.parametrize(("text", "said"), WRONG.items(), ids=range(len(WRONG)))
def test_what_is_wrong_is_named_with_its_line_and_nothing_happens(
    operator: Operator, tmp_path: Path, text: str, said: str
):
    file = write_batch(tmp_path / "batch.yaml", text)
    assert said in operator.refused("import", file)
    with operator.connected():
        assert "organization" not in db.get_tables() or Organization.select().count() == 1


def test_all_mistakes_are_named_at_once_and_no_secret(operator: Operator, tmp_path: Path):
    text = "organizations:\n  - nam: A\n    users:\n      - {username: u, password: [hush]}\n"
    said = operator.refused("import", write_batch(tmp_path / "batch.yaml", text))
    assert ["line 2" in said, "line 4" in said, "hush" in said] == [True, True, False]


def test_the_key_of_another_node_is_refused(operator: Operator, file: Path, tmp_path: Path):
    operator.does("import", file)
    content = batch(organizations=[])
    content["collaborations"][0] |= {"name": "new", "tasks": []}
    said = operator.refused("import", write_batch(file, content))
    assert "node 'A - AB Node' has this API key already" in said
    assert f"{file}, line" in said


def test_a_user_whom_an_import_makes_superuser_is_logged_out(operator: Operator, file: Path):
    operator.does("import", file)
    with operator.connected():
        ann = users.find_by_name("ann")
        logged_in(ann)
    operator.does("import", file)
    with operator.connected():
        assert Session.select().where(Session.user == ann.id).count() == 1
        users.update(ann, {}, roles=users.Change(taken=frozenset(role_ids(ann))))
    operator.does("import", file)
    with operator.connected():
        assert len(users.rules_of(ann.id)) == Rule.select().count()
        assert Session.select().where(Session.user == ann.id).count() == 0


def role_ids(user: User) -> list[int]:
    return relations.roles_of_users([user.id])[user.id]


def test_the_example_can_be_imported_and_its_keys_are_printed_once(
    operator: Operator, tmp_path: Path
):
    file = write_batch(tmp_path / "example.yaml", operator.does("import", "--example"))
    assert "# " in file.read_text()
    assert "API keys" not in operator.does("import", file, "--dry-run")
    said = operator.does("import", file)
    keys = re.findall(r"Hospital (.) - A and B Node: ([0-9a-f-]{36})$", said, re.MULTILINE)
    assert [organization for organization, _ in keys] == ["A", "B"]
    with operator.connected():
        for organization, key in keys:
            assert nodes.with_key(key).organization.name == f"Hospital {organization}"
        assert users.role_names(users.find_by_name("anna").id) == ["Researcher"]
        assert users.role_names(users.find_by_name("admin-a").id) == ["Organization Admin"]
    again = operator.does("import", file)
    assert "The server has all entries of the file" in again
    assert "API keys" not in again


def test_files_of_3_x_are_imported_as_they_are(operator: Operator, file: Path):
    content = batch(nodes=[])
    content["organizations"][0]["users"][0]["roles"] = []
    said = operator.does("import", write_batch(file, content))
    assert "Without effect in this version: nodes" in said
    with operator.connected():
        assert users.role_names(users.find_by_name("ann").id) == ["super"]


def test_roles_are_given_by_their_names(operator: Operator, file: Path):
    content = batch()
    ann = content["organizations"][0]["users"][0]
    ann["roles"] = ["Viewer"]
    operator.does("import", write_batch(file, content))
    ann["roles"] = ["Researcher", "super"]
    operator.does("import", write_batch(file, content))
    with operator.connected():
        found = users.role_names(users.find_by_name("ann").id)
        # What a user has already stays: others may have given it.
        assert sorted(found) == ["Researcher", "Viewer", "super"]
    ann["roles"] = ["Reasearcher"]
    said = operator.refused("import", write_batch(file, content))
    assert "there is no role 'Reasearcher'; there are: " in said
    assert f"{file}, line" in said
