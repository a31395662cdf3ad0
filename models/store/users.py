"""People's accounts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import JOIN, Case

from vantage6.common.clock import now
from vantage6.common.enums import Scope
from vantage6.common.errors import Invalid, NotFound
from vantage6.models.database import db, unique
from vantage6.models.fields import is_sqlite
from vantage6.models.rules import Grant, find_narrowed
from vantage6.models.sql.prepared import Prepared
from vantage6.models.store import held_addresses, promotions
from vantage6.models.store.access import Reach
from vantage6.models.store.queries import Page, like, page_of
from vantage6.models.tables import (
    Organization,
    RecoveryToken,
    Role,
    RoleRule,
    Rule,
    Session,
    User,
    UserRole,
    UserRule,
)
from vantage6.models.tables.user import key_of


@dataclass(frozen=True)
class Change:
    """What is given and what is taken, by ids."""

    given: frozenset[int] = frozenset()
    taken: frozenset[int] = frozenset()


#: The code of a refusal because somebody else has a username or an e-mail address.
TAKEN = "username_taken"
_TAKEN = "This username or e-mail address is taken, or the username looks like one that is."

#: Neither given nor taken.
NO_CHANGE = Change()


def _select_rules(user_id: Any) -> Any:
    through_roles = (
        RoleRule.select(RoleRule.rule)
        .join(UserRole, on=(UserRole.role == RoleRule.role))
        .where(UserRole.user == user_id)
    )
    directly = UserRule.select(UserRule.rule).where(UserRule.user == user_id)
    held = Rule.id.in_(through_roles) | Rule.id.in_(directly)
    return Rule.select(Rule.name, Rule.operation, Rule.scope).where(held).tuples()


_BY_ID = Prepared(lambda id_: User.select().where(User.id == id_))
_ACTING = Prepared(
    lambda id_, session: (
        User.select(User, Session.id.alias("session_id"))
        .join(Session, JOIN.LEFT_OUTER, on=(Session.user == User.id) & (Session.id == session))
        .where(User.id == id_)
        .objects()
    )
)
_HELD: Prepared[Any] = Prepared(_select_rules)


def get(user_id: int) -> User:
    """Return a user."""
    row = find(user_id)
    if row is None:
        raise NotFound(f"There is no user {user_id}.")
    return row


def find(user_id: int) -> User | None:
    """Return a user, or None."""
    return _BY_ID.first(user_id)


def acting(user_id: int, session_id: int) -> tuple[User, bool] | None:
    """Return a user, and whether this is a session of that user which has not ended; or None."""
    row: Any = _ACTING.first(user_id, session_id)
    return row and (row, row.session_id is not None)


def find_by_name(username: str) -> User | None:
    """Return the user with a name, or None."""
    return User.get_or_none(User.username == username)


def find_by_name_or_email(username: str | None, email: str | None) -> User | None:
    """Return the user with a name or, where no name is given, with an e-mail address, or None."""
    if username:
        return find_by_name(username)
    return held_addresses.find_user(email)


def role_names(user_id: int) -> list[str]:
    """Return the names of a user's roles."""
    query = Role.select(Role.name).join(UserRole).where(UserRole.user == user_id).order_by(Role.id)
    return [role.name for role in query]


def rules_of(user_id: int) -> frozenset[Grant]:
    """Return what a user may do, through roles or directly."""
    return frozenset(_HELD(user_id))


def with_narrowed_rules() -> list[str]:
    """Return the names of users who hold rules of scope GLOBAL that do not reach everything."""
    wide = Rule.select(Rule.id).where(Rule.scope == Scope.GLOBAL)
    through_roles = (
        UserRole.select(UserRole.user)
        .join(RoleRule, on=(RoleRule.role == UserRole.role))
        .where(RoleRule.rule.in_(wide))
    )
    directly = UserRule.select(UserRule.user).where(UserRule.rule.in_(wide))
    holders = User.select(User.id, User.username).where(
        User.id.in_(through_roles) | User.id.in_(directly)
    )
    return sorted(user.username for user in holders if find_narrowed(rules_of(user.id)))


