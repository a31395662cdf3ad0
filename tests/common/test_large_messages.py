"""Large inputs and results, encrypted: the memory that they take."""

import pytest

from benchmarks.crypto import in_process


@pytest.mark.slow
@pytest.mark.parametrize("megabytes", [10, 100])
def test_encryption_takes_at_most_four_times_the_memory_of_the_payload(megabytes: int) -> None:
    found = in_process(megabytes)
    # The payload and its text alone are 2.33 times the payload.
    assert 2.3 < found.encrypt_memory <= 4
    assert 2.3 < found.decrypt_memory <= 4
