"""Which functions of an image a station computes, and which of them only within a run of it."""

import base64
import gzip
import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import docker
import pytest
from click.testing import CliRunner, Result

from tests.node.conftest import MakeBench, MakeContext, MakeScheduler
from tests.node.factories import IMAGE, make_claim, make_config
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.common.cards import LABEL, Card, parse, write, write_label
from vantage6.common.encoding import bytes_to_base64s
from vantage6.common.errors import ConfigurationError
from vantage6.node.claims import Requester
from vantage6.node.cli import main
from vantage6.node.outcomes import RefusalError
from vantage6.node.rules.findings import PolicyRequest
from vantage6.node.rules.functions import read_card, read_function
from vantage6.node.rules.policy import Policy
from vantage6.node.rules.registries import Registries
from vantage6.node.runtime.base import Image, Pulling
from vantage6.node.runtime.process import ProcessRuntime

CARD = parse(
    {
        "card": 1,
        "name": "statistics",
        "version": "1.0.0",
        "functions": [
            {"name": "glm", "kind": "central", "calls": ["glm_step"]},
            {"name": "glm_step", "kind": "partial"},
            {"name": "same", "kind": "central"},
            {"name": "same", "kind": "partial"},
        ],
    }
)
DIGEST = f"sha256:{'1' * 64}"
RULES = {"allowed_algorithms": ".*"}
CENTRAL = {"master": True, "method": "glm"}
PARTIAL = {"method": "glm_step"}


def payload(input_: Any) -> bytes:
    return b"json." + json.dumps(input_).encode()


def refusal(
    input_: bytes | dict[str, Any],
    card: Card | None = CARD,
    policies: dict[str, Any] | None = None,
    digests: frozenset[str] = frozenset({DIGEST}),
    **claim: Any,
) -> str | None:
    """Return the code with which a station refuses a task, or None."""
    content = input_ if isinstance(input_, bytes) else payload(input_)
    rules = Policy(make_config(policies={**RULES, "allow_pickle": True, **(policies or {})}))
    asked = PolicyRequest.by(make_claim(**claim), digests=digests)
    asked = PolicyRequest(
        **{name: getattr(asked, name) for name in asked.__slots__}
        | {"function": read_function(content), "card": card, "is_fetched": True}
    )
    try:
        rules.check(asked)
    except RefusalError as error:
        reason = error.reason
    else:
        return None
    # The server may read it, and the input is not for the server.
    assert not {"glm_step", "secret"} & set(reason.message.replace("'", " ").split())
    return reason.code


def within(image: str | None) -> dict[str, Any]:
    """Return what a claim says of a sub-task whose parent ran an image."""
    return {"is_subtask": True, "above": (Requester(1, "org 1", 7, "alice", 100, image),)}


def test_a_partial_function_is_for_sub_tasks_of_the_same_image() -> None:
    assert refusal(CENTRAL) is None
    assert refusal(PARTIAL) == "subtask_only"
    assert refusal(PARTIAL, **within(IMAGE)) is None
    assert refusal(PARTIAL, **within(f"elsewhere/name@{DIGEST}")) is None
    for other in ("other/image", f"{IMAGE}x", f"{IMAGE}@sha256:{'2' * 64}", ""):
        assert refusal(PARTIAL, **within(other)) == "subtask_only"


def test_only_the_task_right_above_counts() -> None:
    first, second = within(IMAGE)["above"][0], within("other/image")["above"][0]
    assert refusal(PARTIAL, is_subtask=True, above=(first, second)) == "subtask_only"
    assert refusal(PARTIAL, is_subtask=True, above=(second, first)) is None


@pytest.mark.parametrize("above", [None, within(None)["above"]])
def test_a_server_that_does_not_tell_the_image_above_gets_no_partial_function_run(
    above: Any,
) -> None:
    assert refusal(PARTIAL, is_subtask=True, above=above) == "subtask_only"


