"""What a federation on one machine tells of a data station that does not come up."""

import pytest

from tests.acceptance.conftest import Stations
from vantage6.sandbox.federation import FederationError

# Less than the wait for a node that is still starting.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def test_a_node_that_ends_is_told_at_once_and_why(stations: Stations) -> None:
    federation = stations.federation
    federation.stop_node("alpha")
    federation.start_node("alpha", api_key="of-nobody")
    try:
        with pytest.raises(FederationError, match="The server refuses the key"):
            federation.wait_until_online(seconds=600)
    finally:
        federation.stop_node("alpha")
