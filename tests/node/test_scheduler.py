"""From doorbell to delivered result, against a server on loopback and real processes."""

import base64
import json
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.node.conftest import MakeContext, MakeScheduler
from tests.node.threads import threads_of
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.broker.messages import ResultKilled, ResultReady
from vantage6.common.encryption import DummyCryptor
from vantage6.common.errors import Unavailable
from vantage6.node.outcomes import Reason
from vantage6.node.rules.encryption import Agreement
from vantage6.node.work.reconciler import Reconciler
from vantage6.node.work.scheduler import Scheduler

WRITE = "open(os.environ['OUTPUT_FILE'], 'w').write({text!r})"
DONE = WRITE.format(text="done")
#: Until its shared folder has a file; see `go_on`.
WAIT = (
    "import time; go = os.environ['TEMPORARY_FOLDER'] + '/go'\n"
    "while not os.path.exists(go): time.sleep(0.02)\n"
)
COUNT = "open(os.environ['TEMPORARY_FOLDER'] + '/runs', 'a').write('x');"


def go_on(tmp_path: Path) -> None:
    (tmp_path / "data/runs/1/go").touch()


def is_idle(scheduler: Scheduler) -> bool:
    return scheduler.report() == ([], [])


def output(wire: Wire, id_: int) -> bytes:
    return base64.b64decode(wire.results[id_]["result"])


