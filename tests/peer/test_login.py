"""Logging in, staying logged in, and setting up encryption."""

import time
from pathlib import Path

import jwt
import pytest

from tests.peer.calls import refused, returned
from tests.peer.published import PublishedClient, Raised
from tests.peer.shapes import ORGANIZATION, USER, a
from tests.peer.worlds import ALPHA, BETA, BETA_NODE, COLLABORATION, RESEARCHER, World, role
from vantage6.client import RSACryptor
from vantage6.sandbox.federation import PASSWORD

#: Where the client keeps its tokens.
ACCESS, REFRESH = "_access_token", "_ClientBase__refresh_token"


def test_the_peer_is_the_published_package_and_nothing_of_ours(
    python: Path, open_world: World
) -> None:
    package = open_world.root.package
    assert package.is_relative_to(python.parents[1])
    assert not (package.parents[1] / "api").exists()


def test_who_logs_in_is_known_by_name_and_organization(open_world: World) -> None:
    client = open_world.logged_in("researcher")
    assert client.read("whoami") == ("user", RESEARCHER, "Re", "alpha", ALPHA)
    assert client.read("name") == "Re"
    token = client.read("token")
    assert client.read("headers") == {"Authorization": f"Bearer {token}"}
    assert jwt.decode(token, options={"verify_signature": False, "verify_sub": False})["sub"] == 2


def test_the_address_is_what_was_given(open_world: World) -> None:
    client, address = open_world.client(), f"{open_world.federation.address}/api"
    assert client.read("base_path") == address
    assert client.generate_path_to("/task") == client.generate_path_to("task") == f"{address}/task"
    assert client.read("token") is None
    assert client.read("headers") == {}


@pytest.mark.parametrize(
    ("username", "password", "raised"),
    [
        ("researcher", "wrong", "AuthenticationException"),
        ("nobody", PASSWORD, "AuthenticationException"),
        ("researcher", "", "AuthenticationException"),
        # A request without a name is answered by 400, which this client does not name.
        ("", PASSWORD, "Exception"),
    ],
)
def test_wrong_credentials_are_refused(
    open_world: World, username: str, password: str, raised: str
) -> None:
    client = open_world.client()
    with pytest.raises(Raised, match=f"^{raised}: Failed to authenticate"):
        client.authenticate(username, password)
    assert client.read("token") is None
    assert client.read("whoami") is None


def test_a_code_that_nobody_asked_for_is_ignored(open_world: World) -> None:
    client = open_world.client()
    client.authenticate("researcher", PASSWORD, mfa_code=123456)
    assert client.read("whoami")[1] == RESEARCHER


def test_after_five_wrong_passwords_a_network_waits(open_world: World) -> None:
    """3.11 locks the account; the client tells 401 apart from other refusals only."""
    open_world.root.user.create(
        username="locked",
        firstname="",
        lastname="",
        password=PASSWORD,
        email="locked@example.org",
        organization=BETA,
    )
    client = open_world.client()
    for _ in range(5):
        with pytest.raises(Raised, match="AuthenticationException"):
            client.authenticate("locked", "wrong")
    with pytest.raises(Raised, match="Exception"):
        client.authenticate("locked", PASSWORD)
    assert client.read("token") is None


# Tokens


@pytest.fixture
def client(open_world: World) -> PublishedClient:
    """Return a client of the researcher, whose tokens a test may spoil."""
    return open_world.logged_in("researcher")


def expired(world: World, token: str) -> str:
    """Return a token of the server as it is when its time is over."""
    said = jwt.decode(token, options={"verify_signature": False, "verify_sub": False})
    key = (world.federation.folder / "server" / "jwt.key").read_text()
    now = int(time.time())
    return jwt.encode({**said, "iat": now - 7200, "nbf": now - 7200, "exp": now - 60}, key)


def test_tokens_are_renewed_when_asked(client: PublishedClient) -> None:
    before = client.read(ACCESS), client.read(REFRESH)
    client.refresh_token()
    after = client.read(ACCESS), client.read(REFRESH)
    assert not set(before) & set(after)
    returned(client, "user.get", a(USER, id=RESEARCHER))


def test_an_expired_token_is_renewed_on_the_way(open_world: World, client: PublishedClient) -> None:
    client.write(ACCESS, expired(open_world, client.read(ACCESS)))
    returned(client, "user.get", a(USER, id=RESEARCHER))
    assert client.exchanged == [
        ("GET", "/api/user/2", 401),
        ("POST", "/api/token/refresh", 200),
        ("GET", "/api/user/2", 200),
    ]


@pytest.mark.parametrize("token", ["nonsense", ""])
def test_a_spoilt_token_is_renewed_on_the_way(client: PublishedClient, token: str) -> None:
    client.write(ACCESS, token)
    returned(client, "user.get", a(USER, id=RESEARCHER))
    assert client.exchanged[0][2] in (401, 422)


def test_a_session_ends_with_its_refresh_token(open_world: World, client: PublishedClient) -> None:
    client.write(REFRESH, expired(open_world, client.read(REFRESH)))
    client.write(ACCESS, "nonsense")
    with pytest.raises(Raised, match="Authentication Error!"):
        client.user.get()


