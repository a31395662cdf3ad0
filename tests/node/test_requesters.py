"""A rule on organizations is not got round by a sub-task that a listed one passes on."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.node.conftest import MakeScheduler
from tests.node.factories import make_claim, make_config
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.common.errors import Invalid
from vantage6.node.claims import Claim, Requester
from vantage6.node.cli import main
from vantage6.node.outcomes import RefusalError
from vantage6.node.rules.findings import PolicyRequest
from vantage6.node.rules.policy import Policy

DONE = "open(os.environ['OUTPUT_FILE'], 'w').write('done')"
ONE, TWO = Requester(1, "org 1", 7, "alice", 100), Requester(2, "org 2", 7, "alice", 101)


def refusal(policies: dict[str, Any], **claim: Any) -> str | None:
    """Return the sentence with which a policy refuses a claim of organization 1, or None."""
    config = make_config(policies={"allowed_algorithms": ".*", **policies})
    try:
        Policy(config).check(PolicyRequest.by(make_claim(**claim)))
    except RefusalError as error:
        reason = error.reason
    else:
        return None
    assert reason.code == "initiator_not_allowed"
    return reason.message


def test_an_organization_that_is_not_listed_cannot_have_a_listed_one_ask() -> None:
    listed = {"allowed_organizations": ["1"]}
    assert refusal(listed) is None
    assert refusal(listed, is_subtask=True, above=(ONE,)) is None
    text = refusal(listed, is_subtask=True, above=(TWO,))
    assert text
    assert "task 101 of org 2" in text
    assert refusal(listed, is_subtask=True, above=(ONE, TWO, ONE))
    both = {"allowed_organizations": ["1", "org 2"]}
    assert refusal(both, is_subtask=True, above=(TWO, ONE)) is None


def test_a_listed_user_may_ask_through_any_organization() -> None:
    listed = {"allowed_users": ["alice"]}
    assert refusal(listed, is_subtask=True, above=(TWO, ONE)) is None
    eve = Requester(1, "org 1", 8, "eve", 100)
    assert refusal(listed, is_subtask=True, above=(eve, TWO))


def test_a_server_that_does_not_say_who_asked_first_gets_no_sub_task_past_the_rule() -> None:
    text = refusal({"allowed_organizations": ["1"]}, is_subtask=True, above=None)
    assert text
    assert text.endswith("Update the server.")
    assert refusal({}, is_subtask=True, above=None) is None


def _said(task: Requester) -> dict[str, Any]:
    return {
        "task": task.task_id,
        "organization": task.organization_id,
        "organization_name": task.organization,
        "user": task.user_id,
        "user_name": task.user,
    }


def _answer(parent: Any, **values: Any) -> dict[str, Any]:
    task = {
        "id": 102,
        "collaboration": {"id": 1},
        "run_id": 1,
        "image": "a/b",
        "parent": parent,
        "initiator": 1,
        **values,
    }
    return {"id": 5, "task": task, "container_token": "t"}


def test_a_claim_carries_who_asked_before() -> None:
    own = Requester(1, "org 1", None, None, 102)
    answer = _answer({"id": 101}, requesters=[_said(TWO), _said(own)])
    assert Claim.from_wire(answer).above == (TWO,)
    assert Claim.from_wire(_answer(None, requesters=[_said(own)])).above == ()
    assert Claim.from_wire(_answer(None)).above == ()
    assert Claim.from_wire(_answer({"id": 101})).above is None


@pytest.mark.parametrize(
    "said",
    [
        [],
        [_said(Requester(1, "org 1", None, None, 102))],
        [_said(TWO), _said(ONE)],
        [_said(TWO), _said(Requester(2, "org 2", None, None, 102))],
        [{"task": 102}],
        [_said(TWO)] * 100 + [_said(Requester(1, "org 1", None, None, 102))],
    ],
)
def test_a_chain_that_does_not_lead_to_the_task_is_no_chain(said: list[Any]) -> None:
    with pytest.raises(Invalid):
        Claim.from_wire(_answer({"id": 101}, requesters=said))


def test_the_station_refuses_and_writes_down_who_stands_behind_a_sub_task(
    wire: Wire, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    own = Requester(1, "org 1", 7, "alice", 105)
    wire.add(5, DONE, parent={"id": 101}, requesters=[_said(TWO), _said(own)])
    rules = {"allowed_algorithms": ".*", "allowed_organizations": ["org 1"]}
    make_scheduler(policies=rules).accept(5)
    eventually(lambda: wire.ids("not allowed") == [5])
    lines = (tmp_path / "data" / "audit.jsonl").read_text().splitlines()
    asked = next(entry for entry in map(json.loads, lines) if entry["event"] == "asked")
    assert [one["organization"] for one in asked["above"]] == ["org 2"]


def test_the_policy_test_takes_who_asked_before(tmp_path: Path) -> None:
    file = tmp_path / "node.yaml"
    file.write_text(
        "application:\n  api_key: key\n  server_url: http://127.0.0.1\n"
        f"  task_dir: {tmp_path}/data\n  databases: {{default: {tmp_path}/x.csv}}\n"
        "  encryption: {enabled: false}\n"
        "  policies: {allowed_algorithms: ['.*'], allowed_organizations: ['1']}\n"
    )
    file.chmod(0o600)
    command = ["policy", "test", "--config", str(file), "--image", "a/b"]
    command += ["--init-organization", "1"]
    assert CliRunner().invoke(main, command).exit_code == 0
    refused = CliRunner().invoke(main, [*command, "--through", "2", "--through", "1"])
    assert refused.exit_code == 1
    assert "follows from a task of 2" in refused.output
