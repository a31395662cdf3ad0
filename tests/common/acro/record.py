"""Writes what ACRO says of the cases into `verdicts.json`.

ACRO with what it needs takes half a gigabyte, so its verdicts are kept:

    python3.11 -m venv /tmp/acro && /tmp/acro/bin/pip install acro==1.0.2
    /tmp/acro/bin/python tests/common/acro/record.py
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))


def record() -> dict[str, str]:
    """Return the verdict of ACRO about each case: pass, fail or review."""
    os.environ.setdefault("MPLBACKEND", "agg")
    import acro  # type: ignore[import-not-found]
    import cases  # type: ignore[import-not-found]
    import numpy as np
    import pandas as pd

    session = acro.ACRO(suppress=False)
    said: dict[str, str] = {}

    def keep(name: str) -> None:
        outputs = session.results.results
        said[name] = list(outputs.values())[-1].status

    for name, counts in cases.TABLES.items():
        frame = pd.DataFrame(cases.records_of(counts), columns=["rows", "columns"])
        session.crosstab(frame["rows"], frame["columns"])
        keep(f"table: {name}")
    for name, groups in cases.GROUPS.items():
        rows = [(f"group {i}", value) for i, group in enumerate(groups) for value in group]
        frame = pd.DataFrame(rows, columns=["group", "value"])
        for kind in cases.STATISTICS:
            session.pivot_table(frame, index="group", values="value", aggfunc=kind)
            keep(f"{kind}: {name}")
    for name, (records, columns) in cases.REGRESSIONS.items():
        outcome, table = cases.design(records, columns)
        session.ols(np.array(outcome), acro.add_constant(np.array(table)))
        keep(f"regression: {name}")
    return said


def main() -> None:
    """Write the file."""
    import acro

    folder: Any = tempfile.TemporaryDirectory()
    os.chdir(folder.name)
    verdicts = record()
    version = getattr(acro, "__version__", None) or "1.0.2"
    document = {"acro": version, "verdicts": verdicts}
    (HERE / "verdicts.json").write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
