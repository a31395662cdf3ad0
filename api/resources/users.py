"""Users."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from falcon import Request, Response

from vantage6.api.endpoint import USER, Read, endpoint
from vantage6.api.http import lists
from vantage6.api.http.limits import Attempt
from vantage6.api.identity import passwords
from vantage6.api.identity.permissions import Caller
from vantage6.api.identity.rights import Rights
from vantage6.api.logins import Logins
from vantage6.api.resources.base import Resource
from vantage6.api.schemas.base import Message
from vantage6.api.schemas.users import UserCreate, UserFilter, UserReply, UserUpdate
from vantage6.common.enums import Operation, Scope
from vantage6.common.errors import Forbidden, Invalid
from vantage6.common.logs import get
from vantage6.models.store import held_addresses, recovery, relations, roles, second_factors, users
from vantage6.models.store.users import NO_CHANGE, Change
from vantage6.models.tables import User

log = get(__name__)


class Users(Resource):
    """All users."""

    @endpoint(
        USER, query=UserFilter, reply=list[UserReply], permission=Rights(("user", Operation.VIEW))
    )
    def on_get(
        self, req: Request, resp: Response, caller: Caller, query: UserFilter
    ) -> lists.Listed[UserReply]:
        """List the users that the caller may see."""
        rows, total = users.page(
            caller.reach("user", Scope.ORGANIZATION),
            lists.requested_page(query),
            username=query.username,
            firstname=query.firstname,
            lastname=query.lastname,
            email=query.email,
            organization=query.organization_id,
            role=query.role_id,
            rule=query.rule_id,
            seen=(query.last_seen_from, query.last_seen_till),
        )
        return lists.answer(req, resp, query, self.replies.users(rows), total)

    @endpoint(
        USER,
        body=UserCreate,
        weighs_first=True,
        problems=(404, 429),
        reply=UserReply,
        status=201,
        permission=Rights(("user", Operation.CREATE)),
    )
    def on_post(self, req: Request, caller: Caller, read: Read[UserCreate]) -> UserReply:
        """Add a user, with roles and rules that the caller holds."""
        body = read()
        organization_id = body.organization_id or caller.organization_id
        caller.require("user", Operation.CREATE, organization=organization_id)
        wanted_rules = roles.rules(body.rules or [])
        caller.require_held(roles.grants_of(body.roles or []) | roles.grants(wanted_rules))
        for role_id in body.roles or []:
            if roles.get(role_id).organization_id not in (None, organization_id):
                raise Forbidden(f"Role {role_id} belongs to another organization.")
        password = body.password.get_secret_value()
        passwords.check_policy(password)
        with self._asking_for_names(caller):
            users.require_free(username=body.username, email=body.email)
            row = users.create(
                username=body.username,
                password=passwords.hash_password(password, req.env),
                firstname=body.firstname,
                lastname=body.lastname,
                email=body.email,
                organization_id=organization_id,
                roles=body.roles or [],
                rules=body.rules or [],
            )
        return self.replies.users([row])[0]

    @endpoint(
        USER, reply=UserReply, permission=Rights(("user", Operation.VIEW), text="{}, or oneself")
    )
    def on_get_one(self, caller: Caller, id_: int) -> UserReply:
        """Show a user."""
        row = users.get(id_)
        if id_ != caller.id:
            home = row.organization_id
            caller.require("user", Operation.VIEW, organization=home, partner=home)
        return self.replies.users([row])[0]

    @endpoint(
        USER,
        body=UserUpdate,
        problems=(429,),
        reply=UserReply,
        permission=Rights(("user", Operation.EDIT)),
    )
    def on_patch_one(
        self, req: Request, caller: Caller, id_: int, read: Read[UserUpdate]
    ) -> UserReply:
        """Change a user; null leaves a field as it is.

        Roles and rules replace those that the user has. The caller must hold all rules of the user,
        also those that are given, and cannot change his own. Another username or e-mail address of
        the caller needs the password, except within ten minutes after a login. The old address is
        told of the new one in any case. Without the password, and where an administrator changes
        the address, mails for a new password or second factor go to the old one for 24 hours.
        """
        row = users.get(id_)
        caller.require("user", Operation.EDIT, organization=row.organization_id, user=id_)
        caller.require_as_strong_as(row)
        body = read()
        if body.password is not None and body.password.get_secret_value():
            raise Invalid("A password is changed with PATCH /password/change.", code="no_password")
        fields = body.model_dump(
            include={"username", "firstname", "lastname", "email"}, exclude_none=True
        )
        fields = {name: value for name, value in fields.items() if value != getattr(row, name)}
        if fields.get("username") == row.username.strip():
            # Spaces around a name are not seen; accounts from before may have them.
            del fields["username"]
        self._check_names(caller, row, fields)
        changes = self._roles(caller, row, body.roles), self._rules(caller, row, body.rules)
        logins = Logins(self.service)
        is_held = True
        if {"username", "email"} & set(fields) and row.id == caller.id:
            # SECURITY: mails open the account, so the thief of a session could stay for good, or
            # leave its owner without a name to log in with.
            given = body.current_password
            password = given.get_secret_value() if given else ""
            way = "Log in again, or send your password as `current_password`"
            is_held = not logins.require_password(row, caller.session_id, password, req, way)
        changed = users.update(row, fields, *changes, is_held=is_held)
        if "username" in fields:
            log.info("username changed", user_id=row.id)
            for receiver in _addresses_of(row):
                logins.tell(row, recovery.Change.USERNAME_CHANGED, req, receiver)
        if "email" in fields:
            log.info("address changed", user_id=row.id, by=caller.id)
            self._tell_old_address(row, changed, req)
        return self.replies.users([changed])[0]

    def _tell_old_address(self, before: User, after: User, req: Request) -> None:
        is_held = after.email_held_until is not None
        change = recovery.Change.ADDRESS_HELD if is_held else recovery.Change.ADDRESS_CHANGED
        for receiver in _addresses_of(before):
            if receiver != after.email:
                Logins(self.service).tell(before, change, req, receiver)

    def _check_names(self, caller: Caller, row: User, fields: dict[str, Any]) -> None:
        if "username" in fields and row.id != caller.id:
            raise Invalid("A username is changed by its own user only.", code="foreign_username")
        if {"username", "email"} & set(fields):
            with self._asking_for_names(caller):
                users.require_free(
                    username=fields.get("username"), email=fields.get("email"), but=row.id
                )

    @contextmanager
    def _asking_for_names(self, caller: Caller) -> Iterator[None]:
        """Count those that others have.

        SECURITY: else a user tries all names and addresses. A user who sees
        all users has no need to.
        """
        limits, is_counted = (
            self.service.limits,
            not caller.reaches_everything("user", Operation.VIEW),
        )
        who = str(caller.id)
        if is_counted:
            limits.check(Attempt.TAKEN, who)
        try:
            yield
        except Invalid as error:
            if is_counted and error.error_code == users.TAKEN:
                limits.allows(Attempt.TAKEN, who)
            raise

    def _roles(self, caller: Caller, row: User, wanted: Sequence[int] | None) -> Change:
        """Return which roles are given and taken, after weighing both."""
        if wanted is None:
            return NO_CHANGE
        found = [roles.get(role) for role in wanted]
        self._not_oneself(caller, row)
        caller.require_held(roles.grants_of(wanted))
        for role in found:
            if role.organization_id not in (None, row.organization_id):
                raise Forbidden(f"Role {role.id} belongs to another organization.")
        change = _change(relations.roles_of_users([row.id])[row.id], wanted)
        caller.require_held(roles.grants_of(list(change.taken)))
        return change

    def _rules(self, caller: Caller, row: User, wanted: Sequence[int] | None) -> Change:
        """Return which rules are given and taken, after weighing both."""
        if wanted is None:
            return NO_CHANGE
        found = roles.rules(wanted)
        self._not_oneself(caller, row)
        caller.require_held(roles.grants(found))
        change = _change(relations.rules_of_users([row.id])[row.id], wanted)
        caller.require_held(roles.grants(roles.rules(change.taken)))
        return change

    @staticmethod
    def _not_oneself(caller: Caller, row: User) -> None:
        if row.id == caller.id:
            raise Forbidden("Your own roles and rules are changed by another user only.")

    @endpoint(USER, problems=(400,), reply=Message, permission=Rights(("user", Operation.DELETE)))
    def on_delete_one(self, req: Request, caller: Caller, id_: int) -> Message:
        """Remove a user whose rules the caller holds as well.

        Its own account the caller removes within ten minutes after a login. A mail tells of it.
        """
        row = users.get(id_)
        caller.require("user", Operation.DELETE, organization=row.organization_id, user=id_)
        caller.require_as_strong_as(row)
        logins, is_own = Logins(self.service), row.id == caller.id
        if is_own:
            # SECURITY: the thief of a session must not remove the account of its owner.
            logins.require_password(row, caller.session_id, "", req, "Log in again")
        receivers = _addresses_of(row)
        users.delete(row)
        if is_own:
            log.info("user removed itself", user_id=row.id)
            for receiver in receivers:
                logins.tell(row, recovery.Change.REMOVED, req, receiver)
        return {"msg": f"User {row.username} was removed."}

    @endpoint(
        USER,
        reply=Message,
        permission=Rights(("user", Operation.EDIT), text="{} with all that the user may do"),
    )
    def on_delete_two_factor(self, req: Request, caller: Caller, id_: int) -> Message:
        """Remove the second factor of a user who lost it, and end the sessions of the account.

        First make sure that the user really asks for it: from then on the password alone opens
        the account, until an authenticator app is set up again.
        """
        row = users.get(id_)
        caller.require("user", Operation.EDIT, organization=row.organization_id)
        caller.require_as_strong_as(row)
        if row.id == caller.id:
            # SECURITY: the thief of a session could stay for good.
            raise Forbidden("Your own second factor cannot be removed; use a recovery code.")
        second_factors.remove(row)
        log.info("second factor removed", user_id=row.id, by=caller.id)
        Logins(self.service).tell(row, recovery.Change.FACTOR_REMOVED, req)
        return {"msg": f"User {row.username} has no second factor any more."}


def _change(held: Iterable[int], wanted: Iterable[int]) -> Change:
    before, after = frozenset(held), frozenset(wanted)
    return Change(given=after - before, taken=before - after)


def _addresses_of(row: User) -> list[str]:
    """Return where the owner of an account reads mail.

    SECURITY: while an address is held, it may be that of a thief; the former one is told as well.
    """
    former = row.former_email and held_addresses.for_recovery(row)
    return sorted(filter(None, {row.email, former}))
