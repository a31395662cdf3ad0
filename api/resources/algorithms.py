"""Function cards: what the functions of an image take and share."""

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import TypedDict

from falcon import Request, Response

from vantage6.api.endpoint import USER, Read, endpoint
from vantage6.api.http import lists
from vantage6.api.identity.permissions import Caller
from vantage6.api.identity.rights import Rights
from vantage6.api.resources.base import Resource
from vantage6.api.schemas.algorithms import (
    AlgorithmCardReply,
    AlgorithmCreate,
    AlgorithmFilter,
    AlgorithmReply,
    AlgorithmUpdate,
    MatchedCard,
    MatchQuery,
    MatchReply,
)
from vantage6.api.schemas.base import Message
from vantage6.common.documents import Link
from vantage6.common.enums import CardState, Operation, Scope
from vantage6.common.errors import Conflict, Forbidden, NotFound
from vantage6.common.logs import get
from vantage6.models.store import algorithms, collaborations, shelf
from vantage6.models.tables import Algorithm, AlgorithmReview

log = get(__name__)

_VIEW = ("algorithm", Operation.VIEW)


class _Signed(TypedDict):
    user: Link | None
    organization: Link | None


class Algorithms(Resource):
    """All function cards."""

    @endpoint(USER, query=AlgorithmFilter, reply=list[AlgorithmReply], permission=Rights(_VIEW))
    def on_get(
        self, req: Request, resp: Response, caller: Caller, query: AlgorithmFilter
    ) -> lists.Listed[AlgorithmReply]:
        """List the function cards that the caller may see, without their documents."""
        # SECURITY: a filter tells no more than the reply, which hides users that are not seen.
        if query.user_id is not None and not caller.sees_user(query.user_id):
            return lists.answer(req, resp, query, [], 0)
        rows, total = algorithms.page(
            caller.reach("algorithm", Scope.ORGANIZATION),
            lists.requested_page(query),
            collaboration=query.collaboration_id,
            state=query.state,
            image=query.image,
            name=query.name,
            user=query.user_id,
        )
        return lists.answer(req, resp, query, self._show(rows, caller), total)

    @endpoint(
        USER,
        body=AlgorithmCreate,
        creates=True,
        weighs_first=True,
        problems=(404,),
        reply=AlgorithmCardReply,
        status=201,
        permission=Rights(("algorithm", Operation.CREATE)),
    )
    def on_post(self, caller: Caller, read: Read[AlgorithmCreate]) -> AlgorithmCardReply:
        """Put a function card on the shelf, as a draft.

        A card for all collaborations needs scope GLOBAL.
        """
        body = read()
        where = body.collaboration_id
        # SECURITY: before it is looked for, or refusals tell which collaborations there are.
        caller.require("algorithm", Operation.CREATE, collaboration=where)
        if where is not None:
            collaborations.get(where)
        row = algorithms.create(
            algorithms.read(body.card),
            collaboration_id=where,
            organization_id=caller.organization_id,
            user_id=caller.id,
        )
        _note("function card added", caller, row)
        return self._show_whole(row, caller)

    @endpoint(USER, reply=AlgorithmCardReply, permission=Rights(_VIEW))
    def on_get_one(self, caller: Caller, id_: int) -> AlgorithmCardReply:
        """Show a function card with its document."""
        return self._show_whole(self._visible(caller, id_), caller)

    @endpoint(
        USER,
        body=AlgorithmUpdate,
        weighs_first=True,
        problems=(409,),
        reply=AlgorithmCardReply,
        permission=Rights(
            _VIEW,
            ("algorithm", Operation.EDIT),
            text="{}, and {}; to review or retire, of a scope wider than OWN",
        ),
    )
    def on_patch_one(
        self, caller: Caller, id_: int, read: Read[AlgorithmUpdate]
    ) -> AlgorithmCardReply:
        """Change the document of a function card, review it or retire it.

        Another document makes it a draft without any review. A review names the SHA-256 of the
        document that was read. The author of a document does not review it.
        """
        row = self._visible(caller, id_)
        body = read()
        body.require_one_change()
        if body.card is not None:
            self._check_changeable(caller, Operation.EDIT, row)
            row = algorithms.replace(
                row,
                algorithms.read(body.card),
                organization_id=caller.organization_id,
                user_id=caller.id,
            )
        else:
            caller.require("algorithm", Operation.EDIT, collaboration=row.collaboration_id)
            row = self._in_state(row, caller, body)
        _note("function card changed", caller, row)
        return self._show_whole(row, caller)

    @endpoint(USER, reply=Message, permission=Rights(_VIEW, ("algorithm", Operation.DELETE)))
    def on_delete_one(self, caller: Caller, id_: int) -> Message:
        """Take a function card off the shelf; tasks of its image are not checked any more."""
        row = self._visible(caller, id_)
        self._check_changeable(caller, Operation.DELETE, row)
        algorithms.delete(row)
        _note("function card removed", caller, row)
        return {"msg": f"Function card {id_} was removed."}

    @endpoint(
        USER,
        query=MatchQuery,
        reply=MatchReply,
        permission=Rights(_VIEW, text="{}, and membership of the collaboration"),
    )
    def on_get_match(self, caller: Caller, query: MatchQuery) -> MatchReply:
        """Show against which cards the input of a task of an image is checked.

        `POST /task` checks the same, where it can read the input.
        """
        reach = caller.reach("algorithm", Scope.ORGANIZATION)
        if not reach.everything and query.collaboration_id not in caller.collaborations:
            raise Forbidden(f"Your organization is not in collaboration {query.collaboration_id}.")
        found = shelf.match(query.image, query.collaboration_id)
        shown: list[MatchedCard] = []
        for id_, sha256 in found.reviewed:
            # Gone meanwhile, or changed, which makes it a draft.
            with suppress(NotFound):
                card = json.loads(shelf.document(id_, sha256))
                shown.append({"id": id_, "sha256": sha256, "card": card})
        return {"cards": shown, "refusal": found.refusal}

    @staticmethod
    def _in_state(row: Algorithm, caller: Caller, body: AlgorithmUpdate) -> Algorithm:
        if body.state is CardState.RETIRED:
            # SECURITY: else one user alone keeps all members of a collaboration from an image.
            if row.state is CardState.DRAFT:
                raise Conflict(
                    f"Function card {row.id} is a draft, which keeps no task from its image. Only "
                    "a reviewed card is retired: review it first, or remove it."
                )
            return algorithms.retire(row, body.note)
        if body.state is CardState.DRAFT:
            return algorithms.withdraw(row)
        # SECURITY: the author of a card is not trusted, so that a review takes a second user.
        if row.user_id == caller.id:
            raise Forbidden(
                f"You wrote function card {row.id} as it is. Another user that may edit it "
                "has to review it."
            )
        return algorithms.review(
            row,
            sha256=body.sha256 or "",
            note=body.note,
            user_id=caller.id,
            organization_id=caller.organization_id,
        )

    @staticmethod
    def _visible(caller: Caller, id_: int) -> Algorithm:
        row = algorithms.get(id_)
        # SECURITY: not even that there is such a card is for other collaborations to know.
        if not algorithms.is_visible(caller.reach("algorithm", Scope.ORGANIZATION), row):
            raise NotFound(f"There is no function card {id_}.")
        return row

    @staticmethod
    def _check_changeable(caller: Caller, operation: Operation, row: Algorithm) -> None:
        """Raise `Forbidden` unless the caller may change or remove a card.

        SECURITY: scope OWN ends where a card is no draft any more. Its author must neither take a
        reviewed card away nor undo that it is retired.
        """
        own = row.user_id if row.state is CardState.DRAFT else None
        caller.require("algorithm", operation, collaboration=row.collaboration_id, user=own)

    def _show_whole(self, row: Algorithm, caller: Caller) -> AlgorithmCardReply:
        return {**self._show([row], caller)[0], "card": algorithms.document_of(row.id)}

    def _show(self, rows: Sequence[Algorithm], caller: Caller) -> list[AlgorithmReply]:
        ids = [row.id for row in rows]
        images, reviews = algorithms.images_of(ids), algorithms.reviews_of(ids)
        return [
            {
                "id": row.id,
                "name": row.name,
                "version": row.version,
                "title": row.title,
                "functions": json.loads(row.functions),
                "images": [
                    {"reference": image.reference, "digest": image.digest}
                    for image in images[row.id]
                ],
                "state": row.state,
                "reason": row.reason,
                "sha256": row.sha256,
                "collaboration": self.replies.link("collaboration", row.collaboration_id),
                **self._signed(row, caller),
                "created_at": row.created_at.isoformat(),
                "changed_at": row.changed_at.isoformat(),
                "reviews": [
                    {
                        **self._signed(review, caller),
                        "sha256": review.sha256,
                        "note": review.note,
                        "reviewed_at": review.reviewed_at.isoformat(),
                    }
                    for review in reviews[row.id]
                ],
            }
            for row in rows
        ]

    def _signed(self, row: Algorithm | AlgorithmReview, caller: Caller) -> _Signed:
        """Return the user behind a card or a review, as far as the caller may see users."""
        is_seen = row.user_id == caller.id or caller.sees_users_of(row.organization_id)
        return {
            "user": self.replies.link("user", row.user_id if is_seen else None),
            "organization": self.replies.link("organization", row.organization_id),
        }


def _note(event: str, caller: Caller, row: Algorithm) -> None:
    log.info(
        event,
        algorithm_id=row.id,
        card=f"{row.name} {row.version}",
        state=str(row.state),
        sha256=row.sha256,
        collaboration_id=row.collaboration_id,
        user_id=caller.id,
    )
