"""From a claim to what runs: the input, the rules, the image, the database."""

from dataclasses import asdict, replace
from typing import Any

from vantage6.common.cards import Card, find_faults
from vantage6.common.config.services import VPN
from vantage6.common.task_status import TaskStatus
from vantage6.node.claims import Claim
from vantage6.node.outcomes import RefusalError
from vantage6.node.proxy.tokens import Tokens
from vantage6.node.release.card_files import write_card
from vantage6.node.rules.audit import hash_of, method_of
from vantage6.node.rules.findings import PolicyRequest
from vantage6.node.rules.formats import name_of
from vantage6.node.rules.functions import read_card, read_function
from vantage6.node.runtime.base import Image, Pulling, RunSpec
from vantage6.node.spool.io_folder import Disclosure
from vantage6.node.spool.spool import Entry
from vantage6.node.work.approval import Approval
from vantage6.node.work.context import NodeContext
from vantage6.node.work.delivery import fingerprint_for, wrong_receiver
from vantage6.node.work.judging import begin_sketch, find_floors
from vantage6.node.work.retry import Retry

_SAID_IN_LOG = (
    "The arguments do not fit the card of the image. The log of this result, which only you can "
    "read, says which argument should be what."
)

_CLAIM_CHANGED = (
    "The server hands out another task under the number of the result than it did at first. Send "
    "the task again."
)


