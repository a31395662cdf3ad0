"""The public advisories on vantage6: what each was, and that it does not work here.

One test for each, named by its number. The first line of a test names the class of the fault.
"""

import json
import os
import pickle
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pyotp
import pytest
from falcon import testing

from tests.api.client import Answer, Api, Who
from tests.api.conftest import Server, configured
from tests.models.factories import (
    IMAGE,
    LEASE,
    World,
    again,
    finish,
    make_task,
    make_user,
    messages,
    result_of,
)
from tests.node.conftest import MakeBench
from tests.node.factories import make_claim, make_config
from vantage6.api.app import create_app
from vantage6.api.identity import passwords
from vantage6.api.identity.tokens import Tokens
from vantage6.common.clock import now
from vantage6.common.config import Instance
from vantage6.common.errors import ConfigurationError
from vantage6.common.serialization import SerializationError, deserialize, serialize
from vantage6.common.task_status import TaskStatus
from vantage6.models import database
from vantage6.models.store import collaborations, nodes, outbox, ports, recovery, results
from vantage6.models.store.recovery import Purpose
from vantage6.models.tables import Payload, Result, Role, Rule, Session, Task, User
from vantage6.node.claims import Claim
from vantage6.node.databases import Databases
from vantage6.node.outcomes import RefusalError
from vantage6.node.rules.findings import PolicyRequest
from vantage6.node.rules.formats import name_of
from vantage6.node.rules.policy import Policy
from vantage6.server.setup import set_up

ROOT = Path(__file__).parents[2]
PASSWORD = "Right-horse-1"


