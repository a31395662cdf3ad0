"""Users are changed as a whole or not at all, by those who may, and somebody always holds Root."""

from datetime import timedelta
from typing import Any

import pytest

from tests.api.client import Answer, Api
from tests.models.factories import World, again, content_of, make_user, messages, side_by_side
from vantage6.api.identity import passwords
from vantage6.common.clock import now
from vantage6.common.enums import Operation, Scope
from vantage6.common.errors import Conflict, Invalid
from vantage6.models.store import held_addresses, recovery, relations, users
from vantage6.models.store.recovery import Purpose
from vantage6.models.store.users import Change
from vantage6.models.tables import (
    RecoveryToken,
    Role,
    RoleRule,
    Rule,
    Session,
    User,
    UserRole,
    UserRule,
)
from vantage6.server.shell import users as accounts

PASSWORD = "Right-horse-1"


@pytest.fixture
def uri(database_uri: str) -> str:
    """Run with both databases: what is changed at once depends on them."""
    return database_uri


@pytest.fixture
def ada(world: World) -> User:
    """Give a researcher of Amsterdam."""
    return make_user(world.amsterdam, "Researcher", username="ada", email="ada@example.org")


@pytest.fixture
def admin(world: World) -> User:
    """Give the administrator of Amsterdam."""
    return make_user(world.amsterdam, "Organization Admin")


def role(name: str) -> int:
    return int(Role.get(Role.name == name).id)


def rule(name: str, operation: Operation, scope: Scope) -> int:
    found = Rule.get(Rule.name == name, Rule.operation == operation, Rule.scope == scope)
    return int(found.id)


def make_role(organization: Any, *rules: int) -> int:
    made = Role.create(name="own", organization=organization)
    for one in rules:
        RoleRule.create(role=made, rule=one)
    return int(made.id)


def patch(api: Api, whom: User, who: User, **body: Any) -> Answer:
    return api.patch(f"/user/{whom.id}", who, body)


def state(user: User) -> tuple[Any, ...]:
    row = again(user)
    return (
        *(row.username, row.firstname, row.lastname, row.email, row.organization_id),
        relations.roles_of_users([row.id])[row.id],
        relations.rules_of_users([row.id])[row.id],
    )


ANY_TASK = ("task", Operation.VIEW, Scope.GLOBAL)
OWN_TASK = ("task", Operation.VIEW, Scope.ORGANIZATION)


# Names and addresses


def test_everybody_with_the_rule_changes_himself(api: Api, ada: User):
    answer = patch(
        api, ada, ada, username="countess", firstname="", lastname="L", email="al@example.org"
    )
    assert answer.status == 200
    row = again(ada)
    assert (row.username, row.firstname, row.lastname) == ("countess", "", "L")
    assert (answer.json["username"], answer.json["email"]) == ("countess", "al@example.org")


def test_null_and_absent_and_the_same_leave_as_it_is(api: Api, ada: User, admin: User):
    before = state(ada)
    nothing = dict.fromkeys(["username", "firstname", "lastname", "email", "roles", "rules"])
    assert patch(api, ada, ada, **nothing, password=None, organization_id=None).status == 200
    assert patch(api, ada, ada).status == 200
    assert patch(api, ada, ada, password="").status == 200
    assert patch(api, ada, admin, username="ada", email="ada@example.org").status == 200
    assert state(ada) == before


def test_nobody_changes_organization(api: Api, world: World, ada: User, root: User):
    assert patch(api, ada, root, organization_id=world.berlin.id).status == 200
    assert again(ada).organization_id == world.amsterdam.id


def test_nobody_renames_somebody_else(api: Api, ada: User, root: User):
    answer = patch(api, ada, root, username="adele", lastname="x")
    assert answer.problem == (400, "foreign_username")
    assert again(ada).lastname == "Body"


def test_a_name_with_blanks_around_it_is_repeated_without_them(api: Api, ada: User, root: User):
    """Accounts from before have such names, which a form sends back as it shows them."""
    User.update(username=" ada ").where(User.id == ada.id).execute()
    for username in ("ada", " ada "):
        assert patch(api, ada, root, username=username, lastname="x").status == 200
    assert again(ada).username == " ada "


@pytest.mark.parametrize("field", ["username", "email"])
def test_what_is_taken_or_empty_is_refused(api: Api, ada: User, root: User, field: str):
    other = getattr(root, field)
    answer = patch(api, ada, ada, **{field: other, "lastname": "x"})
    assert answer.problem == (400, "username_taken")
    assert patch(api, ada, ada, **{field: "", "lastname": "x"}).problem == (400, "invalid")
    assert again(ada).lastname == "Body"


