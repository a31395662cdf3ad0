"""An algorithm that leaves a line in a file each time it runs, so that runs can be counted.

It answers what its input says; or, asked to ask others, the list of what they answer.
"""

import json
import os
import time
from pathlib import Path

given = json.loads(Path(os.environ["INPUT_FILE"]).read_text().partition(".")[2])
with Path(os.environ["COUNT_FILE"]).open("a") as file:
    parts = Path(os.environ["OUTPUT_FILE"]).parts
    file.write(next(part for part in parts if part.startswith("task-")) + "\n")
for second in range(int(given.get("seconds", 0))):
    print(f"second {second}", flush=True)  # noqa: T201  (a line of its log)
    time.sleep(1)
time.sleep(given.get("seconds", 0) % 1)
answer = given["answer"]
if "ask" in given:
    # Beside this file; its imports take most of a second.
    from asking import ask  # type: ignore[import-not-found]

    answer = ask(given["ask"], answer)
Path(os.environ["OUTPUT_FILE"]).write_text("json." + json.dumps(answer))
