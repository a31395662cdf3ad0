"""What may run at this station, and for whom. Sub-tasks are held to the same rules."""

import re
from collections.abc import Callable

from vantage6.common import logs
from vantage6.common.config.node import NodeConfig
from vantage6.common.errors import Forbidden, NotFound
from vantage6.common.task_status import TaskStatus
from vantage6.node.claims import Claim
from vantage6.node.outcomes import RefusalError

log = logs.get(__name__)


class Policy:
    """The station's rules.

    Parameters
    ----------
    config
        Where the rules are written down.
    organization_name
        Looks up the name of an organization; only called if the rules hold names.
    """

    def __init__(self, config: NodeConfig, organization_name: Callable[[int], str]) -> None:
        policies = config.policies
        self._algorithms = _compiled(policies.allowed_algorithms if policies else ())
        self._images = _compiled(config.allowed_images)
        self._users = frozenset(policies.allowed_users if policies else ())
        self._organizations = frozenset(policies.allowed_organizations if policies else ())
        self._organization_name = organization_name
        if not (self._algorithms or self._images):
            log.warning("any algorithm may run here: no policies.allowed_algorithms are set")

    def check(self, claim: Claim) -> None:
        """Return if a result may be computed here.

        Raises
        ------
        RefusalError
            With status ``not allowed`` if a rule forbids it.
        Unavailable
            If the name of an organization has to be asked for, and the server is away.
        """
        for expressions in (self._algorithms, self._images):
            # SECURITY: the whole reference has to match, or `^a/b` would also admit `a/bevil`.
            if expressions and not any(e.fullmatch(claim.image) for e in expressions):
                raise _refusal(
                    "image_not_allowed", f"The node does not allow the image {claim.image}."
                )
        if (self._users or self._organizations) and not (
            self._knows_user(claim) or self._knows_organization(claim)
        ):
            raise _refusal(
                "initiator_not_allowed",
                "The node does not allow tasks of this user or of this organization.",
            )

    def _knows_user(self, claim: Claim) -> bool:
        return claim.init_user is not None and str(claim.init_user) in self._users

    def _knows_organization(self, claim: Claim) -> bool:
        if str(claim.initiator) in self._organizations:
            return True
        names = [entry for entry in self._organizations if not entry.isdecimal()]
        try:
            return bool(names) and self._organization_name(claim.initiator) in names
        except (NotFound, Forbidden):
            # Whose name the server does not tell is not on the list.
            return False


def _compiled(expressions: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(expression) for expression in expressions)


def _refusal(code: str, message: str) -> RefusalError:
    return RefusalError(TaskStatus.NOT_ALLOWED, code, message)
