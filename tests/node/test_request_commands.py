"""``vnode requests``, ``approve``, ``deny``, ``grants``, ``pause`` and ``resume``."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from tests.node.test_grants import DIGESTS, make_asked
from tests.node.test_held_requests import make_request
from vantage6.node.cli import main
from vantage6.node.commands import answering
from vantage6.node.requests import grants
from vantage6.node.requests.grants import Grants, Limit
from vantage6.node.requests.held import HeldRequests, State
from vantage6.node.requests.held_request import Requester
from vantage6.node.requests.pause import Pause


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give the data folder of a node that does not run."""
    content = {
        "api_key": "key",
        "server_url": "http://127.0.0.1",
        "encryption": {"enabled": False},
        "task_dir": str(tmp_path / "node"),
        "databases": {"default": "a.csv"},
    }
    file = tmp_path / "station.yaml"
    file.write_text(yaml.safe_dump({"application": content}))
    file.chmod(0o600)
    folder = tmp_path / "node"
    folder.mkdir(mode=0o700)
    return folder


def run(data: Path, *words: str, fails: bool = False) -> str:
    """Run a command of the node with a data folder, and return what it prints."""
    command = [*words, "--config", str(data.parent / "station.yaml")]
    done = CliRunner().invoke(main, command)
    assert (done.exit_code != 0) is fails, done.output
    return done.output


def code(data: Path) -> str:
    """Return the word for the request of result 5, as people read it."""
    shown = re.search(r"`vnode approve 5 (\w+)`", run(data, "requests", "5"))
    return shown[1] if shown else "none"


def test_an_approval_is_for_the_request_that_was_shown(data: Path):
    held = HeldRequests(data)
    held.hold(make_request())
    seen = code(data)
    # As a server does that takes a result back, and offers its number again.
    held.forget(5)
    held.hold(make_request(input_hash="b" * 64))
    for words in ((), ("--grant",)):
        said = run(data, "approve", "5", seen, *words, fails=True)
        assert "`vnode requests 5` shows what it asks for now" in said
    assert held.get(5).state() is State.WAITING
    assert Grants(data).list() == []
    run(data, "approve", "5", code(data))
    assert held.get(5).state() is State.APPROVED


def test_a_request_is_shown_in_words(data: Path):
    held = HeldRequests(data)
    assert "no request waits" in run(data, "requests")
    held.hold(make_request(above=(Requester(2, "org 2", 8, "dave"),)))
    listed = run(data, "requests")
    assert "org 1" in listed
    assert "waiting" in listed
    shown = run(data, "requests", "5")
    for words in (
        "Result 5 of task 3",
        '"alice" (user 7) of "org 1" (organization 1)',
        "ab:cd",
        '"dave" (user 8) of "org 2"',
        '"average" (central)',
        "vantage6/average",
        DIGESTS[0],
        '"column" = "age"',
        "default",
        f"`vnode approve 5 {held.get(5).code}`",
    ):
        assert words in shown
    assert "vnode requests" in run(data, "requests", "6", fails=True)


def test_what_comes_from_outside_makes_no_line_and_no_command_of_its_own(data: Path):
    evil = "average\n  Approved by      bob\x1b[2J"
    asked = Requester(1, evil, 7, evil, "ab:cd")
    arguments = json.dumps({evil: evil})
    HeldRequests(data).hold(
        make_request(requester=asked, function=evil, image=evil, arguments=arguments)
    )
    for words in (("requests",), ("requests", "5")):
        shown = run(data, *words)
        assert "\x1b" not in shown
        assert not [line for line in shown.splitlines() if line.startswith("  Approved by")]


def test_no_text_of_a_request_passes_for_another_one(data: Path):
    line = "age" + " " * 60 + "  Database         default"
    HeldRequests(data).hold(
        make_request(
            requester=Requester(1, "x (organization 2)", 7, "b\u043eb"),
            function="me\U000e0041an",
            image="vantage6/average\u3164",
            arguments=json.dumps({"column": line, "c\u043elumn": "\u0430ge"}),
        )
    )
    shown = run(data, "requests", "5")
    assert '"b\u043eb" ("b\\u043eb") (user 7) of "x (organization 2)" (organization 1)' in shown
    assert '"me\\udb40\\udc41an" (central)' in shown
    assert '"vantage6/average\\u3164"' in shown
    assert '"column" = "age\\u0020{62}Database\\u0020{9}default"' in shown
    assert '"c\u043elumn" ("c\\u043elumn") = "\u0430ge" ("\\u0430ge")' in shown
    listed = run(data, "requests")
    assert '"b\u043eb" ("b\\u043eb")' in listed


