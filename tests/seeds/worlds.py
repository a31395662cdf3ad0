"""What makes the documents true: the ids, names and results that they show."""

from pathlib import Path
from typing import Any

import yaml

from tests.seeds.document import Statement
from tests.seeds.table import ALL
from vantage6.sandbox.federation import Federation

#: Organization 1 is the server's own; results come newest first, which is that of organization 3.
AGES = {"example_org1": [28, 39, 47, 59], "example_org2": [45, 62, 71, 75], "example_org3": [50]}
OTHER_AGES = [20, 30]


def substitutes(federation: Federation, username: str, password: str, key: str) -> dict[str, str]:
    """Return what a user puts into the configuration of the client document."""
    return {
        "https://MY VANTAGE6 SERVER": "http://127.0.0.1",
        "server_port = 443": f"server_port = {federation.port}",
        'server_api = ""': 'server_api = "/api"',
        "MY USERNAME": username,
        "MY PASSWORD": password,
        "FILEPATH TO MY PRIVATE KEY": key,
        "/path/to/private/key": str(federation.folder / "private_key.pem"),
    }


def node_databases(folder: Path) -> dict[str, Any]:
    """Return the section of a node's configuration that the client document shows."""
    (text,) = [one.text for one in ALL if one.kind == "yaml" and one.chapter == "Creating a task"]
    other = folder / "example2.csv"
    other.write_text("\n".join(["age", *map(str, OTHER_AGES)]))
    text = text.replace("/path/to/my/example2.csv", str(other))
    databases: dict[str, Any] = yaml.safe_load(text)
    return databases


def is_of(statement: Statement, way: str) -> bool:
    """Tell whether a statement stands in one of the two ways to read the chapter on tasks."""
    marks = {"master": ("'master': True", "{'average':"), "RPC": ("'master': False", "{'sum':")}
    (others,) = [mark for name, mark in marks.items() if name != way]
    return not any(mark in statement.text for mark in others)
