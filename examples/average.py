"""The average of a column over the data of all organizations of a collaboration."""

from contextlib import closing

from examples.connection import connect

IMAGE = "harbor2.vantage6.ai/demo/average"

with closing(connect(__doc__)) as client:
    # The collaborations of your organization, each with the organizations that take part.
    collaboration = client.collaboration.list()[0]
    members = [organization["id"] for organization in collaboration["organizations"]]

    # A central function runs at one organization and sends sub-tasks to the others.
    task = client.task.create(
        collaboration=collaboration["id"],
        organizations=members[:1],
        name="average age",
        image=IMAGE,
        description="",
        input={"method": "master", "master": True, "kwargs": {"column_name": "age"}},
        data_format="json",
    )
    client.wait_for_results(task["id"], timeout=300)

    for result in client.result.from_task(task["id"]):
        print(result["status"], result["result"] or result["reason"])
