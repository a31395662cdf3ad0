"""The commands: what each sends, under which name and with which defaults."""

import inspect

import pytest

from vantage6.client import Client
from vantage6.common.errors import Invalid

#: Names, order and defaults that scripts rely on.
SIGNATURES = {
    "util.change_my_password": "current_password, new_password",
    "util.list_sessions": "user=None",
    "util.end_session": "id_",
    "util.end_other_sessions": "user=None",
    "util.reset_my_password": "email=None, username=None",
    "util.set_my_password": "token, password",
    "util.reset_two_factor_auth": "password, email=None, username=None",
    "util.set_two_factor_auth": "token, recovery_code=None",
    "util.new_recovery_codes": "mfa_code",
    "collaboration.list": "scope='organization', name=None, encrypted=None, organization=None, "
    "page=1, per_page=20, include_metadata=True",
    "collaboration.get": "id_",
    "collaboration.create": "name, organizations, encrypted=False",
    "organization.list": "name=None, country=None, collaboration=None, page=None, per_page=None, "
    "include_metadata=True",
    "organization.get": "id_=None",
    "organization.update": "id_=None, name=None, address1=None, address2=None, zipcode=None, "
    "country=None, domain=None, public_key=None",
    "organization.create": "name, address1, address2, zipcode, country, domain, public_key=None",
    "user.list": "username=None, organization=None, firstname=None, lastname=None, email=None, "
    "role=None, rule=None, last_seen_from=None, last_seen_till=None, page=1, per_page=20, "
    "include_metadata=True",
    "user.get": "id_=None",
    "user.update": "id_=None, firstname=None, lastname=None, organization=None, rules=None, "
    "roles=None, email=None",
    "user.create": "username, firstname, lastname, password, email, organization=None, roles=(), "
    "rules=()",
    "user.delete": "id_",
    "user.reset_two_factor": "id_",
    "node.get": "id_",
    "node.list": "name=None, organization=None, collaboration=None, is_online=None, ip=None, "
    "last_seen_from=None, last_seen_till=None, page=1, per_page=20, include_metadata=True",
    "node.create": "collaboration, organization=None, name=None",
    "node.update": "id_, name=None, organization=None, collaboration=None",
    "node.delete": "id_",
    "node.kill_tasks": "id_",
    "role.list": "name=None, description=None, organization=None, rule=None, user=None, "
    "include_root=None, page=1, per_page=20, include_metadata=True",
    "role.get": "id_",
    "role.create": "name, description, rules, organization=None",
    "role.update": "role, name=None, description=None, rules=None",
    "role.delete": "role",
    "rule.get": "id_",
    "rule.list": "name=None, operation=None, scope=None, role=None, page=1, per_page=20, "
    "include_metadata=True",
    "algorithm.list": "name=None, image=None, state=None, collaboration=None, user=None, page=1, "
    "per_page=20, include_metadata=True",
    "algorithm.get": "id_",
    "algorithm.create": "card, collaboration=None",
    "algorithm.import_": "source, collaboration=None, version='0'",
    "algorithm.update": "id_, card=None, state=None, note=''",
    "algorithm.review": "id_, sha256, note=''",
    "algorithm.delete": "id_",
    "task.get": "id_, include_results=False",
    "task.list": "initiator=None, initiating_user=None, collaboration=None, image=None, "
    "parent=None, run=None, name=None, include_results=False, description=None, database=None, "
    "result=None, status=None, page=1, per_page=20, include_metadata=True",
    "task.create": "collaboration, organizations, name, image, description, input, "
    "data_format='legacy', database='default'",
    "task.delete": "id_",
    "task.kill": "id_",
    "result.get": "id_, include_task=False",
    "result.list": "task=None, organization=None, state=None, node=None, include_task=False, "
    "started=None, assigned=None, finished=None, port=None, page=None, per_page=None, "
    "include_metadata=True",
    "result.from_task": "task_id, include_task=False",
    "post_task": "name, image, collaboration_id, input_='', description='', "
    "organization_ids=None, data_format='legacy', database='default'",
    "get_results": "id_=None, state=None, include_task=False, task_id=None, node_id=None, "
    "params=None",
    "wait_for_results": "task_id, sleep=None",
}


