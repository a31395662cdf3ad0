"""Which requests a person at the station looks at first."""

import re
from dataclasses import dataclass

from vantage6.common.config.approvals import ApprovalConfig, ApprovalRuleConfig, Mode
from vantage6.node.rules.findings import PolicyRequest, Verdict
from vantage6.node.rules.image_lists import ImageList

#: From the mildest to the strictest.
_MODES: tuple[Mode, ...] = ("never", "first_use", "always")


@dataclass(frozen=True, slots=True)
class Asking:
    """When a person is asked about one request, and the rule that says so."""

    mode: Mode
    rule: str


class ApprovalRules:
    """The rules of a station about approvals.

    Parameters
    ----------
    config
        Where they are written down.
    """

    def __init__(self, config: ApprovalConfig) -> None:
        self._default = config.default
        self._rules = [_Rule(number, rule) for number, rule in enumerate(config.rules, 1)]

    @property
    def is_any(self) -> bool:
        """Whether a person may be asked about any request at all."""
        return self._default != "never" or any(rule.mode != "never" for rule in self._rules)

    def judge(self, request: PolicyRequest) -> Asking:
        """Return when a person is asked about a request.

        SECURITY: what cannot be told yet counts as it is strictest.
        """
        possible = []
        for rule in self._rules:
            verdict = rule.judge(request)
            if verdict is not Verdict.REFUSED:
                possible.append(Asking(rule.mode, rule.name))
            if verdict is Verdict.ALLOWED:
                break
        else:
            possible.append(Asking(self._default, "policies.approval"))
        return max(possible, key=lambda asking: _MODES.index(asking.mode))


class _Rule:
    """One rule; it is `OPEN` for a request where that depends on something unknown."""

    def __init__(self, number: int, config: ApprovalRuleConfig) -> None:
        self.name = f"policies.approval.rules, number {number}"
        self.mode: Mode = config.ask
        self._images = None if config.image is None else ImageList([config.image])
        self._function = None if config.function is None else re.compile(config.function)
        self._database = config.database

    def judge(self, request: PolicyRequest) -> Verdict:
        """Tell whether the rule is about a request."""
        if self._database not in (None, request.database):
            return Verdict.REFUSED
        verdicts = {self._on_function(request)}
        if self._images is not None:
            verdicts.add(self._images.judge(request))
        for verdict in (Verdict.REFUSED, Verdict.OPEN):
            if verdict in verdicts:
                return verdict
        return Verdict.ALLOWED

    def _on_function(self, request: PolicyRequest) -> Verdict:
        if self._function is None:
            return Verdict.ALLOWED
        if request.function is None or request.function.name is None:
            return Verdict.OPEN
        fits = self._function.fullmatch(request.function.name)
        return Verdict.ALLOWED if fits else Verdict.REFUSED
