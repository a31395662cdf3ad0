"""Tokens, messages of the broker and configuration files: only the documented errors."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.campaign import effort
from tests.common.fuzzing import ANYTHING, DEEP, KEYS, fails_only_with
from vantage6.broker.messages import DecodeError, decode
from vantage6.common.config import NodeConfig, ServerConfig, load
from vantage6.common.errors import ConfigurationError, Invalid
from vantage6.common.token_claims import claims

#: A file of YAML that holds nine times itself, nine times over: 10^9 items when written out.
LAUGHS = "a: &a0 [x]\n" + "".join(
    f"b{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10)
)
#: Texts for which PyYAML raises what it does not document.
STRANGE_YAML = [
    "a: 2026-13-45",
    "a: !!timestamp x",
    "a: !!int ''",
    "a: !!float x",
    "a: " + "9" * 5_000,
    "a: !!binary é",
    "? [a]\n: b",
    "a: *b",
    "&a [*a]",
    "a: &a {b: *a}",
    "[" * 5_000,
    "\x00",
    "1: 2\nb: 3\nnull: 4",
    "environments: {1: {port: 1}, null: {port: 2}, 2026-01-01: {port: 3}}",
]
MODELS = pytest.mark.parametrize("model", [ServerConfig, NodeConfig])
#: Each example overwrites the file of the one before.
FUZZ = settings(
    max_examples=effort(40),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def _values_of(model: type[ServerConfig | NodeConfig]) -> st.SearchStrategy[Any]:
    """Return sections with the right keys and values of any shape."""
    known = st.dictionaries(st.sampled_from(sorted(model.model_fields)) | KEYS, ANYTHING)
    return known | ANYTHING


# Tokens


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda b: f"h.{_base64(b)}.s"))
@example("h." + base64.urlsafe_b64encode(b"[" * 100_000).decode() + ".s")
@example("..")
def test_any_text_is_a_token_or_refused(text: str) -> None:
    fails_only_with(Invalid, claims, text)


@given(ANYTHING | DEEP)
def test_any_json_in_a_token_is_an_object_or_refused(value: object) -> None:
    said = value if isinstance(value, str) else json.dumps(value, default=str, skipkeys=True)
    fails_only_with(Invalid, claims, f"h.{_base64(said.encode())}.s")


# Messages of the broker


@given(
    ANYTHING
    | st.fixed_dictionaries(
        {},
        optional={
            "v": st.just(1) | ANYTHING,
            "kind": st.sampled_from(["result_ready", "result_killed"]) | ANYTHING,
            "result_id": st.integers() | ANYTHING,
            "task_id": st.integers() | ANYTHING,
        },
    )
)
@example({"v": True, "kind": "result_ready", "result_id": 1, "task_id": 1})
@example({"v": 1, "kind": ["result_ready"], "result_id": 1, "task_id": 1})
def test_any_body_is_a_message_or_refused(body: object) -> None:
    fails_only_with(DecodeError, decode, body)


# Configuration files


@MODELS
@FUZZ
@given(data=st.data())
def test_any_sections_are_a_configuration_or_refused(
    tmp_path: Path, model: type[ServerConfig | NodeConfig], data: st.DataObject
) -> None:
    names = st.sampled_from(["application", "environments", "dev", "prod"]) | KEYS
    content = data.draw(
        st.fixed_dictionaries({"application": _values_of(model)})
        | st.dictionaries(names, _values_of(model) | st.dictionaries(names, _values_of(model)))
        | ANYTHING
    )
    path = tmp_path / "any.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    environment = data.draw(st.sampled_from([None, "application", "dev", "none"]))
    fails_only_with(ConfigurationError, load, path, model, environment)


@MODELS
@FUZZ
@given(content=st.binary(max_size=200) | st.text(":-[]{}&*!?|>'\"%@` \nab1.", max_size=200))
def test_any_bytes_are_a_configuration_or_refused(
    tmp_path: Path, model: type[ServerConfig | NodeConfig], content: bytes | str
) -> None:
    path = tmp_path / "any.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    fails_only_with(ConfigurationError, load, path, model)


@MODELS
@pytest.mark.parametrize("content", STRANGE_YAML)
def test_strange_yaml_is_refused(
    tmp_path: Path, model: type[ServerConfig | NodeConfig], content: str
) -> None:
    path = tmp_path / "strange.yaml"
    path.write_text(content)
    with pytest.raises(ConfigurationError):
        load(path, model)


@MODELS
@pytest.mark.parametrize("key", sorted({*ServerConfig.model_fields, *NodeConfig.model_fields}))
def test_a_value_that_multiplies_is_refused_at_once(
    tmp_path: Path, model: type[ServerConfig | NodeConfig], key: str
) -> None:
    laughs = "".join(f"  {line}\n" for line in LAUGHS.splitlines())
    for value in ("*a9", "{x: *a9}", "[*a9]"):
        path = tmp_path / "laughs.yaml"
        path.write_text(f"application:\n{laughs}  {key}: {value}\n")
        fails_only_with(ConfigurationError, load, path, model)


@pytest.mark.parametrize("text", ["a{99999999999999999999}", "(" * 5_000, "[", "(?P<a>"])
def test_a_strange_expression_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "node.yaml"
    path.write_text(yaml.safe_dump({"application": {"allowed_images": [text]}}))
    with pytest.raises(ConfigurationError, match="not a regular expression"):
        load(path, NodeConfig)


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
