"""What each organization answers, side by side in a table of pandas."""

from contextlib import closing

import pandas

from examples.connection import connect

IMAGE = "harbor2.vantage6.ai/demo/average"

with closing(connect(__doc__)) as client:
    collaboration = client.collaboration.list()[0]["id"]
    names = {
        organization["id"]: organization["name"]
        for organization in client.organization.list(collaboration=collaboration, all_pages=True)
    }

    # Without a central function every organization computes its own part.
    task = client.task.create(
        collaboration=collaboration,
        organizations=list(names),
        name="counts per organization",
        image=IMAGE,
        description="",
        input={"method": "average_partial", "kwargs": {"column_name": "age"}},
        data_format="json",
    )
    client.wait_for_results(task["id"], timeout=300)

    results = client.result.from_task(task["id"])
    table = pandas.DataFrame(
        [result["result"] or {} for result in results],
        index=[names[result["organization"]["id"]] for result in results],
    ).sort_index()
    table["average"] = table["sum"] / table["count"]
    print(table)
    print("all together:", table["sum"].sum() / table["count"].sum())
