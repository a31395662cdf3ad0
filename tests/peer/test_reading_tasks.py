"""Tasks and results in a world with a history; the numbers in it stand in `conftest.HISTORY`."""

import pytest

from tests.peer.calls import Call
from tests.peer.expect import AllOf, Each, ids, link, one_of, page
from tests.peer.shapes import PART, RESULT, TASK, a
from tests.peer.worlds import ALPHA, ALPHA_NODE, BETA, NOWHERE, RESEARCHER, World
from vantage6.common.encryption import is_sealed
from vantage6.sandbox.federation import IMAGE

FAR = "2100-01-01"
PAST = "2000-01-01"
SUM_OF_ALPHA, SUM_OF_BETA = {"sum": 253, "count": 4}, {"sum": 173, "count": 4}

SUMS = a(
    TASK,
    id=1,
    run_id=1,
    name="sums",
    description="of ages",
    image=IMAGE,
    database="default",
    initiator=ALPHA,
    init_user=RESEARCHER,
    collaboration=link("collaboration", 1),
    parent=None,
    children=None,
    created_at=str,
    finished_at=str,
    complete=True,
    status="completed",
    results=[link("result", 1), link("result", 2)],
)
SUB = a(
    TASK,
    id=3,
    run_id=2,
    name="subtask",
    parent=link("task", 2),
    initiator=ALPHA,
    init_user=RESEARCHER,
    image=IMAGE,
)

TASKS = [
    # Newest first.
    Call("researcher", "task.list", {}, page(AllOf(Each(TASK), ids(*range(11, 0, -1))), "last")),
    Call("viewer", "task.list", {"include_metadata": False}, ids(*range(11, 0, -1))),
    Call("root", "task.list", {"initiator": ALPHA, "per_page": 1}, page(ids(11), "next", "last")),
    Call("root", "task.list", {"initiator": BETA}, page([])),
    Call(
        "root",
        "task.list",
        {"initiating_user": RESEARCHER, "name": "av%"},
        page([a(TASK, id=2, name="average", children=[link("task", 3)])], "last"),
    ),
    Call("root", "task.list", {"collaboration": NOWHERE}, page([])),
    Call("root", "task.list", {"image": "%/demo/average", "parent": 2}, page([SUB], "last")),
    Call("root", "task.list", {"run": 2}, page(ids(3, 2), "last")),
    Call("root", "task.list", {"description": "of%"}, page([SUMS], "last")),
    Call("root", "task.list", {"database": "default", "status": "failed"}, page(ids(4), "last")),
    Call("root", "task.list", {"status": "active"}, page([])),
    Call("root", "task.list", {"result": 2}, page(ids(1), "last")),
    Call("viewer", "task.list", {"result": 2}, page(ids(1), "last")),
    Call(
        "root",
        "task.list",
        {"name": "sums", "include_results": True},
        page(
            [
                a(
                    TASK,
                    results=[a(PART, id=1, organization=ALPHA), a(PART, id=2, organization=BETA)],
                )
            ],
            "last",
        ),
    ),
    Call("stranger", "task.list", {}, status=401),
    Call("researcher", "task.get", {"id_": 1}, SUMS),
    Call("viewer", "task.get", {"id_": 3}, SUB),
    Call(
        "researcher",
        "task.get",
        {"id_": 1, "include_results": True},
        a(TASK, results=[a(PART, id=1), AllOf(a(PART, id=2), lambda r: "task" not in r)]),
    ),
    Call(
        "researcher",
        "task.get",
        {"id_": 4, "fields": ["complete", "status"]},
        AllOf({"complete", "status"}, {"complete": True, "status": "failed"}),
    ),
    Call("researcher", "task.get", {"id_": NOWHERE}, status=404),
    Call("stranger", "task.get", {"id_": 1}, status=401),
]

