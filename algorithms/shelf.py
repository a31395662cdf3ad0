"""The statistical functions by the names under which tasks ask for them.

The image ``vantage6/statistics`` runs this module. Central functions bear their own names, partial
functions the prefix ``RPC_``; `catalogue` lists both.
"""

from vantage6.algorithms import published
from vantage6.algorithms.card_facts import FACTS
from vantage6.algorithms.catalogue import CENTRAL, PARTIAL
from vantage6.algorithms.statistics.station import SHELF
from vantage6.algorithms.statistics.tasks import as_central, as_partial
from vantage6.tools.card import Image, card

__card__ = Image(
    "statistics",
    SHELF,
    title="Statistics that equal those of the pooled data",
    description="Everyday methods over the data of several organizations; only sums leave each.",
    licence="Apache-2.0",
    images=["vantage6/statistics", "harbor2.vantage6.ai/demo/statistics"],
)

# By their module: a name that is in this one already would come first in the card.
_CENTRAL = {**CENTRAL, "reference_case": published.reference_case}
_PARTIAL = {**PARTIAL, "reference_share": published.reference_share}
_TASKS = [
    *(card(**FACTS[name])(as_central(function, __name__)) for name, function in _CENTRAL.items()),
    *(card(**FACTS[name])(as_partial(function, __name__)) for name, function in _PARTIAL.items()),
]
globals().update({task.__name__: task for task in _TASKS})
__all__ = sorted(task.__name__ for task in _TASKS)