@pytest.mark.parametrize(
    "input_",
    [
        {"method": "RPC_glm_step", "master": True},
        {"method": "RPC_RPC_glm_step", "master": True},
        {"method": "RPC_glm", "master": True},
        {"method": "glm_step", "master": True},
        {"method": "glm", "master": False},
        {"method": "glm"},
        {"method": "same"},
        {"method": "RPC_same", "master": True},
        {"method": "imported_by_the_module", "master": True},
        {"method": "ｇｌｍ", "master": True},  # noqa: RUF001
        {"method": "glm\n", "master": True},
        {"method": " glm", "master": True},
    ],
)
def test_no_spelling_gets_a_partial_function_past_the_rule(input_: dict[str, Any]) -> None:
    assert refusal(input_) == "subtask_only"


@pytest.mark.parametrize(
    "input_",
    [
        b"",
        b"json.",
        b"json.[]",
        b"json.{}",
        b'{"method": "glm", "master": true}',
        b'JSON.{"method": "glm", "master": true}',
        b'json.{"method": "glm_step", "method": "glm", "master": true}',
        b'json.{"method": "glm", "master": false, "master": true}',
        b'json.{"method": "glm", "master": true, "kwargs": {"a": 1, "a": 2}}',
        b"json." + json.dumps(CENTRAL).encode("utf-16"),
        b"json.\xef\xbb\xbf" + json.dumps(CENTRAL).encode(),
        b'json.{"method": ["glm"], "master": true}',
        b'json.{"method": "", "master": true}',
        b'json.{"method": "RPC_", "master": true}',
        b'json.{"method": "glm", "master": 1}',
        b'json.{"method": "glm", "master": "yes"}',
        payload({"method": "secret" * 1_000_000, "master": True}),
        payload({**CENTRAL, "kwargs": {"x": [0] * 300_000}}),
        b"json." + b"[" * 100_000,
        b"\x80\x04\x95 a pickle",
    ],
)
def test_what_cannot_be_read_names_no_function(input_: bytes) -> None:
    assert refusal(input_) == "function_unknown"
    assert refusal(input_, card=None, policies={"functions": {".*": ".*"}}) == "function_unknown"
    # Images of before have no card: they take what they took.
    assert refusal(input_, card=None) is None


def test_the_station_may_let_partial_functions_of_an_image_be_asked_for() -> None:
    assert refusal(PARTIAL, policies={"direct_partials": IMAGE}) is None
    assert refusal(PARTIAL, policies={"direct_partials": DIGEST}) == "subtask_only"
    named = f".*@{DIGEST}"
    assert refusal(PARTIAL, policies={"direct_partials": named}) is None
    other = frozenset({f"sha256:{'2' * 64}"})
    assert refusal(PARTIAL, policies={"direct_partials": named}, digests=other) == "subtask_only"
    assert refusal(PARTIAL, policies={"direct_partials": "other"}) == "subtask_only"


def test_functions_are_allowed_by_name_for_each_image() -> None:
    listed = {"functions": {IMAGE: ["glm", "cox.*"], "other/.*": ".*"}}
    assert refusal(CENTRAL, policies=listed) is None
    assert refusal({**CENTRAL, "method": "cox"}, card=None, policies=listed) is None
    for name in ("same", "glm_step", "xglm", "glmx", "GLM", "glm\n"):
        code = refusal({**CENTRAL, "method": name}, policies=listed)
        assert code == "function_not_allowed", name
    assert refusal(PARTIAL, policies=listed, **within(IMAGE)) == "function_not_allowed"
    assert refusal(CENTRAL, card=None, policies=listed, image="other/one") is None
    assert refusal(CENTRAL, policies=listed, image="third") == "function_not_allowed"
    assert refusal(CENTRAL, policies={"functions": {}}) == "function_not_allowed"


def test_entries_for_one_image_add_up_and_a_digest_has_to_be_its_own() -> None:
    listed = {"functions": {IMAGE: "glm", f".*@{DIGEST}": "same"}}
    for name in ("glm", "same"):
        assert refusal({**CENTRAL, "method": name}, policies=listed) is None
    other = frozenset({f"sha256:{'2' * 64}"})
    same = {**CENTRAL, "method": "same"}
    assert refusal(same, policies=listed, digests=other) == "function_not_allowed"


