"""Pages: the envelope, the links and the headers of lists."""

from collections.abc import Callable, Iterator
from typing import Generic, TypedDict, TypeVar
from urllib.parse import parse_qsl, urlencode

from falcon import Request, Response
from pydantic_core import to_json

from vantage6.api.http.answers import Batches, Item
from vantage6.api.schemas.base import PageQuery
from vantage6.models.store.queries import Page
from vantage6.models.tables import Result, Task

Row = TypeVar("Row", Result, Task)


class Envelope(TypedDict, Generic[Item]):
    """A list for a caller that wants metadata."""

    data: list[Item]
    links: dict[str, str]


#: What a list is answered with.
Listed = list[Item] | Envelope[Item]
#: The same, where the list may be too long for the memory.
LongList = Listed[Item] | Batches[Item]

#: So many rows of a whole list are in memory at once.
_BATCH_ROWS = 1000


def requested_page(query: PageQuery) -> Page:
    """Return the page that a query asks for."""
    return Page(query.page, query.per_page)


def answer(
    req: Request, resp: Response, query: PageQuery, items: list[Item], total: int
) -> Listed[Item]:
    """Set the headers of a page, and wrap it if the caller wants metadata."""
    links = _set_headers(req, resp, query, total)
    if "metadata" in query.include:
        return {"data": items, "links": links}
    return items


def list_page(
    req: Request,
    resp: Response,
    query: PageQuery,
    read: Callable[[Page], tuple[list[Row], int]],
    build: Callable[[list[Row]], list[Item]],
) -> LongList[Item]:
    """Answer with a page, or with a whole list, of which never more than a part is in memory.

    Clients of 3.11 ask for whole lists, however long these have become.

    Parameters
    ----------
    read
        Returns the rows on a page, and the number of all.
    build
        Makes the answer of some rows.
    """
    if query.page is not None:
        rows, total = read(requested_page(query))
        return answer(req, resp, query, build(rows), total)
    first, total = read(Page(1, _BATCH_ROWS))
    if len(first) < _BATCH_ROWS:
        return answer(req, resp, query, build(first), total)
    links = _set_headers(req, resp, query, total)
    parts = (build(rows) for rows in _batches(first, read))
    if "metadata" in query.include:
        return Batches(parts, b'{"data":[', b'],"links":' + to_json(links) + b"}")
    return Batches(parts)


def _batches(rows: list[Row], read: Callable[[Page], tuple[list[Row], int]]) -> Iterator[list[Row]]:
    while rows:
        yield rows
        if len(rows) < _BATCH_ROWS:
            return
        rows, _ = read(Page(1, _BATCH_ROWS, after=rows[-1].id))


def _set_headers(req: Request, resp: Response, query: PageQuery, total: int) -> dict[str, str]:
    """Set the headers of a list, and return its links."""
    links = _links(req, query, total)
    resp.set_header("total-count", str(total))
    resp.set_header("Link", ",".join(f"<{path}>; rel={name}" for name, path in links.items()))
    return links


def _links(req: Request, query: PageQuery, total: int) -> dict[str, str]:
    page = query.page or 1
    last = -(-total // query.per_page) if query.page else int(total > 0)
    numbers = {
        "first": 1,
        # From beyond the end it leads to the last one.
        "previous": min(page - 1, last),
        "self": page,
        "next": page + 1,
        "last": last,
    }
    if not numbers["previous"]:
        del numbers["previous"]
    if page >= last:
        del numbers["next"]
    if not last:
        del numbers["last"]
    given = parse_qsl(req.query_string, keep_blank_values=True)
    if query.page is None:
        given.append(("page", ""))
    return {
        name: f"{req.path}?{urlencode([(k, str(number) if k == 'page' else v) for k, v in given])}"
        for name, number in numbers.items()
    }
