"""Tokens: logging in, renewing them in time and only then."""

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from vantage6.client import AuthenticationException, Client, ClientBase, two_factor
from vantage6.client.node_client import NodeClient
from vantage6.common.errors import Conflict, Forbidden, NotFound, Unauthenticated


def _log_in(peer, make_token, **lifetime) -> None:
    peer.answers |= {
        "POST token/user": (
            200,
            {"access_token": make_token(1, **lifetime), "refresh_token": "refresh"},
        ),
        "POST token/refresh": (
            200,
            {"access_token": make_token(1, issued=1), "refresh_token": "refresh2"},
        ),
        "GET user/1": (200, {"id": 1, "firstname": "Frodo", "organization": {"id": 7}}),
        "GET organization/7": (200, {"id": 7, "name": "The Shire", "public_key": ""}),
    }


def test_login_tells_who_it_is(peer, make_token) -> None:
    _log_in(peer, make_token)
    client = Client(peer.address, None, "/api")
    said: object = client.authenticate("frodo", "secret")  # type: ignore[func-returns-value]
    assert said is None
    assert peer.asked[0].body == {"username": "frodo", "password": "secret"}
    assert client.whoami is not None
    assert tuple(client.whoami) == ("user", 1, "Frodo", "The Shire", 7)
    assert client.name == "Frodo"
    assert client.headers == {"Authorization": f"Bearer {client.token}"}
    client.close()


def test_user_who_may_not_see_the_organization_logs_in_all_the_same(
    peer, client, make_token
) -> None:
    _log_in(peer, make_token)
    peer.answers["GET organization/7"] = (401, {"msg": "no", "code": "forbidden"})
    client.authenticate("frodo", "secret")
    assert client.whoami is not None
    assert tuple(client.whoami) == ("user", 1, "Frodo", "", 7)


def test_token_without_an_end_is_used_as_long_as_the_server_takes_it(peer, client) -> None:
    _log_in(peer, lambda *_, **__: "e30.eyJzdWIiOjF9.c2ln")
    client.authenticate("frodo", "secret")
    assert peer.calls() == ["POST token/user", "GET user/1", "GET organization/7"]


def test_refusal_stands_where_the_refresh_token_is_refused_too(peer, client, make_token) -> None:
    _log_in(peer, make_token)
    client.authenticate("frodo", "secret")
    peer.answers |= {
        "GET version": (401, {"msg": "Token has expired"}),
        "POST token/refresh": (422, {"msg": "Signature verification failed"}),
    }
    assert client.util.get_server_version()["msg"] == "Token has expired"


def test_code_of_the_second_factor_is_sent_only_when_given(peer, client, make_token) -> None:
    _log_in(peer, make_token)
    client.authenticate("frodo", "secret", 123456)
    assert peer.asked[0].body["mfa_code"] == 123456


def test_wrong_password_is_an_authentication_exception(peer, client) -> None:
    peer.answers["POST token/user"] = (401, {"msg": "Invalid username or password!"})
    with pytest.raises(AuthenticationException, match="Failed to authenticate: Invalid username"):
        client.authenticate("frodo", "wrong")


def test_missing_second_factor_is_an_authentication_exception(peer, client) -> None:
    peer.answers["POST token/user"] = (200, {"msg": "Please include your two-factor code"})
    with pytest.raises(AuthenticationException, match="two-factor code"):
        client.authenticate("frodo", "secret")


def test_first_second_factor_is_shown_and_nobody_logged_in(peer, client, capsys) -> None:
    reply = {"qr_uri": "otpauth://totp/x", "otp_secret": "ABC", "msg": "set it up"}
    peer.answers["POST token/user"] = (200, reply)
    client.authenticate("frodo", "secret")
    assert client.token is None
    assert "otpauth://totp/x" in (shown := capsys.readouterr().out)
    assert "ABC" in shown


def test_second_factor_is_a_code_that_an_app_reads_from_the_terminal(capsys) -> None:
    address = f"otpauth://totp/vantage6:frodo?secret={'A' * 32}&issuer=vantage6"
    two_factor.show({"qr_uri": address, "otp_secret": "A" * 32})
    blocks = [
        line
        for line in capsys.readouterr().out.splitlines()
        if set(line) & set("\u2580\u2584\u2588")
    ]
    # A square code: two of its rows stand in a line.
    assert abs(len(blocks) * 2 - max(map(len, blocks))) <= 4
    assert max(map(len, blocks)) <= 80


