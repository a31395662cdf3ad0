"""The token that an algorithm holds: read by its clients, known to its own listener only."""

import jwt
import pytest

from tests.node.factories import make_claim
from vantage6.client import AlgorithmClient, ContainerClient
from vantage6.common.identity import WhoAmI
from vantage6.node.proxy.tokens import Tokens

ME = WhoAmI("node", 7, "station", "org 1", 3)


@pytest.mark.parametrize("kind", [AlgorithmClient, ContainerClient])
def test_clients_learn_their_place_from_it(kind: type[AlgorithmClient | ContainerClient]) -> None:
    claim = make_claim(image="average", database="second", task_id=9)
    client = kind(Tokens.of(claim, ME).proxy, "http://127.0.0.1", 1)
    assert (client.image, client.database) == ("average", "second")
    assert (client.host_node_id, client.collaboration_id) == (7, 1)
    assert (client.organization_id, client.task_id) == (3, 9)
    client.close()


def test_it_says_what_the_token_of_a_server_says_and_is_another() -> None:
    claim = make_claim(token="of-the-server")
    first, second = Tokens.of(claim, ME), Tokens.of(claim, ME)
    assert first.server == second.server == "of-the-server"
    assert first.proxy != second.proxy
    said = jwt.decode(first.proxy, options={"verify_signature": False, "verify_sub": False})
    assert (said["client_type"], said["type"]) == ("container", "access")
    assert said["sub"]["client_type"] == "container"
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(first.proxy, "of-the-server" * 3, algorithms=["HS256"])


def test_tokens_are_not_shown_where_something_is_printed() -> None:
    tokens = Tokens.of(make_claim(token="of-the-server"), ME)
    assert "of-the-server" not in repr(tokens)
    assert tokens.proxy not in repr(tokens)
