"""``vantage6 run`` and ``shelf show`` with the cards of the shelf, against the real server."""

import json
import shlex
from typing import Any

import pytest

from tests.client.command import Command
from tests.models.cards import card, shelve
from tests.models.factories import IMAGE
from vantage6.client import RSACryptor
from vantage6.common import cards
from vantage6.common.enums import CardState
from vantage6.models.tables import Task

OTHER = "registry.example.org/other"
MODEL = {
    "type": "object",
    "properties": {
        "formula": {"type": "string", "x-is": "formula", "description": "Outcome ~ terms."},
        "family": {"enum": ["binomial", "poisson"], "description": "Of the outcome."},
        "columns": {
            "type": ["array", "null"],
            "items": {"type": "string"},
            "x-is": "columns",
            "x-types": ["numeric", "boolean"],
            "default": None,
        },
        "edges": {"type": ["array", "null"], "items": {"type": "number"}, "default": None},
        "rounds": {"type": "integer", "minimum": 1, "maximum": 50, "default": 25},
        "robust": {"type": "boolean", "default": False},
        "levels": {"type": "object", "additionalProperties": {"type": "array"}},
    },
    "required": ["formula", "family"],
    "additionalProperties": False,
}
EXAMPLE = {"title": "Death", "arguments": {"formula": "died ~ age", "family": "binomial"}}
NEEDED = ("--arg", "formula=died ~ age", "--arg", "family=binomial")


@pytest.fixture(autouse=True)
def logged_in(command: Command) -> None:
    command.log_in()


def function(name: str, kind: str = "central", **more: Any) -> dict[str, Any]:
    """Return a function of a card."""
    return {"name": name, "kind": kind, "title": f"The {name}", "arguments": MODEL, **more}


def shelve_models(**changes: Any) -> int:
    """Put a card with a model on the shelf, and return its id."""
    functions = [
        function("glm", examples=[EXAMPLE]),
        function("glm_step", "partial"),
        function("both"),
        function("both", "partial"),
    ]
    about = {"name": "models", "functions": functions, "images": [OTHER, "elsewhere/models:1.0"]}
    return int(shelve(**about | changes).id)


def sent(command: Command, *words: object) -> tuple[str, int, Any]:
    """Run a function, and return the image of its task, the receivers and what they read."""
    task = command.json("run", *words, "--no-wait")["task"]
    results = command.live.client.result.from_task(task)
    payload = json.loads(results[0]["input"].removeprefix(b"json."))
    return Task.get_by_id(task).image, len(results), payload


def test_without_an_image_it_is_the_first_of_the_reviewed_card_that_has_the_function(
    command: Command,
) -> None:
    shelve()
    shelve_models()
    # Neither a draft, nor a retired card, nor another version of the same image is in the way.
    shelve_models(state=CardState.DRAFT, name="drafted", images=["drafted/models"])
    shelve_models(version="2.0.0")
    assert sent(command, "glm", *NEEDED)[0] == OTHER
    assert sent(command, "average_partial", "--arg", "column_name=age")[0] == IMAGE


def test_an_image_is_taken_with_the_digest_that_the_card_names(command: Command) -> None:
    reference = f"{OTHER}@sha256:{'a' * 64}"
    shelve_models(images=[reference])
    assert sent(command, "glm", *NEEDED)[0] == reference


def test_of_two_versions_with_digests_the_newest_one_runs(command: Command) -> None:
    shelve_models(images=[f"{OTHER}:1.0@sha256:{'a' * 64}"])
    newest = f"{OTHER}:1.1@sha256:{'b' * 64}"
    shelve_models(version="1.1.0", images=[newest])
    assert sent(command, "glm", *NEEDED)[0] == newest


def test_a_card_of_another_collaboration_names_no_image(command: Command) -> None:
    shelve_models(collaboration=command.live.world.south)
    done = command.run("run", "glm", *NEEDED, "--no-wait")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "No reviewed card of the shelf has a function 'glm'" in done.stderr
    assert "--image" in done.stderr
    assert Task.select().count() == 0


def test_several_images_with_the_function_are_listed_and_nothing_is_sent(command: Command) -> None:
    shelve_models()
    shelve_models(name="models2", images=["second/models"])
    done = command.run("run", "glm", *NEEDED, "--no-wait")
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"{OTHER} (models 1.0.0)" in done.stderr
    assert "second/models (models2 1.0.0)" in done.stderr
    assert "--image" in done.stderr
    assert Task.select().count() == 0
    assert sent(command, "glm", *NEEDED, "--image", "second/models")[0] == "second/models"


