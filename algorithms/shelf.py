"""The statistical functions by the names under which tasks ask for them.

The image ``vantage6/statistics`` runs this module. Central functions bear their own names, partial
functions the prefix ``RPC_``; `catalogue` lists both.
"""

from vantage6.algorithms.catalogue import CENTRAL, PARTIAL
from vantage6.algorithms.statistics.tasks import as_central, as_partial

_TASKS = [
    *(as_central(function, __name__) for function in CENTRAL.values()),
    *(as_partial(function, __name__) for function in PARTIAL.values()),
]
globals().update({task.__name__: task for task in _TASKS})
__all__ = sorted(task.__name__ for task in _TASKS)
