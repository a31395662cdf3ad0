"""What the image starts."""

from vantage6.tools.wrapper import auto_wrapper

# Central functions add up what the organizations answer; they read no data of their own.
auto_wrapper("vantage6.algorithms.shelf", use_new_client=True, central_data=False)
