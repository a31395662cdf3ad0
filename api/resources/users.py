"""Users, roles and rules."""

from typing import Any

from falcon import Request, Response

from vantage6.api import lists, passwords
from vantage6.api.endpoint import USER, endpoint
from vantage6.api.permissions import Caller
from vantage6.api.resources.base import Resource
from vantage6.common.enums import Operation, Scope
from vantage6.common.errors import Forbidden
from vantage6.common.schemas.base import Message
from vantage6.common.schemas.users import (
    RoleFilter,
    RoleReply,
    RuleFilter,
    RuleReply,
    UserCreate,
    UserFilter,
    UserReply,
)
from vantage6.models.store import roles, users


class Users(Resource):
    """All users."""

    @endpoint(USER, query=UserFilter, reply=list[UserReply], permission="user VIEW")
    def on_get(self, req: Request, resp: Response, caller: Caller, query: UserFilter) -> Any:
        """List the users that the caller may see."""
        rows, total = users.page(
            caller.reach("user", Scope.ORGANIZATION),
            lists.wanted(query),
            username=query.username,
            firstname=query.firstname,
            lastname=query.lastname,
            email=query.email,
            organization=query.organization_id,
            role=query.role_id,
            rule=query.rule_id,
        )
        return lists.answer(req, resp, query, self.replies.users(rows), total)

    @endpoint(USER, body=UserCreate, reply=UserReply, status=201, permission="user CREATE")
    def on_post(self, _: Request, __: Response, caller: Caller, body: UserCreate) -> Any:
        """Add a user, with roles and rules that the caller holds."""
        organization_id = body.organization_id or caller.organization_id
        caller.require("user", Operation.CREATE, organization=organization_id)
        wanted_rules = roles.rules(body.rules or [])
        caller.require_held(
            roles.grants_of(body.roles or [])
            | frozenset((rule.name, rule.operation, rule.scope) for rule in wanted_rules)
        )
        for role_id in body.roles or []:
            if roles.get(role_id).organization_id not in (None, organization_id):
                raise Forbidden(f"Role {role_id} belongs to another organization.")
        password = body.password.get_secret_value()
        passwords.check_policy(password)
        row = users.create(
            username=body.username,
            password=passwords.hashed(password),
            firstname=body.firstname,
            lastname=body.lastname,
            email=body.email,
            organization_id=organization_id,
            roles=body.roles or [],
            rules=body.rules or [],
        )
        return self.replies.users([row])[0]

    @endpoint(USER, reply=UserReply, permission="user VIEW, or oneself")
    def on_get_one(self, _: Request, __: Response, caller: Caller, id_: int) -> Any:
        """Show a user."""
        row = users.get(id_)
        if id_ != caller.id:
            caller.require("user", Operation.VIEW, organization=row.organization_id)
        return self.replies.users([row])[0]

    @endpoint(USER, reply=Message, permission="user DELETE")
    def on_delete_one(self, _: Request, __: Response, caller: Caller, id_: int) -> Any:
        """Remove a user."""
        row = users.get(id_)
        caller.require("user", Operation.DELETE, organization=row.organization_id, user=id_)
        users.delete(row)
        return {"msg": f"User {row.username} was removed."}


class Roles(Resource):
    """All roles."""

    @endpoint(USER, query=RoleFilter, reply=list[RoleReply], permission="role VIEW, or one's own")
    def on_get(self, req: Request, resp: Response, caller: Caller, query: RoleFilter) -> Any:
        """List the roles that the caller may see."""
        try:
            reach = caller.reach("role", Scope.ORGANIZATION)
        except Forbidden:
            reach = None
        rows, total = roles.page(
            reach,
            lists.wanted(query),
            user=caller.id,
            organizations=query.organization_id,
            include_root=query.include_root,
            names=query.name,
            having_user=query.user_id,
            rule=query.rule_id,
        )
        return lists.answer(req, resp, query, self._replies(caller, rows), total)

    @endpoint(USER, reply=RoleReply, permission="role VIEW, or one's own")
    def on_get_one(self, _: Request, __: Response, caller: Caller, id_: int) -> Any:
        """Show a role."""
        row = roles.get(id_)
        if not roles.has(caller.id, id_):
            caller.require("role", Operation.VIEW, organization=row.organization_id)
        return self._replies(caller, [row])[0]

    def _replies(self, caller: Caller, rows: list[Any]) -> list[Any]:
        def visible(organization: int | None) -> bool:
            return caller.may("user", Operation.VIEW, organization=organization)

        return self.replies.roles(rows, visible)


class Rules(Resource):
    """All rules."""

    @endpoint(USER, query=RuleFilter, reply=list[RuleReply])
    def on_get(
        self,
        req: Request,
        resp: Response,
        caller: Caller,  # noqa: ARG002  (every user may)
        query: RuleFilter,
    ) -> Any:
        """List the rules."""
        rows, total = roles.rule_page(
            lists.wanted(query),
            name=query.name,
            operation=query.operation,
            scope=query.scope,
            role=query.role_id,
        )
        return lists.answer(req, resp, query, self.replies.rules(rows), total)

    @endpoint(USER, reply=RuleReply)
    def on_get_one(
        self,
        _: Request,
        __: Response,
        caller: Caller,  # noqa: ARG002  (every user may)
        id_: int,
    ) -> Any:
        """Show a rule."""
        return self.replies.rules([roles.rule(id_)])[0]
