"""The pages on which people decide: requests, held outputs, grants, and the pause."""

import json
from typing import Any

import falcon

from vantage6.common.errors import Conflict, V6Error
from vantage6.node.console.marking import mark
from vantage6.node.console.pages import Page, as_file, field
from vantage6.node.release.held_outputs import HeldOutputs
from vantage6.node.reports.requests import check_seen, describe_pin, grant_for
from vantage6.node.requests.grants import MOST_TIMES, Grants
from vantage6.node.requests.held import HeldRequests
from vantage6.node.requests.held_request import HeldRequest, State
from vantage6.node.requests.pause import Pause

_MOST_DAYS = 3660.0
_MOST_SHOWN_BYTES = 65_536
_CHANGED = "It has changed since this page was loaded. Look at it again."


class Requests(Page):
    """Requests that wait for a person."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List the requests."""
        self._list(req, resp)

    def on_get_one(self, req: falcon.Request, resp: falcon.Response, result_id: int) -> None:
        """Show one request in words."""
        try:
            self._show_one(req, resp, self._held.get(result_id))
        except (V6Error, OSError) as error:
            self._list(req, resp, fault=_say(error))

    def on_post_one(self, req: falcon.Request, resp: falcon.Response, result_id: int) -> None:
        """Approve, grant or deny a request."""
        try:
            request = self._held.get(result_id)
            # SECURITY: a person answers what the person has read.
            if field(req, "code") != request.code:
                raise Conflict(_CHANGED)
            told = self._answer(req, request)
        except (V6Error, OSError, ValueError) as error:
            resp.status = falcon.HTTP_409
            self._list(req, resp, fault=_say(error))
            return
        self.station.wake()
        self._list(req, resp, told=told)

    @property
    def _held(self) -> HeldRequests:
        return HeldRequests(self.station.folder)

    def _answer(self, req: falcon.Request, request: HeldRequest) -> str:
        by, id_ = req.context.session.person.name, request.result_id
        answer = field(req, "answer")
        if answer == "deny":
            self._held.deny(id_, by, field(req, "reason"))
            return f"Result {id_} is denied. The researcher reads the reason."
        if answer not in ("approve", "grant"):
            raise ValueError("The form names no answer.")
        grant = None
        if answer == "grant":
            grant = grant_for(
                request,
                by,
                organization=field(req, "organization") == "yes",
                any_arguments=field(req, "any_arguments") == "yes",
                days=_number(field(req, "days"), _MOST_DAYS),
                times=_whole(field(req, "times"), MOST_TIMES),
                note=field(req, "note"),
            )
        if field(req, "unseen") != "yes":
            check_seen(request, "Tick the box to approve it all the same.")
        if grant is not None:
            # Before the approval, which cannot be taken back.
            Grants(self.station.folder).check_new(grant)
        after = self._held.approve(id_, by, request.code)
        if after.state() is State.APPROVED:
            told = f"Result {id_} is approved."
        else:
            told = f"You have approved result {id_}. A second person has to, as well."
        if grant is not None:
            given = Grants(self.station.folder).add(grant)
            told += f" Further requests like it run by grant {given.id}, listed under Rules."
            if after.approvals_needed > 1:
                told += " It counts when a second person confirms it there."
        return told

    def _show_one(self, req: falcon.Request, resp: falcon.Response, request: HeldRequest) -> None:
        found = request.as_question().arguments
        arguments = found and [
            (name, json.dumps(value, ensure_ascii=False)) for name, value in found.items()
        ]
        self.show(
            req,
            resp,
            "request",
            one=request,
            progress=str(request.state()),
            pin=describe_pin(self.station.instance(), request),
            arguments=arguments,
        )

    def _list(self, req: falcon.Request, resp: falcon.Response, **values: Any) -> None:
        found = self._held.list()
        waiting = [one for one in found if one.state() is State.WAITING]
        answered = [(one, str(one.state())) for one in found if one not in waiting]
        self.show(req, resp, "requests", waiting=waiting, answered=answered, **values)


