"""An algorithm as it was written for 3.11.1, and one that reports what its client is told."""

import time


def RPC_average_partial(data, column_name):  # noqa: N802 - the name is the protocol
    """Return sum and count of a column, as pandas computes them."""
    return {"sum": data[column_name].sum(), "count": len(data)}


def average(client, data, column_name):
    """Return the average over the collaboration, with the client of old images."""
    organizations = client.get_organizations_in_my_collaboration()
    task = client.create_new_task(
        {"method": "average_partial", "kwargs": {"column_name": column_name}},
        [organization["id"] for organization in organizations],
    )
    while not client.get_task(task["id"])["complete"]:
        time.sleep(0.1)
    return _combined(client.get_results(task["id"]))


def average_with_new_client(client, data, column_name):
    """Return the average over the collaboration, with the client of newer images."""
    task = client.task.create(
        {"method": "average_partial", "kwargs": {"column_name": column_name}},
        [organization["id"] for organization in client.organization.list()],
    )
    while not client.task.get(task["id"])["complete"]:
        time.sleep(0.1)
    return _combined(client.result.get(task["id"]))


def report(client, data, calls):
    """Return what calls of the client give; one that raises gives the name of the exception."""
    found = []
    for name, arguments in calls:
        try:
            found.append(_member(client, name)(*arguments))
        except Exception as error:
            found.append({"raised": type(error).__name__})
    return found


def _combined(parts):
    return {"average": sum(p["sum"] for p in parts) / sum(p["count"] for p in parts)}


def _member(client, path):
    for name in path.split("."):
        client = getattr(client, name)
    return client
