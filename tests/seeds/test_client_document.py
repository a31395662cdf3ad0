"""Everything that the client's documentation shows, run as a reader runs it."""

import re
import subprocess
import sys
from contextlib import closing
from typing import Any

import httpx2
import pytest
import yaml

from tests.seeds.document import MISSING, Statement
from tests.seeds.session import Chapter, Session
from tests.seeds.table import ALL, runs
from tests.seeds.worlds import OTHER_AGES
from vantage6.sandbox.federation import PASSWORD, Federation

needs_documents = pytest.mark.skipif(not ALL, reason=MISSING)


def overview(administration: list[Chapter]) -> Session:
    """Return a session with a client that is logged in, as the overview takes for granted."""
    authentication = administration[0]
    authentication.run(authentication.statements[-1])
    return authentication.session


@runs
def test_the_address_tells_the_version(statement: Statement, fresh: Federation) -> None:
    address = re.sub(r"^https?://[^/]+(?:/api)?", f"{fresh.address}/api", statement.text)
    assert set(httpx2.get(address, timeout=10).json()) == {"version"}


@runs
def test_the_version_of_the_server_can_be_installed(
    statement: Statement, fresh: Federation
) -> None:
    version = httpx2.get(f"{fresh.address}/api/version", timeout=10).json()["version"]
    command = statement.text.replace("<version>", version).split()
    # Nothing is fetched: this version is the one that is there.
    options = ["--no-index", "--no-deps", "--disable-pip-version-check"]
    done = subprocess.run(
        [sys.executable, "-m", *command, *options], capture_output=True, text=True, timeout=60
    )
    assert f"already satisfied: vantage6=={version}" in done.stdout, done.stderr


@runs
def test_the_group_lists_and_gets(statement: Statement, administration: list[Chapter]) -> None:
    session = overview(administration)
    for method in ("list", "get"):
        assert session.value(f"callable({statement.text}.{method})")


@runs
def test_the_utilities_watch_the_server_and_change_the_password(
    statement: Statement, administration: list[Chapter]
) -> None:
    session = overview(administration)
    assert session.value(f"{statement.text}.get_server_health()")
    assert session.value(f"callable({statement.text}.change_my_password)")


@runs
def test_what_a_sentence_names_can_be_called(
    statement: Statement, administration: list[Chapter]
) -> None:
    name = statement.text.partition("(")[0]
    assert overview(administration).value(f"callable({name})")


def user(username: str) -> dict[str, Any]:
    """Return the values of a user in the organization of the first user."""
    values = {"username": username, "password": PASSWORD, "email": f"{username}@example.org"}
    return {**values, "firstname": "Frodo", "lastname": "Baggins", "organization": 1}


def usernames(federation: Federation) -> set[str]:
    with closing(federation.client("root", "root")) as root:
        return {one["username"] for one in root.user.list(include_metadata=False)}


@runs
def test_users_are_listed(statement: Statement, administration: list[Chapter]) -> None:
    listed = overview(administration).value(statement.text)["data"]
    assert "root" in {one["username"] for one in listed}


@runs
def test_a_user_is_made(
    statement: Statement, administration: list[Chapter], fresh: Federation
) -> None:
    values = ", ".join(f"{name}={value!r}" for name, value in user("frodo").items())
    call = statement.text.replace("username, password, ...", values)
    assert overview(administration).value(call)["username"] == "frodo"
    assert "frodo" in usernames(fresh)


@runs
def test_a_user_is_read(
    statement: Statement, administration: list[Chapter], fresh: Federation
) -> None:
    with closing(fresh.client("root", "root")) as root:
        id_ = root.user.create(**user("sam"))["id"]
    call = statement.text.replace("<id>", str(id_))
    assert overview(administration).value(call)["username"] == "sam"


@runs
def test_a_user_is_deleted(
    statement: Statement, administration: list[Chapter], fresh: Federation
) -> None:
    with closing(fresh.client("root", "root")) as root:
        id_ = root.user.create(**user("gollum"))["id"]
    assert "gollum" in usernames(fresh)
    overview(administration).run(statement.text.replace("<id>", str(id_)))
    assert "gollum" not in usernames(fresh)


@runs
def test_help_explains_the_parameters(statement: Statement, administration: list[Chapter]) -> None:
    call, *shown = statement.text.splitlines()
    documented = re.findall(r"^# {4}(\w+) ?: \w", "\n".join(shown), re.MULTILINE)
    assert documented
    (outcome,) = overview(administration).run(call)
    for text in ("Create a new task", *documented, "Containing the task information"):
        assert re.search(rf"^[ |]*{text}\b", outcome.printed, re.MULTILINE), text


@runs
def test_the_chapter_of_an_administrator_runs(
    statement: Statement, administration: list[Chapter]
) -> None:
    for chapter in administration:
        if statement in chapter.statements:
            chapter.check(statement)
            return
        # Later chapters use what earlier ones made.
        chapter.run(chapter.statements[-1])
    raise AssertionError("in no chapter")


@needs_documents
def test_what_an_administrator_made_is_there(
    administration: list[Chapter], fresh: Federation
) -> None:
    for chapter in administration[1:]:
        chapter.run(chapter.statements[-1])
    with closing(fresh.client("root", "root")) as root:
        organization = root.organization.get(2)
        collaboration = root.collaboration.get(1)
        (node,) = root.node.list(include_metadata=False)
    assert (organization["name"], organization["zipcode"]) == ("The_Shire", "3472")
    assert organization["public_key"] == administration[1].session.value("public_key")
    assert (collaboration["name"], collaboration["encrypted"]) == ("fictional_collab", True)
    assert [member["id"] for member in collaboration["organizations"]] == [1, 2]
    assert (node["organization"]["id"], node["collaboration"]["id"]) == (1, 1)


@needs_documents
def test_the_printed_key_of_the_node_logs_in(
    administration: list[Chapter], fresh: Federation
) -> None:
    for chapter in administration[1:]:
        chapter.run(chapter.statements[-1])
    registering = administration[-1]
    (outcome,) = registering.run(registering.statements[-1])
    key = registering.session.value("api_key")["api_key"]
    assert key in outcome.printed
    answer = httpx2.post(f"{fresh.address}/api/token/node", json={"api_key": key}, timeout=10)
    assert answer.status_code == 200


@runs
def test_the_chapter_of_a_researcher_runs(statement: Statement, ways: dict[str, Chapter]) -> None:
    chapters = [chapter for chapter in ways.values() if statement in chapter.statements]
    assert chapters
    for chapter in chapters:
        chapter.check(statement)


@runs
def test_nodes_start_with_the_configuration(statement: Statement, federation: Federation) -> None:
    labels = yaml.safe_load(statement.text)["databases"]
    for name in list(federation.ids)[:2]:
        written = yaml.safe_load((federation.folder / name / f"{name}.yaml").read_text())
        assert set(written["application"]["databases"]) == set(labels)
        assert federation.node(name) is not None


@runs
def test_the_argument_names_another_database(
    statement: Statement, ways: dict[str, Chapter]
) -> None:
    """Repeat the task of the document with the argument that a sentence proposes."""
    chapter = ways["RPC"]
    (creation,) = [one for one in chapter.statements if "client.task.create" in one.text]
    chapter.run(creation)
    chapter.session.run(creation.text.replace("data_format=", f"{statement.text}, data_format="))
    chapter.session.run("client.wait_for_results(average_task['id'])")
    found = chapter.session.value("client.result.list(task=average_task['id'])")["data"]
    expected = {"sum": sum(OTHER_AGES), "count": len(OTHER_AGES)}
    assert [result["result"] for result in found] == [expected, expected]
