"""Configuration files that are written and changed by commands."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from vantage6.common.config import NodeConfig, ServerConfig, edit, load, template
from vantage6.common.errors import ConfigurationError

NODE = {
    "api_key": "k: #1",
    "server_url": "https://server.example",
    "databases": [{"label": "default", "uri": "/data/a.csv", "type": "csv"}],
    "encryption": {"enabled": True},
}
MODELS = pytest.mark.parametrize(("model", "values"), [(ServerConfig, {}), (NodeConfig, NODE)])


@MODELS
def test_new_file_says_what_it_was_told_and_nothing_else(
    tmp_path: Path, model: type[BaseModel], values: dict[str, Any]
) -> None:
    file = tmp_path / "new.yaml"
    template.write(file, model, {**values, "port": 99}, "application", "test")
    assert load(file, model) == model.model_validate({**values, "port": 99})
    assert file.stat().st_mode & 0o077 == 0


@MODELS
def test_new_file_explains_every_setting(
    tmp_path: Path, model: type[BaseModel], values: dict[str, Any]
) -> None:
    file = tmp_path / "new.yaml"
    template.write(file, model, values, "application", "test")
    text = file.read_text()
    words = " ".join(line.lstrip(" #") for line in text.splitlines())
    for attribute, field in model.model_fields.items():
        alias = field.validation_alias
        name = alias if isinstance(alias, str) else attribute
        assert re.search(rf"^ +#?{name}:", text, re.MULTILINE), name
        assert (field.description or "") in words


@MODELS
def test_setting_that_is_uncommented_has_its_default(
    tmp_path: Path, model: type[BaseModel], values: dict[str, Any]
) -> None:
    lines = list(template.settings(model, values))
    # A section without required settings, and every setting that is not in one.
    text = "\n".join(re.sub(r"^#(?! )", "", line) for line in lines if not line.startswith("#  "))
    said = {key: value for key, value in yaml.safe_load(text).items() if value is not None}
    assert model.model_validate(said) == model.model_validate(values)


def test_section_is_uncommented_line_by_line() -> None:
    text = "\n".join(template.settings(ServerConfig, {}))
    section = re.search(r"^#password_policy:\n(#  .*\n)+", text, re.MULTILINE)
    assert section
    shown = yaml.safe_load(re.sub(r"^#", "", section[0], flags=re.MULTILINE))
    assert shown == {"password_policy": {"max_failed_attempts": 5, "inactivation_minutes": 15}}


@pytest.mark.parametrize("first", ["application", "dev"])
@pytest.mark.parametrize("second", ["test", "prod"])
def test_environments_are_added_to_those_that_are_there(
    tmp_path: Path, first: str, second: str
) -> None:
    file = tmp_path / "new.yaml"
    template.write(file, ServerConfig, {"port": 1}, first, "test")
    file.write_text(file.read_text() + "# the end\n")
    template.write(file, ServerConfig, {"port": 2}, second, "test")
    assert load(file, ServerConfig, first).port == 1
    assert load(file, ServerConfig, second).port == 2
    assert "# the end" in file.read_text()


def test_application_is_added_to_environments(tmp_path: Path) -> None:
    file = tmp_path / "new.yaml"
    template.write(file, ServerConfig, {"port": 1}, "dev", "test")
    template.write(file, ServerConfig, {"port": 2}, "application", "test")
    assert load(file, ServerConfig, "dev").port == 1
    assert load(file, ServerConfig, "application").port == 2


def test_unknown_environment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="'production'"):
        template.write(tmp_path / "new.yaml", ServerConfig, {}, "production", "test")


COMMENTED = """\
# my node
application:
  api_key: "old"   # from Anna
  server_url: https://server.example
  encryption:
    enabled: true  # as agreed
    {key}
  databases: {{}}
environments:
  test: {{api_key: other, server_url: 'http://x', encryption: {{enabled: false}}}}
"""


@pytest.mark.parametrize("key", ["private_key: /old.pem", "private_key:", "private_key: ''", ""])
def test_one_value_changes_and_everything_else_stays(tmp_path: Path, key: str) -> None:
    file = tmp_path / "node.yaml"
    text = COMMENTED.format(key=key)
    file.write_text(text)
    edit.set_value(file, None, ("encryption", "private_key"), '/new "key".pem')
    assert load(file, NodeConfig).encryption.private_key == '/new "key".pem'
    kept = set(text.splitlines()) - {f"    {key}"}
    assert kept <= set(file.read_text().splitlines())


@pytest.mark.parametrize("environment", ["application", "test"])
def test_value_changes_in_one_environment_only(tmp_path: Path, environment: str) -> None:
    file = tmp_path / "node.yaml"
    file.write_text(COMMENTED.format(key=""))
    edit.set_value(file, environment, ("api_key",), "new")
    edit.set_value(file, environment, ("encryption", "private_key"), "new.pem")
    for name, old in (("application", "old"), ("test", "other")):
        config = load(file, NodeConfig, name)
        assert config.api_key.get_secret_value() == ("new" if name == environment else old)
        assert (config.encryption.private_key == "new.pem") == (name == environment)
    assert "# from Anna" in file.read_text()


def test_shared_value_is_not_changed_behind_anybodys_back(tmp_path: Path) -> None:
    file = tmp_path / "node.yaml"
    text = "application: &all {api_key: a}\nenvironments: {test: *all}\n"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match="by hand"):
        edit.set_value(file, "test", ("api_key",), "b")
    assert file.read_text() == text