class Preparation:
    """Checks that a result may be computed, and makes everything ready for it.

    Parameters
    ----------
    context
        What all results share.
    entry
        The result on disk.
    retry
        Waits for server, engine and disk.
    pulling
        Entered while an image is pulled.
    is_too_deep
        The task is further below the first task of its run than the node allows.
    """

    def __init__(
        self,
        context: NodeContext,
        entry: Entry,
        retry: Retry,
        pulling: Pulling,
        *,
        is_too_deep: bool,
    ) -> None:
        self._context = context
        self._entry = entry
        self._retry = retry
        self._pulling = pulling
        self._is_too_deep = is_too_deep

    def prepare(self, claim: Claim) -> tuple[RunSpec, dict[str, Any]]:
        """Make everything ready, and return what runs, and what is remembered of it.

        Raises
        ------
        RefusalError
            If it may not be computed.
        HeldExecution
            If a person at the station has to be asked first.
        InterruptedExecution
            If the result was killed or stopped, or the node stops.
        """
        context = self._context
        input_ = self._receive(claim)
        if not self._entry.record.is_of(claim):
            # SECURITY: rules, people and comparisons go by what the first claim said.
            raise RefusalError(TaskStatus.NOT_ALLOWED, "claim_changed", _CLAIM_CHANGED)
        image, card = self._check_image(claim, input_)
        database = context.databases.get(claim.database)
        version = self._retry.disk(database.version)
        asked = PolicyRequest.by(claim, digests=image.digests)
        grant = context.services.grant(
            database, lambda service: context.policy.may_reach(service, asked)
        )
        tokens = Tokens.of(claim, context.me)
        floors = context.policy.floors
        # SECURITY: of the station and of the claim, never of the input.
        has_card = image.card is not None
        found = find_floors(context, self._entry, self._retry, has_card=has_card)
        disclosure = Disclosure(found, claim.parties)
        self._retry.disk(lambda: self._entry.prepare(input_, tokens, disclosure))
        self._keep_card(read_card(image.card), input_)
        self._retry.record(
            "started",
            image_id=image.id,
            image_digests=sorted(image.digests - {image.id}),
            services=list(grant.names),
            floors=floors.name,
            parties=None if claim.parties is None else list(claim.parties),
        )
        spec = RunSpec(
            result_id=self._entry.record.result_id,
            image=image.id,
            io=self._entry.io,
            output=self._retry.disk(lambda: context.spool.output(self._entry)),
            temporary=context.spool.temporary(claim.run_id),
            database=database,
            labels=tuple(context.databases.labels),
            links=grant.links,
            vpn=VPN in grant.names,
            extra={
                **grant.variables,
                **context.config.algorithm_env,
                "SHARE_ERRORS": str(context.config.share_errors).lower(),
            },
        )
        function = read_function(input_) if card is not None else None
        central = card and function and card.find(function.name or "", is_central=True)
        calls = central.calls if central and function and function.is_central else ()
        known = {"method": method_of(input_), "image_id": image.id, "calls": calls}
        return spec, known | {"database_version": version}

    def _receive(self, claim: Claim) -> bytes:
        """Return the plain input, after it is written down who asks for what."""
        asked = {
            "task_id": claim.task_id,
            "run_id": claim.run_id,
            "is_subtask": claim.is_subtask,
            "image": claim.image,
            "database": claim.database,
            "organization_id": claim.initiator,
            "organization": claim.initiator_name,
            "user_id": claim.init_user,
            "user": claim.init_username,
            "above": [asdict(requester) for requester in claim.above] if claim.above else None,
            "fingerprint": fingerprint_for(self._context, claim.initiator_public_key),
        }
        try:
            input_ = self._open(claim)
        except RefusalError:
            self._retry.record("asked", **asked)
            raise
        self._retry.record(
            "asked",
            **asked,
            method=method_of(input_),
            input_format=name_of(input_),
            input_bytes=len(input_),
            input_hash=hash_of(input_),
        )
        return input_

    def _check_image(self, claim: Claim, input_: bytes) -> tuple[Image, Card | None]:
        """Return the image that runs, and its card, if rules and people allow what is asked for."""
        context = self._context
        asked = PolicyRequest.by(claim, input_bytes=len(input_), input_format=name_of(input_))
        approval = Approval(context, claim, input_, self._retry)
        # SECURITY: a task is held to the rules that the file has when it is about to start.
        rules = self._retry.disk(context.policies.refresh)
        if rules.names_functions:
            asked = replace(asked, function=read_function(input_))
        rules.check(asked)
        if self._is_too_deep:
            # SECURITY: it has no turn, even where the server says another level by now.
            text = "The task was at another level when the node accepted it."
            raise RefusalError(TaskStatus.NOT_ALLOWED, "too_deep", text)
        context.databases.get(claim.database)  # before anything is pulled for nothing
        if approval.is_wanted(rules, asked):
            # SECURITY: before anything is fetched. What is here already tells more to a person.
            here = self._retry.engine(lambda: context.runtime.find_image(claim.image))
            # Where the registry may have a newer one, what this one says refuses nothing yet.
            if here is not None and context.config.pull_policy != "always":
                self._check_found(asked, here, input_)
            approval.check(rules, asked, here, is_last=False)
        cancelled = self._retry.interrupted.is_set
        image = self._retry.engine(
            lambda: context.runtime.fetch(
                claim.image, cancelled, self._pulling, context.policy.registries
            )
        )
        # SECURITY: what was found runs by its id; where the name leads by then does not matter.
        rules = self._retry.disk(context.policies.refresh)
        card = self._check_found(asked, image, input_)
        # SECURITY: also with rules that ask nobody: they may have changed, or the station paused.
        approval.check(rules, asked, image, is_last=True)
        return image, card

    def _check_found(self, asked: PolicyRequest, image: Image, input_: bytes) -> Card | None:
        """Return the card of an image that was found, if the rules that count now allow both."""
        rules, card = self._context.policy, read_card(image.card)
        if asked.function is None and (card is not None or rules.names_functions):
            asked = replace(asked, function=read_function(input_))
        rules.check(replace(asked, card=card, digests=image.digests, is_fetched=True))
        if card is not None:
            self._check_arguments(card, input_)
        return card

    def _keep_card(self, card: Card | None, input_: bytes) -> None:
        """Keep what the output will be judged with."""
        if card is not None:
            folder, function = self._entry.folder, read_function(input_)
            self._retry.disk(lambda: write_card(folder, card, function))
        begin_sketch(self._context, self._entry, has_card=card is not None)

    def _check_arguments(self, card: Card, input_: bytes) -> None:
        """Refuse an input that does not fit the card of the image."""
        if faults := find_faults(card, input_):
            said = " ".join(faults)
            # SECURITY: the reason is readable for the server, and the sentences name the function.
            shown = _SAID_IN_LOG if self._context.agreement.encrypted else said
            raise RefusalError(TaskStatus.NOT_ALLOWED, "bad_arguments", shown, log=said)

    def _open(self, claim: Claim) -> bytes:
        """Return the plain input. To the node it is bytes of any meaning."""
        agreement = self._context.agreement
        if agreement.refusal is not None:
            refusal = agreement.refusal
            raise RefusalError(TaskStatus.FAILED, refusal.code, refusal.message)
        # Looked at now: an output that cannot be sent need not be computed.
        if wrong := wrong_receiver(
            self._context, self._retry, claim.initiator, claim.initiator_public_key
        ):
            raise RefusalError(TaskStatus.FAILED, wrong.code, wrong.message)
        try:
            return agreement.cryptor.decrypt_str_to_bytes(claim.sealed_input)
        except ValueError as error:
            why = (
                "The node cannot decrypt the input: it was made for another key, or not encrypted "
                "at all."
                if agreement.encrypted
                else "The node cannot read the input: it is no base64. Send the task with "
                "`client.task.create`, which encodes it."
            )
            raise RefusalError(TaskStatus.FAILED, "input_unreadable", why) from error