def _method(client: Client, name: str):
    group, _, method = name.rpartition(".")
    return getattr(getattr(client, group) if group else client, method)


@pytest.mark.parametrize("name", SIGNATURES)
def test_signature_is_the_one_that_scripts_know(client, name) -> None:
    parameters = inspect.signature(_method(client, name)).parameters.values()
    positional = [each for each in parameters if each.kind is not inspect.Parameter.KEYWORD_ONLY]
    shown = ", ".join(
        each.name if each.default is inspect.Parameter.empty else f"{each.name}={each.default!r}"
        for each in positional
    )
    assert shown == SIGNATURES[name]


def test_help_of_task_create_reads_like_the_manual(client) -> None:
    text = inspect.getdoc(client.task.create) or ""
    assert text.startswith("Create a new task")
    names = ["collaboration", "organizations", "name", "image", "description", "input"]
    positions = [text.index(f"\n{name}\n") for name in [*names, "data_format", "database"]]
    assert positions == sorted(positions)
    assert "Containing the task information." in text


@pytest.mark.parametrize(
    ("command", "request_", "query"),
    [
        (lambda c: c.util.get_server_version(), "GET version", {}),
        (lambda c: c.util.get_server_health(), "GET health", {}),
        (lambda c: c.util.list_sessions(), "GET session", {}),
        (lambda c: c.util.list_sessions(3), "GET session", {"user_id": "3"}),
        (lambda c: c.util.end_session(3), "DELETE session/3", {}),
        (lambda c: c.user.reset_two_factor(3), "DELETE user/3/2fa", {}),
        (lambda c: c.util.end_other_sessions(), "DELETE session", {}),
        (lambda c: c.util.end_other_sessions(3), "DELETE session", {"user_id": "3"}),
        (lambda c: c.collaboration.list(name="ignored"), "GET organization/7/collaboration", {}),
        (
            lambda c: c.collaboration.list(scope="global", encrypted=True, organization=2),
            "GET collaboration",
            {
                "encrypted": "1",
                "organization_id": "2",
                "page": "1",
                "per_page": "20",
                "include": "metadata",
            },
        ),
        (lambda c: c.organization.list(), "GET organization", {"include": "metadata"}),
        (
            lambda c: c.organization.list(collaboration=1, include_metadata=False),
            "GET organization",
            {"collaboration_id": "1"},
        ),
        (lambda c: c.organization.get(), "GET organization/7", {}),
        (lambda c: c.organization.get(2), "GET organization/2", {}),
        (lambda c: c.user.get(), "GET user/1", {}),
        (lambda c: c.user.delete(4), "DELETE user/4", {}),
        (
            lambda c: c.node.list(is_online=False, include_metadata=False),
            "GET node",
            {"status": "offline", "page": "1", "per_page": "20"},
        ),
        (lambda c: c.node.delete(2), "DELETE node/2", {}),
        (lambda c: c.role.delete(2), "DELETE role/2", {}),
        (
            lambda c: c.rule.list(role=3, page=2, per_page=5),
            "GET rule",
            {"role_id": "3", "page": "2", "per_page": "5", "include": "metadata"},
        ),
        (lambda c: c.task.get(3), "GET task/3", {}),
        (lambda c: c.task.get(3, include_results=True), "GET task/3", {"include": "results"}),
        (
            lambda c: c.task.list(run=1, initiating_user=2, include_results=True),
            "GET task",
            {
                "run_id": "1",
                "init_user_id": "2",
                "page": "1",
                "per_page": "20",
                "include": ["results", "metadata"],
            },
        ),
        (lambda c: c.task.delete(3), "DELETE task/3", {}),
        (
            lambda c: c.result.list(task=3, finished=("2026-01-01", None)),
            "GET result",
            {"task_id": "3", "finished_from": "2026-01-01", "include": "metadata"},
        ),
        (lambda c: c.result.from_task(3), "GET result", {"task_id": "3"}),
        (lambda c: c.collaboration.delete(3), "DELETE collaboration/3", {}),
    ],
)
def test_reading_and_deleting_commands_send(peer, client, command, request_, query) -> None:
    peer.answers[request_] = (200, {"data": []})
    assert command(client) == {"data": []}
    assert peer.calls() == [request_]
    assert peer.asked[0].query == query