@pytest.fixture
def ada(world: World, light_passwords: None) -> User:
    """Give a researcher of Amsterdam who can log in."""
    return make_user(
        world.amsterdam, "Researcher", username="ada", password=passwords.hash_password(PASSWORD)
    )


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give a list of the work that is done on passwords from here on, which takes the time."""
    done: list[str] = []
    alone = passwords._alone

    def noted(work: Any, *arguments: str, **more: Any) -> Any:
        done.append(work.__name__)
        return alone(work, *arguments, **more)

    monkeypatch.setattr(passwords, "_alone", noted)
    return done


def rule(name: str, operation: str, scope: str) -> int:
    found = Rule.get(Rule.name == name, Rule.operation == operation, Rule.scope == scope)
    return int(found.id)


def log_in(api: Api, username: str = "ada", password: str = PASSWORD) -> Answer:
    return api.post("/token/user", body={"username": username, "password": password})


def let_time_pass(seconds: float) -> None:
    """Let time pass for all sessions."""
    for row in Session.select():
        row.renewed_at -= timedelta(seconds=seconds)
        row.began_at -= timedelta(seconds=seconds)
        row.save()


def without_id(answer: Answer) -> tuple[int, Any]:
    """Return what is the same for all who may not learn more."""
    return answer.status, {key: answer.json[key] for key in set(answer.json) - {"request_id"}}


def refusal(claim: Claim, asked: dict[str, Any] | None = None, **policies: Any) -> str | None:
    """Return the code with which a station refuses a claim, or None."""
    config = make_config(databases={"default": "x"}, policies=policies)
    try:
        Policy(config).check(PolicyRequest.by(claim, **(asked or {})))
    except RefusalError as refused:
        return refused.reason.code
    return None


def test_cve_2022_39228_wrong_guesses_do_not_tell_that_an_account_exists(api: Api, ada: User):
    """Observable difference: only names that exist were locked after wrong passwords."""
    answers = [[log_in(api, name, "wrong").problem for _ in range(8)] for name in ("ada", "nobody")]
    assert answers[0] == answers[1]
    assert {status for status, _ in answers[0]} <= {401, 429}


def test_cve_2023_22738_a_user_is_not_moved_to_another_organization(
    api: Api, world: World, ada: User, root: User
):
    """Incorrect authorization: a user who was moved kept all rules, now for other data."""
    body = {"organization_id": world.cairo.id, "lastname": "x"}
    assert api.patch(f"/user/{ada.id}", root, body).status == 200
    assert again(ada).organization_id == world.amsterdam.id


def test_cve_2023_23929_a_refresh_token_ends_and_is_good_once(api: Api, ada: User):
    """Insufficient session expiration: who once held a refresh token stayed for good."""
    stolen = log_in(api).json
    said = jwt.decode(stolen["refresh_token"], options={"verify_signature": False})
    assert 0 < said["exp"] - now().timestamp() <= 48 * 3600
    let_time_pass(61)
    owner = api.post("/token/refresh", stolen["refresh_token"]).json
    let_time_pass(61)
    assert api.post("/token/refresh", stolen["refresh_token"]).status == 401
    # Both are out: of two who hold it, one has a copy.
    assert api.get(f"/user/{ada.id}", owner["access_token"]).status == 401
    assert api.post("/token/refresh", owner["refresh_token"]).status == 401


def test_cve_2023_23930_a_payload_runs_no_code(tmp_path: Path):
    """Deserialization of untrusted data: inputs and results were unpickled, by default."""
    mark = tmp_path / "mark"

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(mark),)

    # The last one calls itself JSON, and is a pickle from its first byte on.
    disguised = b"JSON." + pickle.dumps(Evil(), protocol=0)
    pickle.loads(disguised)
    mark.rmdir()
    named = b"pickle." + pickle.dumps({"method": Evil()})
    for payload in (pickle.dumps(Evil()), named, disguised):
        for allowed in (False, True):
            with pytest.raises(SerializationError):
                deserialize(payload, allow_pickle=allowed)
        asked = {"input_format": name_of(payload)}
        assert refusal(make_claim(), asked, allowed_algorithms=".*") == "pickle_not_allowed"
    assert not mark.exists()
    assert json.loads(serialize({"method": "sum"}).partition(b".")[2]) == {"method": "sum"}


def test_cve_2023_28635_a_name_of_digits_is_not_an_id():
    """Type confusion: who was named 13 was taken for the user with the number 13."""
    rules: dict[str, Any] = {"allowed_algorithms": ".*", "allowed_users": [13]}
    assert refusal(make_claim(init_user=13, init_username="ada"), **rules) is None
    mallory = make_claim(init_user=14, init_username="13")
    assert refusal(mallory, **rules) == "initiator_not_allowed"
    rules = {"allowed_algorithms": ".*", "allowed_organizations": [13]}
    mallory = make_claim(initiator=14, initiator_name="13")
    assert refusal(mallory, **rules) == "initiator_not_allowed"


def test_cve_2023_41881_nothing_of_a_removed_collaboration_comes_back(
    api: Api, world: World, root: User
):
    """Incomplete cleanup: results stayed, and a new collaboration got the same number."""
    task = make_task(world.south, [world.berlin, world.cairo])
    secret = finish(result_of(task, world.cairo), world.cairo_south)
    assert api.delete(f"/collaboration/{world.south.id}", root).status == 200
    assert (Task.select().count(), Result.select().count(), Payload.select().count()) == (0, 0, 0)
    members = [world.amsterdam.id, world.berlin.id]
    new = collaborations.create("new", members, encrypted=False)
    assert new.id > world.south.id
    nodes.create(world.amsterdam, new)
    fresh = make_task(new, [world.amsterdam])
    assert fresh.id > task.id
    assert result_of(fresh, world.amsterdam).id > secret.id


def test_cve_2023_41882_each_kind_that_an_answer_embeds_needs_its_own_rule(api: Api, world: World):
    """Missing authorization: who saw a collaboration saw its tasks, and with these the results."""
    task = make_task(world.north, [world.amsterdam], name="the task")
    row = finish(result_of(task, world.amsterdam), world.amsterdam_north, result="the answer")
    of_collaborations = rule("collaboration", "VIEW", "ORGANIZATION")
    of_tasks = rule("task", "VIEW", "ORGANIZATION")
    of_results = rule("result", "VIEW", "ORGANIZATION")
    only_collaborations = make_user(world.amsterdam, rules=[of_collaborations])
    nested = f"/collaboration/{world.north.id}/task"
    assert api.get(nested, only_collaborations).problem == (401, "forbidden")
    no_results = make_user(world.amsterdam, rules=[of_collaborations, of_tasks])
    for path in (nested, "/task", f"/task/{task.id}"):
        assert api.get(path, no_results).status == 200
        assert "the answer" not in api.get(path, no_results, "include=results").text, path
    assert api.get(f"/task/{task.id}/result", no_results).problem == (401, "forbidden")
    no_tasks = make_user(world.amsterdam, rules=[of_collaborations, of_results])
    for path in ("/result", f"/result/{row.id}"):
        assert "the answer" in api.get(path, no_tasks).text
        assert "the task" not in api.get(path, no_tasks, "include=task").text, path


def test_cve_2023_47631_a_parent_does_not_open_the_station(tmp_path: Path):
    """Missing authorization: with a parent, an image was not held against the list."""
    evil = make_claim(image="evil.example/image", is_subtask=True)
    assert refusal(evil, allowed_algorithms=["good.example/image"]) == "image_not_allowed"


def test_cve_2024_21649_a_task_writes_nothing_into_the_environment(
    process_bench: MakeBench, tmp_path: Path
):
    """Code injection: text of a task became variables of the container."""
    evil = "evil\nLD_PRELOAD=/tmp/evil.so"
    with pytest.raises(RefusalError):
        Databases(make_config(databases={"default": "x"}).databases, tmp_path).get(evil)
    claim = make_claim(initiator_name=evil, init_username=evil, token=f"token-{evil}")
    program = "import json; json.dump(dict(os.environ), open(os.environ['OUTPUT_FILE'], 'w'))"
    entry, exit_ = process_bench().run(f"{program}\n# {evil.splitlines()[1]}", claim)
    assert exit_.code == 0, exit_.log
    variables = json.loads(entry.read_output(100_000))
    assert "evil" not in json.dumps(variables)
    assert {"INPUT_FILE", "OUTPUT_FILE", "TOKEN_FILE", "DATABASE_URI"} <= set(variables)


def test_cve_2024_21653_no_image_of_ours_holds_an_ssh_server():
    """Improper access control: an SSH daemon that nobody needed, open to passwords."""
    recipes = [
        *(ROOT / "compose").glob("*.Dockerfile"),
        *(ROOT / "scripts").glob("*image*.sh"),
        *ROOT.glob("algorithms/**/Dockerfile"),
    ]
    assert len(recipes) >= 5
    for recipe in recipes:
        text = recipe.read_text()
        for word in ("openssh-server", "sshd", "dropbear", "EXPOSE 22"):
            assert word not in text, recipe


def test_cve_2024_21671_a_login_takes_as_long_for_an_unknown_name(
    api: Api, ada: User, compared: list[str]
):
    """Observable timing difference: passwords were compared for names that exist only."""
    work = []
    for name in ("ada", "nobody"):
        compared.clear()
        log_in(api, name, "wrong")
        work.append(list(compared))
    assert work[0] == work[1]
    assert len(work[0]) == 1


def test_cve_2024_22193_a_readable_input_is_refused_where_all_is_encrypted(
    api: Api, world: World, root: User
):
    """Missing encryption of sensitive data: the server stored what a client left readable."""
    berliner = make_user(world.berlin, "Researcher")
    body = {
        "name": "sum",
        "image": IMAGE,
        "collaboration_id": world.south.id,
        "organizations": [{"id": world.cairo.id, "input": "eyJtZXRob2QiOiAic3VtIn0="}],
    }
    assert api.post("/task", berliner, body).problem == (400, "not_sealed")
    assert (Task.select().count(), Payload.select().count()) == (0, 0)


def test_cve_2024_23823_pages_of_other_origins_read_nothing_unless_allowed(
    instance: Instance, server: Server
):
    """Permissive cross-origin policy: pages of every origin read the answers."""
    good, evil = "https://ui.example.org", "https://evil.example.org"

    def allowed(app: Any, origin: str) -> str | None:
        found = testing.TestClient(app).simulate_get("/api/version", headers={"Origin": origin})
        return found.headers.get("access-control-allow-origin")

    assert [allowed(server.api.app, origin) for origin in (good, evil)] == [None, None]
    database.dispose()
    app = create_app(configured(instance, allowed_origins=[good]))
    database.connect()
    assert [allowed(app, origin) for origin in (good, evil)] == [good, None]


def test_cve_2024_24562_pages_carry_the_headers_that_browsers_act_on(server: Server):
    """Missing protection mechanism: no policy on content and frames."""
    client = testing.TestClient(server.api.app)
    for path in ("/apidocs", "/redoc", "/api/version"):
        headers = client.simulate_get(path).headers
        assert headers["x-content-type-options"] == "nosniff", path
        if not path.startswith("/api/"):
            policy = headers["content-security-policy"]
            assert "default-src 'self'" in policy
            assert "frame-ancestors 'none'" in policy


def test_cve_2024_24769_nobody_is_flooded_with_mails(instance: Instance, server: Server, ada: User):
    """Uncontrolled resource consumption: mails for a lost password without a limit."""
    rates = instance.config.rate_limits
    answers = [
        server.api.post("/recover/lost", body={"username": "ada"}).status
        for _ in range(rates.recoveries + 3)
    ]
    assert answers.count(200) == rates.recoveries
    assert set(answers[rates.recoveries :]) == {429}
    assert len(messages()) <= rates.mails


def test_cve_2024_24770_recovery_does_not_tell_that_an_account_exists(
    api: Api, ada: User, compared: list[str]
):
    """Observable difference: answer and time of the recovery differed for names that exist."""
    lost = [api.post("/recover/lost", body={"username": name}) for name in ("ada", "nobody")]
    assert without_id(lost[0]) == without_id(lost[1])
    work = []
    answers = []
    for name in ("ada", "nobody"):
        compared.clear()
        body = {"username": name, "password": "wrong"}
        answers.append(without_id(api.post("/recover/2fa/lost", body=body)))
        work.append(list(compared))
    assert answers[0] == answers[1]
    assert work[0] == work[1]


def test_cve_2024_27928_a_mailbox_alone_does_not_get_past_the_second_factor(
    server: Server, ada: User
):
    """Use of single-factor authentication: mails reset the password, and then the second factor."""
    strict = configured(server.instance, two_factor_auth=True)
    database.dispose()
    api = Api(create_app(strict), server.api.tokens)
    database.connect()
    app = pyotp.TOTP(log_in(api).json["otp_secret"])
    body = {"username": "ada", "password": PASSWORD}
    assert api.post("/token/user", body=body | {"mfa_code": app.now()}).status == 200
    # Whoever reads the mails of the account, and has nothing else.
    token = recovery.issue(again(ada), Purpose.PASSWORD, 60)
    body = {"reset_token": token, "password": "New-password-1"}
    assert api.post("/recover/reset", body=body).status == 200
    body = {"username": "ada", "password": "New-password-1"}
    assert api.post("/recover/2fa/lost", body=body).status == 200
    token = recovery.issue(again(ada), Purpose.TWO_FACTOR, 60)
    for sent in (token, f"{token} ", f"{token} 00000-00000"):
        assert api.post("/recover/2fa/reset", body={"reset_token": sent}).status in (400, 401)
    for code in (None, "", "000000", "00000-00000"):
        answer = api.post("/token/user", body=body | {"mfa_code": code})
        assert "access_token" not in answer.json
        assert "otp_secret" not in answer.json
    assert again(ada).otp_last_step is not None


def test_cve_2024_32969_an_administrator_does_not_extend_the_own_influence(
    api: Api, world: World, light_passwords: None
):
    """Privilege escalation: who administers a collaboration made organizations its members.

    GHSA-99r4-cjp4-3hmx. With a member came its users, and with those its other collaborations.
    """
    admin = make_user(world.amsterdam, "Collaboration Admin")
    person: dict[str, Any] = {
        "username": "mole",
        "firstname": "",
        "lastname": "",
        "email": "mole@example.org",
    }
    person |= {"password": PASSWORD, "roles": [Role.get(Role.name == "Viewer").id]}
    for request in (
        ("POST", f"/collaboration/{world.north.id}/organization", {"id": world.cairo.id}),
        (
            "PATCH",
            f"/collaboration/{world.north.id}",
            {"organization_ids": [world.amsterdam.id, world.berlin.id, world.cairo.id]},
        ),
        ("POST", f"/collaboration/{world.south.id}/organization", {"id": world.amsterdam.id}),
        ("POST", "/user", person | {"organization_id": world.berlin.id}),
        ("POST", "/user", person | {"organization_id": world.cairo.id}),
        ("PATCH", f"/organization/{world.berlin.id}", {"public_key": "TUlJ"}),
    ):
        assert api.send(request[0], request[1], admin, request[2]).problem == (401, "forbidden")


def test_cve_2025_43863_the_current_password_is_not_guessed_at_its_change(api: Api, ada: User):
    """Improper restriction of excessive attempts: a change of the password counted none."""
    token = log_in(api).json["access_token"]
    tries = [
        api.patch(
            "/password/change",
            token,
            {"current_password": f"Wrong-{number}", "new_password": "New-password-1"},
        ).status
        for number in range(30)
    ]
    body = {"current_password": PASSWORD, "new_password": "New-password-1"}
    assert set(tries) <= {401, 429}
    assert api.patch("/password/change", token, body).status in (401, 429)
    assert passwords.matches(again(ada).password, PASSWORD)


def test_cve_2025_43866_tokens_are_signed_with_a_key_that_nobody_guesses(
    instance: Instance, tmp_path: Path
):
    """Use of a predictable secret: where none was configured, it came from clock and machine."""
    secrets = {Tokens.from_config(instance.config, tmp_path / str(i)).secret for i in range(3)}
    assert len(secrets) == 3
    assert all(len(secret) >= 32 for secret in secrets)
    assert all(len(set(secret)) > 8 for secret in secrets)
    assert (tmp_path / "0" / "jwt.key").stat().st_mode & 0o077 == 0
    with pytest.raises(ConfigurationError, match="jwt_secret_key"):
        configured(instance, jwt_secret_key="short")


def test_cve_2026_54445_the_password_of_every_first_start_opens_nothing_from_elsewhere(
    instance: Instance, light_passwords: None
):
    """Use of default credentials: root with the password root, until somebody thought of it."""
    set_up(instance)
    client = testing.TestClient(create_app(instance))
    body = {"username": "root", "password": "root"}
    got = client.simulate_post("/api/token/user", json=body, remote_addr="192.0.2.1")
    assert (got.status_code, got.json["code"]) == (401, "first_password")


@pytest.mark.slow
def test_cve_2026_54533_an_algorithm_sees_no_files_of_another(
    docker_bench: MakeBench, tmp_path: Path
):
    """Improper access control: one volume held input and output of all algorithms."""
    bench = docker_bench()
    for result, run in ((6, 1), (7, 2)):
        entry, _ = bench.prepare("the other's secret", make_claim(result, run_id=run))
        (entry.io / "output").write_text("the other's secret")
    program = (
        "import subprocess\n"
        "found = subprocess.run(['grep', '-rls', 'secret', '/mnt', '/tmp', '/app'],"
        " capture_output=True, text=True).stdout.split()\n"
        "import json; json.dump([os.listdir('/mnt/data'), found], open(os.environ['OUTPUT_FILE'],"
        " 'w'))"
    )
    entry, exit_ = bench.run(program.replace("'secret'", "'the other.s secre' + 't'"))
    assert exit_.code == 0, exit_.log
    listed, found = json.loads(entry.read_output(10_000))
    assert sorted(listed) == ["default.csv", "task-000000005"]
    assert found == []


def test_ghsa_47w6_gwp4_w6vc_an_image_that_was_exchanged_does_not_run():
    """Incorrect authorization: an image was exchanged between its review and its use.

    There is no store of algorithms here. A station allows what it looked at, by its digest.
    """
    reviewed, exchanged = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
    rules = {"allowed_algorithms": f"good.example/image@{reviewed}"}
    claim = make_claim(image="good.example/image:1")
    assert refusal(claim, {"digests": frozenset({reviewed})}, **rules) is None
    code = refusal(claim, {"digests": frozenset({exchanged})}, **rules)
    assert code == "image_not_allowed"


def test_a_partner_reads_nothing_of_another_collaboration(api: Api, world: World):
    """Incorrect authorization (August 2026): tasks were shown by organization, not collaboration.

    Amsterdam works with Berlin in the north, and read what Berlin did in the south.
    """
    task = make_task(
        world.south, [world.berlin, world.cairo], initiator=world.berlin, name="secret"
    )
    row = result_of(task, world.berlin)
    results.claim(row.id, world.berlin_south, LEASE)
    port = ports.create(row, 80, None)
    finish(row, world.berlin_south, TaskStatus.COMPLETED)
    berlin = world.berlin.id
    callers: tuple[Who, ...] = (
        *(make_user(world.amsterdam, role) for role in ("Researcher", "Organization Admin")),
        make_user(world.amsterdam, "Collaboration Admin"),
        world.amsterdam_north,
    )
    for who in callers:
        for path in (
            f"/task/{task.id}",
            f"/task/{task.id}/status",
            f"/task/{task.id}/result",
            f"/result/{row.id}",
            f"/collaboration/{world.south.id}/task",
            f"/port/{port.id}",
        ):
            assert api.get(path, who).problem == (401, "forbidden"), path
        for path, query in (
            ("/task", ""),
            ("/task", f"collaboration_id={world.south.id}"),
            ("/task", f"initiator_id={berlin}"),
            ("/task", f"run_id={task.run_id}&include=results"),
            ("/task", f"result_id={row.id}"),
            ("/task", "name=secret"),
            ("/result", ""),
            ("/result", f"organization_id={berlin}&include=task"),
            ("/result", f"task_id={task.id}"),
            ("/result", f"node_id={world.berlin_south.id}"),
            ("/port", f"result_id={row.id}"),
        ):
            assert api.get(path, who, query).json == [], (path, query)


def mails() -> list[dict[str, Any]]:
    """Return the mails that wait."""
    found = [outbox.find(message) for message in messages()]
    return [mail.content for mail in found if mail and mail.topic is outbox.Topic.MAIL]
