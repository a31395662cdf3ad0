"""The script of a researcher: it is checked with ``mypy --strict`` and run against a server."""

from contextlib import closing
from pathlib import Path

import pandas as pd  # type: ignore[import-untyped]

from vantage6.client import AuthenticationException, Client, StillRunning
from vantage6.client.types import Organization, Result, Task
from vantage6.common.errors import Forbidden, Invalid, NotFound, V6Error

INPUT = {"method": "average_partial", "kwargs": {"column_name": "age"}}


def connect(host: str, port: int, password: str, key_file: Path | None) -> Client:
    """Log in, after a wrong password."""
    client = Client(host, port, "/api", raise_errors=True, log_level="error")
    try:
        client.authenticate("ada", "a wrong password")
    except AuthenticationException as error:
        print("refused:", error)
    client.authenticate("ada", password)
    client.setup_encryption(key_file)
    if client.whoami is not None:
        print("logged in as", client.whoami.name, "of", client.whoami.organization_name)
    return client


def compute(client: Client, collaboration: int) -> pd.DataFrame:
    """Send a task to everybody, and return one row per answer."""
    members: list[Organization] = client.organization.list(
        collaboration=collaboration, all_pages=True
    )
    task: Task = client.task.create(
        collaboration=collaboration,
        organizations=[member["id"] for member in members],
        name="ages",
        image="harbor2.vantage6.ai/demo/average",
        description="of everybody",
        input=INPUT,
        data_format="json",
    )
    try:
        client.wait_for_results(task["id"], timeout=0.01)
    except StillRunning as error:
        print("patience:", error)
    client.wait_for_results(task["id"], sleep=0.05, timeout=60)
    results: list[Result] = client.result.list(
        task=task["id"], all_pages=True, fields=["organization", "status", "result"]
    )
    names = {member["id"]: member["name"] for member in members}
    rows = [
        {"name": names[result["organization"]["id"]], **result["result"]}
        for result in results
        if result["status"] == "completed"
    ]
    return pd.DataFrame(rows)


def refusals(client: Client, collaboration: int) -> list[str]:
    """Return the codes of what the server and the client refuse."""
    codes = []
    for organization in (0, 999_999):
        try:
            client.task.create(collaboration, [organization], "n", "i", "", INPUT, "json")
        except Invalid as error:
            codes.append(error.error_code)
    try:
        client.task.get(999_999)
    except (NotFound, Forbidden) as error:
        codes.append(error.error_code)
    except V6Error as error:
        raise AssertionError("another error than expected") from error
    return codes


def main(host: str, port: int, password: str, key_file: Path | None, collaboration: int) -> None:
    """Do all of it."""
    with closing(connect(host, port, password, key_file)) as client:
        frame = compute(client, collaboration)
        print("average:", frame["sum"].sum() / frame["count"].sum())
        print("refusals:", refusals(client, collaboration))
