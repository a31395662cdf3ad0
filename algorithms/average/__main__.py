"""What the image starts."""

from vantage6.tools.wrapper import auto_wrapper

auto_wrapper("vantage6.algorithms.average", use_new_client=True)
