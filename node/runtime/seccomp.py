"""The system calls that algorithms may make. Everything that is not listed is refused."""

import json
from pathlib import Path

from vantage6.common.secret_files import write_private

#: The profile, in the form of Docker and Podman. Its comments say why.
FILE = Path(__file__).with_name("seccomp.json")
#: The machines whose calls it lists, as engines name them.
ARCHITECTURES = frozenset({"x86_64", "amd64", "aarch64", "arm64"})


def option(*, is_podman: bool, folder: Path | None) -> str:
    """Return the security option that makes an engine apply the profile.

    Parameters
    ----------
    is_podman
        Podman reads a file, Docker the option itself.
    folder
        Folder of the node, which a Podman sees under the same path; None for the installed file.
    """
    # SECURITY: it takes the place of the engine's default profile, and is stricter.
    profile = json.dumps(json.loads(FILE.read_text()), separators=(",", ":"))
    if not is_podman:
        return f"seccomp={profile}"
    path = FILE if folder is None else folder / FILE.name
    if folder is not None:
        # Replaced as a whole: an engine may read it for another container.
        write_private(path, profile)
    return f"seccomp={path}"
