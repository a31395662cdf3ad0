"""An algorithm that leaves a line in a file each time it runs, so that runs can be counted."""

import json
import os
import time
from pathlib import Path

given = json.loads(Path(os.environ["INPUT_FILE"]).read_text().partition(".")[2])
with Path(os.environ["COUNT_FILE"]).open("a") as file:
    parts = Path(os.environ["OUTPUT_FILE"]).parts
    file.write(next(part for part in parts if part.startswith("task-")) + "\n")
time.sleep(given.get("seconds", 0))
Path(os.environ["OUTPUT_FILE"]).write_text("json." + json.dumps(given["answer"]))
