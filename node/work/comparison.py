"""What the node holds, compared with what the server wants."""

from collections.abc import Iterator, Sequence

from vantage6.client.node_client import NodeClient
from vantage6.client.session import Document
from vantage6.common import logs
from vantage6.common.errors import V6Error

log = logs.get(__name__)

#: Results of either kind that the server takes in one comparison.
_MOST_IDS = 10_000


def compare(
    server: NodeClient, running: Sequence[int], finished: Sequence[int]
) -> Iterator[Document]:
    """Yield what the server says of the results of this node, which are told in bounded parts.

    An answer can tell to start what is in another part: the node has it.

    Parameters
    ----------
    server
        The server.
    running, finished
        See `NodeClient.reconcile`.

    Raises
    ------
    V6Error
        If the server does not answer or refuses.
    """
    for first in range(0, max(len(running), len(finished), 1), _MOST_IDS):
        part = slice(first, first + _MOST_IDS)
        yield server.reconcile(running[part], finished[part])


def find_unwanted(server: NodeClient, result_ids: Sequence[int]) -> set[int]:
    """Return the results that the server no longer wants; none where it does not say."""
    found: set[int] = set()
    # All as finished, running ones too: of either kind it says what to forget.
    try:
        for wanted in compare(server, [], result_ids) if result_ids else ():
            found.update(wanted["forget"])
    except V6Error as error:
        # The regular comparison asks again.
        log.warning("not known what the server wants", reason=str(error))
    return found
