"""The tasks that may run at this station. Sub-tasks are held to the same rules.

Checking and explaining are one: `findings` goes through the rules one by one, `check` refuses with
the first that is broken, and ``vnode policy test`` prints them all.
"""

from collections.abc import Iterable, Iterator

from vantage6.common import logs
from vantage6.common.config.floors import FloorsConfig
from vantage6.common.config.node import NodeConfig
from vantage6.common.config.policies import PolicyConfig
from vantage6.common.config.release import ReleaseConfig
from vantage6.common.config.services import VPN, WHITELIST
from vantage6.common.task_status import TaskStatus
from vantage6.node.claims import Requester
from vantage6.node.outcomes import Reason, RefusalError, size
from vantage6.node.rules.approval import ApprovalRules, Asking
from vantage6.node.rules.findings import (
    Finding,
    PolicyRequest,
    Verdict,
    allow,
    leave_open,
    refuse,
)
from vantage6.node.rules.formats import EMPTY, JSON
from vantage6.node.rules.functions import FunctionRules
from vantage6.node.rules.image_lists import ImageList
from vantage6.node.rules.registries import Registries, registry_of

log = logs.get(__name__)


class Policy:
    """The station's rules.

    Parameters
    ----------
    config
        Where the rules are written down.
    """

    def __init__(self, config: NodeConfig) -> None:
        self._policies = config.policies or PolicyConfig()
        self._is_written = config.policies is not None
        self._images = {
            "policies.allowed_algorithms": ImageList(self._policies.allowed_algorithms),
            "allowed_images": ImageList(config.allowed_images),
        }
        #: Which registries may be asked for images.
        self.registries = Registries(config)
        self._functions = FunctionRules(self._policies)
        self._levels = config.subtask_levels
        self._databases = (
            None
            if self._policies.databases is None
            else {label: ImageList(entries) for label, entries in self._policies.databases.items()}
        )
        self._approval = ApprovalRules(self._policies.approval)
        services = self._policies.services
        self._services = (
            None
            if services is None
            else {name: ImageList(images) for name, images in services.items()}
        )
        log.info("images are pulled from", registries=self.registries.names or "anywhere")
        if not any(self._images.values()):
            if self._is_written:
                log.warning("no algorithm may run here: policies.allowed_algorithms names none")
            else:
                log.warning("any algorithm may run here: no policies are written")

    def check(self, request: PolicyRequest) -> None:
        """Return if nothing that is known by now forbids a task.

        Raises
        ------
        RefusalError
            With status ``not allowed`` if a rule does.
        """
        for finding in self.findings(request):
            if finding.verdict is Verdict.REFUSED:
                reason = finding.reason
                raise RefusalError(TaskStatus.NOT_ALLOWED, reason.code, reason.message)

    def findings(self, request: PolicyRequest) -> Iterator[Finding]:
        """Yield what each rule says, in the order in which they are checked."""
        yield from self._on_image(request)
        yield from self._on_registry(request)
        yield from self._on_level(request)
        yield self._on_initiator(request)
        yield self._on_database(request)
        yield self._on_input(request)
        yield self._on_format(request)
        yield from self._functions.findings(request)

    @property
    def names_functions(self) -> bool:
        """Whether the rules allow functions by name, so that the function has to be known."""
        return self._functions.names_functions

    @property
    def floors(self) -> FloorsConfig:
        """How little may stand behind a number that leaves."""
        return self._policies.floors

    @property
    def person_column(self) -> str | None:
        """The column that names the person of a record."""
        return self._policies.person_column

    def on_approval(self, request: PolicyRequest) -> Asking:
        """Return when a person at the station is asked about a request."""
        return self._approval.judge(request)

    @property
    def asks_people(self) -> bool:
        """Whether a person may be asked about any request at all."""
        return self._approval.is_any

    @property
    def hold_seconds(self) -> float:
        """How long a request waits for the answer of a person."""
        return self._policies.hold_seconds

    @property
    def approvals_needed(self) -> int:
        """How many different people have to approve."""
        return 2 if self._policies.four_eyes else 1

    @property
    def release(self) -> ReleaseConfig:
        """What becomes of outputs that look like the data."""
        return self._policies.release

    @property
    def allows_pickle(self) -> bool:
        """Whether payloads that are not JSON may go into an algorithm."""
        return self._policies.allow_pickle or not self._is_written

    def may_reach(self, service: str, request: PolicyRequest) -> bool:
        """Tell whether the rules open a service of the station to an image."""
        return self.on_service(service, request).verdict is Verdict.ALLOWED

    def on_service(self, service: str, request: PolicyRequest) -> Finding:
        """Return what the rules say about a service of the station, by its name.

        Without rules, what was set up for all is open, and what leads to data is not.
        """
        rule = f"policies.services.{service}"
        if self._services is None:
            if service in (WHITELIST, VPN):
                return allow(rule, "Without `policies.services` it is open to every image.")
            return refuse(rule, "", "Without `policies.services` it is for its databases only.")
        images = self._services.get(service)
        if images is None:
            return refuse(rule, "", "`policies.services` does not name it.")
        verdict = images.judge(request)
        if verdict is Verdict.ALLOWED:
            return allow(rule, f"The image {request.image} is listed.")
        if verdict is Verdict.OPEN:
            return leave_open(rule, "Only if the image has a digest that is listed.")
        return refuse(rule, "", f"The image {request.image} is not listed.")

    def may_leave(self, length: int, what: str = "output") -> Reason | None:
        """Return why an output, or what goes out in another way, is too large; None if it is not.

        Parameters
        ----------
        length
            Its bytes.
        what
            What it is.
        """
        most = self._policies.max_output_bytes
        if most is None or length <= most:
            return None
        return Reason(
            "output_not_allowed",
            f"The {what} has {length} bytes, and no more than {size(most)} may leave this node.",
        )

    def _on_image(self, request: PolicyRequest) -> Iterator[Finding]:
        lists = {rule: images for rule, images in self._images.items() if images}
        if not lists and not self._is_written:
            yield allow("policies", "No policies are written: every image may run.")
        elif not lists:
            yield refuse(
                "policies.allowed_algorithms",
                "image_not_allowed",
                "The node has policies that name no image, so that it runs none.",
            )
        for rule, images in lists.items():
            verdict = images.judge(request)
            if verdict is Verdict.REFUSED:
                text = f"The node does not allow the image {request.image}."
                yield refuse(rule, "image_not_allowed", text)
            elif verdict is Verdict.OPEN:
                text = f"Only if what {request.image} stands for has a digest that is listed."
                yield leave_open(rule, text)
            else:
                yield allow(rule, f"The image {request.image} is listed.")

    def _on_registry(self, request: PolicyRequest) -> Iterator[Finding]:
        rule, names = "policies.registries", self.registries.names
        if names is None:
            return
        host = registry_of(request.image)[:255]
        if self.registries.may_ask(request.image):
            yield allow(rule, f"The image may be pulled from {host}.")
        elif request.digests is None:
            text = f"Only if the image is at the node already: it pulls none from {host}."
            yield leave_open(rule, text)

    def _on_level(self, request: PolicyRequest) -> Iterator[Finding]:
        rule = "subtask_levels"
        if request.above is not None and len(request.above) > self._levels:
            yield refuse(
                rule,
                "too_deep",
                f"The node computes sub-tasks down to level {self._levels} below the first task of "
                f"a run, and this one is at level {len(request.above)}.",
            )

    def _on_initiator(self, request: PolicyRequest) -> Finding:
        rule = "policies.allowed_users, policies.allowed_organizations"
        users, organizations = self._policies.allowed_users, self._policies.allowed_organizations
        if not (users or organizations):
            return allow(rule, "All users of the collaboration may ask.")
        if request.above is None:
            return refuse(
                rule,
                "initiator_not_allowed",
                "The node allows tasks of some users and organizations only, and the server does "
                "not say who asked for the first task of this sub-task. Update the server.",
            )
        own = Requester(
            request.organization_id, request.organization, request.user_id, request.user
        )
        # SECURITY: whoever is not listed could have a listed organization pass the question on.
        for requester in (*request.above, own):
            if not (
                _is_listed(users, requester.user_id, requester.user)
                or _is_listed(organizations, requester.organization_id, requester.organization)
            ):
                return refuse(rule, "initiator_not_allowed", _unlisted(requester, own))
        return allow(rule, "The user or the organization is listed, as each on the way is.")

    def _on_database(self, request: PolicyRequest) -> Finding:
        rule = f"policies.databases.{request.database}"
        if self._databases is None:
            return allow("policies.databases", "Every allowed image may read every database.")
        images = self._databases.get(request.database)
        verdict = Verdict.REFUSED if images is None else images.judge(request)
        if verdict is Verdict.ALLOWED:
            return allow(rule, f"The image may read the database {request.database!r}.")
        if verdict is Verdict.OPEN:
            return leave_open(rule, "Only if the image has a digest that is listed.")
        return refuse(
            rule,
            "database_not_allowed",
            f"The node does not let the image {request.image} read the database "
            f"{request.database!r}.",
        )

    def _on_format(self, request: PolicyRequest) -> Finding:
        rule = "policies.allow_pickle"
        if not self._is_written:
            return allow(rule, "Without policies inputs may be in any format.")
        if self.allows_pickle:
            return allow(rule, "Inputs may be in any format.")
        if request.input_format is None:
            return leave_open(rule, "Only if the input is JSON.")
        # SECURITY: a wrapper unpickles what is not named JSON, and a pickle runs code.
        if request.input_format in (JSON, EMPTY):
            return allow(rule, "The input is JSON.")
        return refuse(
            rule,
            "pickle_not_allowed",
            f"The node takes inputs in JSON only, and this one is not ({request.input_format}). "
            'Send the task with data_format="json".',
        )

    def _on_input(self, request: PolicyRequest) -> Finding:
        rule, most = "policies.max_input_bytes", self._policies.max_input_bytes
        if most is None:
            return allow(rule, "Inputs may have any size.")
        if request.input_bytes is None:
            return leave_open(rule, f"Only if the input has at most {size(most)}.")
        if request.input_bytes <= most:
            return allow(rule, f"{request.input_bytes} bytes are at most {size(most)}.")
        return refuse(
            rule,
            "input_too_large",
            f"The input has {request.input_bytes} bytes; the node allows {size(most)}.",
        )


def _is_listed(entries: Iterable[str], id_: int | None, name: str | None) -> bool:
    # SECURITY: digits are always an id, or somebody could take the number for a name.
    return any(
        id_ is not None and entry == str(id_) if entry.isdecimal() else entry == name
        for entry in entries
    )


def _unlisted(requester: Requester, own: Requester) -> str:
    if requester is own:
        return "The node does not allow tasks of this user or of this organization."
    task = f"task {requester.task_id}" if requester.task_id else "a task"
    name = requester.organization or requester.organization_id
    return (
        f"This sub-task follows from {task} of {name}, and the node does not allow tasks of that "
        "user or of that organization."
    )