def test_an_access_token_renews_nothing(client: PublishedClient) -> None:
    client.write(REFRESH, client.read(ACCESS))
    with pytest.raises(Raised, match="Authentication Error!"):
        client.refresh_token()
    assert client.exchanged == [("POST", "/api/token/refresh", 422)]


# Requests of any kind


def test_any_request_can_be_sent(client: PublishedClient) -> None:
    assert client.request("organization", params={"name": "alpha"})[0]["id"] == ALPHA
    refused(client, 404, "request", endpoint="nothing/of/this/name")
    refused(client, 404, "request", endpoint="/user/abc")
    refused(client, 405, "request", endpoint="version", method="delete")
    refused(client, 401, "request", endpoint=f"node/{BETA_NODE}", retry=False)
    assert len(client.exchanged) == 1


# Encryption


@pytest.fixture
def keyless(open_world: World, tmp_path: Path) -> PublishedClient:
    """Return the client of the administrator of a new organization without a public key."""
    name = tmp_path.name
    organization = open_world.root.organization.create(name, "", "", "", "", "")["id"]
    open_world.root.user.create(
        name, "Key", "Less", PASSWORD, f"{name}@example.org", organization,
        [role("Organization Admin")],
    )  # fmt: skip
    client = open_world.client()
    client.authenticate(name, PASSWORD)
    return client


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a private key."""
    file = tmp_path_factory.mktemp("key") / "private_key.pem"
    RSACryptor.create_new_rsa_key(file)
    return file


def test_encryption_needs_a_login(open_world: World, key: Path) -> None:
    with pytest.raises(Raised, match="AssertionError"):
        open_world.client().setup_encryption(str(key))


def test_no_encryption_asks_the_server_nothing(keyless: PublishedClient) -> None:
    assert keyless.setup_encryption(None) is None
    assert keyless.exchanged == []


def test_a_new_public_key_is_uploaded_once(keyless: PublishedClient, key: Path) -> None:
    keyless.setup_encryption(str(key))
    assert [(method, status) for method, _, status in keyless.exchanged] == [
        ("GET", 200),
        ("PATCH", 200),
    ]
    known = a(ORGANIZATION, public_key=RSACryptor(key).public_key_str)
    returned(keyless, "organization.get", known)
    keyless.setup_encryption(str(key))
    assert [method for method, _, _ in keyless.exchanged] == ["GET"]


def test_who_may_not_change_the_organization_does_not_change_its_key(
    open_world: World, key: Path
) -> None:
    client = open_world.client()
    client.authenticate("viewer", PASSWORD)
    # This client does not look at the answer.
    client.setup_encryption(str(key))
    assert client.exchanged[-1][2] == 401
    returned(client, "organization.get", a(ORGANIZATION, id=BETA, public_key=""))


def test_a_private_key_that_is_missing_is_named(keyless: PublishedClient, key: Path) -> None:
    with pytest.raises(Raised, match=r"FileNotFoundError: .*missing\.pem"):
        keyless.setup_encryption(str(key.with_name("missing.pem")))


def test_a_private_key_is_generated_and_its_public_half_uploaded(
    keyless: PublishedClient, tmp_path: Path
) -> None:
    file = tmp_path / "generated.pem"
    with pytest.raises(Raised, match="AttributeError"):
        keyless.util.generate_private_key(str(file))
    keyless.setup_encryption(None)
    assert keyless.util.generate_private_key(str(file)) is None
    known = a(ORGANIZATION, public_key=RSACryptor(file).public_key_str)
    returned(keyless, "organization.get", known)


def test_tasks_and_results_need_encryption_to_be_set_up(open_world: World) -> None:
    task = {
        "collaboration": COLLABORATION,
        "organizations": [BETA],
        "name": "x",
        "image": "x",
        "description": "",
        "input": {},
    }
    id_ = open_world.researcher.task.create(**task)["id"]
    client = open_world.client()
    client.authenticate("researcher", PASSWORD)
    for method, arguments in (
        ("task.create", task),
        ("result.list", {"task": id_}),
        ("result.from_task", {"task_id": id_}),
        ("get_results", {"task_id": id_}),
    ):
        with pytest.raises(Raised, match="AssertionError: Encryption has not "):
            client.call(method, **arguments)


# The own password


def test_the_own_password_is_changed(open_world: World) -> None:
    open_world.root.user.create(
        "changer", "Ch", "Anger", PASSWORD, "changer@example.org", BETA, [role("Viewer")]
    )
    client, new = open_world.logged_in("changer"), "Another-password-2"
    for current, wanted, status in (
        ("wrong", new, 401),
        (PASSWORD, PASSWORD, 400),
        (PASSWORD, "short", 400),
        (PASSWORD, "", 400),
    ):
        given = {"current_password": current, "new_password": wanted}
        refused(client, status, "util.change_my_password", **given)
    given = {"current_password": PASSWORD, "new_password": new}
    returned(client, "util.change_my_password", {"msg": str}, **given)
    assert open_world.logged_in("changer", new).read("name") == "Ch"
    with pytest.raises(Raised, match="AuthenticationException"):
        open_world.client().authenticate("changer", PASSWORD)
