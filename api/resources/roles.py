"""Roles, and the rules that they bundle."""

from falcon import Request, Response

from vantage6.api.endpoint import USER, Read, endpoint
from vantage6.api.http import lists
from vantage6.api.identity.permissions import Caller
from vantage6.api.identity.rights import Rights
from vantage6.api.resources.base import Resource
from vantage6.api.schemas.base import Message, PageQuery
from vantage6.api.schemas.roles import (
    RoleCreate,
    RoleFilter,
    RoleReply,
    RoleUpdate,
    RuleFilter,
    RuleReply,
)
from vantage6.common.enums import Operation, Scope
from vantage6.common.errors import Forbidden, NotFound
from vantage6.models.store import organizations, roles
from vantage6.models.tables import Role


class Roles(Resource):
    """All roles."""

    @endpoint(
        USER,
        query=RoleFilter,
        reply=list[RoleReply],
        permission=Rights(("role", Operation.VIEW), text="{}, or one's own"),
    )
    def on_get(
        self, req: Request, resp: Response, caller: Caller, query: RoleFilter
    ) -> lists.Listed[RoleReply]:
        """List the roles that the caller may see."""
        try:
            reach = caller.reach("role", Scope.ORGANIZATION)
        except Forbidden:
            reach = None
        # SECURITY: who has which role is for those to know who may see the user.
        if query.user_id is not None and not caller.sees_user(query.user_id):
            return lists.answer(req, resp, query, [], 0)
        rows, total = roles.page(
            reach,
            lists.requested_page(query),
            user=caller.id,
            organizations=query.organization_id,
            include_root=query.include_root,
            names=query.name,
            descriptions=query.description,
            having_user=query.user_id,
            rule=query.rule_id,
        )
        return lists.answer(req, resp, query, self.replies.roles(rows, caller.sees_users_of), total)

    @endpoint(
        USER,
        body=RoleCreate,
        creates=True,
        weighs_first=True,
        problems=(404,),
        reply=RoleReply,
        status=201,
        permission=Rights(("role", Operation.CREATE), text="{}, and each of its rules"),
    )
    def on_post(self, caller: Caller, read: Read[RoleCreate]) -> RoleReply:
        """Add a role to an organization, with rules that the caller holds."""
        body = read()
        organization_id = body.organization_id or caller.organization_id
        caller.require("role", Operation.CREATE, organization=organization_id)
        if organization_id is None:
            raise Forbidden("You belong to no organization; name one.")
        organizations.get(organization_id)
        roles.check_name(body.name)
        wanted = roles.rules(body.rules or [])
        caller.require_held(roles.grants(wanted))
        row = roles.create(
            body.name, body.description or "", [rule.id for rule in wanted], organization_id
        )
        return self._show(row, caller)

    @endpoint(
        USER, reply=RoleReply, permission=Rights(("role", Operation.VIEW), text="{}, or one's own")
    )
    def on_get_one(self, caller: Caller, id_: int) -> RoleReply:
        """Show a role."""
        row = roles.get(id_)
        if not roles.has(caller.id, id_):
            self.check_visible(caller, row)
        return self._show(row, caller)

    @endpoint(
        USER,
        body=RoleUpdate,
        reply=RoleReply,
        permission=Rights(
            ("role", Operation.EDIT), text="{}, and each of its rules if they change"
        ),
    )
    def on_patch_one(self, caller: Caller, id_: int, read: Read[RoleUpdate]) -> RoleReply:
        """Change a role; null leaves a field as it is, and `rules` replaces all of them.

        A caller who changes the rules must hold each that the role had and each that it gets.
        """
        row = roles.get(id_)
        self._check_editable(caller, Operation.EDIT, row)
        body = read()
        if body.name is not None:
            roles.check_name(body.name)
        more, fewer = set(), set()
        if body.rules is not None:
            wanted, present = roles.rules(body.rules), roles.rules_of(id_)
            caller.require_held(roles.grants([*wanted, *present]))
            before, after = ({rule.id for rule in found} for found in (present, wanted))
            more, fewer = after - before, before - after
        fields = body.model_dump(include={"name", "description"}, exclude_none=True)
        return self._show(roles.update(row, fields, more, fewer), caller)

    @endpoint(
        USER,
        reply=Message,
        problems=(400,),
        permission=Rights(("role", Operation.DELETE), text="{}, and each of its rules"),
    )
    def on_delete_one(self, caller: Caller, id_: int) -> Message:
        """Remove a role, also from the users that have it."""
        row = roles.get(id_)
        self._check_editable(caller, Operation.DELETE, row)
        caller.require_held(roles.grants_of([id_]))
        roles.delete(row)
        return {"msg": f"Role {row.name} was removed."}

    @endpoint(
        USER, query=PageQuery, reply=list[RuleReply], permission=Rights(("role", Operation.VIEW))
    )
    def on_get_rules(
        self, req: Request, resp: Response, caller: Caller, id_: int, query: PageQuery
    ) -> lists.Listed[RuleReply]:
        """List the rules of a role."""
        row = roles.get(id_)
        self.check_visible(caller, row)
        rows, total = roles.rule_page(lists.requested_page(query), role=id_)
        return lists.answer(req, resp, query, self.replies.rules(rows, caller.sees_users_of), total)

    @endpoint(
        USER,
        reply=list[RuleReply],
        status=201,
        problems=(400,),
        permission=Rights(("role", Operation.EDIT), text="{}, and the rule"),
    )
    def on_post_rule(self, caller: Caller, id_: int, rule_id_: int) -> list[RuleReply]:
        """Put a rule into a role; the answer lists the rules that it has then."""
        row, rule = roles.get(id_), roles.rule(rule_id_)
        self._check_editable(caller, Operation.EDIT, row)
        caller.require_held(roles.grants([rule]))
        roles.put_in(row, [rule.id])
        return self.replies.rules(roles.rules_of(id_), caller.sees_users_of)

    @endpoint(
        USER,
        reply=list[RuleReply],
        problems=(400,),
        permission=Rights(("role", Operation.DELETE), text="{}, and the rule"),
    )
    def on_delete_rule(self, caller: Caller, id_: int, rule_id_: int) -> list[RuleReply]:
        """Take a rule out of a role; the answer lists the rules that are left."""
        row, rule = roles.get(id_), roles.rule(rule_id_)
        self._check_editable(caller, Operation.DELETE, row)
        caller.require_held(roles.grants([rule]))
        roles.take_out(row, rule.id)
        return self.replies.rules(roles.rules_of(id_), caller.sees_users_of)

    def _show(self, row: Role, caller: Caller) -> RoleReply:
        return self.replies.roles([row], caller.sees_users_of)[0]

    @staticmethod
    def check_visible(caller: Caller, row: Role) -> None:
        """Raise `Forbidden` unless the caller may see a role by a rule."""
        home = row.organization_id
        if home is None and caller.holds("role", Operation.VIEW, Scope.GLOBAL):
            return
        caller.require("role", Operation.VIEW, organization=home, partner=home)

    @staticmethod
    def _check_editable(caller: Caller, operation: Operation, row: Role) -> None:
        caller.require("role", operation, organization=row.organization_id)
        roles.check_editable(row)