def create(
    *,
    username: str,
    password: str,
    firstname: str | None,
    lastname: str | None,
    email: str | None,
    organization_id: int | None,
    roles: Iterable[int] = (),
    rules: Iterable[int] = (),
) -> User:
    """Add a user.

    Parameters
    ----------
    username
        Name to log in with.
    password
        argon2 hash.
    firstname, lastname, email
        About the person.
    organization_id
        Where the person works.
    roles, rules
        Ids of what the person may do; unknown ids are refused.

    Raises
    ------
    Invalid
        If the username or the e-mail address is taken.
    NotFound
        If the organization, a role or a rule does not exist.
    """
    role_ids, rule_ids = sorted(set(roles)), sorted(set(rules))
    with unique(_TAKEN, TAKEN):
        require_free(username=username, email=email)
        if not Organization.select().where(Organization.id == organization_id).exists():
            raise NotFound(f"There is no organization {organization_id}.")
        if Role.select().where(Role.id << role_ids).count() != len(role_ids):
            raise NotFound("One of the roles does not exist.")
        if Rule.select().where(Rule.id << rule_ids).count() != len(rule_ids):
            raise NotFound("One of the rules does not exist.")
        user = User.create(
            username=username,
            password=password,
            firstname=firstname,
            lastname=lastname,
            email=email or None,
            organization=organization_id,
        )
        _give(user.id, Change(given=frozenset(role_ids)), Change(given=frozenset(rule_ids)))
    return user


def require_free(
    *, username: str | None = None, email: str | None = None, but: int | None = None
) -> None:
    """Raise `Invalid` if another user has this username, one that looks like it, or this address.

    SECURITY: which of the two it is would tell who has an account.

    Parameters
    ----------
    but
        The account that may have them.
    """
    alike = (User.username == username) | (User.username_key == key_of(username or ""))
    for wanted, found in ((username, alike), (email, held_addresses.has_address(email))):
        if wanted and User.select().where(found & (User.id != (but or 0))).exists():
            raise Invalid(_TAKEN, code=TAKEN)


def update(
    user: User,
    fields: dict[str, Any],
    roles: Change = NO_CHANGE,
    rules: Change = NO_CHANGE,
    *,
    is_held: bool = False,
) -> User:
    """Change the given fields of a user, and what the user may do, at once or not at all.

    A user who is given a rule that he lacked is logged out. Where ``is_held``, mails that open the
    account go to another address only after a while.

    Raises
    ------
    Invalid
        If the username or the e-mail address is taken, or no user would be left with the role Root.
    """
    with unique(_TAKEN, TAKEN):
        if roles.taken and _root_role() in roles.taken:
            _keep_a_root(user)
        if "username" in fields:
            fields = {**fields, "username_key": key_of(fields["username"])}
        if fields.get("email", user.email) != user.email:
            fields = fields | held_addresses.columns(user, fields["email"], is_held=is_held)
        if fields:
            User.update(**fields).where(User.id == user.id).execute()
        if fields.get("email", user.email) != user.email:
            # SECURITY: what was mailed to the old address opens the account no longer.
            RecoveryToken.delete().where(RecoveryToken.user == user.id).execute()
        # What is replaced by something with the same rules is given first: then none is new.
        _give(user.id, roles, rules)
        _take(user.id, roles, rules)
    return get(user.id)


def delete(user: User) -> None:
    """Remove a user; the tasks stay, without their author.

    Raises
    ------
    Invalid
        If no user would be left with the role Root.
    """
    with db.atomic():
        _keep_a_root(user)
        User.delete().where(User.id == user.id).execute()


def _give(user_id: int, roles: Change, rules: Change) -> None:
    """Give exactly the rules that were checked, also where another user changed them meanwhile."""
    given = ((UserRole, "role", roles.given), (UserRule, "rule", rules.given))
    for table, column, ids in given:
        promotions.give(table, [{"user": user_id, column: one} for one in sorted(ids)])


