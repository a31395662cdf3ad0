"""What can go wrong, how to see why, and what to do about it."""

from contextlib import closing
from typing import Any

from examples.connection import connect
from vantage6.client import Client, StillRunning

IMAGE = "harbor2.vantage6.ai/demo/average"


def send(
    client: Client, collaboration: int, organization: int, image: str = IMAGE, column: str = "age"
) -> int:
    """Send a task to one organization, and return its id."""
    task = client.task.create(
        collaboration=collaboration,
        organizations=[organization],
        name="failure",
        image=image,
        description="",
        input={"method": "average_partial", "kwargs": {"column_name": column}},
        data_format="json",
    )
    id_: int = task["id"]
    return id_


def show(title: str, result: dict[str, Any]) -> None:
    """Print how a result ended and why.

    The codes are in `docs/reasons.md`. The log has the end of what the algorithm printed; it is
    encrypted on its way, as the result is.
    """
    print(f"{title}: {result['status']}")
    print("   ", result["reason"]["code"], "-", result["reason"]["msg"])
    for line in (result["log"] or "").strip().splitlines()[-1:]:
        print("   ", line)


with closing(connect(__doc__)) as client:
    collaboration = client.collaboration.list()[0]["id"]
    own = client.organization.get()["id"]

    for title, wrong in (
        ("A column that the data does not have", {"column": "height"}),
        ("An image that the node does not allow", {"image": "example.org/other"}),
    ):
        task = send(client, collaboration, own, **wrong)
        client.wait_for_results(task, timeout=300)
        show(title, client.result.from_task(task)[0])

    # A node that is offline computes its part when it is back. The client warns of it.
    nodes = client.request(f"collaboration/{collaboration}/node")
    offline = [node for node in nodes if node["status"] != "online"]
    print("Offline:", ", ".join(node["name"] for node in offline) or "none")
    task = send(client, collaboration, (offline or nodes)[0]["organization"]["id"])
    try:
        client.wait_for_results(task, timeout=0.1)
    except StillRunning as error:
        print(error.message)  # the same line waits again, this one stops the task:
        client.task.kill(task)
    show("A task that was stopped", client.result.from_task(task)[0])