def test_an_expression_that_is_none_is_refused() -> None:
    for functions in ({"(": "glm"}, {IMAGE: "("}):
        with pytest.raises(ValueError, match="regular expression"):
            make_config(policies={**RULES, "functions": functions})


@pytest.mark.parametrize("label", ["", "x", "e30=", "A" * 10_000_000])
def test_an_image_with_a_card_that_cannot_be_read_does_not_run(label: str) -> None:
    with pytest.raises(RefusalError) as refused:
        read_card(label)
    assert refused.value.reason.code == "card_unreadable"
    assert read_card(None) is None
    assert read_card(write_label(CARD)) == CARD


def test_an_image_whose_card_shares_single_records_does_not_run() -> None:
    shares = [{"path": "/n", "class": "count"}]
    step = {"name": "step", "kind": "partial", "shares": shares}
    right = {"card": 1, "name": "x", "version": "1", "functions": [step]}
    wrong = json.dumps(right).replace("count", "identifier")
    for text, is_refused in ((json.dumps(right), False), (wrong, True)):
        label = base64.b64encode(gzip.compress(text.encode())).decode()
        with pytest.raises(RefusalError) if is_refused else nullcontext() as refused:
            read_card(label)
        if is_refused:
            assert refused.value.reason.code == "card_unreadable"


class Labelled(ProcessRuntime):
    """A runtime whose programs have a card, as images have one in a label."""

    def fetch(
        self,
        image: str,
        cancelled: Callable[[], bool],
        pulling: Pulling = nullcontext,
        registries: Registries | None = None,
    ) -> Image:
        """Return the program with the card."""
        found = super().fetch(image, cancelled, pulling, registries)
        return Image(found.id, frozenset({DIGEST}), write_label(CARD))


DONE = ("python3", "-c", "import os; open(os.environ['OUTPUT_FILE'], 'w').write('done')")


@pytest.fixture
def ended(
    wire: Wire, make_scheduler: MakeScheduler, make_context: MakeContext, tmp_path: Path
) -> Callable[..., tuple[str, Any]]:
    """Give a function that computes a task, and returns status and reason."""

    def end(input_: dict[str, Any], policies: dict[str, Any], **task: Any) -> tuple[str, Any]:
        config = make_config(processes={IMAGE: DONE})
        runtime = Labelled(tmp_path / "labelled", config.processes, config.limits)
        context = make_context(policies={**RULES, **policies}, runtime=runtime)
        wire.add(5, **task)
        wire.results[5]["input"] = bytes_to_base64s(payload(input_))
        make_scheduler(context).accept(5)
        eventually(lambda: wire.ids("completed", "not allowed", "crashed", "failed") == [5])
        return wire.results[5]["status"], wire.results[5].get("reason")

    return end


def said(task: int, image: str) -> dict[str, Any]:
    names = {"organization_name": "org 1", "user": 7, "user_name": "alice"}
    return {"task": task, "organization": 1, "image": image, **names}


def test_the_station_refuses_before_anything_starts_and_writes_it_down(
    ended: Any, tmp_path: Path
) -> None:
    status, reason = ended(PARTIAL, {})
    assert status == "not allowed"
    assert reason["code"] == "subtask_only"
    assert "glm, same" in reason["msg"]
    lines = (tmp_path / "data/audit.jsonl").read_text().splitlines()
    events = {entry["event"]: entry for entry in map(json.loads, lines)}
    assert events["refused"]["code"] == "subtask_only"
    assert events["asked"]["method"] == "glm_step"
    assert "started" not in events


def test_the_station_computes_a_central_function_and_a_sub_task_of_it(ended: Any) -> None:
    assert ended(CENTRAL, {"functions": {".*": "glm"}})[0] == "completed"


def test_the_station_computes_a_sub_task_of_the_same_image(ended: Any, tmp_path: Path) -> None:
    chain = [said(101, IMAGE), said(105, IMAGE)]
    assert ended(PARTIAL, {}, parent={"id": 101}, requesters=chain)[0] == "completed"
    lines = (tmp_path / "data/audit.jsonl").read_text().splitlines()
    asked = next(entry for entry in map(json.loads, lines) if entry["event"] == "asked")
    assert [one["image"] for one in asked["above"]] == [IMAGE]


