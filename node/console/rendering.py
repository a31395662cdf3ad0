"""Pages out of templates, in which everything that is shown is harmless."""

from datetime import datetime
from typing import Any

import falcon
from jinja2 import Environment, PackageLoader, StrictUndefined

from vantage6.common import clock
from vantage6.common.terminal_text import harmless, quote, spell_out
from vantage6.node.outcomes import size

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_DIGITS = 12
#: Stands for what is not known.
_NOTHING = "-"


class Renderer:
    """Writes pages.

    Parameters
    ----------
    station
        Name of the node, for the head of each page.
    """

    def __init__(self, station: str) -> None:
        self._pages = Environment(
            loader=PackageLoader("vantage6.node.console"),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_show,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._pages.globals["station"] = station
        self._pages.filters |= {
            "size": _size,
            "when": _when,
            "ago": _ago,
            "short": _short,
            "count": _count,
            "quote": quote,
            "spell_out": spell_out,
        }

    def write(self, resp: falcon.Response, name: str, **values: Any) -> None:
        """Answer with a page."""
        resp.content_type = "text/html; charset=utf-8"
        resp.text = self._pages.get_template(f"{name}.html").render(values)


def _show(value: Any) -> Any:
    # SECURITY: names, logs and messages come from outside: no mark in them turns or hides text.
    if value is None:
        return _NOTHING
    return harmless(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _size(number: int | None) -> str:
    return "nothing" if not number else size(number)


def _when(moment: str | datetime | None) -> str:
    if not moment:
        return _NOTHING
    found = clock.parse(moment) if isinstance(moment, str) else moment
    return f"{found:%Y-%m-%d %H:%M:%S}"


def _ago(moment: str | None) -> str:
    if not moment:
        return _NOTHING
    seconds = int((clock.now() - clock.parse(moment)).total_seconds())
    if seconds < _MINUTE:
        return f"{max(seconds, 0)} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min"
    if seconds < _DAY:
        return f"{seconds // _HOUR} h {seconds % _HOUR // _MINUTE} min"
    return _count(seconds // _DAY, "day")


def _short(text: str | None) -> str:
    """Return the beginning of a hash, as people compare it."""
    return _NOTHING if not text else text[:_DIGITS]


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
