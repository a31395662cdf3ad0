"""The two tokens of an algorithm: the server's, which stays in the node, and the proxy's."""

import secrets
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

import jwt

from vantage6.common import clock, logs
from vantage6.common.enums import IdentityKind
from vantage6.common.errors import V6Error
from vantage6.common.identity import WhoAmI
from vantage6.node.claims import Claim

log = logs.get(__name__)

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
    proxy: str = field(repr=False)

    @classmethod
    def of(cls, claim: Claim, me: WhoAmI) -> Self:
        """Return the tokens of an algorithm that is about to start."""
        return cls(claim.token, _proxy_token(claim, me))


class ServerToken:
    """What is shown to the server for one algorithm: another token once that is refused.

    A server whose secret was changed reads no token of before, and each expires after 30 days.
    Safe for threads.

    Parameters
    ----------
    token
        The token that came with the claim.
    ask
        Asks the server for a new one; without it, the token stays.
    """

    def __init__(self, token: str, ask: Callable[[], str] | None = None) -> None:
        self.value = token
        self._ask = ask
        self._lock = threading.Lock()

    def renew(self, refused: str) -> bool:
        """Replace a refused token, unless another thread has; tell whether there is a new one."""
        if self._ask is None:
            return False
        with self._lock:
            if self.value == refused:
                try:
                    self.value = self._ask()
                except V6Error as error:
                    log.warning("no new token for an algorithm", reason=str(error))
                    return False
        return True


def _proxy_token(claim: Claim, me: WhoAmI) -> str:
    """Return a token that the clients of algorithms read, and that cannot be guessed.

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
