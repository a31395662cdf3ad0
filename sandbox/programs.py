"""How the programs of this installation are started."""

import sys
from pathlib import Path

#: Where the programs of an environment are, beside its Python.
BIN = Path(sys.executable).parent


def program(name: str) -> list[str]:
    """Return how to start ``vserver`` or ``vnode``.

    An installation for one user has its programs elsewhere than beside its Python.
    """
    beside = BIN / name
    package = {"vnode": "vantage6.node", "vserver": "vantage6.server"}[name]
    return [str(beside)] if beside.exists() else [sys.executable, "-m", package]
