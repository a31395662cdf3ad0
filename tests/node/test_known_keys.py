"""A station encrypts for the keys that it knows, and says for which one it did."""

import base64
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from tests.node.conftest import MakeContext, MakeScheduler
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.common.config.instances import Found
from vantage6.common.encryption import RSACryptor
from vantage6.common.known_keys import FILE_NAME as KEYS
from vantage6.common.known_keys import KnownKeys
from vantage6.node.cli import main
from vantage6.node.instance import Instance
from vantage6.node.rules.audit import FILE_NAME, Audit, entries
from vantage6.node.rules.encryption import Agreement, known_keys
from vantage6.node.work.context import NodeContext
from vantage6.node.work.scheduler import Scheduler

DONE = "open(os.environ['OUTPUT_FILE'], 'w').write('done')"


@pytest.fixture(scope="session")
def cryptors(tmp_path_factory: pytest.TempPathFactory) -> list[RSACryptor]:
    """Give the keys of three organizations; the first one's is the station's."""
    folder = tmp_path_factory.mktemp("keys")
    for name in "123":
        RSACryptor.create_new_rsa_key(folder / name)
    return [RSACryptor(folder / name) for name in "123"]


@pytest.fixture
def context(make_context: MakeContext, cryptors: list[RSACryptor]) -> NodeContext:
    """Give a station of an encrypted collaboration."""
    own = cryptors[0]
    return replace(make_context(), agreement=Agreement(own, encrypted=True))


Ask = Callable[[int, RSACryptor], None]


@pytest.fixture
def ask(
    wire: Wire, context: NodeContext, make_scheduler: MakeScheduler, cryptors: list[RSACryptor]
) -> Ask:
    """Give a function with which organization 2 asks, the server saying which key it has."""
    scheduler: Scheduler = make_scheduler(context)

    def ask(id_: int, key: RSACryptor) -> None:
        wire.public_keys[2] = key.public_key_str
        wire.add(id_, initiator=2)
        own = cryptors[0]
        wire.results[id_]["input"] = own.encrypt_bytes_to_str(DONE.encode(), own.public_key_str)
        scheduler.accept(id_)
        eventually(lambda: id_ in wire.ids("completed", "failed", "not allowed"))

    return ask


def test_output_is_not_encrypted_for_a_key_that_the_server_put_in_place_of_another(
    wire: Wire, ask: Ask, cryptors: list[RSACryptor], tmp_path: Path
) -> None:
    _, asking, foreign = cryptors
    ask(5, asking)
    assert asking.decrypt_str_to_bytes(wire.results[5]["result"]) == b"done"
    ask(6, foreign)
    assert not wire.results[6].get("result")
    reason = wire.results[6]["reason"]
    assert reason["code"] == "organization_key_changed"
    for key in (asking, foreign):
        assert RSACryptor.fingerprint(key.public_key_str) in reason["msg"]
    facts = [one for one in entries(tmp_path / "data" / FILE_NAME) if one.get("result_id") == 6]
    assert [one["event"] for one in facts] == ["asked", "refused", "released"]


def test_accepted_key_is_used_by_a_running_node(
    wire: Wire, ask: Ask, context: NodeContext, cryptors: list[RSACryptor]
) -> None:
    _, asking, fresh = cryptors
    ask(5, asking)
    ask(6, fresh)
    context.known_keys.accept(2, RSACryptor.fingerprint(fresh.public_key_str))
    ask(7, fresh)
    assert fresh.decrypt_str_to_bytes(wire.results[7]["result"]) == b"done"


def test_audit_says_for_which_key_a_result_is_encrypted(
    ask: Ask, cryptors: list[RSACryptor], tmp_path: Path
) -> None:
    ask(5, cryptors[1])
    mark = RSACryptor.fingerprint(cryptors[1].public_key_str)
    found = {one["event"]: one for one in entries(tmp_path / "data" / FILE_NAME)}
    assert found["asked"]["fingerprint"] == found["released"]["fingerprint"] == mark


def test_key_that_cannot_be_written_down_is_not_known(
    cryptors: list[RSACryptor], tmp_path: Path
) -> None:
    settings = {
        "api_key": "key",
        "server_url": "http://127.0.0.1",
        "encryption": {"enabled": True},
        "task_dir": str(tmp_path),
    }
    file = tmp_path / "station.yaml"
    file.write_text(yaml.safe_dump({"application": settings}))
    instance, key = Instance.load(Found(file, system=False), None), cryptors[1].public_key_str
    audit = Audit(tmp_path)
    audit.close()
    with pytest.raises(OSError, match="descriptor"):
        known_keys(instance, audit).check(2, key)
    assert known_keys(instance).all() == {}
    audit = Audit(tmp_path)
    known_keys(instance, audit).check(2, key)
    audit.close()
    [noted] = [one for one in entries(tmp_path / FILE_NAME) if one["event"] == "key_known"]
    assert noted["fingerprint"] == known_keys(instance).all()[2].fingerprint


def test_keys_are_listed_and_accepted_at_the_command_line(
    cryptors: list[RSACryptor], tmp_path: Path
) -> None:
    first, second, third = (RSACryptor.fingerprint(each.public_key_str) for each in cryptors)
    settings = {
        "api_key": "key",
        "server_url": "http://127.0.0.1",
        "encryption": {"enabled": True},
        "task_dir": str(tmp_path / "node"),
        "organization_keys": {4: third},
    }
    file = tmp_path / "station.yaml"
    file.write_text(yaml.safe_dump({"application": settings}))
    KnownKeys(tmp_path / "node" / KEYS).check(3, cryptors[0].public_key_str)

    def vnode(*words: str) -> Result:
        return CliRunner().invoke(main, ["keys", words[0], "--config", str(file), *words[1:]])

    lines = [line.split() for line in vnode("list").output.splitlines()]
    assert [line[:2] for line in lines] == [["3", first], ["4", third]]
    assert [line[3:] for line in lines] == [["first", "use"], ["configuration"]]
    assert vnode("accept", "3", second).exit_code == 0
    assert second in vnode("list").output
    for words, said in (
        (("3", "aa"), "16 pairs of hexadecimal digits"),
        (("4", second), "changes organization_keys in the node's configuration"),
    ):
        done = vnode("accept", *words)
        assert done.exit_code == 1
        assert said in done.output


def test_audit_names_no_key_where_nothing_is_encrypted(
    wire: Wire, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    wire.add(5, DONE)
    make_scheduler().accept(5)
    eventually(lambda: wire.ids("completed") == [5])
    assert base64.b64decode(wire.results[5]["result"]) == b"done"
    assert not any("fingerprint" in one for one in entries(tmp_path / "data" / FILE_NAME))
