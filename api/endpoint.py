"""The decorator that turns a function with typed arguments into a responder."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, TypeVar

import falcon
from falcon import Request as HttpRequest
from falcon import Response
from pydantic import BaseModel, ValidationError

from vantage6.api.http import bodies
from vantage6.api.http.answers import Sending
from vantage6.api.http.idempotency import AnsweredBefore, Repeatable, answer_again
from vantage6.api.identity.callers import identify
from vantage6.api.identity.rights import Rights
from vantage6.api.schemas.base import Problem
from vantage6.common.enums import IdentityKind
from vantage6.common.errors import Invalid
from vantage6.common.json_values import has_more_values
from vantage6.models import database

USER, NODE, CONTAINER = IdentityKind.USER, IdentityKind.NODE, IdentityKind.CONTAINER

#: Methods that change nothing.
_ONLY_READS = ("GET", "HEAD")
#: Largest body from somebody who has not logged in: names, passwords, keys.
_ANONYMOUS_BYTES = 2**16
#: Largest body from somebody who has, where it holds no inputs, results and logs.
_BODY_BYTES = 2**20
#: Values, and commas and brackets that announce some, in a body. Each takes some 300 bytes.
_MOST_VALUES = 50_000

Body = TypeVar("Body", bound=BaseModel)
#: Reads and checks the body of a request; raises `Invalid` and the like.
Read = Callable[[], Body]


@dataclass(frozen=True)
class Endpoint:
    """What the documentation says about a responder."""

    callers: tuple[IdentityKind, ...]
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    reply: Any
    status: int
    permission: Rights | None
    problems: Mapping[int, type[BaseModel]]
    may_be_empty: bool = False
    creates: bool = False

    def refusals(self, path: str) -> dict[int, type[BaseModel]]:
        """Return every status of a refusal below a path, with the form of the answer."""
        nowhere = {404: Problem} if "{id" in path else {}
        return nowhere | dict(self.problems)


def endpoint(
    *callers: IdentityKind,
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    reply: Any,
    status: int = 200,
    permission: Rights | None = None,
    problems: Mapping[int, type[BaseModel]] | Iterable[int] = (),
    needs_database: bool = True,
    may_be_empty: bool = False,
    weighs_first: bool = False,
    is_large: bool = False,
    creates: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """Make a responder that identifies its caller and parses the query first.

    The decorated function gets ``caller``, ``query`` and ``read`` as far as they are declared
    here, what the path holds, and ``req`` and ``resp`` if it names them; what it returns is sent
    as JSON. It calls ``read()`` for the body once it knows that the caller may send one: no other
    body is taken into memory.

    Parameters
    ----------
    callers
        The kinds of callers; without any, a request needs no token.
    body, query
        Models of the JSON body and of the query string.
    reply
        Model of the answer, or ``list[Model]``; None where there is never anything to say.
    status
        Status of a good answer.
    permission
        The rights that the function weighs.
    problems
        Statuses of refusals beside those that follow from the rest, for the documentation; a
        mapping where the answer is anything else than a `Problem`.
    needs_database
        Fail at once where the database does not answer.
    may_be_empty
        There may be nothing to answer; the status is 204 then.
    weighs_first
        Users hold these rights in some scope, or their body is not read: for what cannot be weighed
        before it is known.
    is_large
        The body holds inputs, results or logs.
    creates
        A request that is sent again under its idempotency key gets the first answer, which is
        kept: it may hold no secret. The first transaction after `read` lasts until the answer.
        Users and nodes need none, because there is one of a name or at a place.
    """
    expected = _problems(callers, body, query, needs_database=needs_database)
    expected |= problems if isinstance(problems, Mapping) else dict.fromkeys(problems, Problem)

    def decorate(function: Callable[..., Any]) -> Callable[..., None]:
        injected = _find_injected(function, callers, body, query)
        described = Endpoint(
            callers, body, query, reply, status, permission, expected, may_be_empty, creates
        )

        @wraps(function)
        def responder(self: Any, req: HttpRequest, resp: Response, **path: Any) -> None:
            given, held, repeatable = dict(path), ExitStack(), None
            for wanted in injected:
                given[wanted] = req if wanted == "req" else resp
            resp.status = status
            if needs_database:
                # Given back by the middleware, whatever happens.
                database.connect()
            instance, name = self.service.instance, ""
            if callers:
                caller = given["caller"] = identify(req, self.service.tokens, callers)
                name = f"{caller.kind} {caller.id}"
                # SECURITY: a login that only looks must not write beside the process that works.
                if caller.kind is NODE and req.method not in _ONLY_READS:
                    _ = caller.calling_node
                # SECURITY: before the body; it costs memory.
                if weighs_first and permission is not None and caller.kind is USER:
                    for right in permission.rights:
                        caller.require_some(*right)
            if body is not None:
                limit = _ANONYMOUS_BYTES if not callers else _BODY_BYTES
                limit = instance.config.max_body_bytes if is_large else limit
                receive = partial(
                    bodies.receive, req, limit, instance.folder, name, self.service.transfers, held
                )
                if creates:
                    # Algorithms of one node are told apart by their tasks.
                    sender = name if caller.task_id is None else f"{name} task {caller.task_id}"
                    repeatable = Repeatable.of(req, sender, held)
                given["read"] = partial(_read, req, body, limit, receive, repeatable)
            if query is not None:
                given["query"] = _check(query, req.params)
            try:
                with held:
                    answer = function(self, **given)
                    if repeatable is not None:
                        repeatable.end(status, answer)
            except AnsweredBefore as before:
                answer_again(resp, before.answer)
                return
            if answer is not None:
                sending = Sending(req, resp, instance.folder, name, self.service.transfers)
                sending.send(answer)

        responder.endpoint = described  # type: ignore[attr-defined]
        return responder

    return decorate


def _find_injected(
    function: Callable[..., Any],
    callers: tuple[IdentityKind, ...],
    body: type[BaseModel] | None,
    query: type[BaseModel] | None,
) -> set[str]:
    """Return whether a function wants the request and the response, by their names.

    Raises
    ------
    TypeError
        If it does not name what its endpoint declares, or names anything else.
    """
    names = set(list(inspect.signature(function).parameters)[1:])
    http = names & {"req", "resp"}
    declared = {"caller": callers, "read": body, "query": query}
    given = {name for name, value in declared.items() if value}
    # The router gives what ends in an underline: what the path holds.
    if given != {name for name in names - http if not re.fullmatch("[a-z_]+_", name)}:
        raise TypeError(
            f"{function.__qualname__} takes {', '.join(sorted(names)) or 'nothing'}. It has to "
            f"take {', '.join(sorted(given)) or 'nothing'} and the ids of its path, and may take "
            "req and resp."
        )
    return http


def _problems(
    callers: tuple[IdentityKind, ...],
    body: type[BaseModel] | None,
    query: type[BaseModel] | None,
    *,
    needs_database: bool,
) -> dict[int, type[BaseModel]]:
    """Return the refusals that follow from what an endpoint takes."""
    statuses: list[int] = []
    if callers:
        statuses += [401, 422]
    if body is not None:
        statuses += [400, 413, 415]
    if query is not None:
        statuses += [400]
    if needs_database:
        statuses += [503]
    return dict.fromkeys(statuses, Problem)


def _read(
    req: HttpRequest,
    model: type[Body],
    limit: int,
    receive: Callable[[], bytes],
    repeatable: Repeatable | None,
) -> Body:
    """Return the checked body of a request."""
    kind = (req.content_type or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise falcon.HTTPUnsupportedMediaType(description="Send JSON as application/json.")
    if (req.content_length or 0) > limit:
        raise bodies.too_large(limit)
    raw = receive()
    if has_more_values(raw, _MOST_VALUES):
        raise Invalid(f"The body may hold {_MOST_VALUES} values.", code="too_many_values")
    try:
        found = model.model_validate_json(raw)
    except ValidationError as error:
        raise _invalid(error) from error
    if repeatable is not None:
        repeatable.begin(raw)
    return found


def _check(model: type[BaseModel], values: Mapping[str, Any]) -> Any:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _invalid(error) from error


def _invalid(error: ValidationError) -> Invalid:
    problems = (
        f"{'.'.join(map(str, problem['loc'])) or 'body'}: {problem['msg']}"
        for problem in error.errors(include_input=False, include_url=False)[:5]
    )
    return Invalid("; ".join(problems))
