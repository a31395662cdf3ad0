"""What an operator sees of a task: in the logs, in Flower, and in Prometheus."""

import json
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.flower import flower, wait_until_watched
from tests.services import needs
from tests.services.process import Process
from tests.waiting import eventually
from vantage6.sandbox.federation import IMAGE, PASSWORD, Federation
from vantage6.sandbox.ports import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

AGES = {"alpha": [45, 62, 71, 75], "beta": [28, 39, 47, 59]}
COMPOSE = Path(__file__).resolve().parents[2] / "compose/monitoring"


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Federation, int]]:
    """Give a federation, and a task that it has computed."""
    federation = Federation(tmp_path_factory.mktemp("watched"), AGES)
    try:
        federation.start_server()
        federation.register()
        for name in AGES:
            logs = {"log": str(federation.folder / name / "log")}
            federation.start_node(name, directories=logs)
        federation.wait_until_online()
        wait_until_watched(federation)
        with closing(federation.client()) as client:
            task = federation.send(client, list(AGES), "average_partial")
            federation.results(client, task)
        yield federation, task
    finally:
        federation.stop()


def fetched(address: str, authorization: str = "") -> Any:
    headers = {"Authorization": authorization} if authorization else {}
    request = urllib.request.Request(address, headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read().decode()
    return json.loads(text) if text.startswith(("{", "[")) else text


def refusal(request: urllib.request.Request) -> int:
    """Return the status with which a request is refused."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    with refused.value as error:
        return error.code


def lines(folder: Path) -> list[dict[str, Any]]:
    """Return what the processes of the project have logged; others do not write JSON."""
    return [
        json.loads(line)
        for file in sorted(folder.glob("*.log"))
        for line in file.read_text().splitlines()
        if line.startswith("{")
    ]


def test_a_task_is_followed_through_the_logs_of_api_worker_and_node(
    watched: tuple[Federation, int],
):
    federation, task = watched
    server = lines(federation.folder / "server" / "log")
    (created,) = [
        line for line in server if line["event"] == "task created" and line["task_id"] == task
    ]
    request = created["request_id"]
    mine = [line for line in server if line.get("request_id") == request]
    assert [
        (line["path"], line["status"]) for line in mine if line["event"] == "request answered"
    ] == [("/api/task", 201)]
    (sent,) = [line for line in mine if line["event"] == "message sent"]
    assert (sent["process"], sent["task_id"], sent["nodes"]) == ("workers", task, 2)
    for name in AGES:
        here = [
            line
            for line in lines(federation.folder / name / "log")
            if line.get("request_id") == request
        ]
        events = [line["event"] for line in here]
        order = ["result claimed", "result computed", "result delivered"]
        assert [event for event in events if event in order] == order
        assert {line["task_id"] for line in here} == {task}
        (result,) = {line["result_id"] for line in here}
        ended = [line for line in server if line["event"] == "result ended"]
        assert (result, "completed") in [(line["result_id"], line["status"]) for line in ended]


def test_no_log_holds_a_secret(watched: tuple[Federation, int]):
    federation, _ = watched
    secrets = {PASSWORD, federation.flower_password, *federation.api_keys.values()}
    secrets.add((federation.folder / "server" / "metrics.key").read_text().strip())
    files = list(federation.folder.rglob("*.log"))
    assert len(files) >= 6
    for file in files:
        text = file.read_text()
        assert not [secret for secret in secrets if secret in text], file
        assert "Traceback" not in text, file


def test_flower_shows_nodes_as_workers_and_results_as_their_tasks(
    watched: tuple[Federation, int],
):
    federation, _ = watched
    with closing(federation.client()) as client:
        task = federation.send(client, list(AGES), "average_partial")
        federation.results(client, task)
        input_ = {"method": "average_partial", "kwargs": {"column_name": "height"}}
        failed = federation.send(client, ["alpha"], "average_partial", input=input_)
        federation.results(client, failed)

    def states(of: int) -> dict[str, str]:
        return {
            one["worker"]: one["state"]
            for uuid, one in flower(federation, "/api/tasks").items()
            if uuid.startswith("result-") and one["args"] == f"task {of}" and one["name"] == IMAGE
        }

    eventually(lambda: list(states(task).values()) == ["SUCCESS"] * len(AGES))
    eventually(lambda: list(states(failed).values()) == ["FAILURE"])
    workers = set(states(task))
    assert [name.split(" ")[0] for name in sorted(workers)] == list(AGES)
    # The nodes are there beside the worker of the server, and say so by themselves.
    eventually(
        lambda: (
            {
                name
                for name, alive in flower(federation, "/api/workers?status=true").items()
                if alive and "@node-" in name
            }
            == workers
        )
    )
    federation.stop_node("beta")
    eventually(
        lambda: (
            {
                name
                for name, alive in flower(federation, "/api/workers?status=true").items()
                if not alive
            }
            == {name for name in workers if name.startswith("beta")}
        )
    )


def test_flower_can_be_seen_with_a_password_only_and_stops_nothing(
    watched: tuple[Federation, int],
):
    federation, _ = watched
    address = f"http://127.0.0.1:{federation.flower_port}"
    login = b64encode(f"flower:{federation.flower_password}".encode()).decode()
    assert refusal(urllib.request.Request(f"{address}/api/tasks")) == 401
    for path in ("worker/shutdown/celery@x", "task/revoke/x", "worker/pool/shrink/celery@x"):
        headers = {"Authorization": f"Basic {login}"}
        request = urllib.request.Request(f"{address}/api/{path}", method="POST", headers=headers)
        assert refusal(request) == 403, path


def test_prometheus_finds_the_numbers_of_a_running_server(
    watched: tuple[Federation, int], tmp_path: Path
):
    federation, _ = watched
    text = (COMPOSE / "prometheus.yaml").read_text()
    assert "127.0.0.1:5000" in text
    text = text.replace("127.0.0.1:5000", f"127.0.0.1:{federation.port}").replace("15s", "1s")
    (tmp_path / "prometheus.yaml").write_text(text)
    (tmp_path / "alerts.yaml").write_text((COMPOSE / "alerts.yaml").read_text())
    token = (federation.folder / "server" / "metrics.key").read_text()
    (tmp_path / "metrics.key").write_text(token)
    port = free_port()
    command = [
        *(needs("prometheus"), "--config.file=prometheus.yaml"),
        *("--storage.tsdb.path=data", f"--web.listen-address=127.0.0.1:{port}"),
    ]
    process = Process(command, tmp_path / "prometheus.log")

    def value(query: str) -> float | None:
        found = fetched(f"http://127.0.0.1:{port}/api/v1/query?query={query}")["data"]["result"]
        return float(found[0]["value"][1]) if found else None

    def is_ready() -> bool:
        try:
            return "Ready" in fetched(f"http://127.0.0.1:{port}/-/ready")
        except OSError:
            return False

    try:
        process.wait_until(is_ready)
        eventually(lambda: value("up") == 1)
        eventually(lambda: value("min(vantage6_up)") == 1)
        completed = 'vantage6_results_ended_total{status="completed"}'
        eventually(lambda: (value(completed) or 0) >= 2)
        assert (value("vantage6_claim_seconds_count") or 0) >= 2
        assert value("vantage6_nodes_known") == 2
        rules = fetched(f"http://127.0.0.1:{port}/api/v1/rules")["data"]["groups"][0]["rules"]
        assert {rule["health"] for rule in rules} <= {"ok", "unknown"}
        alerts = fetched(f"http://127.0.0.1:{port}/api/v1/alerts")["data"]["alerts"]
        # Some wait to see whether it lasts; none has lasted.
        assert not [alert for alert in alerts if alert["state"] == "firing"]
    finally:
        process.stop()