@pytest.mark.parametrize(
    ("command", "request_", "body"),
    [
        (
            lambda c: c.collaboration.create(name="x", organizations=[1, 2], encrypted=True),
            "POST collaboration",
            {"name": "x", "organization_ids": [1, 2], "encrypted": True},
        ),
        (
            lambda c: c.collaboration.update(3, encrypted=False),
            "PATCH collaboration/3",
            {"encrypted": False},
        ),
        (
            lambda c: c.organization.create("n", "a", "b", "z", "c", "d"),
            "POST organization",
            {
                "name": "n",
                "address1": "a",
                "address2": "b",
                "zipcode": "z",
                "country": "c",
                "domain": "d",
            },
        ),
        (
            lambda c: c.user.update(firstname="F", roles=[1]),
            "PATCH user/1",
            {"firstname": "F", "roles": [1]},
        ),
        (
            lambda c: c.node.create(collaboration=1),
            "POST node",
            {"organization_id": 7, "collaboration_id": 1, "name": None},
        ),
        (
            lambda c: c.node.update(2, collaboration=3),
            "PATCH node/2",
            {"organization_id": None, "collaboration_id": 3},
        ),
        (
            lambda c: c.organization.update(name="New"),
            "PATCH organization/7",
            {
                "name": "New",
                "address1": None,
                "address2": None,
                "zipcode": None,
                "country": None,
                "domain": None,
                "public_key": None,
            },
        ),
        (
            lambda c: c.organization.create("n", "a", "b", "z", "c", "d", public_key="key"),
            "POST organization",
            {
                "name": "n",
                "address1": "a",
                "address2": "b",
                "zipcode": "z",
                "country": "c",
                "domain": "d",
                "public_key": "key",
            },
        ),
        (
            lambda c: c.collaboration.invite(1, 3),
            "POST invitation",
            {"collaboration_id": 1, "organization_id": 3},
        ),
        (lambda c: c.collaboration.accept_invitation(5), "POST invitation/5/accept", None),
        (lambda c: c.collaboration.decline_invitation(5), "DELETE invitation/5", None),
        (lambda c: c.node.kill_tasks(2), "POST kill/node/tasks", {"id": 2}),
        (
            lambda c: c.role.create("r", "why", [1]),
            "POST role",
            {"name": "r", "description": "why", "rules": [1], "organization_id": 7},
        ),
        (
            lambda c: c.role.update(4, name="r"),
            "PATCH role/4",
            {"name": "r", "description": None, "rules": None},
        ),
        (lambda c: c.task.kill(3), "POST kill/task", {"id": 3}),
        (
            lambda c: c.util.change_my_password("old", "new"),
            "PATCH password/change",
            {"current_password": "old", "new_password": "new"},
        ),
        (
            lambda c: c.util.reset_my_password(username="frodo"),
            "POST recover/lost",
            {"username": "frodo", "email": None},
        ),
        (
            lambda c: c.util.set_my_password("t", "p"),
            "POST recover/reset",
            {"reset_token": "t", "password": "p"},
        ),
        (
            lambda c: c.util.reset_two_factor_auth("p", email="f@shire.org"),
            "POST recover/2fa/lost",
            {"username": None, "email": "f@shire.org", "password": "p"},
        ),
        (lambda c: c.util.set_two_factor_auth("t"), "POST recover/2fa/reset", {"reset_token": "t"}),
        (
            lambda c: c.util.set_two_factor_auth("t", "CODE"),
            "POST recover/2fa/reset",
            {"reset_token": "t", "recovery_code": "CODE"},
        ),
        (lambda c: c.util.new_recovery_codes("1"), "POST recover/2fa/codes", {"mfa_code": "1"}),
    ],
)
def test_writing_commands_send(peer, client, command, request_, body) -> None:
    peer.answers[request_] = (201, {"id": 9})
    assert command(client) == {"id": 9}
    assert peer.calls() == [request_]
    assert peer.asked[0].body == body


def test_new_user_has_all_fields(peer, client) -> None:
    peer.answers["POST user"] = (201, {"id": 9})
    client.user.create("u", "f", "l", "p", "e", roles=[1])
    assert peer.asked[0].body == {
        "username": "u",
        "firstname": "f",
        "lastname": "l",
        "password": "p",
        "email": "e",
        "organization_id": None,
        "roles": [1],
        "rules": [],
    }


