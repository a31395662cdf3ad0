"""The page at ``/`` of a server without web pages. It is static and loads nothing."""

import base64
import hashlib
from html import escape

_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}"
    "code{background:#eee;padding:.1rem .3rem}@media(prefers-color-scheme:dark){"
    "body{background:#111;color:#ddd}a{color:#8cf}code{background:#333}}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
#: SECURITY: no scripts, no forms, nothing from elsewhere, in no frame.
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def start_page(title: str, version: str, prefix: str, absence: str) -> str:
    """Return the page.

    Parameters
    ----------
    title, version
        Of the API.
    prefix
        Of all its routes.
    absence
        Why the server has no web pages.
    """
    path = escape(prefix, quote=True)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>
<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>
<body><h1>{escape(title)}</h1>
<p>This is a server for federated analysis, version {escape(version)}. It answers. Researchers and
data stations speak to it below <code>{path or "/"}</code>; there is nothing to log in to here.
{escape(absence)}</p>
<ul>
<li><a href="/apidocs">Try the API</a>, <a href="/redoc">read about it</a>, or take its
<a href="/openapi.json">description</a>.</li>
<li><a href="{path}/version">Version</a>, <a href="{path}/health">health</a>.</li>
</ul>
<p>In Python: <code>from vantage6.client import Client</code>, then
<code>Client("address of this page", path="{path}")</code>. A data station writes the address as
<code>server_url</code> and <code>api_path: {path or "''"}</code>.</p>
</body></html>
"""
