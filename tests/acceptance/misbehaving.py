"""An algorithm that does what its input says, right or wrong."""

import json
import os
import sys
import time
from pathlib import Path

given = json.loads(Path(os.environ["INPUT_FILE"]).read_text().partition(".")[2])
output = Path(os.environ["OUTPUT_FILE"])
if given["method"] == "exit":
    sys.exit(3)
if given["method"] == "flood":
    with output.open("wb") as file:
        for _ in range(200):
            file.write(bytes(2**20))
if given["method"] == "sleep":
    time.sleep(given["seconds"])
    output.write_text("json." + json.dumps("awake"))
