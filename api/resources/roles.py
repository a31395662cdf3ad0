"""Roles, and the rules that they bundle."""

from typing import Any

from falcon import Request, Response

from vantage6.api import lists
from vantage6.api.endpoint import USER, endpoint
from vantage6.api.permissions import Caller
from vantage6.api.resources.base import Resource
from vantage6.common.enums import Operation, Scope
from vantage6.common.errors import Forbidden
from vantage6.common.schemas.roles import RoleFilter, RoleReply, RuleFilter, RuleReply
from vantage6.models.store import roles


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
        return lists.answer(req, resp, query, self.replies.roles(rows, caller.sees_users_of), total)

    @endpoint(USER, reply=RoleReply, permission="role VIEW, or one's own")
    def on_get_one(self, _: Request, __: Response, caller: Caller, id_: int) -> Any:
        """Show a role."""
        row = roles.get(id_)
        if not roles.has(caller.id, id_):
            caller.require("role", Operation.VIEW, organization=row.organization_id)
        return self.replies.roles([row], caller.sees_users_of)[0]


class Rules(Resource):
    """All rules."""

    @endpoint(USER, query=RuleFilter, reply=list[RuleReply])
    def on_get(
        self,
        req: Request,
        resp: Response,
        caller: Caller,
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
        return lists.answer(req, resp, query, self.replies.rules(rows, caller.sees_users_of), total)

    @endpoint(USER, reply=RuleReply)
    def on_get_one(
        self,
        _: Request,
        __: Response,
        caller: Caller,
        id_: int,
    ) -> Any:
        """Show a rule."""
        return self.replies.rules([roles.rule(id_)], caller.sees_users_of)[0]
