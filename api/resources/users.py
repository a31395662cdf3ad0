"""Users."""

from typing import Any

from falcon import Request, Response

from vantage6.api import lists, passwords
from vantage6.api.endpoint import USER, Read, endpoint
from vantage6.api.permissions import Caller
from vantage6.api.resources.base import Resource
from vantage6.common.enums import Operation, Scope
from vantage6.common.errors import Forbidden
from vantage6.common.schemas.base import Message
from vantage6.common.schemas.users import UserCreate, UserFilter, UserReply
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
    def on_post(self, _: Request, __: Response, caller: Caller, read: Read[UserCreate]) -> Any:
        """Add a user, with roles and rules that the caller holds."""
        body = read()
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
