"""The two tokens of an algorithm: the server's, which stays in the node, and the proxy's."""

import secrets
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

import jwt

from vantage6.common import clock
from vantage6.common.enums import IdentityKind
from vantage6.common.identity import WhoAmI
from vantage6.node.claims import Claim

#: As long as the server's own would live without its task; it ends with the algorithm anyway.
_LIFE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What is shown in the name of one algorithm, and where.

    SECURITY: the algorithm holds the proxy's token. It opens this algorithm's proxy and nothing
    else, so that an algorithm that finds a way to the server cannot speak there.
    """

    #: For the server, beside the node's own.
    server: str = field(repr=False)
    #: For the node's proxy; the algorithm reads it from ``TOKEN_FILE``.
    door: str = field(repr=False)

    @classmethod
    def of(cls, claim: Claim, me: WhoAmI) -> Self:
        """Return the tokens of an algorithm that is about to start."""
        return cls(claim.token, _proxy_token(claim, me))


def _proxy_token(claim: Claim, me: WhoAmI) -> str:
    """Return a token that the clients of algorithms read, and that nobody can guess.

    They learn their place from it without looking at the signature. The key is made for this one
    token and forgotten: only who was given the token can show it.
    """
    moment = clock.now()
    subject = {
        "client_type": str(IdentityKind.CONTAINER),
        "node_id": me.id_,
        "organization_id": me.organization_id,
        "collaboration_id": claim.collaboration_id,
        "task_id": claim.task_id,
        "image": claim.image,
        "database": claim.database,
    }
    said = {
        "sub": subject,
        "client_type": str(IdentityKind.CONTAINER),
        "roles": [],
        "type": "access",
        "fresh": False,
        "iat": moment,
        "nbf": moment,
        "exp": moment + _LIFE,
        "jti": str(uuid.uuid4()),
    }
    return jwt.encode(said, secrets.token_bytes(32), algorithm="HS256")
