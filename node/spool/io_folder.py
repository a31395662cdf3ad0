"""What an algorithm reads and writes, as files of one folder."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vantage6.common.disclosure.floors import Floors
from vantage6.common.disclosure.parties import parties_to_bytes
from vantage6.node.spool import removal


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What the station says about disclosure."""

    floors: Floors = field(default_factory=Floors)
    #: The organizations that are asked together; None where the server does not say it.
    parties: Sequence[int] | None = None


def make_io_folder(folder: Path, input_: bytes, token: str, disclosure: Disclosure) -> None:
    """Write what an algorithm reads, and the empty file that it writes."""
    removal.remove(folder)
    folder.mkdir()
    # SECURITY: the folder is not writable for the container's user, so the output cannot
    # be replaced by a link. All may read because that user is not ours; the spool itself
    # is closed to other users of this machine.
    for name, content, mode in (
        ("input", input_, 0o444),
        ("token", token.encode("ascii"), 0o444),
        # SECURITY: files of their own, so that nothing of the input can pass for them.
        ("floors", disclosure.floors.to_bytes(), 0o444),
        ("parties", parties_to_bytes(disclosure.parties), 0o444),
        ("output", b"", 0o666),
    ):
        path = folder / name
        path.write_bytes(content)
        path.chmod(mode)
    folder.chmod(0o755)