RESULTS = [
    # The values are decrypted and decoded; what was sent to somebody else stays as it is.
    Call(
        "researcher",
        "result.list",
        {"task": 1},
        page(
            [
                a(
                    RESULT,
                    id=2,
                    result=SUM_OF_BETA,
                    input=str,
                    organization=link("organization", BETA),
                ),
                a(
                    RESULT,
                    id=1,
                    result=SUM_OF_ALPHA,
                    status="completed",
                    task=link("task", 1),
                    input=b'json.{"method": "average_partial", "kwargs": {"column_name": "age"}}',
                ),
            ],
            "last",
        ),
    ),
    Call(
        "researcher",
        "result.list",
        {"task": 2, "include_metadata": False},
        [a(RESULT, id=3, result={"average": 53.25})],
    ),
    Call(
        "researcher",
        "result.list",
        {"task": 3, "include_task": True, "page": 1, "per_page": 1},
        page(
            [
                a(
                    RESULT,
                    id=5,
                    result=SUM_OF_BETA,
                    task=AllOf(
                        {key: TASK[key] for key in TASK if key != "results"},
                        lambda task: "results" not in task,
                    ),
                )
            ],
            "next",
            "last",
        ),
    ),
    Call(
        "researcher",
        "result.list",
        {"task": 4},
        # Clients of 3.11 show the log as it travels: encrypted, as the result is.
        page([a(RESULT, status="crashed", log=is_sealed)], "last"),
    ),
    Call("researcher", "result.list", {"task": 5}, page([a(RESULT, result=SUM_OF_BETA)], "last")),
    Call(
        "researcher",
        "result.list",
        {"organization": BETA, "field": "id", "include_metadata": False},
        [{"id": 13}, {"id": 10}, {"id": 7}, {"id": 5}, {"id": 2}],
    ),
    Call(
        "researcher",
        "result.list",
        {"node": ALPHA_NODE},
        page(ids(15, 14, 12, 11, 9, 8, 6, 4, 3, 1), "last"),
    ),
    Call("researcher", "result.list", {"state": "open"}, page([])),
    Call("researcher", "result.list", {"port": 5000}, page([])),
    Call(
        "researcher",
        "result.list",
        {"task": 1, "assigned": [PAST, FAR], "started": [PAST, None], "finished": [None, FAR]},
        page(ids(2, 1), "last"),
    ),
    Call("researcher", "result.list", {"assigned": [FAR, None]}, page([])),
    Call("researcher", "result.list", {"started": [None, PAST]}, page([])),
    Call("researcher", "result.list", {"finished": [FAR, FAR]}, page([])),
    Call("stranger", "result.list", {}, status=401, raises="TypeError"),
    Call("researcher", "result.get", {"id_": 1}, a(RESULT, result=SUM_OF_ALPHA)),
    Call(
        "researcher",
        "result.get",
        {"id_": 7, "include_task": True},
        a(RESULT, result=SUM_OF_BETA, task={"id": 5, "name": "legacy"}),
    ),
    Call(
        "researcher",
        "result.get",
        {"id_": 3, "field": "result"},
        AllOf({"result"}, {"result": {"average": 53.25}}),
    ),
    Call("researcher", "result.get", {"id_": NOWHERE}, status=404, raises="KeyError"),
    Call("stranger", "result.get", {"id_": 1}, status=401, raises="KeyError"),
    Call(
        "researcher",
        "result.from_task",
        {"task_id": 1},
        [a(RESULT, result=SUM_OF_BETA), a(RESULT, result=SUM_OF_ALPHA)],
    ),
    Call(
        "researcher",
        "result.from_task",
        {"task_id": 2, "include_task": True},
        [a(RESULT, result={"average": 53.25}, task={"id": 2, "complete": True})],
    ),
    Call("researcher", "result.from_task", {"task_id": NOWHERE}, []),
    Call("stranger", "result.from_task", {"task_id": 1}, status=401, raises="TypeError"),
    # These leave the decoding to their caller.
    Call(
        "researcher",
        "wait_for_results",
        {"task_id": 1, "sleep": 0.05},
        [
            a(RESULT, result=b'json.{"sum": 173, "count": 4}'),
            a(RESULT, result=b'json.{"sum": 253, "count": 4}'),
        ],
    ),
    Call("researcher", "wait_for_results", {"task_id": 4}, [a(RESULT, status="crashed")]),
    Call("researcher", "wait_for_results", {"task_id": NOWHERE}, status=404, raises="KeyError"),
    Call("researcher", "get_results", {"id_": 3}, a(RESULT, result=b'json.{"average": 53.25}')),
    Call(
        "researcher",
        "get_results",
        {"task_id": 1, "include_task": True},
        [a(RESULT, id=2, task={"id": 1}), a(RESULT, id=1)],
    ),
    Call("researcher", "get_results", {"state": "open", "node_id": ALPHA_NODE}, []),
    Call(
        "researcher",
        "get_results",
        {"params": {"include": "metadata", "task_id": 2}},
        page([a(RESULT, id=3)], "last"),
    ),
    # Who holds no key of alpha does not read what was made for alpha.
    Call("viewer", "result.get", {"id_": 1}, a(RESULT, result=one_of(str, bytes))),
]


@pytest.mark.parametrize("call", [*TASKS, *RESULTS], ids=str)
def test_a_call_about_tasks_answers_as_the_original(call: Call, sealed: World) -> None:
    call.check(sealed.user(call.who))
