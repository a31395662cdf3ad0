"""Runs the notebook. What it shows is kept in the repository, without what differs each time.

After a change that somebody wanted: python -m tests.examples.notebook
"""

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "federated_average.ipynb"


def executed(variables: Mapping[str, str], folder: Path) -> Any:
    """Return the notebook after a run.

    Parameters
    ----------
    variables
        What is added to the environment of its kernel.
    folder
        Where Jupyter may write.
    """
    environment = {**os.environ, "HOME": str(folder), "IPYTHONDIR": str(folder), **variables}
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    kernel = {"transport": "ipc", "connection_file": str(folder / "kernel.json")}
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        # As Jupyter shows it: a line that is written over is there once.
        coalesce_streams=True,
        config=Config({"KernelManager": kernel}),
    )
    client.execute(env=environment, cwd=str(folder))
    return _without_noise(notebook)


def _without_noise(notebook: Any) -> Any:
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.execution_count = None
        for output in cell.get("outputs", ()):
            if "execution_count" in output:
                output["execution_count"] = None
            if "text" in output:
                # How long it took, and the blanks over what was longer in the same line.
                output["text"] = re.sub(r"\(\d+:\d\d\) *", "(0:01)", output["text"])
    notebook.metadata.language_info = {"name": "python"}
    return notebook


def written() -> str:
    """Return the notebook as it is in the repository."""
    return NOTEBOOK.read_text()


def as_file(notebook: Any) -> str:
    """Return a notebook as the text of a file."""
    return str(nbformat.writes(notebook, indent=1)) + "\n"


def main() -> None:
    """Run the notebook and write it, with what it shows."""
    from tests.examples.world import demonstration

    with tempfile.TemporaryDirectory() as name, demonstration(Path(name) / "demo") as federation:
        NOTEBOOK.write_text(as_file(executed(federation.variables, Path(name))))


if __name__ == "__main__":
    main()