def test_recovery_codes_are_shown_with_the_login(peer, client, make_token, capsys) -> None:
    _log_in(peer, make_token)
    reply = {"access_token": make_token(1), "recovery_codes": ["ABCD-EFGH", "IJKL-MNOP"]}
    peer.answers["POST token/user"] = (200, reply)
    client.authenticate("frodo", "secret", 123456)
    assert client.token == make_token(1)
    shown = capsys.readouterr().out
    assert "ABCD-EFGH" in shown
    assert "IJKL-MNOP" in shown


def test_any_credentials_log_in_where_the_server_takes_them(peer, make_token) -> None:
    client = ClientBase(peer.address, None, "/api")
    peer.answers["POST token/node"] = (200, {"access_token": make_token(7)})
    assert client.authenticate({"api_key": "key"}, path="token/node") is True
    assert client.token == make_token(7)
    peer.answers["POST token/user"] = [
        (401, {"msg": "no"}),
        (200, {"qr_uri": "otpauth://totp/x", "otp_secret": "ABC"}),
    ]
    with pytest.raises(AuthenticationException, match="Failed to authenticate: no"):
        client.authenticate({"username": "frodo", "password": "wrong"})
    assert client.authenticate({"username": "frodo", "password": "secret"}) is False
    client.close()


def test_token_that_runs_out_is_renewed_before_it_is_used(peer, client, make_token) -> None:
    _log_in(peer, make_token, lifetime=0)
    peer.answers["GET version"] = (200, {"version": "1"})
    client.authenticate("frodo", "secret")
    assert client.util.get_server_version() == {"version": "1"}
    assert peer.calls()[:2] == ["POST token/user", "POST token/refresh"]
    assert peer.asked[1].token == "refresh"
    assert peer.asked[-1].token == make_token(1, issued=1)


def test_refused_token_is_renewed_and_the_request_sent_once_more(peer, client, make_token) -> None:
    _log_in(peer, make_token)
    peer.answers["POST kill/task"] = [(401, {"msg": "Token has expired"}), (200, {"msg": "ok"})]
    client.authenticate("frodo", "secret")
    before = len(peer.asked)
    assert client.task.kill(3) == {"msg": "ok"}
    assert peer.calls()[before:] == ["POST kill/task", "POST token/refresh", "POST kill/task"]


def test_node_logs_in_again_at_a_server_with_another_secret(peer, make_token) -> None:
    said = {"msg": "Malformed.", "code": "bad_token", "request_id": "r1"}
    peer.answers |= {
        "POST token/node": [
            (200, {"access_token": make_token(7), "refresh_token": "old"}),
            (200, {"access_token": make_token(7, issued=1), "refresh_token": "new"}),
        ],
        "GET node/7": (
            200,
            {"id": 7, "name": "n", "organization": {"id": 7}, "collaboration": None},
        ),
        "GET organization/7": (200, {"id": 7, "name": "The Shire", "public_key": ""}),
        "PATCH result/3": [(422, said), (200, {"id": 3})],
        "POST token/refresh": (422, said),
    }
    node = NodeClient(peer.address, "/api")
    node.authenticate("key")
    assert node.patch_result(3, result="output") == {"id": 3}
    assert peer.asked[-1].token == make_token(7, issued=1)
    node.close()


def test_other_unprocessable_request_is_no_matter_of_the_login(peer, client, make_token) -> None:
    _log_in(peer, make_token)
    peer.answers["POST task"] = (422, {"msg": "no", "code": "invalid"})
    client.authenticate("frodo", "secret")
    before = len(peer.asked)
    assert client.request("task", json={}, method="post")["msg"] == "no"
    assert peer.calls()[before:] == ["POST task"]


@pytest.mark.parametrize(
    ("status", "code"), [(400, None), (404, None), (401, "forbidden"), (500, None)]
)
def test_other_refusals_renew_nothing_and_are_asked_once(
    peer, client, make_token, status, code
) -> None:
    _log_in(peer, make_token)
    peer.answers["POST task"] = (status, {"msg": "no", "code": code})
    client.authenticate("frodo", "secret")
    before = len(peer.asked)
    assert client.request("task", json={}, method="post")["msg"] == "no"
    assert peer.calls()[before:] == ["POST task"]


def test_refusal_is_returned_or_raised_as_asked(peer, client) -> None:
    peer.answers["GET task/9"] = (404, {"msg": "Task id=9 not found", "code": "not_found"})
    expected = {"msg": "Task id=9 not found", "code": "not_found"}
    assert client.task.get(9) == expected
    assert client.task.get(9, fields=["id"]) == expected
    client.raise_errors = True
    with pytest.raises(NotFound, match="Task id=9"):
        client.task.get(9)