@pytest.mark.parametrize(
    "name",
    ["ADA", " ada", "ada ", "a\u200bda", "\uff41da", "ad a", "ada\u00a0", "a\u00adda"],
    ids=["case", "before", "after", "nothing", "wide", "between", "no break", "hyphen"],
)
def test_nobody_takes_a_name_that_looks_like_another(
    api: Api, world: World, ada: User, admin: User, name: str
):
    """Stations and people tell users by their names."""
    grace = make_user(world.amsterdam, "Viewer")
    assert patch(api, grace, grace, username=name).problem == (400, "username_taken")
    body = {"username": name, "password": "Right-horse-1", "email": "g@example.org"}
    body |= {"firstname": "", "lastname": ""}
    assert api.post("/user", admin, body).problem == (400, "username_taken")
    with pytest.raises(Conflict, match="refuses"):
        accounts.User(username=name, password="p").save()
    entity = accounts.User.get(grace.id)
    entity.username = name
    with pytest.raises(Conflict, match="refuses"):
        entity.save()
    assert again(grace).username == grace.username


def test_the_own_name_may_be_written_otherwise(api: Api, ada: User, world: World):
    assert patch(api, ada, ada, username=" ADA ").json["username"] == "ADA"
    assert users.find_by_name("ada") is None
    assert patch(api, ada, ada, username="grace").status == 200
    # Of no account any more.
    other = make_user(world.amsterdam, "Viewer")
    assert patch(api, other, other, username="Ada").status == 200


def test_who_asks_for_names_of_others_is_told_little_and_seldom(
    api: Api, world: World, ada: User, root: User
):
    stranger = make_user(world.berlin, "Organization Admin", username="eve")
    told = {
        patch(api, stranger, stranger, **{field: getattr(ada, field)}).text.partition("request")[0]
        for field in ("username", "email")
    }
    assert len(told) == 1
    for _ in range(28):
        assert patch(api, stranger, stranger, email=ada.email).status == 400
    assert patch(api, stranger, stranger, email=ada.email).status == 429
    assert patch(api, stranger, stranger, email="free@example.org").status == 429
    body = {"username": "x", "password": "Right-horse-1", "email": ada.email}
    body |= {"firstname": "", "lastname": ""}
    assert api.post("/user", stranger, body).status == 429
    # What is no name goes on, and so do others.
    assert patch(api, stranger, stranger, lastname="x").status == 200
    assert patch(api, ada, ada, email=stranger.email).status == 400
    for _ in range(31):
        assert patch(api, root, root, email=ada.email).status == 400


