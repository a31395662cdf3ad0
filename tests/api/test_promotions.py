"""A user who may do more logs in again: whoever found a session gets no rule with it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.client import Api, logged_in
from tests.models.factories import World, make_user, side_by_side
from vantage6.common.enums import Operation, Scope
from vantage6.models.store import roles, users
from vantage6.models.store.users import Change
from vantage6.models.tables import Role, Rule, Session, User
from vantage6.server.shell import users as accounts


@pytest.fixture
def uri(database_uri: str) -> str:
    """Run with both databases: that none slips through depends on their locks."""
    return database_uri


@pytest.fixture
def role(world: World, root: User) -> Role:
    """Give a role of Amsterdam that allows to see roles."""
    return roles.create("readers", "", [rule("role", Operation.VIEW)], world.amsterdam.id)


@pytest.fixture
def ada(world: World, role: Role) -> User:
    """Give a user of Amsterdam with that role, and a session."""
    user = make_user(world.amsterdam)
    users.update(user, {}, roles=Change(given=frozenset([role.id])))
    logged_in(user)
    return user


def rule(name: str, operation: Operation, scope: Scope = Scope.ORGANIZATION) -> int:
    found = (Rule.name == name) & (Rule.operation == operation) & (Rule.scope == scope)
    return int(Rule.get(found).id)


def sessions_of(user: User) -> int:
    return int(Session.select().where(Session.user == user.id).count())


def more() -> int:
    return rule("user", Operation.EDIT)


def shell(change: Callable[[Any, Any, Any], Any]) -> Callable[..., None]:
    def at_the_shell(_: Api, __: User, ada: User, role: Role) -> None:
        user, group = accounts.User.get(ada.id), accounts.Role.get(role.id)
        permission = accounts.Rule.get(more())
        change(user, group, permission).save()

    return at_the_shell


def _append(entity: Any, name: str, item: Any) -> Any:
    getattr(entity, name).append(item)
    return entity


def _new_role(user: Any, permission: Any) -> Any:
    return _append(user, "roles", accounts.Role(name="new", rules=[permission]))


WAYS: dict[str, Callable[[Api, User, User, Role], Any]] = {
    "roles of the user": lambda api, root, ada, role: api.patch(
        f"/user/{ada.id}", root, {"roles": [role.id, Role.get(Role.name == "Root").id]}
    ),
    "rules of the user": lambda api, root, ada, role: api.patch(
        f"/user/{ada.id}", root, {"rules": [more()]}
    ),
    "rules of the role": lambda api, root, ada, role: api.patch(
        f"/role/{role.id}", root, {"rules": [more()]}
    ),
    "one more rule of the role": lambda api, root, ada, role: api.post(
        f"/role/{role.id}/rule/{more()}", root
    ),
    "shell: roles of the user": shell(lambda user, _, permission: _new_role(user, permission)),
    "shell: rules of the user": shell(
        lambda user, _, permission: _append(user, "rules", permission)
    ),
    "shell: rules of the role": shell(
        lambda _, role, permission: _append(role, "rules", permission)
    ),
    "shell: roles of the rule": shell(
        lambda _, role, permission: _append(permission, "roles", role)
    ),
    "shell: users of the rule": shell(
        lambda user, _, permission: _append(permission, "users", user)
    ),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_user_who_gets_a_rule_is_logged_out(
    api: Api, root: User, ada: User, role: Role, way: Callable[[Api, User, User, Role], Any]
):
    # A session of the administrator, who has the role as well.
    users.update(root, {}, roles=Change(given=frozenset([role.id])))
    logged_in(root)
    way(api, root, ada, role)
    assert ("user", Operation.EDIT, Scope.ORGANIZATION) in users.rules_of(ada.id)
    assert sessions_of(ada) == 0
    assert sessions_of(root) >= 1


def test_a_user_of_a_role_in_the_shell_is_logged_out(world: World, role: Role):
    eve = make_user(world.amsterdam)
    logged_in(eve)
    group = accounts.Role.get(role.id)
    _append(group, "users", accounts.User.get(eve.id)).save()
    assert sessions_of(eve) == 0


def test_who_gets_nothing_new_stays(api: Api, root: User, ada: User, role: Role, world: World):
    """Neither by less, nor by the same in another way, nor by what others get."""
    same = rule("role", Operation.VIEW)
    twin = roles.create("twin", "", [same], world.amsterdam.id)
    other = roles.create("other", "", [], world.amsterdam.id)
    assert api.patch(f"/user/{ada.id}", root, {"roles": [twin.id]}).status == 200
    assert api.patch(f"/user/{ada.id}", root, {"roles": [], "rules": [same]}).status == 200
    assert api.patch(f"/user/{ada.id}", root, {"firstname": "Ada", "rules": [same]}).status == 200
    assert api.patch(f"/role/{other.id}", root, {"rules": [more()]}).status == 200
    assert sessions_of(ada) == 1
    assert api.patch(f"/user/{ada.id}", root, {"rules": []}).status == 200
    assert sessions_of(ada) == 1


def test_of_a_role_and_its_rule_that_are_given_at_once_none_slips_through(world: World):
    for _ in range(5):
        eve = make_user(world.amsterdam)
        group = roles.create("group", "", [], world.amsterdam.id)
        logged_in(eve)
        side_by_side(
            lambda eve=eve, group=group: users.update(
                eve, {}, roles=Change(given=frozenset([group.id]))
            ),
            lambda group=group: roles.put_in(group, [more()]),
        )
        assert users.rules_of(eve.id)
        assert sessions_of(eve) == 0
