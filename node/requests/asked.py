"""What a request asks for, in the form in which a station decides on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vantage6.common.cards import MOST_VALUES
from vantage6.common.disclosure.functions import AskedFunction
from vantage6.common.json_values import is_deeper, read_certain
from vantage6.node.claims import Claim
from vantage6.node.rules.functions import read_function

_JSON = b"json."
#: What inputs hold; `output_format` changes how an answer is written, and nothing else.
_KEYS = frozenset({"method", "master", "args", "kwargs", "output_format"})

#: Deepest arguments; all that reads them later has room for so many.
MOST_DEPTH = 64

#: Arguments by name; positional ones by their position, from "1" on.
Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, as it is compared with standing approvals. None is what cannot be read."""

    #: What the image is known by; empty as long as that is not known.
    digests: frozenset[str]
    function: AskedFunction
    #: The organization and the user that asked for the first task of the run.
    organization_id: int
    user_id: int | None
    database: str
    arguments: Arguments | None
    #: The organizations that passed the question on; None where the server does not say it.
    through: tuple[int, ...] | None = ()

    @classmethod
    def by(cls, claim: Claim, input_: bytes, digests: frozenset[str] | None) -> "Asked":
        """Return what a claim asks for.

        Parameters
        ----------
        claim
            The claim.
        input_
            Its plain input.
        digests
            What the image is known by, as far as that is known.
        """
        organization, user = claim.initiator, claim.init_user
        through: tuple[int, ...] | None = ()
        if claim.above is None:
            through = None
        elif claim.above:
            first, *others = claim.above
            # SECURITY: an organization that is not known stands for none that a grant can name.
            organization, user = first.organization_id or 0, first.user_id
            ids = [*(one.organization_id or 0 for one in others), claim.initiator]
            through = tuple(dict.fromkeys(id_ for id_ in ids if id_ != organization))
        return cls(
            digests=digests or frozenset(),
            function=read_function(input_),
            organization_id=organization,
            user_id=user,
            database=claim.database,
            arguments=read_arguments(input_),
            through=through,
        )


def read_arguments(input_: bytes) -> Arguments | None:
    """Return the arguments of an input; None if they cannot be read for certain.

    SECURITY: of what another reader may take for other arguments, nothing is read.

    Parameters
    ----------
    input_
        The plain input.
    """
    text = input_.removeprefix(_JSON)
    document = None if text is input_ else read_certain(text, MOST_VALUES)
    if not isinstance(document, dict) or set(document) - _KEYS:
        return None
    if is_deeper(document, MOST_DEPTH):
        return None
    positional, named = document.get("args") or [], document.get("kwargs") or {}
    if not isinstance(positional, list) or not isinstance(named, dict):
        return None
    numbered = {str(place): value for place, value in enumerate(positional, 1)}
    # SECURITY: a name that is a number could stand in for an argument by position.
    return None if numbered.keys() & named.keys() else numbered | named
