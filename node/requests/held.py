"""Requests that wait for a person at the station, each a file until its result has left the node.

``requests/held/000000005.json`` holds what result 5 asks for, and the answers so far.
"""

import builtins
import secrets
from dataclasses import replace
from pathlib import Path

from vantage6.common import clock, logs
from vantage6.common.durable_files import mark_of
from vantage6.common.errors import Conflict, Forbidden, Invalid, NotFound
from vantage6.node.requests.folder import Damaged, RequestFolder
from vantage6.node.requests.held_request import (
    MOST_NAME,
    Answer,
    Denial,
    HeldRequest,
    State,
    cut_texts,
    keep_answers,
    same_people,
)
from vantage6.node.requests.room import Room

__all__ = ["HeldRequest", "HeldRequests", "State"]

log = logs.get(__name__)

#: Enough that no request gets a code that another one had.
_CODE_BYTES = 4
#: Longest text of a person.
MOST_SENTENCE = 500


class HeldRequests:
    """All requests of one node that wait for a person. Safe for threads and processes.

    Parameters
    ----------
    data
        The data folder of the node.
    """

    def __init__(self, data: Path) -> None:
        self._folder = RequestFolder(data)
        self._held = self._folder.path / "held"
        self._room = Room(self.find, self._path)

    def list(self) -> builtins.list[HeldRequest]:
        """Return all requests that are held or answered, the oldest first.

        A request whose file is damaged is left out; its result stays at the node and does not run.
        """
        found = []
        for id_ in self.ids():
            try:
                request = self.find(id_)
            except Damaged as error:
                log.error("request not readable", result_id=id_, reason=str(error))
                continue
            if request is not None:
                found.append(request)
        return sorted(found, key=lambda request: (request.since, request.result_id))

    def ids(self) -> builtins.list[int]:
        """Return the results whose requests are held or answered."""
        if not self._held.is_dir():
            return []
        names = (path.stem for path in self._held.glob("*.json"))
        return sorted(int(name) for name in names if name.isdecimal())

    def has(self, result_id: int) -> bool:
        """Tell whether there is a request of a result, readable or not."""
        return self._path(result_id).exists()

    def mark(self, result_id: int) -> object:
        """Return what differs after each change of the request of a result."""
        return mark_of(self._path(result_id))

    def find(self, result_id: int) -> HeldRequest | None:
        """Return the request of a result, if it is held.

        Raises
        ------
        Damaged
            If its file cannot be read.
        """
        path = self._path(result_id)
        values = self._folder.read(path)
        if values is None:
            return None
        try:
            request = HeldRequest.from_json(values)
            if request.result_id != result_id:
                raise ValueError("result_id")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Damaged(f"{path} is damaged: move it away, and decide again") from error
        return request

    def get(self, result_id: int) -> HeldRequest:
        """Return the request of a result.

        Raises
        ------
        NotFound
            If it is not held.
        """
        request = self.find(result_id)
        if request is None:
            raise NotFound(
                f"No request of result {result_id} is held. `vnode requests` lists those that are."
            )
        return request

    def hold(self, request: HeldRequest) -> HeldRequest:
        """Keep a request until it is answered; the answers to this very request stay.

        Returns
        -------
        HeldRequest
            The request with the answers so far.

        Raises
        ------
        Invalid
            If too many of the user, of the organization, or in all are held.
        """
        request = replace(cut_texts(request), code=secrets.token_hex(_CODE_BYTES))
        with self._folder.lock():
            self._folder.prepare(self._held)
            before = self.find(request.result_id)
            if before is not None and before.asks_the_same(request):
                request = keep_answers(request, before)
            else:
                others = [id_ for id_ in self.ids() if id_ != request.result_id]
                self._room.check(request, others)
            if request != before:
                self._write(request)
        return request

    def approve(self, result_id: int, by: str, code: str) -> HeldRequest:
        """Say yes to a request in the name of a person.

        Parameters
        ----------
        result_id
            The result.
        by
            The person.
        code
            That of the request as the person was shown it.

        Raises
        ------
        NotFound
            If it is not held.
        Conflict
            If it has its answer, its time is over, or it is not the one that the person was shown.
        Forbidden
            If two people have to approve, and this one has, or asked for it.
        """
        with self._folder.lock():
            request = self._open(result_id)
            # SECURITY: a server that withdraws a request, and asks something else under the same
            # number, gets no approval for that.
            if not secrets.compare_digest(code.encode(), request.code.encode()):
                raise Conflict(
                    f"The request of result {result_id} has another code than {code[:20]!r}. "
                    f"`vnode requests {result_id}` shows what it asks for now, and its code."
                )
            if request.approvals_needed > 1:
                # SECURITY: four eyes are those of two people, and none of them are the requester's.
                person = same_people([by])
                if request.users & person:
                    raise Forbidden(
                        "The requester cannot approve an own request: ask another person."
                    )
                if same_people(answer.by for answer in request.approvals) & person:
                    raise Forbidden(
                        f"{by} has approved the request; another person has to, as well."
                    )
            answer = Answer(_person(by), clock.now().isoformat())
            request = replace(request, approvals=(*request.approvals, answer))
            self._write(request)
        return request

    def deny(self, result_id: int, by: str, sentence: str) -> HeldRequest:
        """Say no to a request; the researcher reads the sentence.

        Raises
        ------
        NotFound
            If it is not held.
        Conflict
            If it has its answer, or its time is over.
        Invalid
            If there is no sentence.
        """
        said = sentence.strip()[:MOST_SENTENCE]
        if not said:
            raise Invalid("Say why: the researcher reads the sentence.")
        with self._folder.lock():
            request = self._open(result_id)
            denial = Denial(_person(by), clock.now().isoformat(), said)
            request = replace(request, denial=denial)
            self._write(request)
        return request

    def forget(self, result_id: int) -> None:
        """Remove the request of a result that has left the node; harmless if there is none."""
        if not self.has(result_id):
            return
        with self._folder.lock():
            self._folder.remove(self._path(result_id))

    def _open(self, result_id: int) -> HeldRequest:
        request = self.get(result_id)
        state = request.state()
        if state is not State.WAITING:
            raise Conflict(f"The request of result {result_id} is {state} already.")
        return request

    def _path(self, result_id: int) -> Path:
        return self._held / f"{int(result_id):09d}.json"

    def _write(self, request: HeldRequest) -> None:
        self._folder.write(self._path(request.result_id), request.to_json())


def _person(name: str) -> str:
    if not name.strip():
        raise Invalid("An answer needs the name of the person.")
    return name.strip()[:MOST_NAME]
