"""What can go wrong around an algorithm, each with a sentence for the researcher."""

from vantage6.common.errors import Invalid


class AlgorithmError(Invalid):
    """The task cannot be run. The message ends up in its log."""

    code = "algorithm"
