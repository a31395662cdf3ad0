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
