"""What a person at the station has to say about one request before it starts."""

import threading
from dataclasses import replace
from datetime import timedelta

from vantage6.common import clock
from vantage6.common.disclosure.functions import AskedFunction
from vantage6.node.claims import Claim
from vantage6.node.requests.asked import Asked
from vantage6.node.requests.gate import Terms
from vantage6.node.requests.held_request import (
    HeldRequest,
    Requester,
    Rule,
    arguments_for_people,
    cut_texts,
)
from vantage6.node.rules.audit import hash_of
from vantage6.node.rules.findings import PolicyRequest
from vantage6.node.rules.functions import read_function
from vantage6.node.rules.image_lists import split_reference
from vantage6.node.rules.policy import Policy
from vantage6.node.runtime.base import Image
from vantage6.node.work.context import NodeContext
from vantage6.node.work.delivery import fingerprint_for
from vantage6.node.work.retry import Retry

#: One result at a time binds what a run has sent.
_TAKING = threading.Lock()


class Approval:
    """The say of people in one request.

    Parameters
    ----------
    context
        What all results share.
    claim
        The work order.
    input_
        Its plain input.
    retry
        Waits for the disk, and writes into the audit.
    """

    def __init__(self, context: NodeContext, claim: Claim, input_: bytes, retry: Retry) -> None:
        self._context = context
        self._claim = claim
        self._input = input_
        self._retry = retry
        self._function: AskedFunction | None = None

    def is_wanted(self, rules: Policy, asked: PolicyRequest) -> bool:
        """Tell whether a person may have to be asked, so that the image is looked at first."""
        if self._context.gate.pause.is_on:
            return True
        if not rules.asks_people:
            return False
        return rules.on_approval(replace(asked, function=self._read_function())).mode != "never"

    def check(
        self, rules: Policy, asked: PolicyRequest, image: Image | None, *, is_last: bool
    ) -> None:
        """Return if no person has to be asked, or one has agreed.

        Parameters
        ----------
        rules
            The rules that count now.
        asked
            What the rules look at.
        image
            The image, as far as it is at the station already.
        is_last
            Whether it starts next, so that the image is the one that runs.

        Raises
        ------
        HeldExecution
            If it waits for a person.
        RefusalError
            If it was denied, or no person answered in time.
        InterruptedExecution
            If the result was killed or stopped, or the node stops.
        """
        gate, is_held = self._context.gate, self._context.gate.is_held(self._claim.result_id)
        if not rules.asks_people and not is_held:
            gate.check_pause()
            return
        digests = _digests_of(self._claim.image, image)
        asked = replace(asked, digests=digests, function=self._read_function())
        asking = rules.on_approval(asked)
        if asking.mode == "never" and not is_held:
            gate.check_pause()
            return
        is_of_own_run = self._is_of_own_run(asked, image, is_last=is_last)
        terms = Terms(asking.mode, asking.rule, is_of_own_run=is_of_own_run)
        request, question = self._request(rules, asked)
        self._retry.disk(
            lambda: gate.check(request, question, terms, self._retry.record, is_last=is_last)
        )

    def _read_function(self) -> AskedFunction:
        # PERF: an input can be large, and is looked at twice.
        if self._function is None:
            self._function = read_function(self._input)
        return self._function

    def _request(self, rules: Policy, asked: PolicyRequest) -> tuple[HeldRequest, Asked]:
        claim, context = self._claim, self._context
        question = Asked.by(claim, self._input, asked.digests)
        arguments, is_cut = arguments_for_people(question.arguments, self._input)
        now = clock.now()
        request = HeldRequest(
            result_id=claim.result_id,
            task_id=claim.task_id,
            run_id=claim.run_id,
            since=now.isoformat(),
            until=(now + timedelta(seconds=rules.hold_seconds)).isoformat(),
            requester=Requester(
                claim.initiator,
                claim.initiator_name,
                claim.init_user,
                claim.init_username,
                fingerprint_for(context, claim.initiator_public_key),
            ),
            image=claim.image,
            digests=tuple(sorted(question.digests)),
            function=question.function.name,
            is_central=question.function.is_central,
            arguments=arguments,
            input_bytes=len(self._input),
            input_hash=hash_of(self._input),
            databases=(claim.database,),
            parties=claim.parties,
            findings=tuple(
                Rule(finding.rule, str(finding.verdict), finding.reason.message)
                for finding in rules.findings(asked)
            ),
            above=tuple(
                Requester(one.organization_id, one.organization, one.user_id, one.user)
                for one in claim.above or ()
            ),
            through=question.through,
            is_cut=is_cut,
            is_readable=question.arguments is not None,
            why=rules.on_approval(asked).rule,
            approvals_needed=rules.approvals_needed,
        )
        # Here already: what is compared with it later was cut as well.
        return cut_texts(request), question

    def _is_of_own_run(self, asked: PolicyRequest, image: Image | None, *, is_last: bool) -> bool:
        """Tell whether an algorithm that runs here asks this of this station, as its card says.

        SECURITY: which input it sent is what the proxy of this station has seen, and not what the
        server says.
        """
        claim, function = self._claim, asked.function
        if not claim.above or function is None or function.name is None or function.is_central:
            return False
        parent = self._context.spool.find_task(claim.above[-1].task_id or 0)
        if parent is None or parent.record.started_at is None:
            return False
        record = parent.record
        is_same = record.image_id == image.id if image else record.image == claim.image
        if not (is_same and record.database == claim.database and function.name in record.calls):
            return False
        which = claim.task_id, claim.result_id, hash_of(self._input)
        with _TAKING:
            made = parent.sub_tasks()
            return made.take(*which) if is_last else made.is_sent(*which)


def _digests_of(reference: str, image: Image | None) -> frozenset[str] | None:
    """Return what an image is known by; None where that is not known yet."""
    if image is not None:
        return image.digests
    digest = split_reference(reference)[1]
    return None if digest is None else frozenset({digest})
