"""The rules of a station as a list, and what they say about one task."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vantage6.node.databases import Databases
from vantage6.node.outcomes import Reason
from vantage6.node.rules.approval import Asking
from vantage6.node.rules.findings import Finding, PolicyRequest, Verdict
from vantage6.node.rules.obstacles import fitting_begin
from vantage6.node.rules.policy import Policy
from vantage6.node.services.explain import ServiceAccess, explain

if TYPE_CHECKING:
    from vantage6.common.config import NodeConfig
    from vantage6.common.config.policies import PolicyConfig
    from vantage6.node.instance import Instance

#: A digest as registries write it.
DIGEST = re.compile("sha256:[0-9a-f]{64}")
#: Rules that stand first, in words, with the words for a list that is empty.
_LISTS = {
    "allowed_algorithms": ("images", "none"),
    "allowed_organizations": ("organizations", "all of the collaboration"),
    "allowed_users": ("users", "all of the collaboration"),
}


@dataclass(frozen=True, slots=True)
class Preview:
    """What the rules say about a task that does not exist."""

    findings: tuple[Finding, ...]
    #: The services that the algorithm would reach, and the others.
    services: tuple[ServiceAccess, ...]
    #: How few people may stand behind a number, in words.
    floors: str
    #: Entries of lists that fit the beginning of the image alone.
    near: tuple[str, ...]
    #: Whether a person would look at it first.
    asking: Asking

    @property
    def verdict(self) -> Verdict:
        """Whether the task would run; open where it depends on what is not said."""
        said = {finding.verdict for finding in self.findings}
        for verdict in (Verdict.REFUSED, Verdict.OPEN):
            if verdict in said:
                return verdict
        return Verdict.ALLOWED


def preview(instance: "Instance", request: PolicyRequest, faults: tuple[str, ...] = ()) -> Preview:
    """Return what the rules of a node say about a task.

    Parameters
    ----------
    instance
        The node.
    request
        The task, as far as it is known.
    faults
        What of its arguments does not fit the card.
    """
    rules_ = Policy(instance.config)
    found = list(rules_.findings(request))
    found += [_forbid("card", "bad_arguments", fault) for fault in faults]
    databases = Databases(instance.config.databases, instance.base).all()
    source = next((one for one in databases if one.label == request.database), None)
    if source is None:
        text = f"There is no {request.database!r}."
        found.append(_forbid("databases", "unknown_database", text))
    return Preview(
        tuple(found),
        tuple(explain(instance.config, rules_, request, source)),
        rules_.floors.summary,
        tuple(fitting_begin(_expressions(instance.config), request.image)),
        rules_.on_approval(request),
    )


def id_or_name(text: str | None) -> tuple[int | None, str | None]:
    """Return the id or the name of a user or an organization, as people write it."""
    return (int(text), None) if text and text.isdecimal() else (None, text)


def rules(config: "NodeConfig") -> Iterator[tuple[str, str]]:
    """Yield names and values of the rules, one line for each entry of a list."""
    policies = config.policies
    for setting, (name, empty) in _LISTS.items():
        entries = getattr(policies, setting, ())
        if policies is None and setting == "allowed_algorithms" and not config.allowed_images:
            empty = "ANY: `policies` is not written"
        if entries or not (setting == "allowed_algorithms" and config.allowed_images):
            for entry in entries or (empty,):
                yield name, str(entry)
    for entry in config.allowed_images:
        yield "allowed_images", entry
    for database in config.databases:
        for image in readers(config, database.label) or ("no image",):
            yield f"database {database.label}", image
    if policies is not None:
        yield from _others(policies)


def readers(config: "NodeConfig", label: str) -> tuple[str, ...]:
    """Return which images may read a database."""
    databases = config.policies.databases if config.policies else None
    return ("every image above",) if databases is None else tuple(databases.get(label, ()))


def _others(policies: "PolicyConfig") -> Iterator[tuple[str, str]]:
    """Yield the other rules that differ from their defaults."""
    fields: dict[str, Any] = type(policies).model_fields
    for name in fields:
        value = getattr(policies, name)
        if name in (*_LISTS, "databases", "floors") or value == fields[name].default:
            continue
        for entry in policies.approval.lines if name == "approval" else _entries(value):
            yield name, entry


def _entries(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (
            f"{key}: {', '.join(map(str, entry)) or 'none'}" for key, entry in value.items()
        )
    elif isinstance(value, tuple):
        yield from map(str, value)
    else:
        yield str(value)


def _forbid(rule: str, code: str, text: str) -> Finding:
    return Finding(rule, Verdict.REFUSED, Reason(code, text))


def _expressions(config: "NodeConfig") -> tuple[str, ...]:
    images = config.policies.allowed_algorithms if config.policies else ()
    return (*images, *config.allowed_images)
