"""Which registries a station may ask for an image.

SECURITY: the name of an image chooses the host that the engine connects to. Once rules are written,
only hosts that the rules name are asked: or a task could try out the addresses of the station's
network, and read from its answer which of them is there.
"""

import re
from collections.abc import Iterable, Iterator

from vantage6.common.addresses import HUB, split_image
from vantage6.common.config.node import NodeConfig
from vantage6.common.config.services import SERVICES_IMAGE

#: What a character of an expression can be followed by, so that it need not be there as it is.
_QUANTIFIERS = "*+?{"
_SPECIAL = frozenset("[](){}*+?|^$")


def registry_of(image: str) -> str:
    """Return the host that an engine asks for an image."""
    return split_image(image)[0]


class Registries:
    """The registries that the rules of a station name.

    Parameters
    ----------
    config
        Where the rules are written down: in ``policies.registries`` or else at the beginning of the
        expressions for images. Those of logins and of the node's own helpers are named as well.
    """

    def __init__(self, config: NodeConfig) -> None:
        policies = config.policies
        entries = (*(policies.allowed_algorithms if policies else ()), *config.allowed_images)
        self._named: frozenset[str] | None = None
        if policies is None and not entries:
            return
        own: Iterable[str] = config.images.model_dump().values()
        given = policies.registries if policies else None
        self._named = frozenset(
            {
                *(host for entry in entries for host in _begin(entry) if given is None),
                *(given or ()),
                *(login.registry for login in config.docker_registries),
                *(registry_of(image) for image in own if image != SERVICES_IMAGE),
            }
        )

    @property
    def names(self) -> list[str] | None:
        """The hosts that may be asked, or None for any."""
        return None if self._named is None else sorted(self._named)

    def may_ask(self, image: str) -> bool:
        """Tell whether the registry of an image may be asked for it."""
        return self._named is None or registry_of(image) in self._named


def _begin(entry: str) -> Iterator[str]:
    """Yield the registries with which an entry for images begins."""
    is_digest = re.fullmatch("sha256:[0-9a-f]{64}", entry)
    explain: Iterable[str] = [entry] if is_digest or "(" in entry else entry.split("|")
    for way in explain:
        literal = _literal(way.removeprefix("^"))
        yield registry_of(literal) if "/" in literal else HUB


def _literal(expression: str) -> str:
    """Return the text up to the first slash with which everything begins that fits; or nothing.

    A dot may stand for itself: who writes it without a backslash means the dot of a host.
    """
    text = ""
    position = 0
    while position < len(expression):
        sign = expression[position]
        if sign == "\\":
            position += 1
            sign = expression[position : position + 1]
            if not sign or sign.isalnum():
                return ""
        elif sign in _SPECIAL:
            return ""
        position += 1
        if expression[position : position + 1] in tuple(_QUANTIFIERS):
            return ""
        text += sign
        if sign == "/":
            return text
    return ""