class Rules(Resource):
    """All rules."""

    @endpoint(USER, query=RuleFilter, reply=list[RuleReply])
    def on_get(
        self, req: Request, resp: Response, caller: Caller, query: RuleFilter
    ) -> lists.Listed[RuleReply]:
        """List the rules, or those of a role that the caller may see."""
        # SECURITY: the filter tells what a role grants.
        if query.role_id is not None and not self._sees_role(caller, query.role_id):
            return lists.answer(req, resp, query, [], 0)
        rows, total = roles.rule_page(
            lists.requested_page(query),
            name=query.name,
            operation=query.operation,
            scope=query.scope,
            role=query.role_id,
        )
        return lists.answer(req, resp, query, self.replies.rules(rows, caller.sees_users_of), total)

    @endpoint(USER, reply=RuleReply)
    def on_get_one(self, caller: Caller, id_: int) -> RuleReply:
        """Show a rule."""
        return self.replies.rules([roles.rule(id_)], caller.sees_users_of)[0]

    @staticmethod
    def _sees_role(caller: Caller, id_: int) -> bool:
        """Tell whether a caller may see a role, which has to exist."""
        try:
            row = roles.get(id_)
            if row.organization_id is None and caller.holds_some("role", Operation.VIEW):
                return True
            if not roles.has(caller.id, id_):
                Roles.check_visible(caller, row)
        except (NotFound, Forbidden):
            return False
        return True