def test_the_card_says_whether_a_function_is_central(command: Command) -> None:
    shelve_models()
    _, receivers, payload = sent(command, "glm", *NEEDED)
    assert (receivers, payload["master"]) == (1, True)
    _, receivers, payload = sent(command, "glm_step", *NEEDED, "--image", OTHER)
    assert (receivers, "master" in payload) == (2, False)
    done = command.run("run", "both", *NEEDED, "--no-wait")
    assert done.exit_code == 2
    assert "--central or --partial" in done.stderr
    assert sent(command, "both", *NEEDED, "--central")[2]["master"] is True


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("columns=age,weight", ["age", "weight"]),
        ("columns=age", ["age"]),
        ("columns=12, 13", ["12", "13"]),
        ('columns=["a,b"]', ["a,b"]),
        ("columns=null", None),
        ("edges=1,2.5", [1, 2.5]),
        ("edges=4", [4]),
        ("rounds=3", 3),
        ("robust=true", True),
        ("robust=False", False),
        ('levels={"arm": ["a", "b"]}', {"arm": ["a", "b"]}),
        ("formula=12", "12"),
        ("formula=a,b", "a,b"),
        ("formula=true", "true"),
    ],
)
def test_a_value_has_the_type_that_the_card_gives_it(
    command: Command, text: str, value: object
) -> None:
    shelve_models()
    needed = NEEDED[2:] if text.startswith("formula") else NEEDED
    _, _, payload = sent(command, "glm", *needed, "--arg", text)
    found = payload["kwargs"][text.partition("=")[0]]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ((), {}),
        (("--arg", "rounds=many"), {"rounds": "many"}),
        ((*NEEDED, "--arg", "edges=1,b"), {"formula": "f", "family": "poisson", "edges": [1, "b"]}),
        ((*NEEDED, "--arg", "robust=maybe"), {"formula": "f", "family": "poisson", "robust": "m"}),
        (("--arg", "formula=f", "--arg", "family=cauchy"), {"formula": "f", "family": "cauchy"}),
        ((*NEEDED, "--arg", "strange=1"), {"formula": "f", "family": "poisson", "strange": 1}),
    ],
)
def test_a_wrong_argument_is_one_line_with_the_sentence_of_client_and_node(
    command: Command, words: tuple[str, ...], arguments: dict[str, Any]
) -> None:
    shelve_models()
    known = cards.parse(card(functions=[function("glm")]))
    input_ = {"method": "glm", "master": True, "kwargs": arguments}
    said = " ".join(cards.find_faults_of_input(known, input_))
    done = command.run("run", "glm", *words, "--no-wait")
    assert (done.exit_code, done.stdout) == (2, "")
    hint = "`vantage6 shelf show glm` shows its arguments."
    assert done.stderr == f"vantage6: {said} {hint}\n"
    assert Task.select().count() == 0


def test_all_arguments_that_are_missing_are_named_in_one_line(command: Command) -> None:
    shelve_models()
    done = command.run("run", "glm", "--no-wait")
    assert "glm needs the arguments that are missing: formula, family." in done.stderr


def test_shelf_show_has_the_form_of_a_function(command: Command) -> None:
    id_ = shelve_models()
    shown = command.ok("shelf", "show", "glm").splitlines()
    assert shown[0] == f"Card {id_}: models 1.0.0 (reviewed)"
    assert f"Images: {OTHER}, elsewhere/models:1.0" in shown
    assert "glm (central): The glm" in shown
    rows = [line.split("  ") for line in shown if line.startswith("  ")]
    fields = {cells[1]: [cell.strip() for cell in cells[2:] if cell.strip()] for cells in rows}
    assert fields["Argument"] == ["Takes", "Default", "Description"]
    assert fields["formula"] == ["formula", "needed", "Outcome ~ terms."]
    assert fields["family"] == ["binomial | poisson", "needed", "Of the outcome."]
    assert fields["columns"] == ["columns (numeric, boolean), as a,b", "null", "-"]
    assert fields["edges"] == ["list of number, as 1,2", "null", "-"]
    assert fields["rounds"] == ["whole number, 1 to 50", "25", "-"]
    assert fields["robust"] == ["true or false", "false", "-"]
    assert fields["levels"] == ["JSON object", "-", "-"]
    (example,) = [line for line in shown if "vantage6 run" in line]
    words = shlex.split(example)[4:]
    assert sent(command, "glm", *words)[2]["kwargs"] == EXAMPLE["arguments"]
    assert not any("glm_step" in line for line in shown)
    (found,) = command.json("shelf", "show", "glm")
    assert (found["id"], found["function"]["name"]) == (id_, "glm")


def test_shelf_show_says_what_is_asked_for_and_what_leaves_a_station(command: Command) -> None:
    shelve()
    assert "  Asks the stations for: average_partial" in command.ok("shelf", "show", "master")
    shown = command.ok("shelf", "show", "average_partial").splitlines()
    assert [line for line in shown if "Shares" in line] == [
        "  Shares sum: /sum",
        "  Shares count: /count",
    ]


def test_in_a_narrow_terminal_descriptions_stand_below_their_arguments(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelve_models()
    monkeypatch.setattr("vantage6.common.cli.table.terminal_width", lambda: 60)
    shown = command.ok("shelf", "show", "glm").splitlines()
    place = next(i for i, line in enumerate(shown) if line.startswith("  formula"))
    assert shown[place].split() == ["formula", "formula", "needed"]
    assert shown[place + 1] == "      Outcome ~ terms."


def test_shelf_show_of_an_unknown_function_says_where_to_look(command: Command) -> None:
    shelve()
    done = command.run("shelf", "show", "strange")
    assert done.exit_code == 2
    assert "`vantage6 shelf list`" in done.stderr


def test_the_name_of_an_encrypted_task_does_not_tell_the_function(
    command: Command, tmp_path: Any
) -> None:
    client, world = command.live.client, command.live.world
    place = client.collaboration.create("sealed", [world.amsterdam.id], encrypted=True)["id"]
    client.node.create(place, world.amsterdam.id)
    shelve_models()
    RSACryptor.create_new_rsa_key(tmp_path / "key.pem")
    command.log_in("--key", tmp_path / "key.pem")
    words = ("run", "glm", *NEEDED, "--no-wait", "--collaboration", place)
    task = Task.get_by_id(command.json(*words)["task"])
    assert "glm" not in task.name + task.description
    assert task.name == "other"
    image = ("--image", f"registry.example.org:5000/a/b:1.0@sha256:{'b' * 64}", "--name")
    assert Task.get_by_id(command.json(*words, *image[:2])["task"]).name == "b"
    assert Task.get_by_id(command.json(*words, *image, "mine")["task"]).name == "mine"