def test_unknown_scope_and_nameless_account_are_refused(client) -> None:
    with pytest.raises(Invalid, match="either 'organization' or 'global'"):
        client.collaboration.list(scope="mine")
    with pytest.raises(Invalid, match="e-mail address or the user name"):
        client.util.reset_my_password()


ROWS = [{"id": 1, "name": "root", "x": 0}, {"id": 2, "name": "org", "x": 0}]


@pytest.mark.parametrize("reply", [ROWS, {"data": ROWS, "links": {}}])
@pytest.mark.parametrize(
    ("keywords", "expected"),
    [
        ({"fields": ["id", "name"]}, [{"id": 1, "name": "root"}, {"id": 2, "name": "org"}]),
        ({"fields": ("name", "absent")}, [{"name": "root"}, {"name": "org"}]),
        ({"field": "id", "fields": ["name"]}, [{"id": 1}, {"id": 2}]),
        ({"filter_": ("id", 2)}, [ROWS[1]]),
        ({"filters": [("x", 0), ("name", "root")], "field": "id"}, [{"id": 1}]),
    ],
)
def test_filters_unwrap_the_envelope(peer, client, reply, keywords, expected) -> None:
    peer.answers["GET organization"] = (200, reply)
    assert client.organization.list(**keywords) == expected


def test_pages_are_followed_until_the_last(peer, client) -> None:
    def page(asked):
        number = int(asked.query["page"])
        # Something new moved the last item of each page to the next one.
        items = [{"id": number * 10 + n} for n in (0, 1, 10)]
        return 200, {"data": items, "links": {"next": "x"} if number < 3 else {}}

    peer.answers["GET task"] = page
    found = client.task.list(all_pages=True, include_metadata=False, page=2)
    assert [each["id"] for each in found] == [10, 11, 20, 21, 30, 31, 40]
    assert [asked.query["page"] for asked in peer.asked] == ["1", "2", "3"]
    assert {asked.query["per_page"] for asked in peer.asked} == {"100"}


def test_pages_end_with_an_empty_one_and_with_a_refusal(peer, client) -> None:
    links = {"next": "x"}
    peer.answers["GET task"] = [
        (200, {"data": ROWS, "links": links}),
        (200, {"data": [], "links": links}),
    ]
    assert client.task.list(all_pages=True) == ROWS
    peer.answers["GET task"] = [(200, {"data": ROWS, "links": links}), (401, {"msg": "no"})]
    assert client.task.list(all_pages=True, field="id")["msg"] == "no"


def test_help_names_the_keywords_of_all_lists(client) -> None:
    for method in (client.organization.list, client.collaboration.list, client.role.list_rules):
        assert "all_pages\n    Get page after page" in (inspect.getdoc(method) or "")
    text = inspect.getdoc(client.task.get) or ""
    assert "field, fields\n" in text
    assert "all_pages" not in text


def test_without_filter_the_envelope_stays(peer, client) -> None:
    peer.answers["GET organization"] = (200, {"data": ROWS, "links": {}})
    assert (
        client.organization.list()
        == client.organization.list(fields=[])
        == {"data": ROWS, "links": {}}
    )


def test_single_items_are_reduced_but_not_filtered(peer, client) -> None:
    peer.answers["GET role/1"] = (200, ROWS[0])
    assert client.role.get(1, fields=["name"]) == {"name": "root"}
    assert client.role.get(1, field="absent") == {}
    with pytest.raises(TypeError, match="filter_"):
        client.role.get(1, filter_=("id", 1))


def test_filter_by_a_missing_key_is_an_error(peer, client) -> None:
    peer.answers["GET organization"] = (200, ROWS)
    with pytest.raises(KeyError):
        client.organization.list(filter_=("absent", 1))


def test_filters_are_visible_in_the_signature(client) -> None:
    many = inspect.signature(client.organization.list).parameters
    one = inspect.signature(client.organization.get).parameters
    assert {"field", "fields", "filter_", "filters", "all_pages"} <= set(many)
    assert {"field", "fields"} == set(one) - {"id_"}
    assert many["fields"].kind is inspect.Parameter.KEYWORD_ONLY