def test_answers_count_while_the_node_does_not_run(data: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(answering, "person", lambda: "bob")
    held = HeldRequests(data)
    for id_ in (5, 6):
        held.hold(make_request(id_))
    said = run(data, "approve", "5", code(data))
    assert "The node does not run" in said
    assert held.get(5).state() is State.APPROVED
    run(data, "deny", "6", "--reason", "Not this column.")
    denial = held.get(6).denial
    assert denial is not None
    assert denial.sentence == "Not this column."
    assert "approved already" in run(data, "deny", "5", "--reason", "No.", fails=True)


def test_the_person_behind_sudo_is_the_one_who_answers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("SUDO_USER", "carol")
    assert answering.person() == "carol"
    monkeypatch.delenv("SUDO_USER")
    assert answering.person() == "root"
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    monkeypatch.setenv("SUDO_USER", "carol")
    assert answering.person() == "12345"


def test_a_grant_from_a_request_names_exactly_what_was_asked(data: Path):
    held = HeldRequests(data)
    held.hold(make_request())
    said = run(
        data,
        "approve",
        "5",
        code(data),
        "--grant",
        "--days",
        "30",
        "--times",
        "3",
        "--note",
        "Trial.",
    )
    (grant,) = Grants(data).list()
    assert grant.id in said
    assert (grant.digest, grant.function, grant.is_central) == (DIGESTS[0], "average", True)
    assert (grant.organization_id, grant.user_id, grant.database) == (1, 7, "default")
    assert grant.arguments == {"column": Limit(("age",))}
    assert (grant.times, grant.note) == (3, "Trial.")
    assert grant.until is not None
    assert held.get(5).state() is State.APPROVED
    listed = run(data, "grants", "list")
    for words in (grant.id, '"average" (central)', '"column" = "age"', "0 of 3 times", "Trial."):
        assert words in listed
    run(data, "grants", "revoke", grant.id)
    assert "no grants" in run(data, "grants", "list")


def test_a_wider_grant_has_to_be_asked_for(data: Path):
    HeldRequests(data).hold(make_request())
    assert "--grant as well" in run(data, "approve", "5", code(data), "--any-arguments", fails=True)
    run(data, "approve", "5", code(data), "--grant", "--any-arguments", "--organization")
    (grant,) = Grants(data).list()
    assert (grant.arguments, grant.user_id) == (None, None)


@pytest.mark.parametrize(
    "unknown",
    [
        {"digests": ()},
        {"function": None},
        {"through": None},
        {"is_cut": True},
        {"is_readable": False, "arguments": "pickle"},
        {"requester": Requester(1, "org 1")},
    ],
)
def test_no_grant_comes_of_what_is_not_known_and_nothing_is_approved(
    data: Path, unknown: dict[str, Any]
):
    HeldRequests(data).hold(make_request(**unknown))
    assert "without a grant" in run(data, "approve", "5", code(data), "--grant", fails=True)
    assert HeldRequests(data).get(5).state() is State.WAITING
    assert Grants(data).list() == []


def test_a_grant_can_be_given_before_anybody_asks(data: Path):
    words = ["grants", "add", "--digest", DIGESTS[0], "--function", "mean", "--organization", "1"]
    run(data, *words, "--argument", 'column="age"', "--argument", 'column="sex"')
    (grant,) = Grants(data).list()
    assert grant.arguments == {"column": Limit(("age", "sex"))}
    assert Grants(data).find(make_asked(), 5) == grant
    assert "as JSON" in run(data, *words, "--argument", "column=age", fails=True)
    assert "exclude" in run(data, *words, "--any-arguments", "--argument", "a=1", fails=True)
    assert "64 digits" in run(data, *words[:3], "x", *words[4:], fails=True)


def test_a_second_person_confirms_a_grant(data: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("vantage6.node.commands.requests.person", lambda: "bob")
    HeldRequests(data).hold(make_request(approvals_needed=2))
    said = run(data, "approve", "5", code(data), "--grant")
    assert "A second person" in said
    assert "vnode grants confirm" in said
    (grant,) = Grants(data).list()
    monkeypatch.setattr("vantage6.node.commands.grants.person", lambda: "bob")
    assert "another person" in run(data, "grants", "confirm", grant.id, fails=True)
    monkeypatch.setattr("vantage6.node.commands.grants.person", lambda: "carol")
    run(data, "grants", "confirm", grant.id)
    assert Grants(data).list()[0].has_people(2)


def test_a_station_is_paused_and_resumes(data: Path):
    assert "is not paused" in run(data, "resume")
    run(data, "pause", "--note", "Holiday")
    assert Pause(data).is_on
    assert "Holiday" in run(data, "requests")
    run(data, "resume")
    assert not Pause(data).is_on


def test_what_is_not_shown_whole_is_approved_knowingly(data: Path):
    held = HeldRequests(data)
    held.hold(make_request(arguments='{"a": "' + "x" * 70_000 + '"}'))
    held.hold(make_request(6, is_readable=False))
    for id_ in ("5", "6"):
        said = run(data, "approve", id_, held.get(int(id_)).code, fails=True)
        assert "--unseen" in said
        assert held.get(int(id_)).state() is State.WAITING
        run(data, "approve", id_, held.get(int(id_)).code, "--unseen")
        assert held.get(int(id_)).state() is State.APPROVED


def test_the_organizations_that_are_asked_together_are_shown(data: Path):
    HeldRequests(data).hold(make_request(parties=(1, 4)))
    assert "organizations 1, 4" in run(data, "requests", "5")


def test_nothing_is_approved_where_its_grant_cannot_be_given(
    data: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(grants, "MOST_GRANTS", 0)
    held = HeldRequests(data)
    held.hold(make_request())
    said = run(data, "approve", "5", code(data), "--grant", fails=True)
    assert "Revoke some of them first" in said
    assert held.get(5).state() is State.WAITING
    assert Grants(data).list() == []
