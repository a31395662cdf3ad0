"""An algorithm reads the floors of its station, and who is asked together, from the node alone."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker
import pytest
from click.testing import CliRunner

from tests.node.conftest import MakeBench, MakeScheduler
from tests.node.factories import IMAGE, make_claim
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.common.disclosure.floors import PRESETS, Floors
from vantage6.common.errors import Invalid
from vantage6.node.claims import Claim
from vantage6.node.cli import main
from vantage6.node.rules.audit import entries

#: Sends what the two files hold.
READ = """
import json
out = [json.load(open(os.environ[name])) for name in ('FLOORS_FILE', 'PARTIES_FILE')]
json.dump(out, open(os.environ['OUTPUT_FILE'], 'w'))
# {"floors": "open", "records": 1, "parties": [1, 2, 3, 4], "organizations": [1, 2, 3, 4]}
"""
RULES = {"allowed_algorithms": ".*", "allow_pickle": True}


@pytest.fixture
def computed(
    wire: Wire, make_scheduler: MakeScheduler, tmp_path: Path
) -> Callable[..., tuple[Any, dict[str, Any]]]:
    """Give a function that returns what an algorithm read, and what the audit says of its start."""

    def compute(policies: dict[str, Any] | None, **task: Any) -> tuple[Any, dict[str, Any]]:
        wire.add(5, READ, **task)
        make_scheduler(**({} if policies is None else {"policies": policies})).accept(5)
        eventually(lambda: wire.ids("completed") == [5])
        audit = entries(tmp_path / "data" / "audit.jsonl")
        started = next(entry for entry in audit if entry["event"] == "started")
        return json.loads(base64.b64decode(wire.results[5]["result"])), started

    return compute


def test_the_station_sets_the_floors_and_a_researcher_none(computed: Any) -> None:
    (floors, _), started = computed({**RULES, "floors": {"preset": "sacro", "records": 20}})
    assert Floors.from_json(floors) == Floors(**{**PRESETS["sacro"].to_json(), "records": 20})
    assert started["floors"] == "sacro with records 20"


@pytest.mark.parametrize("policies", [None, RULES])
def test_a_station_that_says_nothing_has_the_strict_floors(computed: Any, policies: Any) -> None:
    (floors, _), started = computed(policies)
    assert Floors.from_json(floors) == PRESETS["default"]
    assert started["floors"] == "default"


def test_the_server_says_who_is_asked_together_and_not_the_input(computed: Any) -> None:
    (_, parties), started = computed(RULES, organizations=[2, 1, 2])
    assert parties == {"organizations": [1, 2]}
    assert started["parties"] == [1, 2]


def test_where_the_server_does_not_say_who_is_asked_nobody_counts(computed: Any) -> None:
    (_, parties), started = computed(RULES)
    assert parties == {"organizations": None}
    assert "parties" not in started


@pytest.mark.parametrize("said", [7, ["1"], [True], [None], list(range(200_000))])
def test_a_claim_that_garbles_the_organizations_is_no_claim(said: Any) -> None:
    task = {"id": 1, "collaboration": {"id": 1}, "run_id": 1, "image": "a", "initiator": 1}
    answer = {"id": 5, "task": {**task, "organizations": said}, "container_token": "t"}
    with pytest.raises(Invalid):
        Claim.from_wire(answer)


def test_no_variable_of_the_station_leads_elsewhere(process_bench: MakeBench) -> None:
    elsewhere = {"FLOORS_FILE": "/x", "PARTIES_FILE": "/x"}
    entry, exit_ = process_bench(algorithm_env=elsewhere).run(READ)
    assert exit_.code == 0, exit_.log
    assert Floors.from_json(json.loads(entry.read_output(1000))[0]) == PRESETS["default"]


@pytest.mark.slow
def test_a_container_can_neither_write_nor_replace_the_files(docker_bench: MakeBench) -> None:
    program = """
import json, subprocess
tried = {}
for name in ('FLOORS_FILE', 'PARTIES_FILE'):
    path = os.environ[name]
    for way, act in {
        'write': lambda: open(path, 'a').write('x'),
        'chmod': lambda: os.chmod(path, 0o666),
        'remove': lambda: os.remove(path),
        'rename': lambda: os.rename(path, path + '.old'),
        'replace': lambda: os.rename(os.environ['OUTPUT_FILE'], path),
        'mount': lambda: subprocess.run(['mount', '--bind', '/tmp', path], check=True),
    }.items():
        try:
            act()
            tried[name + ' ' + way] = True
        except Exception:
            tried[name + ' ' + way] = False
json.dump(tried, open(os.environ['OUTPUT_FILE'], 'w'))
"""
    entry, exit_ = docker_bench().run(program)
    assert exit_.code == 0, exit_.log
    tried = json.loads(entry.read_output(2000))
    assert len(tried) == 12
    assert not any(tried.values()), tried
    assert Floors.from_json(json.loads((entry.io / "floors").read_bytes())) == PRESETS["default"]


@pytest.mark.slow
def test_an_image_cannot_lead_its_algorithm_to_other_files(
    docker_bench: MakeBench, engine: docker.APIClient
) -> None:
    name = IMAGE.replace("program", "redirected")
    container = engine.create_container(IMAGE)["Id"]
    repository, tag = name.split(":")
    changes = ["ENV FLOORS_FILE=/etc/hostname", "ENV PARTIES_FILE=/etc/hostname", "VOLUME /mnt"]
    try:
        engine.commit(container, repository, tag, changes=changes)
        entry, exit_ = docker_bench().run(READ, make_claim(image=name, parties=(1, 2)))
    finally:
        engine.remove_container(container)
        engine.remove_image(name, force=True)
    assert exit_.code == 0, exit_.log
    floors, _ = json.loads(entry.read_output(1000))
    assert Floors.from_json(floors) == PRESETS["default"]


def test_policy_test_tells_the_floors(tmp_path: Path) -> None:
    file = tmp_path / "node.yaml"
    file.write_text(
        "application:\n  api_key: key\n  server_url: http://127.0.0.1\n"
        f"  task_dir: {tmp_path}/data\n  encryption: {{enabled: false}}\n"
        "  policies: {allowed_algorithms: ['.*'], floors: v6}\n"
    )
    file.chmod(0o600)
    ran = CliRunner().invoke(main, ["policy", "test", "--config", str(file), "--image", "a"])
    assert "Floors v6: at least 5 records, 5 in a cell, and 3 organizations" in ran.output
