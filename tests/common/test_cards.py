"""Cards: what is a valid one, its forms, and the one check of arguments against it."""

import base64
import copy
import gzip
import json
import time
import tracemalloc
import zlib
from typing import Any

import pytest

from vantage6.common import cards
from vantage6.common.cards import Card, CardError, bounded
from vantage6.common.serialization import serialize

GLM: dict[str, Any] = {
    "name": "glm",
    "kind": "central",
    "calls": ["glm_step"],
    "rounds": {"at_least": 2, "at_most": 27},
    "arguments": {
        "type": "object",
        "additionalProperties": False,
        "required": ["formula", "family"],
        "properties": {
            "formula": {"type": "string", "x-is": "formula", "minLength": 3},
            "family": {"enum": ["binomial", "poisson"]},
            "tolerance": {"type": "number", "exclusiveMinimum": 0, "default": 1e-10},
            "levels": {
                "type": ["object", "null"],
                "default": None,
                "additionalProperties": {
                    "type": "array",
                    "items": {"type": ["string", "integer"]},
                    "uniqueItems": True,
                },
            },
            "either": {"anyOf": [{"type": "string"}, {"type": "number", "minimum": 3}]},
        },
    },
}
STEP = {"name": "glm_step", "kind": "partial", "shares": [{"path": "/ok/n", "class": "count"}]}
DOCUMENT: dict[str, Any] = {
    "card": 1,
    "name": "statistics",
    "version": "1.0.0",
    "images": ["vantage6/statistics", "registry.example.org:5000/a/b:1@sha256:" + "0" * 64],
    "functions": [GLM, STEP],
}
RIGHT = {"formula": "y ~ x", "family": "poisson"}


