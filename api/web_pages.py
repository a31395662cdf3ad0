"""The web pages of a server, below ``/app/``."""

import json
from pathlib import Path

import falcon
from falcon import Request, Response

from vantage6.common.config import ServerConfig
from vantage6.common.errors import NotFound
from vantage6.web.site import ADDRESS, HEADERS, File, Site

#: What the pages read first: what this server says about itself.
_SETTINGS = "settings.json"


class WebPages:
    """The built files of the pages, and the settings that they read.

    Parameters
    ----------
    folder
        The built pages.
    config
        The server's configuration.
    """

    def __init__(self, folder: Path, config: ServerConfig) -> None:
        self._site = Site(folder)
        self._settings = json.dumps(_settings(config)).encode()

    def on_get(self, req: Request, resp: Response, path: str) -> None:
        """Send a file, or the first page for each address below that is none."""
        resp.set_headers(HEADERS)
        if path == _SETTINGS:
            resp.content_type, resp.data = falcon.MEDIA_JSON, self._settings
            return
        file = self._site.find(path)
        if file is None:
            raise NotFound(f"There is no {path} here.")
        _send(req, resp, file)

    def on_get_folder(self, _: Request, resp: Response) -> None:
        """Lead to the first page."""
        resp.status, resp.location = falcon.HTTP_308, ADDRESS

    on_head = on_get


def why_absent(folder: Path | None, config: ServerConfig) -> str:
    """Return why a server shows no web pages, as a sentence; empty if it shows them."""
    if not config.web.enabled:
        return "Its web pages are switched off (web.enabled in its configuration)."
    if folder is None:
        return "Its web pages are not built: `make web` builds them from the sources."
    if f"{config.api_path}/".startswith(ADDRESS):
        return f"Its web pages have no address: {ADDRESS} is that of the API (api_path)."
    return ""


def _settings(config: ServerConfig) -> dict[str, object]:
    web = config.web
    return {
        "apiPath": config.api_path,
        "name": web.name,
        "contact": web.contact,
        "imprint": None if web.imprint is None else str(web.imprint),
    }


def _send(req: Request, resp: Response, file: File) -> None:
    data, tag = file.content, file.digest[:32]
    resp.set_header("Cache-Control", file.caching)
    if file.compressed is not None:
        resp.append_header("Vary", "Accept-Encoding")
        if _takes_gzip(req.get_header("Accept-Encoding") or ""):
            # Other bytes have another tag.
            data, tag = file.compressed, f"{tag}-gzip"
            resp.set_header("Content-Encoding", "gzip")
    resp.etag = tag
    if any(known in ("*", tag) for known in req.if_none_match or ()):
        resp.status = falcon.HTTP_304
        return
    resp.content_type, resp.data = file.kind, data


def _takes_gzip(accepted: str) -> bool:
    """Tell whether a client names gzip among the encodings it takes."""
    for offer in accepted.lower().split(","):
        name, *parameters = (part.strip() for part in offer.split(";"))
        if name == "gzip":
            return not any(part in ("q=0", "q=0.0", "q=0.00", "q=0.000") for part in parameters)
    return False