def test_two_cannot_take_the_same_name_at_once(world: World, ada: User, admin: User):
    outcomes = side_by_side(
        *[lambda user=user: users.update(user, {"username": "one"}) for user in (ada, admin)]
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Invalid", "User"]
    assert {outcome.error_code for outcome in outcomes if isinstance(outcome, Invalid)} == {
        "username_taken"
    }


def test_a_password_is_not_changed_here(api: Api, ada: User, root: User):
    for who in (ada, root):
        answer = patch(api, ada, who, password="New-password-1", lastname="x")
        assert answer.problem == (400, "no_password")
        assert "/password/change" in answer.json["msg"]
    assert again(ada).lastname == "Body"


def test_an_unknown_user_is_told_before_the_permission(api: Api, world: World):
    assert patch(api, User(id=999), make_user(world.amsterdam)).status == 404


def test_only_who_could_do_as_much_may_redirect_the_mails_of_an_account(
    api: Api, world: World, ada: User, admin: User, root: User
):
    """Whoever reads the mails of an account can take it over."""
    assert patch(api, root, admin, email="mine@example.org").problem == (401, "forbidden")
    assert patch(api, ada, admin, email="new@example.org").status == 200
    assert patch(api, admin, root, email="other@example.org").status == 200


def test_what_was_mailed_to_the_old_address_is_void(api: Api, ada: User):
    recovery.issue(ada, Purpose.PASSWORD, 60)
    patch(api, ada, ada, lastname="x")
    assert RecoveryToken.select().count() == 1
    patch(api, ada, ada, email="new@example.org")
    assert RecoveryToken.select().count() == 0


def test_an_old_session_alone_does_not_redirect_the_mails_of_its_account(
    api: Api, world: World, light_passwords: None
):
    """Who found a session would stay for good: a new password is mailed to that address."""
    ada = make_user(
        world.amsterdam,
        "Researcher",
        email="a@example.org",
        password=passwords.hash_password(PASSWORD),
    )
    token = api.token(ada)
    Session.update(began_at=now() - timedelta(minutes=11)).execute()

    def change(**body: str) -> Answer:
        return api.patch(f"/user/{ada.id}", token, {"email": "mine@example.org"} | body)

    assert change().problem == (400, "password_needed")
    assert change(current_password="").problem == (400, "password_needed")
    assert change(current_password="Wrong-horse-1").problem == (401, "wrong_password")
    assert again(ada).email == "a@example.org"
    assert api.patch(f"/user/{ada.id}", token, {"email": ada.email, "lastname": "x"}).status == 200
    assert change(current_password=PASSWORD).json["email"] == "mine@example.org"
    # As scripts do that log in at their start.
    assert patch(api, ada, ada, email="a@example.org").status == 200


def test_an_old_session_alone_neither_renames_nor_removes_its_account(
    api: Api, world: World, light_passwords: None
):
    """The owner could not log in any more, and another user could take the name."""
    hashed = passwords.hash_password(PASSWORD)
    ada = make_user(world.amsterdam, "Organization Admin", email="a@example.org", password=hashed)
    token, path = api.token(ada), f"/user/{ada.id}"
    Session.update(began_at=now() - timedelta(minutes=11)).execute()
    assert api.patch(path, token, {"username": "other"}).problem == (400, "password_needed")
    assert api.delete(path, token).problem == (400, "password_needed")
    assert again(ada).username == ada.username
    assert not messages()
    assert api.patch(path, token, {"username": ada.username, "lastname": "x"}).status == 200
    body = {"username": "other", "current_password": PASSWORD}
    assert api.patch(path, token, body).json["username"] == "other"
    # As scripts do that log in at their start.
    assert patch(api, ada, ada, username="third").status == 200
    assert api.delete(path, ada).status == 200
    told = [content_of(message) for message in messages()]
    assert [one["change"] for one in told] == ["username_changed"] * 2 + ["removed"]
    assert {one["receiver"] for one in told} == {"a@example.org"}
    assert told[-1]["username"] == "third"


def test_the_former_address_is_told_of_a_name_and_of_the_end_while_a_new_one_is_held(
    api: Api, ada: User
):
    assert patch(api, ada, ada, email="thief@example.org").status == 200
    assert patch(api, ada, ada, username="nobody-knows").status == 200
    assert api.delete(f"/user/{ada.id}", again(ada)).status == 200
    told = [content_of(message) for message in messages()]
    both = ["ada@example.org", "thief@example.org"]
    for change in ("username_changed", "removed"):
        assert [one["receiver"] for one in told if one["change"] == change] == both


@pytest.mark.parametrize("who", ["ada", "admin"])
def test_the_old_address_is_told_of_a_new_one(api: Api, ada: User, admin: User, who: str):
    assert patch(api, ada, {"ada": ada, "admin": admin}[who], email="new@example.org").status == 200
    (told,) = [content_of(message) for message in messages()]
    assert (told["kind"], told["change"]) == ("account_changed", "address_held")
    assert (told["user_id"], told["receiver"]) == (ada.id, "ada@example.org")


@pytest.mark.parametrize("who", ["ada", "admin"])
def test_a_new_address_opens_the_account_after_a_day(
    api: Api, ada: User, admin: User, who: str, monkeypatch: pytest.MonkeyPatch
):
    """A session that was stolen a moment ago is not worth an account."""
    caller = {"ada": ada, "admin": admin}[who]
    for address in ("mallory@example.org", "mallory2@example.org"):
        assert patch(api, ada, caller, email=address).json["email"] == address
        assert held_addresses.for_recovery(again(ada)) == "ada@example.org"
    # Each of the old addresses is told; its owner gets back by either address or by name.
    receivers = [content_of(message)["receiver"] for message in messages()]
    assert receivers == ["ada@example.org", "ada@example.org", "mallory@example.org"]
    assert users.find_by_name_or_email(None, "ada@example.org") == ada
    moment = now()
    monkeypatch.setattr(held_addresses, "now", lambda: moment + timedelta(hours=25))
    assert held_addresses.for_recovery(again(ada)) == "mallory2@example.org"
    assert users.find_by_name_or_email(None, "ada@example.org") is None


def test_an_address_that_mails_still_go_to_is_nobody_elses(
    api: Api, world: World, ada: User, admin: User, monkeypatch: pytest.MonkeyPatch
):
    other = make_user(world.amsterdam, "Researcher", email="other@example.org")
    patch(api, ada, admin, email="new@example.org")
    taken = patch(api, other, admin, email="ada@example.org")
    assert taken.problem == (400, "username_taken")
    body = {"username": "third", "firstname": "x", "lastname": "x", "password": PASSWORD}
    created = api.post("/user", admin, {**body, "email": "ada@example.org"})
    assert created.problem == (400, "username_taken")
    assert patch(api, ada, admin, email="ada@example.org").status == 200
    patch(api, ada, admin, email="new@example.org")
    moment = now()
    monkeypatch.setattr(held_addresses, "now", lambda: moment + timedelta(hours=25))
    assert patch(api, other, admin, email="ada@example.org").status == 200


def test_the_way_back_and_the_password_end_the_wait(api: Api, world: World, light_passwords: None):
    ada = make_user(
        world.amsterdam,
        "Researcher",
        email="a@example.org",
        password=passwords.hash_password(PASSWORD),
    )
    patch(api, ada, ada, email="mallory@example.org")
    patch(api, ada, ada, email="a@example.org")
    assert (again(ada).former_email, again(ada).email_held_until) == (None, None)
    patch(api, ada, ada, email="mallory@example.org")
    patch(api, ada, ada, email="b@example.org", current_password=PASSWORD)
    assert held_addresses.for_recovery(again(ada)) == "b@example.org"
    told = [content_of(message) for message in messages()][-2:]
    assert {one["receiver"] for one in told} == {"a@example.org", "mallory@example.org"}
    assert {one["change"] for one in told} == {"address_changed"}
    # Nor does the operator wait.
    patch(api, ada, ada, email="mallory@example.org")
    entity = accounts.User.get(ada.id)
    entity.email = "c@example.org"
    entity.save()
    assert held_addresses.for_recovery(again(ada)) == "c@example.org"


def test_a_first_address_waits_as_well(api: Api, world: World):
    ada = make_user(world.amsterdam, "Researcher", email=None)
    patch(api, ada, ada, email="mallory@example.org")
    assert held_addresses.for_recovery(again(ada)) is None
    patch(api, ada, ada, email="mallory2@example.org")
    assert held_addresses.for_recovery(again(ada)) is None


# Roles and rules


def test_roles_and_rules_are_replaced_as_a_whole(api: Api, ada: User, root: User):
    seen = rule(*ANY_TASK)
    answer = patch(api, ada, root, roles=[role("Viewer"), role("Viewer")], rules=[seen])
    assert [link["id"] for link in answer.json["roles"]] == [role("Viewer")]
    assert [link["id"] for link in answer.json["rules"]] == [seen]
    answer = patch(api, ada, root, roles=[], rules=[])
    assert (answer.json["roles"], answer.json["rules"]) == (None, None)


@pytest.mark.parametrize("who", ["ada", "root"])
def test_nobody_changes_what_he_himself_may(api: Api, ada: User, root: User, who: str):
    user = {"ada": ada, "root": root}[who]
    before = state(user)
    for body in ({"roles": []}, {"rules": []}, {"roles": before[5]}, {"rules": [1]}):
        assert patch(api, user, user, lastname="x", **body).problem == (401, "forbidden")
    assert state(user) == before


def test_unknown_roles_and_rules_change_nothing(api: Api, ada: User, root: User):
    before = state(ada)
    for body in ({"roles": [999]}, {"rules": [999]}, {"roles": [role("Viewer"), 999]}):
        assert patch(api, ada, root, lastname="x", **body).status == 404
    assert state(ada) == before


def test_only_what_is_held_is_given(api: Api, ada: User, admin: User):
    before = state(ada)
    assert patch(api, ada, admin, lastname="x", roles=[role("Root")]).status == 401
    answer = patch(api, ada, admin, lastname="x", rules=[rule(*ANY_TASK)])
    assert answer.status == 401
    assert "VIEW task (GLOBAL)" in answer.json["msg"]
    assert state(ada) == before
    assert patch(api, ada, admin, roles=[role("Viewer")], rules=[rule(*OWN_TASK)]).status == 200


def test_the_check_is_literal(api: Api, world: World, ada: User):
    """GLOBAL does not stand for ORGANIZATION."""
    editor = make_user(
        world.amsterdam, rules=[rule("user", Operation.EDIT, Scope.GLOBAL), rule(*ANY_TASK)]
    )
    newcomer = make_user(world.amsterdam)
    assert patch(api, newcomer, editor, rules=[rule(*OWN_TASK)]).status == 401
    assert patch(api, newcomer, editor, rules=[rule(*ANY_TASK)]).status == 200
    # Who may be changed is no other matter.
    assert patch(api, ada, editor, lastname="x").status == 401


def test_only_what_is_held_is_taken(api: Api, world: World, admin: User, root: User):
    strong = make_user(world.amsterdam, "Collaboration Admin", rules=[rule(*ANY_TASK)])
    before = state(strong)
    assert patch(api, strong, admin, lastname="x", roles=[]).status == 401
    assert patch(api, strong, admin, lastname="x", rules=[]).status == 401
    assert state(strong) == before
    # What stays is not taken.
    assert patch(api, strong, root, rules=[rule(*ANY_TASK), rule(*OWN_TASK)]).status == 200
    assert patch(api, strong, root, roles=[], rules=[]).status == 200


def test_a_role_is_given_within_its_organization_only(api: Api, world: World, root: User):
    berliner = make_user(world.berlin)
    own, foreign = make_role(world.berlin), make_role(world.amsterdam)
    assert patch(api, berliner, root, roles=[foreign]).problem == (401, "forbidden")
    assert patch(api, berliner, root, roles=[own]).status == 200


def test_what_somebody_else_gave_meanwhile_stays(ada: User):
    """Only what was weighed is taken."""
    UserRole.create(user=ada, role=role("Organization Admin"))
    users.update(ada, {}, Change(taken=frozenset({role("Researcher")})))
    assert relations.roles_of_users([ada.id])[ada.id] == [role("Organization Admin")]
    users.update(ada, {}, Change(given=frozenset({role("Organization Admin")})))
    assert UserRole.select().where(UserRole.user == ada).count() == 1


def test_a_failure_half_way_changes_nothing(ada: User):
    before = state(ada)
    unknown = Change(given=frozenset({999_999}))
    with pytest.raises(Invalid):
        users.update(ada, {"lastname": "x"}, rules=unknown)
    assert state(ada) == before
    assert UserRule.select().count() == 0


# The last one with the role Root


def test_the_last_root_is_neither_removed_nor_demoted(api: Api, world: World, root: User):
    everything = [row.id for row in Rule.select()]
    as_strong = make_user(world.amsterdam, rules=everything)
    assert api.delete(f"/user/{root.id}", as_strong).problem == (400, "last_root")
    assert api.delete(f"/user/{root.id}", root).problem == (400, "last_root")
    answer = patch(api, root, as_strong, lastname="x", roles=[role("Viewer")])
    assert answer.problem == (400, "last_root")
    assert "give it to another user first" in answer.json["msg"]
    assert again(root).lastname == "Body"
    other = make_user(world.amsterdam, "Root")
    assert patch(api, root, other, roles=[role("Viewer")]).status == 200
    assert api.delete(f"/user/{other.id}", other).problem == (400, "last_root")
    assert api.delete(f"/user/{root.id}", other).status == 200


def test_two_roots_cannot_remove_each_other_at_once(world: World, root: User):
    other = make_user(world.amsterdam, "Root")
    outcomes = side_by_side(lambda: users.delete(root), lambda: users.delete(other))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Invalid", "NoneType"]
    assert UserRole.select().where(UserRole.role == role("Root")).count() == 1


# New users and lists


def test_a_new_user_with_unknown_roles_or_rules_is_not_made(api: Api, root: User):
    person = {"username": "new", "firstname": "", "lastname": "", "email": "new@example.org"}
    person["password"] = "Good-password-1"
    for body in ({"roles": [999]}, {"rules": [999]}):
        assert api.post("/user", root, person | body).status == 404
    assert users.find_by_name("new") is None


def test_users_are_listed_by_when_they_were_seen(api: Api, ada: User, admin: User, root: User):
    moment = now().replace(microsecond=0)
    for user, days in ((ada, 3), (admin, 1)):
        User.update(last_seen=moment - timedelta(days=days)).where(User.id == user.id).execute()

    def listed(**query: str) -> set[int]:
        text = "&".join(f"{name}={value}" for name, value in query.items())
        return {row["id"] for row in api.get("/user", root, text).json}

    day = (moment - timedelta(days=2)).strftime("%Y-%m-%d")
    assert listed(last_seen_till=day) == {ada.id}
    assert listed(last_seen_from=day) == {admin.id, root.id}
    exact = (moment - timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%S")
    assert listed(last_seen_from=exact, last_seen_till=exact) == {ada.id}
    assert api.get("/user", root, "last_seen_from=yesterday").status == 400
