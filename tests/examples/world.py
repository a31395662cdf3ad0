"""What ``make demo KEEP=1`` leaves running, without a container engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vantage6.sandbox.demonstration import AGES
from vantage6.sandbox.federation import AS_PROCESSES, IMAGE, Federation


@contextmanager
def demonstration(folder: Path) -> Iterator[Federation]:
    """Give the running federation."""
    policies = {"allowed_algorithms": IMAGE.replace(".", r"\.")}
    federation = Federation(
        folder, AGES, runtime={**AS_PROCESSES, "policies": policies}, settings={"flower": None}
    )
    try:
        federation.start()
        yield federation
    finally:
        federation.stop()
