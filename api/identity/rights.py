"""The rights that a route asks for, declared beside it."""

from vantage6.common.enums import Operation

#: The noun and the verb of a rule, in whichever scope.
Right = tuple[str, Operation]


class Rights:
    """What a caller needs to get further than to a refusal.

    Parameters
    ----------
    rights
        Each of them is weighed by the route, if only for some requests.
    text
        How they go together, for the documentation: a pair of braces for each right. By default
        all are needed.
    """

    def __init__(self, *rights: Right, text: str = "") -> None:
        self.rights = rights
        self._text = text or ", and ".join("{}" for _ in rights)

    def __str__(self) -> str:
        return self._text.format(*(f"{noun} {verb}" for noun, verb in self.rights))
