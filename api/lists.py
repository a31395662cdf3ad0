"""Pages: the envelope, the links and the headers of lists."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

from falcon import Request, Response

from vantage6.common.schemas.base import PageQuery
from vantage6.models.store.reach import Page


def wanted(query: PageQuery) -> Page:
    """Return the page that a query asks for."""
    return Page(query.page, query.per_page)


def answer(
    req: Request, resp: Response, query: PageQuery, items: list[Any], total: int
) -> list[Any] | dict[str, Any]:
    """Set the headers of a page, and wrap it if the caller wants metadata."""
    links = _links(req, query, total)
    resp.set_header("total-count", str(total))
    resp.set_header("Link", ",".join(f"<{path}>; rel={name}" for name, path in links.items()))
    if "metadata" in query.include:
        return {"data": items, "links": links}
    return items


def _links(req: Request, query: PageQuery, total: int) -> dict[str, str]:
    page = query.page or 1
    last = -(-total // query.per_page) if query.page else int(total > 0)
    numbers = {"first": 1, "previous": page - 1, "self": page, "next": page + 1, "last": last}
    if page <= 1:
        del numbers["previous"]
    if page >= last:
        del numbers["next"]
    if not last:
        del numbers["last"]
    rest = [(name, value) for name, value in parse_qsl(req.query_string) if name != "page"]
    return {
        name: f"{req.path}?{urlencode([*rest, ('page', str(number))])}"
        for name, number in numbers.items()
    }