def test_doorbell_leads_to_a_delivered_result(
    wire: Wire, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    wire.add(5, "print('hello');" + DONE)
    scheduler = make_scheduler()
    scheduler.handle(ResultReady(5, 105))
    eventually(lambda: wire.ids("completed") == [5])
    result = wire.results[5]
    assert output(wire, 5) == b"done"
    assert result["log"] == "hello\n"
    assert result["reason"] is None
    assert result["started_at"] < result["finished_at"]
    assert result["started_at"].endswith("+00:00")
    statuses = [asked.body["status"] for asked in wire.asked if asked.method == "PATCH"]
    assert statuses == ["active", "completed"]
    assert eventually(lambda: is_idle(scheduler))
    assert not list((tmp_path / "data" / "results").iterdir())
    assert not list((tmp_path / "processes").iterdir())


def test_work_of_another_collaboration_is_left_alone(
    wire: Wire, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    """The node was moved while it ran: what it agreed on encryption is no longer true."""
    wire.add(5, DONE, collaboration={"id": 2})
    scheduler = make_scheduler()
    scheduler.accept(5)
    assert wire.claims == [5]
    assert is_idle(scheduler)
    assert not list((tmp_path / "data" / "results").iterdir())
    assert wire.ids("initializing") == [5]


def test_doorbell_that_rings_twice_runs_once(
    wire: Wire, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    wire.add(5, COUNT + DONE)
    scheduler = make_scheduler()
    threads = [threading.Thread(target=scheduler.accept, args=(5,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert eventually(lambda: is_idle(scheduler))
    scheduler.accept(5)
    assert is_idle(scheduler)
    assert (tmp_path / "data" / "runs" / "1" / "runs").read_text() == "x"


@pytest.mark.parametrize("status", ["killed by user", "completed"])
def test_result_that_is_over_is_left_alone(
    wire: Wire, make_scheduler: MakeScheduler, status: str
) -> None:
    wire.add(5)
    wire.results[5]["status"] = status
    scheduler = make_scheduler()
    scheduler.accept(5)
    scheduler.accept(404)
    assert is_idle(scheduler)


def test_doorbell_rings_again_if_the_server_is_away(
    wire: Wire, make_scheduler: MakeScheduler
) -> None:
    wire.add(5, DONE)
    scheduler = make_scheduler()
    wire.is_down = True
    with pytest.raises(Unavailable):
        scheduler.handle(ResultReady(5, 105))
    assert is_idle(scheduler)
    wire.is_down = False
    scheduler.handle(ResultReady(5, 105))
    eventually(lambda: wire.ids("completed") == [5])


@pytest.mark.parametrize(
    ("program", "task", "status", "code"),
    [
        (DONE, {"image": "no/such"}, "non-existing Docker image", "image_not_found"),
        (DONE, {"database": "typo"}, "failed", "unknown_database"),
        ("raise SystemExit(3)", {}, "crashed", "exit_code"),
        ("pass", {}, "crashed", "no_output"),
    ],
)
def test_failure_reaches_the_researcher_with_its_reason(
    wire: Wire,
    make_scheduler: MakeScheduler,
    program: str,
    task: dict[str, str],
    status: str,
    code: str,
) -> None:
    wire.add(5, program, **task)
    make_scheduler().accept(5)
    eventually(lambda: wire.ids(status) == [5])
    assert wire.results[5]["reason"]["code"] == code
    assert "result" not in wire.results[5]


def test_policy_is_asked_before_anything_runs(wire: Wire, make_scheduler: MakeScheduler) -> None:
    wire.add(5, DONE)
    wire.add(6, DONE, parent={"id": 105})
    scheduler = make_scheduler(
        policies={"allowed_algorithms": ".*", "allowed_organizations": ["org 2"]}
    )
    scheduler.accept(5)
    scheduler.accept(6)
    eventually(lambda: wire.ids("not allowed") == [5, 6])
    assert wire.results[5]["reason"]["code"] == "initiator_not_allowed"


def test_misconfigured_node_refuses_instead_of_leaving_tasks_hanging(
    wire: Wire, make_scheduler: MakeScheduler, make_context: MakeContext
) -> None:
    wire.add(5, DONE)
    refusal = Reason("encryption_mismatch", "They differ.")
    agreement = Agreement(DummyCryptor(), encrypted=True, refusal=refusal)
    make_scheduler(replace(make_context(), agreement=agreement)).accept(5)
    eventually(lambda: wire.ids("failed") == [5])
    assert wire.results[5]["reason"] == {"code": "encryption_mismatch", "msg": "They differ."}


def test_top_level_results_wait_for_a_place_but_subtasks_do_not(
    wire: Wire, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    shared = "import time; go = os.environ['TEMPORARY_FOLDER'] + '/go'\n"
    wire.add(1, shared + "while not os.path.exists(go): time.sleep(0.02)\n" + DONE)
    wire.add(2, DONE)
    wire.add(3, shared + "open(go, 'w');" + DONE, parent={"id": 101})
    scheduler = make_scheduler(parallel=1)
    scheduler.accept(1)
    scheduler.accept(2)
    time.sleep(0.3)
    assert wire.ids("completed") == []
    assert scheduler.report()[0] == [1, 2]
    scheduler.accept(3)
    eventually(lambda: wire.ids("completed") == [1, 2, 3])


def test_killed_result_is_dropped_without_upload(wire: Wire, make_scheduler: MakeScheduler) -> None:
    wire.add(5, "import time; time.sleep(60)")
    wire.add(6, DONE)
    scheduler = make_scheduler(parallel=1)
    scheduler.accept(5)
    scheduler.accept(6)
    eventually(lambda: wire.ids("active") == [5])
    for id_ in (5, 6):
        wire.results[id_]["status"] = "killed by user"
        scheduler.handle(ResultKilled(id_, 100 + id_))
    scheduler.handle(ResultKilled(404, 1))
    assert eventually(lambda: is_idle(scheduler))
    finals = [a for a in wire.asked if a.method == "PATCH" and "finished_at" in a.body]
    assert not finals


def test_result_that_was_killed_unheard_is_stopped_when_it_reports(
    wire: Wire, make_scheduler: MakeScheduler
) -> None:
    wire.add(5, "import time; time.sleep(60)")
    wire.answers["PATCH /result/5"] = (400, {"msg": "Killed.", "code": "result_finished"})
    scheduler = make_scheduler()
    scheduler.accept(5)
    assert eventually(lambda: is_idle(scheduler))


def test_upload_is_repeated_until_the_server_has_it(
    wire: Wire, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    wire.add(5, WAIT + DONE)
    scheduler = make_scheduler()
    scheduler.accept(5)
    eventually(lambda: wire.ids("active") == [5])
    wire.is_down = True
    go_on(tmp_path)
    eventually(lambda: scheduler.report() == ([], [5]))
    time.sleep(0.5)
    wire.is_down = False
    eventually(lambda: wire.ids("completed") == [5])
    assert output(wire, 5) == b"done"


def test_result_is_delivered_to_a_server_that_came_back_with_another_secret(
    wire: Wire, make_scheduler: MakeScheduler
) -> None:
    wire.add(5, DONE)
    bad = (422, {"msg": "The token is malformed.", "code": "bad_token"})
    scheduler = make_scheduler()
    wire.queued |= {"PATCH /result/5": [(200, {"id": 5}), bad], "POST /token/refresh": [bad] * 9}
    # Many nodes log in at once after a restart, and some of them too often.
    wire.queued["POST /token/node"] = [(429, {"msg": "Too often.", "code": "rate_limited"})]
    scheduler.accept(5)
    eventually(lambda: wire.ids("completed") == [5])
    assert output(wire, 5) == b"done"


def test_input_that_is_no_base64_is_not_taken_for_one_of_another_key(
    wire: Wire, make_scheduler: MakeScheduler
) -> None:
    wire.add(5)
    wire.results[5]["input"] = '{"method": "mean"}'
    make_scheduler().accept(5)
    eventually(lambda: wire.ids("failed") == [5])
    assert wire.results[5]["reason"]["code"] == "input_unreadable"
    assert "base64" in wire.results[5]["reason"]["msg"]


def test_output_that_the_server_refuses_becomes_a_reason(
    wire: Wire, make_scheduler: MakeScheduler
) -> None:
    wire.add(5, DONE)
    wire.most_bytes = 2
    scheduler = make_scheduler()
    scheduler.accept(5)
    eventually(lambda: wire.ids("failed") == [5])
    assert wire.results[5]["reason"]["code"] == "upload_refused"
    assert "too large" in wire.results[5]["reason"]["msg"]


def test_running_result_is_adopted_after_a_restart(
    wire: Wire, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    wire.add(5, COUNT + "\n" + WAIT + DONE)
    first = make_scheduler()
    first.accept(5)
    eventually(lambda: wire.ids("active") == [5])
    first.leave()
    second = make_scheduler()
    second.adopt()
    assert second.report() == ([5], [])
    go_on(tmp_path)
    eventually(lambda: wire.ids("completed") == [5])
    assert (tmp_path / "data" / "runs" / "1" / "runs").read_text() == "x"


def test_finished_result_is_delivered_after_a_restart(
    wire: Wire, make_scheduler: MakeScheduler, tmp_path: Path
) -> None:
    wire.add(5, WAIT + DONE)
    first = make_scheduler()
    first.accept(5)
    eventually(lambda: wire.ids("active") == [5])
    wire.is_down = True
    go_on(tmp_path)
    eventually(lambda: first.report() == ([], [5]))
    first.leave()
    wire.is_down = False
    second = make_scheduler()
    second.adopt()
    eventually(lambda: wire.ids("completed") == [5])


def test_claimed_result_that_never_started_runs_after_a_restart(
    wire: Wire, make_scheduler: MakeScheduler
) -> None:
    wire.add(4, "import time; time.sleep(60)")
    wire.add(5, DONE)
    first = make_scheduler(parallel=1)
    first.accept(4)
    first.accept(5)
    first.leave()
    second = make_scheduler(parallel=2)
    second.adopt()
    eventually(lambda: wire.ids("completed") == [5])


def test_what_is_claimed_while_the_node_leaves_is_for_its_next_life(
    wire: Wire, make_context: MakeContext, make_scheduler: MakeScheduler
) -> None:
    wire.add(5, DONE)
    context = make_context()
    first = make_scheduler(context)
    first.leave()
    first.accept(5)
    assert threads_of(first) == []
    assert wire.claims == [5]
    make_scheduler(context).adopt()
    eventually(lambda: wire.ids("completed") == [5])


def test_result_whose_process_vanished_is_reported_not_repeated(
    wire: Wire, make_scheduler: MakeScheduler, make_context: MakeContext, tmp_path: Path
) -> None:
    wire.add(5, COUNT + "import time; time.sleep(60)")
    context = make_context()
    first = make_scheduler(context)
    first.accept(5)
    eventually(lambda: (tmp_path / "data/runs/1/runs").exists())
    first.leave()
    context.runtime.remove(5)
    second = make_scheduler()
    second.adopt()
    eventually(lambda: wire.ids("unknown error") == [5])
    assert wire.results[5]["reason"]["code"] == "vanished"
    assert (tmp_path / "data/runs/1/runs").read_text() == "x"


def test_reconciling_starts_stops_and_forgets(
    wire: Wire, make_scheduler: MakeScheduler, make_context: MakeContext
) -> None:
    wire.add(1, "import time; time.sleep(60)")
    wire.add(2, DONE)
    context = make_context()
    scheduler = make_scheduler(context)
    scheduler.accept(1)
    eventually(lambda: wire.ids("active") == [1])
    wire.results[1]["status"] = "killed by user"
    reconciler = Reconciler(
        context.server, scheduler, context.spool, context.runtime, 0, pytest.fail, pytest.fail
    )
    reconciler.reconcile()
    eventually(lambda: wire.ids("completed") == [2])
    assert eventually(lambda: is_idle(scheduler))


def test_algorithm_speaks_to_the_server_through_its_listener(
    wire: Wire, make_scheduler: MakeScheduler
) -> None:
    program = """
import json, urllib.request
request = urllib.request.Request(
    os.environ['HOST'] + ':' + os.environ['PORT'] + os.environ['API_PATH'] + '/organization/2',
    headers={'Authorization': 'Bearer ' + open(os.environ['TOKEN_FILE']).read()},
)
answer = urllib.request.urlopen(request, timeout=10).read()
open(os.environ['OUTPUT_FILE'], 'wb').write(answer)
"""
    wire.add(5, program)
    make_scheduler().accept(5)
    eventually(lambda: wire.ids("completed") == [5])
    assert json.loads(output(wire, 5))["name"] == "org 2"


def test_many_results_are_all_delivered(wire: Wire, make_scheduler: MakeScheduler) -> None:
    for id_ in range(1, 21):
        wire.add(id_, WRITE.format(text=str(id_)))
    scheduler = make_scheduler(parallel=4)
    for id_ in range(1, 21):
        scheduler.accept(id_)
    eventually(lambda: len(wire.ids("completed")) == 20, 60)
    assert output(wire, 13) == b"13"
