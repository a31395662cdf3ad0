"""Who is asking, and what that one may do. The only place where rules are weighed."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TypedDict, Unpack

from vantage6.common.enums import IdentityKind, Operation, Scope
from vantage6.common.errors import Forbidden, Unauthenticated
from vantage6.common.identity import KEY_IN_USE
from vantage6.models.rules import DEFAULT_ROLES, Grant, reaches_everything
from vantage6.models.store import lineage, organizations, users
from vantage6.models.store.access import Reach
from vantage6.models.store.lineage import Kinship
from vantage6.models.tables import Node, Result, Task, User

_ROLE_OF_KIND = {name: grants for name, _, grants in DEFAULT_ROLES}

#: The texts of a result, as they are stored.
TEXTS = frozenset({"input", "result", "log"})
_OUTPUT, _NO_TEXTS = frozenset({"result"}), frozenset[str]()

#: From the widest scope to the narrowest.
_WIDEST_FIRST = (Scope.GLOBAL, Scope.COLLABORATION, Scope.ORGANIZATION, Scope.OWN)


class Target(TypedDict, total=False):
    """What a caller wants to do something to, as far as the scopes of rules tell it apart."""

    #: The organization that it belongs to: scope ORGANIZATION.
    organization: int | None
    #: The collaboration that it belongs to: scopes ORGANIZATION and COLLABORATION.
    collaboration: int | None
    #: The organization that it is or belongs to, where sharing a collaboration with that is enough:
    #: scope COLLABORATION.
    partner: int | None
    #: The user that it is: scope OWN.
    user: int | None


@dataclass(frozen=True)
class Caller:
    """The identity behind a request."""

    kind: IdentityKind
    id: int
    organization_id: int | None
    rules: frozenset[Grant]
    #: For nodes and containers, which see only their own collaboration.
    collaboration_id: int | None = None
    user: User | None = field(default=None, repr=False)
    #: For users and nodes.
    session_id: int | None = None
    node: Node | None = field(default=None, repr=False)
    #: For containers.
    task_id: int | None = None
    image: str | None = None

    @classmethod
    def of_user(cls, user: User, session_id: int) -> "Caller":
        """Return a user as caller, with the rules that it holds at this moment."""
        rules = users.rules_of(user.id)
        return cls(
            IdentityKind.USER,
            user.id,
            user.organization_id,
            rules,
            user=user,
            session_id=session_id,
        )

    @classmethod
    def of_node(cls, node: Node, session_id: int) -> "Caller":
        """Return a node as caller."""
        return cls(
            IdentityKind.NODE,
            node.id,
            node.organization_id,
            _ROLE_OF_KIND["node"],
            collaboration_id=node.collaboration_id or 0,
            node=node,
            session_id=session_id,
        )

    @classmethod
    def of_container(cls, node: Node, task_id: int, image: str) -> "Caller":
        """Return an algorithm that runs at a node as caller."""
        return cls(
            IdentityKind.CONTAINER,
            node.id,
            node.organization_id,
            _ROLE_OF_KIND["container"],
            collaboration_id=node.collaboration_id or 0,
            node=node,
            task_id=task_id,
            image=image,
        )

    @property
    def calling_node(self) -> Node:
        """The node, on routes that are for nodes only."""
        if self.node is None:
            raise Forbidden("This is for a node only.")
        # SECURITY: two processes that compute for one node would each deliver a result of its own.
        if self.kind is IdentityKind.NODE and not self._has_working_session:
            raise Unauthenticated(
                "Another process works with this node's key, and this login only looks. Stop one "
                "of the two.",
                code=KEY_IN_USE,
            )
        return self.node

    @property
    def _has_working_session(self) -> bool:
        """Whether a node may compute with this login; any may while none has said that it does."""
        return self.node is not None and self.node.working_session in (None, self.session_id)

    @cached_property
    def collaborations(self) -> frozenset[int]:
        """Ids of the collaborations within the caller's reach."""
        if self.collaboration_id is not None:
            return frozenset({self.collaboration_id})
        return organizations.collaborations_of(self.organization_id)

    @cached_property
    def partners(self) -> frozenset[int]:
        """Ids of the organizations in these collaborations."""
        return organizations.members_of(self.collaborations)

    def holds(self, resource: str, operation: Operation, scope: Scope) -> bool:
        """Tell whether exactly this rule is held."""
        return (resource, operation, scope) in self.rules

    def reaches_everything(self, resource: str, operation: Operation) -> bool:
        """Tell whether the caller may do something to all rows of a kind.

        SECURITY: scope GLOBAL on users, roles, nodes, organizations and collaborations reaches all
        of them for the holder of every rule alone. For others it ends at the own organization and
        its collaborations, or an administrator of one tenant is that of all.
        """
        return self.holds(resource, operation, Scope.GLOBAL) and reaches_everything(
            self.rules, resource, operation
        )

    def holds_some(self, resource: str, operation: Operation) -> bool:
        """Tell whether a rule is held in any scope."""
        return any(self.holds(resource, operation, scope) for scope in Scope)

    def reach(self, resource: str, *scopes: Scope) -> Reach:
        """Return which rows of a resource the caller may see.

        Parameters
        ----------
        resource
            The noun that rules name.
        scopes
            The scopes that mean something for it, beside GLOBAL.

        Raises
        ------
        Forbidden
            If no rule lets the caller see any.
        """
        for scope in _WIDEST_FIRST:
            if (scope is Scope.GLOBAL or scope in scopes) and self.holds(
                resource, Operation.VIEW, scope
            ):
                if scope is Scope.GLOBAL and not self.reaches_everything(resource, Operation.VIEW):
                    scope = Scope.COLLABORATION
                return Reach(scope, self.organization_id, self.collaboration_id, self.task_id)
        raise Forbidden(f"You lack the permission to view any {resource}.")

    def kinship(self, task_id: int) -> Kinship | None:
        """Return what a task is to an algorithm; None if nothing, or for any other caller."""
        if self.task_id is None:
            return None
        return lineage.kinship(task_id, self.task_id, self.organization_id)

    def sees(self, task_id: int) -> bool:
        """Tell whether a task exists for the caller; then the rules decide what it may do.

        SECURITY: for an algorithm, only the task that it computes and those below it.
        """
        return self.task_id is None or self.kinship(task_id) in (Kinship.OWN, Kinship.BELOW)

    def texts_of(self, result: Result) -> frozenset[str]:
        """Return which texts of a result, read with its task, the caller may see.

        SECURITY: a node gets those of its own organization. An algorithm gets what the sub-tasks
        that it made itself have computed; the log and the input of others are not for it.
        """
        if self.kind is IdentityKind.NODE:
            return TEXTS if result.organization_id == self.organization_id else _NO_TEXTS
        if self.kind is IdentityKind.CONTAINER:
            task = result.task
            asked = (task.parent_id, task.initiator_id)
            return _OUTPUT if asked == (self.task_id, self.organization_id) else _NO_TEXTS
        return TEXTS

    def may(self, resource: str, operation: Operation, **target: Unpack[Target]) -> bool:
        """Tell whether the caller may do something to one target; see `Target`."""
        if self.reaches_everything(resource, operation):
            return True
        organization, collaboration = target.get("organization"), target.get("collaboration")
        partner, user = target.get("partner"), target.get("user")
        # What GLOBAL means that does not reach everything.
        near = self.holds(resource, operation, Scope.GLOBAL)
        if (near or self.holds(resource, operation, Scope.COLLABORATION)) and (
            (collaboration is not None and collaboration in self.collaborations)
            or (partner is not None and partner in self.partners | {self.organization_id})
        ):
            return True
        if (near or self.holds(resource, operation, Scope.ORGANIZATION)) and (
            (organization is not None and organization == self.organization_id)
            or (collaboration is not None and collaboration in self.collaborations)
        ):
            return True
        return (
            user is not None
            and self.kind is IdentityKind.USER
            and user == self.id
            and self.holds(resource, operation, Scope.OWN)
        )

    def require(
        self,
        resource: str,
        operation: Operation,
        refusal: str | None = None,
        **target: Unpack[Target],
    ) -> None:
        """Raise `Forbidden`, by default with a sentence of its own, unless the caller `may`."""
        if not self.may(resource, operation, **target):
            raise Forbidden(
                refusal or f"You lack the permission to {operation.lower()} this {resource}."
            )

    def require_some(self, resource: str, operation: Operation) -> None:
        """Raise `Forbidden` unless a rule is held in some scope."""
        if not self.holds_some(resource, operation):
            raise Forbidden(f"You lack the permission to {operation.lower()} any {resource}.")

    def views_results_of(self, task: Task) -> bool:
        """Tell whether the caller may view the results of a task that he may view."""
        return self.may("result", Operation.VIEW, collaboration=task.collaboration_id)

    def views_task(self, task: Task) -> bool:
        """Tell whether the caller may view the task of a result that he may view."""
        return self.may("task", Operation.VIEW, collaboration=task.collaboration_id)

    def sees_users_of(self, organization: int | None) -> bool:
        """Tell whether the caller may see the users of an organization."""
        return self.may("user", Operation.VIEW, organization=organization, partner=organization)

    def sees_user(self, user_id: int) -> bool:
        """Tell whether the caller may see a user: himself, or one of an organization."""
        if self.kind is IdentityKind.USER and self.id == user_id:
            return True
        user = users.find(user_id)
        return user is not None and self.sees_users_of(user.organization_id)

    def require_as_strong_as(self, user: User) -> None:
        """Raise `Forbidden` unless the caller holds each rule of a user, or is that user.

        SECURITY: a caller who changes, removes or resets an account could take it over.
        """
        if self.kind is IdentityKind.USER and self.id == user.id:
            return
        if users.rules_of(user.id) - self.rules:
            raise Forbidden(
                f"User {user.id} may do more than you; an account with the same rules has to do "
                "this."
            )

    def require_held(self, grants: frozenset[Grant]) -> None:
        """Raise `Forbidden` unless the caller holds each rule that is given or taken away.

        SECURITY: a caller gives no rule that he lacks himself, and takes none from others.
        """
        if missing := sorted(grants - self.rules):
            resource, operation, scope = missing[0]
            raise Forbidden(
                "You cannot give or take away a rule that you do not hold: "
                f"{operation} {resource} ({scope})."
            )