class Releases(Page):
    """Outputs that wait for a person."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List the outputs."""
        self._list(req, resp)

    def on_get_one(self, req: falcon.Request, resp: falcon.Response, result_id: int) -> None:
        """Show one output: exactly the bytes that would leave, and what the rules found."""
        try:
            held, content = self._held.get(result_id), self._held.content(result_id)
        except (V6Error, OSError) as error:
            self._list(req, resp, fault=_say(error))
            return
        self.show(
            req,
            resp,
            "release",
            one=held,
            content=content[:_MOST_SHOWN_BYTES].decode("utf-8", "replace"),
            is_cut=len(content) > _MOST_SHOWN_BYTES,
            lines=mark(content, [finding.path for finding in held.findings]),
        )

    def on_get_copy(
        self,
        req: falcon.Request,  # noqa: ARG002
        resp: falcon.Response,
        result_id: int,
    ) -> None:
        """Give exactly the bytes that wait."""
        try:
            resp.data = self._held.content(result_id)
        except (V6Error, OSError) as error:
            raise falcon.HTTPNotFound(description=_say(error)) from error
        as_file(resp, "application/octet-stream", f"held-{result_id}.output")

    def on_post_one(self, req: falcon.Request, resp: falcon.Response, result_id: int) -> None:
        """Release or refuse an output."""
        by, answer = req.context.session.person.name, field(req, "answer")
        try:
            # SECURITY: a person decides about the bytes that the person has seen.
            if field(req, "output_hash") != self._held.get(result_id).output_hash:
                raise Conflict(_CHANGED)
            if answer == "release":
                self._held.release(result_id, by)
                told = f"The output of result {result_id} leaves."
            elif answer == "refuse":
                sentence = field(req, "reason")
                self._held.refuse(result_id, by, sentence)
                told = f"The output of result {result_id} stays. The researcher is told."
            else:
                raise ValueError("The form names no answer.")
        except (V6Error, OSError, ValueError) as error:
            resp.status = falcon.HTTP_409
            self._list(req, resp, fault=_say(error))
            return
        self._list(req, resp, told=told)

    @property
    def _held(self) -> HeldOutputs:
        return HeldOutputs(self.station.folder)

    def _list(self, req: falcon.Request, resp: falcon.Response, **values: Any) -> None:
        self.show(req, resp, "releases", held=self._held.list(), **values)


class Switches(Page):
    """The pause and the grants, whose forms stand on other pages."""

    def on_post_pause(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Let nothing new start."""
        Pause(self.station.folder).set(req.context.session.person.name, field(req, "note"))
        self._back(req, resp, "now")

    def on_post_resume(self, req: falcon.Request, resp: falcon.Response) -> None:
        """End the pause."""
        Pause(self.station.folder).clear(req.context.session.person.name)
        self._back(req, resp, "now")

    def on_post_grants(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Revoke a grant, or confirm it as a second person."""
        grants, id_ = Grants(self.station.folder), field(req, "grant")
        try:
            if field(req, "answer") == "confirm":
                grants.confirm(id_, req.context.session.person.name)
            else:
                grants.revoke(id_)
        except (V6Error, OSError) as error:
            raise falcon.HTTPConflict(description=_say(error)) from error
        self._back(req, resp, "rules")

    def _back(self, req: falcon.Request, resp: falcon.Response, page: str) -> None:
        self.station.wake()
        resp.status = falcon.HTTP_303
        resp.set_header("Location", f"/{req.context.session.place}/{page}")


def _say(error: Exception) -> str:
    if isinstance(error, V6Error):
        return error.message
    said = getattr(error, "strerror", None) or str(error)
    return said if isinstance(error, ValueError) else f"The files of the station: {said}."


def _number(text: str, most: float) -> float | None:
    """Return a positive number of a form; None where the field is empty."""
    if not text.strip():
        return None
    number = float(text)
    if not 0 < number <= most:
        raise ValueError(f"A number above 0 and up to {most:g} is needed.")
    return number


def _whole(text: str, most: int) -> int | None:
    number = _number(text, most)
    if number is not None and number != int(number):
        raise ValueError("A whole number is needed.")
    return None if number is None else int(number)