def _take(user_id: int, roles: Change, rules: Change) -> None:
    """Take exactly what was weighed."""
    for column, ids in ((UserRole.role, roles.taken), (UserRule.rule, rules.taken)):
        if ids:
            table = column.model
            table.delete().where((table.user == user_id) & column.in_(list(ids))).execute()


def _root_role() -> int:
    role = Role.select(Role.id).where((Role.name == "Root") & Role.organization.is_null())
    # Two of the last holders must not remove each other; on SQLite one transaction waits anyway.
    return int((role if is_sqlite(db.obj) else role.for_update()).scalar())


def _keep_a_root(user: User) -> None:
    """Raise `Invalid` if a user is the last one with the role Root."""
    held: Any = UserRole.select(UserRole.user).where(UserRole.role == _root_role()).tuples()
    if list(held) == [(user.id,)]:
        raise Invalid(
            f"{user.username} is the last one with the role Root; give it to another user first.",
            code="last_root",
        )


def rehash(user: User, password: str) -> bool:
    """Store another hash of the same password; tell whether it was the same until then."""
    kept = (User.id == user.id) & (User.password == user.password)
    if not User.update(password=password).where(kept).execute():
        return False
    user.password = password
    return True


def login_failed(user: User | None, maximum: int, minutes: int) -> bool:
    """Count a wrong password or code; a full count whose time is over starts again at one.

    SECURITY: counted by the database, since what was read before the password was checked is old:
    with it, guesses that are made side by side would count as one.
    Without a user nothing is counted, at the same cost.

    Returns
    -------
    bool
        Whether the count became full by this one.
    """
    moment = now()
    over = (User.failed_login_attempts >= maximum) & (
        User.last_failed_login_at <= moment - timedelta(minutes=minutes)
    )
    counted = (
        User.update(
            failed_login_attempts=Case(None, [(over, 1)], User.failed_login_attempts + 1),
            last_failed_login_at=moment,
        )
        .where(User.id == (user.id if user else 0))
        .returning(User.failed_login_attempts)
    )
    return [row.failed_login_attempts for row in counted.execute()] == [maximum]


def login_succeeded(user: User) -> None:
    """Forget the wrong passwords and codes."""
    if user.failed_login_attempts:
        User.update(failed_login_attempts=0).where(User.id == user.id).execute()


def failures_until(user: User, maximum: int, minutes: int) -> datetime | None:
    """Return until when the failed logins of a user count, if they are too many, or None."""
    if user.failed_login_attempts < maximum or user.last_failed_login_at is None:
        return None
    until: datetime = user.last_failed_login_at + timedelta(minutes=minutes)
    return until if until > now() else None


def page(
    reach: Reach,
    page: Page,
    *,
    username: str | None = None,
    firstname: str | None = None,
    lastname: str | None = None,
    email: str | None = None,
    organization: int | None = None,
    role: int | None = None,
    rule: int | None = None,
    seen: tuple[datetime | None, datetime | None] = (None, None),
) -> tuple[list[User], int]:
    """Return the users within reach that fit the filters."""
    query = User.select().order_by(User.id)
    if not reach.everything:
        query = query.where(reach.organizations(User.organization))
    for column, pattern in (
        (User.username, username),
        (User.firstname, firstname),
        (User.lastname, lastname),
        (User.email, email),
    ):
        if pattern is not None:
            query = query.where(like(column, pattern))
    if organization is not None:
        query = query.where(User.organization == organization)
    if role is not None:
        query = query.where(
            User.id.in_(UserRole.select(UserRole.user).where(UserRole.role == role))
        )
    if rule is not None:
        query = query.where(
            User.id.in_(UserRule.select(UserRule.user).where(UserRule.rule == rule))
        )
    if seen[0] is not None:
        query = query.where(User.last_seen >= seen[0])
    if seen[1] is not None:
        query = query.where(User.last_seen <= seen[1])
    return page_of(query, page)
