"""The tasks that may run at this station. Sub-tasks are held to the same rules.

Checking and explaining are one: `findings` goes through the rules one by one, `check` refuses with
the first that is broken, and ``vnode policy test`` prints them all.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from vantage6.common import logs
from vantage6.common.config.floors import FloorsConfig
from vantage6.common.config.node import NodeConfig
from vantage6.common.config.policies import PolicyConfig
from vantage6.common.config.services import VPN, WHITELIST
from vantage6.common.task_status import TaskStatus
from vantage6.node.claims import Claim, Requester
from vantage6.node.outcomes import Reason, RefusalError, size
from vantage6.node.rules.formats import EMPTY, JSON
from vantage6.node.rules.registries import Registries, registry_of

log = logs.get(__name__)

_DIGEST = re.compile(r"(?:(?P<name>.*)@)?(?P<digest>sha256:[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class PolicyRequest:
    """What the rules look at. None is what is not known yet, or does not exist."""

    image: str
    database: str
    organization_id: int | None = None
    organization: str | None = None
    user_id: int | None = None
    user: str | None = None
    input_bytes: int | None = None
    #: Name of its format, as `formats.name_of` finds it.
    input_format: str | None = None
    #: Everything the image is known by: its id, and its digests at registries.
    digests: frozenset[str] | None = None
    #: Of a sub-task, who asked for the tasks above it, the first one first.
    above: tuple[Requester, ...] | None = ()

    @classmethod
    def by(
        cls,
        claim: Claim,
        *,
        input_bytes: int | None = None,
        input_format: str | None = None,
        digests: frozenset[str] | None = None,
    ) -> "PolicyRequest":
        """Return what a claim asks for."""
        return cls(
            image=claim.image,
            database=claim.database,
            organization_id=claim.initiator,
            organization=claim.initiator_name,
            user_id=claim.init_user,
            user=claim.init_username,
            input_bytes=input_bytes,
            input_format=input_format,
            digests=digests,
            above=claim.above,
        )


class Verdict(StrEnum):
    """What one rule says."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    #: It depends on something that is not known yet.
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says about one task, and why."""

    rule: str
    verdict: Verdict
    reason: Reason


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
            "policies.allowed_algorithms": _Images(self._policies.allowed_algorithms),
            "allowed_images": _Images(config.allowed_images),
        }
        #: Which registries may be asked for images.
        self.registries = Registries(config)
        self._levels = config.subtask_levels
        self._databases = (
            None
            if self._policies.databases is None
            else {label: _Images(entries) for label, entries in self._policies.databases.items()}
        )
        services = self._policies.services
        self._services = (
            None
            if services is None
            else {name: _Images(images) for name, images in services.items()}
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

    @property
    def floors(self) -> FloorsConfig:
        """How little may stand behind a number that leaves."""
        return self._policies.floors

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
                return _allowed(rule, "Without `policies.services` it is open to every image.")
            return _refusal(rule, "", "Without `policies.services` it is for its databases only.")
        images = self._services.get(service)
        if images is None:
            return _refusal(rule, "", "`policies.services` does not name it.")
        verdict = images.judge(request)
        if verdict is Verdict.ALLOWED:
            return _allowed(rule, f"The image {request.image} is listed.")
        if verdict is Verdict.OPEN:
            return _open(rule, "Only if the image has a digest that is listed.")
        return _refusal(rule, "", f"The image {request.image} is not listed.")

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
            yield _allowed("policies", "No policies are written: every image may run.")
        elif not lists:
            yield _refusal(
                "policies.allowed_algorithms",
                "image_not_allowed",
                "The node has policies that name no image, so that it runs none.",
            )
        for rule, images in lists.items():
            verdict = images.judge(request)
            if verdict is Verdict.REFUSED:
                text = f"The node does not allow the image {request.image}."
                yield _refusal(rule, "image_not_allowed", text)
            elif verdict is Verdict.OPEN:
                text = f"Only if what {request.image} stands for has a digest that is listed."
                yield _open(rule, text)
            else:
                yield _allowed(rule, f"The image {request.image} is listed.")

    def _on_registry(self, request: PolicyRequest) -> Iterator[Finding]:
        rule, names = "policies.registries", self.registries.names
        if names is None:
            return
        host = registry_of(request.image)[:255]
        if self.registries.may_ask(request.image):
            yield _allowed(rule, f"The image may be pulled from {host}.")
        elif request.digests is None:
            text = f"Only if the image is at the node already: it pulls none from {host}."
            yield _open(rule, text)

    def _on_level(self, request: PolicyRequest) -> Iterator[Finding]:
        rule = "subtask_levels"
        if request.above is not None and len(request.above) > self._levels:
            yield _refusal(
                rule,
                "too_deep",
                f"The node computes sub-tasks down to level {self._levels} below the first task of "
                f"a run, and this one is at level {len(request.above)}.",
            )

    def _on_initiator(self, request: PolicyRequest) -> Finding:
        rule = "policies.allowed_users, policies.allowed_organizations"
        users, organizations = self._policies.allowed_users, self._policies.allowed_organizations
        if not (users or organizations):
            return _allowed(rule, "All users of the collaboration may ask.")
        if request.above is None:
            return _refusal(
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
                return _refusal(rule, "initiator_not_allowed", _unlisted(requester, own))
        return _allowed(rule, "The user or the organization is listed, as each on the way is.")

    def _on_database(self, request: PolicyRequest) -> Finding:
        rule = f"policies.databases.{request.database}"
        if self._databases is None:
            return _allowed("policies.databases", "Every allowed image may read every database.")
        images = self._databases.get(request.database)
        verdict = Verdict.REFUSED if images is None else images.judge(request)
        if verdict is Verdict.ALLOWED:
            return _allowed(rule, f"The image may read the database {request.database!r}.")
        if verdict is Verdict.OPEN:
            return _open(rule, "Only if the image has a digest that is listed.")
        return _refusal(
            rule,
            "database_not_allowed",
            f"The node does not let the image {request.image} read the database "
            f"{request.database!r}.",
        )

    def _on_format(self, request: PolicyRequest) -> Finding:
        rule = "policies.allow_pickle"
        if not self._is_written:
            return _allowed(rule, "Without policies inputs may be in any format.")
        if self.allows_pickle:
            return _allowed(rule, "Inputs may be in any format.")
        if request.input_format is None:
            return _open(rule, "Only if the input is JSON.")
        # SECURITY: a wrapper unpickles what is not named JSON, and a pickle runs code.
        if request.input_format in (JSON, EMPTY):
            return _allowed(rule, "The input is JSON.")
        return _refusal(
            rule,
            "pickle_not_allowed",
            f"The node takes inputs in JSON only, and this one is not ({request.input_format}). "
            'Send the task with data_format="json".',
        )

    def _on_input(self, request: PolicyRequest) -> Finding:
        rule, most = "policies.max_input_bytes", self._policies.max_input_bytes
        if most is None:
            return _allowed(rule, "Inputs may have any size.")
        if request.input_bytes is None:
            return _open(rule, f"Only if the input has at most {size(most)}.")
        if request.input_bytes <= most:
            return _allowed(rule, f"{request.input_bytes} bytes are at most {size(most)}.")
        return _refusal(
            rule,
            "input_too_large",
            f"The input has {request.input_bytes} bytes; the node allows {size(most)}.",
        )


class _Images:
    """A list of images, each by an expression or by a digest."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._expressions: list[re.Pattern[str]] = []
        #: Expression for the name, or None for the digest wherever it comes from; and the digest.
        self._digests: list[tuple[re.Pattern[str] | None, str]] = []
        for entry in entries:
            found = _DIGEST.fullmatch(entry)
            if found is None:
                self._expressions.append(re.compile(entry))
            else:
                name = found["name"]
                self._digests.append((re.compile(name) if name else None, found["digest"]))

    def __bool__(self) -> bool:
        return bool(self._expressions or self._digests)

    def judge(self, request: PolicyRequest) -> Verdict:
        """Say whether an image is on the list.

        `Verdict.OPEN` is for names whose digest has to be looked up. Only a name that an entry
        names is looked up: an entry without a name needs the digest in the reference.
        """
        # SECURITY: the whole reference has to match, or `^a/b` would also admit `a/bevil`.
        if any(expression.fullmatch(request.image) for expression in self._expressions):
            return Verdict.ALLOWED
        name, given = _parts(request.image)
        wanted = {
            digest
            for expression, digest in self._digests
            if given in (None, digest)
            and (given is not None if expression is None else expression.fullmatch(name))
        }
        if not wanted:
            return Verdict.REFUSED
        if request.digests is None:
            return Verdict.OPEN
        return Verdict.ALLOWED if wanted & request.digests else Verdict.REFUSED


def _parts(image: str) -> tuple[str, str | None]:
    """Return the name of a reference, without its tag, and the digest it carries."""
    found = _DIGEST.fullmatch(image)
    reference, digest = (found["name"] or "", found["digest"]) if found else (image, None)
    name, colon, tag = reference.rpartition(":")
    # What follows the last colon is a port, not a tag, if a slash comes after it.
    return (name if colon and "/" not in tag else reference), digest


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


def _allowed(rule: str, text: str) -> Finding:
    return Finding(rule, Verdict.ALLOWED, Reason("", text))


def _open(rule: str, text: str) -> Finding:
    return Finding(rule, Verdict.OPEN, Reason("", text))


def _refusal(rule: str, code: str, text: str) -> Finding:
    return Finding(rule, Verdict.REFUSED, Reason(code, text))
