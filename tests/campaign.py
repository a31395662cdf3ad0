"""How much the tests try that try things at random: a part at each change, much in a campaign."""

import os

#: How many times as much as at each change is tried; `make campaign` sets it.
EFFORT = float(os.environ.get("V6_TEST_EFFORT", "1"))
#: Where the choices of a bad network begin; a campaign takes another one each time, and shows it.
SEED = int(os.environ.get("V6_TEST_SEED", "1"))


def effort(amount: int) -> int:
    """Return how often something is tried, or for how many seconds.

    Parameters
    ----------
    amount
        As much as is tried at each change.
    """
    return max(1, round(amount * EFFORT))
