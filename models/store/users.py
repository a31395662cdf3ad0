"""People's accounts."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from peewee import Case

from vantage6.common.clock import now
from vantage6.common.errors import Invalid, NotFound
from vantage6.models.database import unique
from vantage6.models.store.reach import Page, Reach, like, page_of
from vantage6.models.tables import Organization, Role, RoleRule, Rule, User, UserRole, UserRule


def get(user_id: int) -> User:
    """Return a user."""
    row = find(user_id)
    if row is None:
        raise NotFound(f"There is no user {user_id}.")
    return row


def find(user_id: int) -> User | None:
    """Return a user, or None."""
    return User.get_or_none(User.id == user_id)


def find_by_name(username: str) -> User | None:
    """Return the user with a name, or None."""
    return User.get_or_none(User.username == username)


def rules_of(user_id: int) -> list[Rule]:
    """Return the rules that a user holds, through roles or directly."""
    through_roles = (
        RoleRule.select(RoleRule.rule)
        .join(UserRole, on=(UserRole.role == RoleRule.role))
        .where(UserRole.user == user_id)
    )
    directly = UserRule.select(UserRule.rule).where(UserRule.user == user_id)
    return list(Rule.select().where(Rule.id.in_(through_roles) | Rule.id.in_(directly)))


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
    with unique("This username or e-mail address is taken.", "username_taken"):
        if User.select().where(User.username == username).exists():
            raise Invalid("This username is taken.", code="username_taken")
        if email and User.select().where(User.email == email).exists():
            raise Invalid("This e-mail address is taken.", code="email_taken")
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
        if role_ids:
            UserRole.insert_many([{"user": user.id, "role": role} for role in role_ids]).execute()
        if rule_ids:
            UserRule.insert_many([{"user": user.id, "rule": rule} for rule in rule_ids]).execute()
    return user


def delete(user: User) -> None:
    """Remove a user; the tasks stay, without their author."""
    User.delete().where(User.id == user.id).execute()


def set_password(user: User, password: str) -> None:
    """Store another hash."""
    User.update(password=password).where(User.id == user.id).execute()


def login_failed(user: User, maximum: int, minutes: int) -> None:
    """Count a wrong password; a full count whose lock has ended starts again at one.

    SECURITY: counted by the database, since what was read before the password was checked is old:
    with it, guesses that are made side by side would count as one, or open a locked account.
    """
    moment = now()
    over = (User.failed_login_attempts >= maximum) & (
        User.last_failed_login_at <= moment - timedelta(minutes=minutes)
    )
    User.update(
        failed_login_attempts=Case(None, [(over, 1)], User.failed_login_attempts + 1),
        last_failed_login_at=moment,
    ).where(User.id == user.id).execute()


def login_succeeded(user: User) -> None:
    """Forget the wrong passwords."""
    if user.failed_login_attempts:
        User.update(failed_login_attempts=0).where(User.id == user.id).execute()


def locked_until(user: User, maximum: int, minutes: int) -> datetime | None:
    """Return until when the account is locked, or None."""
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
) -> tuple[list[User], int]:
    """Return the users within reach that fit the filters."""
    query = User.select().order_by(User.id)
    if not reach.everything:
        query = query.where(User.organization == reach.organization)
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
    return page_of(query, page)
