"""The pages on which nothing is changed but by stopping a result."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import falcon

from vantage6.common import clock
from vantage6.common.config.policies import PolicyConfig
from vantage6.common.errors import V6Error
from vantage6.node.claims import Requester
from vantage6.node.console.rendering import Renderer
from vantage6.node.console.station import Station
from vantage6.node.reports.record import EVENTS, csv_lines, read_copy
from vantage6.node.reports.rules import DIGEST, Preview, id_or_name, preview, rules
from vantage6.node.requests.grants import Grants
from vantage6.node.requests.pause import Pause
from vantage6.node.rules.current_policy import describe_followed
from vantage6.node.rules.findings import PolicyRequest
from vantage6.node.rules.functions import read_function
from vantage6.node.rules.kept_outputs import KINDS

#: Lines and rows on one page.
_ROWS = 50
_MOST_SEARCH = 200
_MOST_REASON = 500
#: Pages that are part of another one.
_PARENTS = {"running": "now", "result": "left", "request": "requests", "release": "releases"}
_FORMATS = {"json": "application/jsonl", "csv": "text/csv"}


@dataclass(frozen=True, slots=True)
class Page:
    """What a page is made of.

    Parameters
    ----------
    pages
        Writes it.
    station
        Has what it shows.
    """

    pages: Renderer
    station: Station

    def show(self, req: falcon.Request, resp: falcon.Response, name: str, **values: Any) -> None:
        """Answer with a page of a session."""
        session = req.context.session
        common = {
            "base": f"/{session.place}",
            "here": _PARENTS.get(name, name),
            "session": session,
            "fault": "",
            "told": "",
            "state": None,
            "badges": self.station.waiting(),
        }
        self.pages.write(resp, name, **(common | values))


class Now(Page):
    """What runs at this moment, and how to stop it."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Show what runs and waits."""
        self._show(req, resp)

    def on_post_stop(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Stop everything."""
        self._stop(req, resp, None)

    def on_get_one(self, req: falcon.Request, resp: falcon.Response, result_id: int) -> None:
        """Show one result, and what its algorithm prints."""
        state = self.station.state()
        found = next((one for one in state.running if one["result_id"] == result_id), None)
        if found is None:
            raise falcon.HTTPSeeOther(f"/{req.context.session.place}/left/{result_id}")
        text = self.station.log_of(result_id) if found["state"] == "running" else ""
        self.show(req, resp, "running", state=state, one=found, log=text)

    def on_post_one(self, req: falcon.Request, resp: falcon.Response, result_id: int) -> None:
        """Stop one result."""
        self._stop(req, resp, result_id)

    def _stop(self, req: falcon.Request, resp: falcon.Response, result_id: int | None) -> None:
        reason = field(req, "reason").strip()
        if not reason or len(reason) > _MOST_REASON:
            resp.status = falcon.HTTP_400
            fault = f"Give a reason of at most {_MOST_REASON} characters: the researcher reads it."
            self._show(req, resp, fault=fault)
            return
        person = req.context.session.person.name
        try:
            answer = self.station.stop(result_id, reason, person)
        except V6Error as error:
            resp.status = falcon.HTTP_409
            self._show(req, resp, fault=error.message)
            return
        self._show(req, resp, told=_describe_stop(answer))

    def _show(self, req: falcon.Request, resp: falcon.Response, **values: Any) -> None:
        state = self.station.state()
        begun = [one for one in state.running if one["state"] in ("running", "stopping")]
        waiting = [one for one in state.running if one not in begun]
        lately = self.station.runs()[:5]
        pause = Pause(self.station.folder).last()
        self.show(
            req,
            resp,
            "now",
            state=state,
            begun=begun,
            waiting=waiting,
            lately=lately,
            pause=pause if pause and pause.is_on else None,
            **values,
        )


class Left(Page):
    """What ran, and what left."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List the results, the newest first."""
        found = self.station.runs()
        words = (req.get_param("words") or "")[:_MOST_SEARCH]
        only_left = req.get_param("only") == "left"
        rows = [row for row in found if _is_wanted(row, words, only_left=only_left)]
        first = max(0, req.get_param_as_int("first") or 0)
        self.show(
            req,
            resp,
            "left",
            total=len(found),
            left=sum(1 for row in found if row["left_bytes"]),
            left_bytes=sum(row["left_bytes"] for row in found),
            matching=len(rows),
            rows=rows[first : first + _ROWS],
            first=first,
            step=_ROWS,
            words=words,
            only_left=only_left,
        )

    def on_get_one(self, req: falcon.Request, resp: falcon.Response, result_id: int) -> None:
        """Show one result, its lines in the record, and the copies that are kept."""
        row = next((one for one in self.station.runs() if one["result_id"] == result_id), None)
        if row is None:
            raise falcon.HTTPNotFound(description=f"The record has no result {result_id}.")
        events = [one for one in self.station.events() if one.get("result_id") == result_id]
        copies = {kind: self.station.content(result_id, kind) for kind in KINDS}
        self.show(req, resp, "result", row=row, events=events[-200:], copies=copies)

    def on_get_copy(
        self,
        req: falcon.Request,  # noqa: ARG002
        resp: falcon.Response,
        result_id: int,
        kind: str,
    ) -> None:
        """Give a whole copy of what left."""
        if kind not in KINDS:
            raise falcon.HTTPNotFound
        try:
            resp.data = read_copy(self.station.folder, result_id, kind)
        except V6Error as error:
            raise falcon.HTTPNotFound(description=error.message) from error
        # SECURITY: an algorithm wrote it. A browser must neither show it nor guess what it is.
        as_file(resp, "application/octet-stream", f"result-{result_id}.{kind}")


class Record(Page):
    """The record, verified while it is looked at."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Show the newest lines that hold the words."""
        words = (req.get_param("words") or "")[:_MOST_SEARCH]
        kind = (req.get_param("kind") or "")[:64]
        before = req.get_param_as_int("before")
        rows = self.station.newest(_ROWS, words=words, kind=kind, before=before)
        verified = self.station.verification()
        self.show(
            req,
            resp,
            "record",
            verification=verified[0] if verified else None,
            kinds=EVENTS,
            has_head=bool(verified and verified[1]),
            rows=[(row, _facts(row)) for row in rows],
            words=words,
            kind=kind,
            before=before,
            older=rows[-1]["number"] if len(rows) == _ROWS else None,
        )

    def on_get_export(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Give all lines that hold the words, as a table or as JSON."""
        form = req.get_param("format")
        if form not in _FORMATS:
            raise falcon.HTTPBadRequest(description="The format is json or csv.")
        words = (req.get_param("words") or "")[:_MOST_SEARCH]
        kind = (req.get_param("kind") or "")[:64]
        found = self.station.events(words=words, kind=kind)
        lines = csv_lines(found) if form == "csv" else _json_lines(found)
        resp.stream = (line.encode("utf-8", "replace") for line in lines)
        as_file(resp, _FORMATS[form], f"record.{'jsonl' if form == 'json' else form}")


class Rules(Page):
    """The rules, and what they would say about a task."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List the rules; with an image, also what would happen to a task of it."""
        asked = {
            name: (req.get_param(name) or "").strip()[:1000]
            for name in ("image", "digest", "function", "user", "organization", "database")
        }
        fault, found, lines, followed, config, grants = "", None, [], [], None, []
        try:
            grants = Grants(self.station.folder).list()
            instance = self.station.instance()
            config = instance.config
            lines = list(rules(config))
            followed = describe_followed(instance)
            if asked["image"]:
                fault, found = self._preview(asked)
        except (V6Error, OSError) as error:
            fault = str(error)
        policies = (config and config.policies) or PolicyConfig()
        self.show(
            req,
            resp,
            "rules",
            grants=grants,
            now=clock.now(),
            summaries=(policies.floors.summary, policies.release.summary),
            rules=lines,
            followed=followed,
            asked=asked,
            preview=found,
            fault=fault,
            config=config,
            labels=[one.label for one in config.databases] if config else [],
        )

    def _preview(self, asked: dict[str, str]) -> tuple[str, Preview | None]:
        if asked["digest"] and not DIGEST.fullmatch(asked["digest"]):
            return "A digest is sha256: and 64 digits, as `docker pull` prints it.", None
        organization_id, organization = id_or_name(asked["organization"] or None)
        user_id, user = id_or_name(asked["user"] or None)
        function = None
        if asked["function"]:
            function = read_function(b"json." + json.dumps({"method": asked["function"]}).encode())
        request = PolicyRequest(
            image=asked["image"],
            database=asked["database"] or "default",
            organization_id=organization_id,
            organization=organization,
            user_id=user_id,
            user=user,
            digests=frozenset({asked["digest"]}) if asked["digest"] else None,
            function=function,
            above=tuple[Requester, ...](),
        )
        return "", preview(self.station.instance(), request)


class Data(Page):
    """The databases, and which images may read them."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List the databases."""
        fault, sources = "", []
        try:
            sources = self.station.sources()
        except V6Error as error:
            fault = error.message
        self.show(req, resp, "data", sources=sources, fault=fault)


def field(req: falcon.Request, name: str) -> str:
    """Return a field of a form; empty where it is missing or there twice."""
    value = req.context.form.get(name, "")
    return value if isinstance(value, str) else ""


def as_file(resp: falcon.Response, kind: str, name: str) -> None:
    """Have the browser save an answer."""
    resp.content_type = kind
    resp.set_header("Content-Disposition", f'attachment; filename="{name}"')


def _is_wanted(row: dict[str, Any], words: str, *, only_left: bool) -> bool:
    if only_left and not row["left_bytes"]:
        return False
    text = " ".join(str(value) for value in row.values()).casefold()
    return all(word in text for word in words.casefold().split())


def _facts(event: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the facts of a line as texts."""
    frame = ("number", "at", "event", "result_id", "previous")
    return [
        (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for name, value in event.items()
        if name not in frame
    ]


def _json_lines(found: Iterator[Any]) -> Iterator[str]:
    return (json.dumps(one, ensure_ascii=False) + "\n" for one in found)


def _describe_stop(answer: dict[str, list[int]]) -> str:
    said = []
    if answer["stopped"]:
        said.append(f"Stopped: {_names(answer['stopped'])}. Nothing more of it leaves.")
    if answer["left before"]:
        said.append(f"Too late for {_names(answer['left before'])}: it had left before.")
    if answer["to be told"]:
        said.append(f"The server is yet to hear of {_names(answer['to be told'])}.")
    return " ".join(said) or "Nothing ran; there was nothing to stop."


def _names(result_ids: list[int]) -> str:
    return ", ".join(f"result {id_}" for id_ in result_ids)