def test_the_station_refuses_a_sub_task_of_another_image(ended: Any) -> None:
    chain = [said(101, "other/image"), said(105, IMAGE)]
    assert ended(PARTIAL, {}, parent={"id": 101}, requesters=chain)[1]["code"] == "subtask_only"


def test_an_unlisted_function_is_refused_before_the_image_is_fetched(ended: Any) -> None:
    listed = {"functions": {"absent/.*": "cox"}}
    assert ended(CENTRAL, listed, image="absent/image")[1]["code"] == "function_not_allowed"


@pytest.mark.slow
def test_the_card_of_an_image_is_read_from_its_label(
    docker_bench: MakeBench, engine: docker.APIClient
) -> None:
    name = IMAGE.replace("program", "labelled")
    container = engine.create_container(IMAGE)["Id"]
    repository, tag = name.split(":")
    try:
        engine.commit(container, repository, tag, changes=[f"LABEL {LABEL}={write_label(CARD)}"])
        runtime = docker_bench().runtime
        assert read_card(runtime.fetch(name, lambda: False).card) == CARD
        assert runtime.fetch(IMAGE, lambda: False).card is None
    finally:
        engine.remove_container(container)
        engine.remove_image(name, force=True)


@pytest.fixture
def policy_test(tmp_path: Path) -> Callable[..., Result]:
    """Give a function that asks ``vnode policy test``."""
    file = tmp_path / "node.yaml"
    file.write_text(
        "application:\n  api_key: key\n  server_url: http://127.0.0.1\n"
        f"  task_dir: {tmp_path}/data\n  databases: {{default: {tmp_path}/x.csv}}\n"
        "  encryption: {enabled: false}\n"
        "  policies:\n    allowed_algorithms: ['.*']\n    functions: {'a/b': ['glm.*']}\n"
    )
    file.chmod(0o600)
    (tmp_path / "card.json").write_text(write(CARD))

    def run(*options: str) -> Result:
        return CliRunner().invoke(main, ["policy", "test", "--config", str(file), *options])

    return run


def test_policy_test_explains_functions(policy_test: Callable[..., Result], tmp_path: Path) -> None:
    card, arguments = str(tmp_path / "card.json"), tmp_path / "arguments.json"
    arguments.write_text("{}")
    named = ("--image", "a/b", "--card", card, "--function")
    central = policy_test(*named, "glm", "--arguments", str(arguments))
    assert central.exit_code == 0, central.output
    assert "allowed  policies.functions" in central.output
    assert "allowed  policies.direct_partials: The function is a central one." in central.output
    direct = policy_test(*named, "glm_step", "--partial")
    assert direct.exit_code == 1
    assert "[subtask_only]" in direct.output
    assert policy_test(*named, "glm_step", "--partial", "--parent-image", "a/b").exit_code == 0
    assert policy_test(*named, "glm_step", "--partial", "--parent-image", "a/c").exit_code == 1
    assert "[function_not_allowed]" in policy_test(*named, "cox").output
    cardless = policy_test("--image", "a/b", "--function", "glm").output
    assert "open     policies.direct_partials" in cardless
    arguments.write_text('{"strange": 1}')
    strange = policy_test(*named, "glm", "--arguments", str(arguments))
    assert strange.exit_code == 1
    assert "[bad_arguments]" in strange.output


@pytest.mark.parametrize("content", ["{", "[]", '"x"'])
def test_policy_test_refuses_what_is_no_argument(
    policy_test: Callable[..., Result], tmp_path: Path, content: str
) -> None:
    file = tmp_path / "arguments.json"
    file.write_text(content)
    done = policy_test("--image", "a/b", "--function", "glm", "--arguments", str(file))
    assert isinstance(done.exception, SystemExit | ConfigurationError)
    assert done.exit_code != 0
    alone = policy_test("--image", "a/b", "--arguments", str(file))
    assert alone.exit_code != 0
    card = policy_test("--image", "a/b", "--card", str(file))
    assert card.exit_code != 0
