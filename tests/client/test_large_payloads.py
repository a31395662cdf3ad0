"""Large inputs and results on their way through the client and a real server: their memory."""

import pytest

from benchmarks.payloads import Place, in_process
from tests.client.conftest import Live
from vantage6.common.encryption import RSACryptor


@pytest.mark.slow
@pytest.mark.parametrize("encrypted", [True, False], ids=["encrypted", "plain"])
@pytest.mark.parametrize("megabytes", [10, 100])
def test_no_call_takes_much_more_memory_than_the_payload_and_its_text(
    live: Live, tmp_path, megabytes: int, encrypted: bool
) -> None:
    world, client = live.world, live.client
    key_file = tmp_path / "key.pem"
    RSACryptor.create_new_rsa_key(key_file)
    own = client.collaboration.create("own", [world.amsterdam.id], encrypted=encrypted)
    node = client.node.create(own["id"], world.amsterdam.id)
    place = Place(
        client.base_path,
        "ada",
        "secret",
        node["api_key"],
        own["id"],
        world.amsterdam.id,
        str(key_file) if encrypted else "",
    )
    found = in_process(place, megabytes)
    assert len(found) == 7
    # Payload and text are 2.33 times the payload; JSON needs bytes, text and object: 3 times.
    assert {name: one for name, one in found.items() if one.memory > 3.1} == {}
    assert all(one.memory > 1 for one in found.values())
