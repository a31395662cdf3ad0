"""What an algorithm image of 3.11.1 starts; ``old`` or ``new`` says which client it asks for."""

import sys
from pathlib import Path

from vantage6.tools.docker_wrapper import docker_wrapper

sys.path.insert(0, str(Path(__file__).parent))
docker_wrapper("average_of_old", use_new_client=sys.argv[1] == "new")