@pytest.fixture(scope="module")
def card() -> Card:
    return cards.parse(DOCUMENT)


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the document with another value at a path."""
    document = copy.deepcopy(DOCUMENT)
    *above, last = path.split("/")
    place: Any = document
    for step in above:
        place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
    place[int(last) if isinstance(place, list) else last] = value
    return document


def faults(card: Card, **kwargs: Any) -> tuple[str, ...]:
    payload = serialize({"method": "glm", "master": True, "kwargs": kwargs}, "json")
    return cards.find_faults(card, payload)


def with_schema(**argument: Any) -> dict[str, Any]:
    return changed("functions/0/arguments/properties/formula", argument)


def test_a_card_survives_both_of_its_forms(card: Card):
    assert cards.read(cards.write(card)) == card
    assert cards.read(cards.write(card, indent=2)) == card
    assert cards.read_label(cards.write_label(card)) == card
    assert list(card.functions[0].parameters) == list(GLM["arguments"]["properties"])
    assert card.functions[0].arguments == GLM["arguments"]


def test_the_same_card_is_the_same_label(card: Card):
    assert cards.write_label(card) == cards.write_label(cards.parse(DOCUMENT))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("card", 2),
        ("card", "1"),
        ("card", True),
        ("name", "Statistics of all"),
        ("version", "1.0 final"),
        ("title", "two\nlines"),
        ("title", "\x1b[2J"),
        ("title", "\u3164"),
        ("title", "two\u2800\u2800"),
        ("description", "hidden \U000e0041\U000e0042"),
        ("description", "a\ufe0fb"),
        ("description", "right to left \u202e"),
        ("strange", 1),
        ("images", ["no image"]),
        ("images", ["a@sha256:0"]),
        ("images", ["a"] * 51),
        ("functions", []),
        ("functions", [STEP, STEP]),
        ("functions", [STEP | {"name": f"f{number}"} for number in range(301)]),
        ("functions/0/name", "RPC_glm"),
        ("functions/0/name", "__import__"),
        ("functions/0/kind", "master"),
        ("functions/0/calls", ["missing"]),
        ("functions/0/calls", ["glm"]),
        ("functions/0/shares", [{"path": "", "class": "count"}]),
        ("functions/1/calls", ["glm_step"]),
        ("functions/0/rounds", {"at_least": 3, "at_most": 2}),
        ("functions/0/rounds", {"at_least": "2"}),
        ("functions/0/minimum_organizations", 0),
        ("functions/0/database", "two"),
        ("functions/0/views", [{"path": "/a"}]),
        ("functions/0/views", [{"kind": "table", "columns": ["\x1b"]}]),
        ("functions/0/examples", [{"arguments": {"a": "\x07"}}]),
        ("functions/1/shares", [{"path": "n", "class": "count"}]),
        ("functions/1/shares", [{"path": "/n", "class": "secret"}]),
        ("functions/1/shares", [{"path": "/n"}]),
        ("functions/0/arguments", []),
        ("functions/0/arguments/type", "array"),
        ("functions/0/arguments/additionalProperties", True),
        ("functions/0/arguments/properties", {f"a{number}": {} for number in range(101)}),
        ("functions/0/arguments/properties", {"no name": {}}),
        ("functions/0/arguments/$defs", {"a": {}}),
        ("functions/0/arguments/$schema", "http://127.0.0.1:9/schema"),
    ],
)
def test_a_card_that_breaks_a_bound_is_refused(path: str, value: Any):
    with pytest.raises(CardError, match="valid"):
        cards.parse(changed(path, value))


@pytest.mark.parametrize(
    "argument",
    [
        {"$ref": "#/properties/formula"},
        {"$ref": "http://127.0.0.1:9/schema"},
        {"$dynamicRef": "#a"},
        {"$recursiveRef": "#"},
        {"$id": "http://127.0.0.1:9/"},
        {"$anchor": "a"},
        {"$defs": {}},
        {"pattern": "^(a+)+$"},
        {"patternProperties": {"^(a+)+$": {}}},
        {"format": "regex"},
        {"unevaluatedProperties": False},
        {"unevaluatedItems": False},
        {"contains": {}},
        {"propertyNames": {}},
        {"contentSchema": {}},
        {"anyOf": [{"items": {"$ref": "#"}}]},
        {"if": {"not": {"pattern": "a"}}},
        {"type": "numbers"},
        {"minimum": "1"},
        {"multipleOf": 0},
        {"enum": [["a"]]},
        {"enum": ["a" * 1001]},
        {"const": {"a": 1}},
        {"enum": list(range(1002))},
        {"x-is": "table"},
        {"x-types": ["text"]},
        {"title": "\x1b"},
        {"x-other": 1},
        {"items": [{}]},
        {"properties": []},
    ],
    ids=json.dumps,
)
def test_a_schema_whose_check_is_not_bounded_is_refused(argument: dict[str, Any]):
    with pytest.raises(CardError, match=r"formula|arguments"):
        cards.parse(with_schema(**argument))


def test_a_deep_schema_is_refused():
    schema: dict[str, Any] = {}
    for _ in range(15):
        schema = {"items": schema}
    with pytest.raises(CardError, match="levels"):
        cards.parse(with_schema(**schema))


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"1",
        b"{",
        b"\xff\xfe{\x00}\x00",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"card": 1, "card": 1}',
        b'{"card": NaN}',
        b'{"card": 1e999}',
        b'{"card": ' + b"9" * 10_000 + b"}",
        b'{"name": "\\ud800"}',
        b" " * (cards.MOST_BYTES + 1),
    ],
    ids=lambda document: document[:20].decode(errors="replace"),
)
def test_what_is_no_document_is_refused(document: bytes):
    with pytest.raises(CardError):
        cards.read(document)


def label(packed: bytes) -> str:
    return base64.b64encode(packed).decode()


def test_a_label_that_unpacks_to_much_is_refused_before_it_does():
    bomb = label(gzip.compress(b" " * (20 * 2**20)))
    assert len(bomb) < 2 * cards.MOST_BYTES
    started = time.process_time()
    with pytest.raises(CardError, match="256 kB"):
        cards.read_label(bomb)
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no base64",
        "é",
        "A" * (2 * cards.MOST_BYTES + 4),
        label(b"{}"),
        label(zlib.compress(b"{}")),
        label(gzip.compress(b"{}")[:-4]),
        label(gzip.compress(b"{}") * 2),
        label(gzip.compress(b"{}") + b"more"),
        label(gzip.compress(b"{}")),
    ],
    ids=["empty", "text", "letter", "long", "plain", "zlib", "cut", "twice", "more", "no card"],
)
def test_a_label_that_holds_no_card_is_refused(text: str):
    with pytest.raises(CardError):
        cards.read_label(text)


def test_right_arguments_have_no_faults(card: Card):
    assert faults(card, **RIGHT) == ()
    assert faults(card, **RIGHT, levels=None, either="a", tolerance=1) == ()
    assert faults(card, **RIGHT, levels={"race": ["white", 1]}) == ()
    positional = {"method": "glm", "master": True, "args": ["y ~ x", "poisson"]}
    assert cards.find_faults(card, serialize(positional, "json")) == ()
    assert cards.find_faults(card, serialize({"method": "glm_step"}, "json")) == ()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"formula": 3}, "The argument formula of glm has to be a text."),
        ({"formula": "y"}, "The argument formula of glm has to have at least 3 characters."),
        (
            {"family": "normal"},
            'The argument family of glm has to be one of: "binomial", "poisson".',
        ),
        ({"tolerance": 0}, "The argument tolerance of glm has to be more than 0."),
        ({"tolerance": True}, "The argument tolerance of glm has to be a number."),
        ({"levels": 1}, "The argument levels of glm has to be a dictionary or empty (None)."),
        (
            {"levels": {"race": [1.5]}},
            "The argument levels/*/0 of glm has to be a text or a whole number.",
        ),
        (
            {"levels": {"race": [1, 1.0]}},
            "The argument levels/* of glm has to name each entry once only.",
        ),
        ({"either": []}, "The argument either of glm has to be a text or a number."),
        ({"either": 1}, "The argument either of glm has to be at least 3."),
        (
            {"strange": 1},
            "glm gets an argument that it does not take. It takes: formula, family, tolerance, "
            "levels, either.",
        ),
    ],
)
def test_a_wrong_argument_is_told_in_a_sentence(
    card: Card, arguments: dict[str, Any], sentence: str
):
    assert faults(card, **RIGHT | arguments) == (sentence,)


def test_a_missing_argument_is_named(card: Card):
    assert faults(card) == ("glm needs the arguments that are missing: formula, family.",)


@pytest.mark.parametrize(
    ("input_", "sentence"),
    [
        ({}, "The input of the task names no method."),
        ({"method": 1}, "The input of the task names no method."),
        ({"method": "glm", "master": 1}, "master has to be true or false."),
        ({"method": "glm", "master": "false"}, "master has to be true or false."),
        ({"method": "glm"}, "glm is a central function: ask for it with 'master': True."),
        (
            {"method": "glm_step", "master": True},
            "glm_step is a partial function: ask for it without 'master': True.",
        ),
        (
            {"method": "other"},
            "statistics has no partial function of that name. Its partial functions: glm_step.",
        ),
        (
            {"method": "glm", "master": True, "args": [1] * 6},
            "glm takes at most 5 arguments: formula, family, tolerance, levels, either.",
        ),
        (
            {"method": "glm", "master": True, "args": ["a ~ b"], "kwargs": RIGHT},
            "glm gets an argument twice: formula.",
        ),
        (
            {"method": "glm", "master": True, "args": {"a": 1}},
            "args has to be a list, and kwargs a dictionary.",
        ),
    ],
)
def test_a_wrong_question_is_told_in_a_sentence(card: Card, input_: dict[str, Any], sentence: str):
    assert cards.find_faults(card, serialize(input_, "json")) == (sentence,)


def test_no_sentence_quotes_what_the_researcher_wrote(card: Card):
    secret = "secret-of-the-input"
    wrong: list[dict[str, Any]] = [
        {"formula": [secret]},
        {"family": secret},
        {secret: 1},
        {"levels": {secret: [None, secret, secret]}},
        {"either": {secret: secret}},
    ]
    for arguments in wrong:
        said = faults(card, **RIGHT | arguments)
        assert said
        assert secret not in " ".join(said)
    method = {"method": secret, "master": True}
    assert secret not in " ".join(cards.find_faults(card, serialize(method, "json")))


@pytest.mark.parametrize("data_format", ["legacy", "pickle"])
def test_an_input_in_another_format_is_refused(card: Card, data_format: str):
    payload = serialize({"method": "glm", "master": True, "kwargs": RIGHT}, data_format)
    (said,) = cards.find_faults(card, payload)
    assert "data_format='json'" in said


@pytest.mark.parametrize("class_", ["model_residual", "identifier"])
def test_a_card_that_shares_single_records_is_refused(class_: str):
    document = changed("functions/1/shares", [{"path": "/n", "class": class_}])
    with pytest.raises(CardError, match=f"the class {class_} is of single records, which never"):
        cards.parse(document)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"json.",
        b"json.[]",
        b"json.{",
        b"JSON.{}",
        b"json." + "{}".encode("utf-16"),
        b'json.{"method": "glm_step", "method": "glm_step"}',
        b'json.{"method": "glm_step", "kwargs": {"a": 1, "a": 1}}',
        b"json." + b"[" * 5_000,
        b'json.{"method": "\xff"}',
    ],
)
def test_an_input_that_cannot_be_read_is_refused(card: Card, payload: bytes):
    assert len(cards.find_faults(card, payload)) == 1


def test_numbers_that_json_does_not_have_fit_no_bound(card: Card):
    for text in (b"NaN", b"-Infinity", b"1e999"):
        payload = b'json.{"method":"glm","master":true,"kwargs":{"formula":"y ~ x",'
        payload += b'"family":"poisson","tolerance":' + text + b"}}"
        assert cards.find_faults(card, payload) == (
            "The argument tolerance of glm has to be a number.",
        )


def test_values_that_json_does_not_have_are_refused_where_they_are_given(card: Card):
    for value in (float("nan"), 10**5000, object(), {1, 2}):
        input_ = {"method": "glm", "master": True, "kwargs": {**RIGHT, "tolerance": value}}
        assert cards.find_faults_of_input(card, input_)


HARD_SCHEMAS = {
    "nested alternatives": {"anyOf": [{"oneOf": [{"not": {}}] * 400}] * 3},
    "empty schemas": {"items": {"allOf": [{}] * 1000}},
    "unequal items": {"items": {"anyOf": [{"type": "string"}] * 100}},
    "unique items": {"uniqueItems": True},
    "options": {"items": {"enum": [f"option {number}" for number in range(1000)]}},
    "long names": {"additionalProperties": False, "allOf": [{"additionalProperties": {}}] * 50},
}


@pytest.mark.parametrize("schema", HARD_SCHEMAS.values(), ids=HARD_SCHEMAS)
@pytest.mark.parametrize(
    "value",
    [[[number] for number in range(20_000)], {f"key{n}" * 50: n for n in range(20_000)}],
    ids=["list", "dictionary"],
)
def test_a_hard_schema_ends_after_a_number_of_steps(
    schema: dict[str, Any], value: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bounded, "_MOST_STEPS", 100_000)
    hard = cards.parse(with_schema(**schema))
    started = time.process_time()
    cards.find_faults_of_input(
        hard, {"method": "glm", "master": True, "kwargs": RIGHT | {"formula": value}}
    )
    assert time.process_time() - started < 10


def test_a_check_that_takes_too_many_steps_is_a_refusal(
    card: Card, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(bounded, "_MOST_STEPS", 100)
    (said,) = faults(card, **RIGHT, levels={"race": list(range(200))})
    assert said.startswith("The check of the arguments takes too long")


def test_checks_can_share_their_steps(card: Card):
    payload = serialize({"method": "glm", "master": True, "kwargs": RIGHT}, "json")
    wrong = serialize({"method": "glm", "master": True}, "json")
    steps = cards.Steps(500)
    assert cards.find_faults_of_each([], wrong, steps=steps) == ()
    assert cards.find_faults_of_each([card], payload, steps=steps) == ()
    assert cards.find_faults_of_each([card], wrong) == cards.find_faults(card, wrong)
    steps.spend(450)
    with pytest.raises(cards.TooMuch):
        cards.find_faults_of_each([card], payload, steps=steps)


def test_what_many_cards_refuse_takes_no_more_steps_than_there_are(card: Card):
    wrong = serialize({"method": "other" * 500, "master": True}, "json")
    with pytest.raises(cards.TooMuch):
        cards.find_faults_of_each([card] * 100, wrong, steps=cards.Steps(1_000))


def test_an_input_with_too_many_values_is_told_how_many_there_may_be(card: Card):
    (said,) = faults(card, **RIGHT, levels={"race": [1] * 200_001})
    assert "about 200,000 values at most" in said


def test_numbers_of_one_hash_do_not_make_a_check_longer():
    values = [(2**61 - 1) * number for number in range(1, 15_000)]
    assert len(set(map(hash, values))) == 1
    unique = cards.parse(with_schema(uniqueItems=True))
    for more, expected in (([], 0), ([True, 1, "1"], 0), ([1, 1.0], 1), ([float(2**61), 2**61], 1)):
        kwargs = RIGHT | {"formula": values + more}
        started = time.process_time()
        said = cards.find_faults_of_input(
            unique, {"method": "glm", "master": True, "kwargs": kwargs}
        )
        assert time.process_time() - started < 1.5
        assert len(said) == expected


def test_deep_arguments_are_refused(card: Card):
    value: Any = 1
    for _ in range(500):
        value = [value]
    (said,) = faults(card, **RIGHT, either=value)
    assert said.startswith("The check of the arguments takes too long")


def test_what_is_checked_stays_as_it_was(card: Card):
    input_ = {"method": "glm", "master": True, "args": ["y ~ x", "poisson"], "kwargs": {}}
    before = copy.deepcopy(input_)
    cards.find_faults_of_input(card, input_)
    assert input_ == before


def test_a_sentence_is_short_however_long_the_words_of_the_card_are():
    options = [f"{number:03}" * 300 for number in range(250)]
    card = cards.parse(with_schema(enum=options))
    (said,) = faults(card, **RIGHT | {"formula": "a"})
    assert len(said) <= 400


LONG_WORDS = {
    "names": ({"anyOf": [{"additionalProperties": False}] * 500}, {"a" * 10_000_000: 1}),
    "texts": ({"anyOf": [{"maxLength": 1}] * 500}, "a" * 10_000_000),
    "lists": ({"anyOf": [{"maxItems": 1}] * 500}, [["a" * 1000] * 100] * 100),
    "options": (
        {"anyOf": [{"items": {"enum": [f"{n:03}" * 300 for n in range(250)]}}]},
        [0] * 100_000,
    ),
}


@pytest.mark.parametrize(("schema", "value"), LONG_WORDS.values(), ids=LONG_WORDS)
def test_long_words_are_not_written_into_errors(schema: dict[str, Any], value: Any):
    hard = cards.parse(with_schema(**schema))
    tracemalloc.start()
    try:
        said = faults(hard, **RIGHT | {"formula": value})
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert said
    # The input itself, read and in the form for the check.
    assert most < 100 * 2**20
