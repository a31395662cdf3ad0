"""What of this machine and its services a container sees, and where."""

from docker.types import Mount

from vantage6.node.claims import folder_name
from vantage6.node.runtime.base import RunSpec
from vantage6.node.runtime.links import FIRST_ADDRESS, Link

DATA, TEMPORARY = "/mnt/data", "/mnt/tmp"


def database_address(spec: RunSpec) -> str:
    """Return where an algorithm finds its database."""
    database = spec.database
    if database.path is not None:
        return f"{DATA}/{database.file_name}"
    host = database.service[0] if database.service else ""
    # A name leads to the relay through the container's hosts file; what no hosts file is asked
    # for has to be replaced.
    is_fixed = host == "localhost" or ":" in host or host.replace(".", "").isdecimal()
    if not is_fixed:
        return database.uri
    return database.uri.replace(f"[{host}]" if ":" in host else host, FIRST_ADDRESS, 1)


def mounts(spec: RunSpec) -> list[Mount]:
    """Return what of this machine a container sees."""
    io = f"{DATA}/{folder_name(spec.result_id)}"
    # SECURITY: whoever the algorithm is, only the output is its to write.
    seen = [
        Mount(io, str(spec.io), type="bind", read_only=True),
        Mount(f"{io}/output", str(spec.output), type="bind"),
        Mount(TEMPORARY, str(spec.temporary), type="bind"),
    ]
    if spec.database.path is not None:
        source = str(spec.database.path)
        seen.append(Mount(database_address(spec), source, type="bind", read_only=True))
    return seen


def links_of(spec: RunSpec) -> list[Link]:
    """Return everything that an algorithm reaches; the database comes first."""
    service = spec.database.service
    database = [Link(*service)] if service else []
    return list(dict.fromkeys([*database, *spec.links]))