def test_what_needs_a_login_says_so(peer) -> None:
    client = Client(peer.address, None, "/api")
    for command in (client.organization.get, client.collaboration.list, client.user.get):
        with pytest.raises(Unauthenticated, match="Log in first"):
            command()
    client.close()


def test_root_logger_is_left_alone(peer) -> None:
    before = list(logging.root.handlers), logging.root.level
    Client(peer.address, None, "/api").close()
    assert (list(logging.root.handlers), logging.root.level) == before


def test_verbose_client_says_what_it_asks_but_no_secret(peer, caplog, make_token) -> None:
    _log_in(peer, make_token)
    client = Client(peer.address, None, "/api", verbose=True)
    client.authenticate("frodo", "very secret")
    assert "GET user/1" in caplog.text
    assert "very secret" not in caplog.text
    client.log.handlers.clear()
    client.close()


def _refusal(status, code):
    """Return a refusal as a server of this system answers it."""
    return status, {"msg": "no", "code": code, "request_id": "r1"}


def _node(peer, make_token) -> NodeClient:
    peer.answers |= {
        "POST token/node": (200, {"access_token": make_token(7), "refresh_token": "refresh"}),
        "POST token/refresh": (200, {"access_token": make_token(7, issued=1)}),
        "GET node/7": (
            200,
            {"id": 7, "name": "N", "organization": {"id": 2}, "collaboration": {"id": 4}},
        ),
        "GET organization/2": (200, {"id": 2, "name": "Org", "public_key": ""}),
    }
    node = NodeClient(peer.address, "/api")
    node.authenticate("key")
    return node


def test_node_knows_itself_and_speaks_its_endpoints(peer, make_token) -> None:
    node = _node(peer, make_token)
    assert node.whoami is not None
    assert tuple(node.whoami) == ("node", 7, "N", "Org", 2)
    assert node.collaboration_id == 4
    peer.answers |= {
        "POST result/5/claim": (200, {"id": 5}),
        "PATCH result/5": (200, {"id": 5}),
        "POST node/reconcile": (
            200,
            {"start": [], "stop": [], "forget": [], "lease_seconds": 180},
        ),
        "POST token/broker": (200, {"url": "redis://", "queue": "q"}),
        "GET collaboration/4": (200, {"id": 4, "encrypted": True}),
        "PATCH organization/2": (200, {"id": 2, "public_key": "k"}),
    }
    assert node.claim(5) == {"id": 5}
    node.patch_result(5, status="active")
    assert peer.asked[-1].body == {"status": "active"}
    node.reconcile({1}, iter([2]))
    assert peer.asked[-1].body == {"running": [1], "finished": [2]}
    assert node.broker()["queue"] == "q"
    assert node.collaboration(4)["encrypted"] is True
    assert node.set_public_key("k")["public_key"] == "k"
    node.request("get", "collaboration/4", token="of the algorithm")
    assert peer.asked[-1].token == "of the algorithm"
    node.close()


def test_node_errors_carry_the_code_of_the_server(peer, make_token) -> None:
    node = _node(peer, make_token)
    peer.answers["PATCH result/5"] = _refusal(400, "result_finished")
    with pytest.raises(Conflict) as refusal:
        node.patch_result(5, status="active")
    assert refusal.value.error_code == "result_finished"
    peer.answers["POST result/5/claim"] = _refusal(401, "forbidden")
    with pytest.raises(Forbidden):
        node.claim(5)
    node.close()


def test_node_logs_in_again_when_its_refresh_token_has_expired(peer, make_token) -> None:
    node = _node(peer, make_token)
    peer.answers |= {
        "POST token/refresh": _refusal(401, "token_expired"),
        "POST token/broker": [_refusal(401, "token_expired"), (200, {"queue": "q"})],
    }
    before = len(peer.asked)
    assert node.broker() == {"queue": "q"}
    assert peer.calls()[before:] == [
        "POST token/broker",
        "POST token/refresh",
        "POST token/node",
        "POST token/broker",
    ]
    node.close()


def test_many_threads_renew_a_token_once(peer, make_token) -> None:
    node = _node(peer, make_token)
    fresh = make_token(7, issued=1)
    peer.answers["POST token/broker"] = lambda asked: (
        (200, {}) if asked.token == fresh else _refusal(401, "token_expired")
    )
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: node.broker(), range(16)))
    assert peer.calls().count("POST token/refresh") == 1
    node.close()
