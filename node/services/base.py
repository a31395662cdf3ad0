"""What every service of a node has in common."""

import socket
from typing import Protocol


class Service(Protocol):
    """Something that algorithms reach under a name, through a listener in their container."""

    #: Name in `policies.services`.
    name: str
    #: Name that algorithms resolve.
    host: str

    def ports(self) -> tuple[int, ...]:
        """Return the ports that it offers now.

        Raises
        ------
        OSError
            If it is not there.
        """

    def ready(self) -> None:
        """Return if a connection would be answered now.

        Raises
        ------
        OSError
            If not.
        """

    def connect(self, port: int) -> socket.socket:
        """Return a new connection to one of its ports.

        Raises
        ------
        OSError
            If it does not answer.
        """

    def close(self) -> None:
        """End what belongs to the node."""
