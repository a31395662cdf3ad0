"""Configuration files: what is read from which environment, and how mistakes are told."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from vantage6.common.config import Instance, NodeConfig, ServerConfig, load
from vantage6.common.config.instance import ENVIRONMENT_VARIABLE, FILE_VARIABLE
from vantage6.common.config.node import LimitConfig
from vantage6.common.errors import ConfigurationError


@pytest.fixture
def write(tmp_path: Path):
    """Give a function that writes a configuration file."""

    def write(content: Any) -> Path:
        path = tmp_path / "petronas.yaml"
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return path

    return write


def refusal(path: Path, environment: str | None = None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(path, ServerConfig, environment)
    return caught.value.message


# Environments


def test_a_file_with_only_an_application_is_enough(write):
    assert load(write({"application": {"port": 7000}}), ServerConfig).port == 7000


def test_the_only_environment_is_the_default(write):
    path = write({"application": {}, "environments": {"dev": {"port": 7001}, "prod": {}}})
    assert load(path, ServerConfig).port == 7001


def test_the_application_comes_before_environments(write):
    path = write({"application": {"port": 1}, "environments": {"dev": {"port": 2}}})
    assert load(path, ServerConfig).port == 1
    assert load(path, ServerConfig, "dev").port == 2


def test_of_several_environments_one_must_be_chosen(write):
    path = write({"environments": {"dev": {"port": 1}, "prod": {"port": 2}}})
    assert "choose one of dev, prod" in refusal(path)
    assert "no environment `acc`; it has: dev, prod" in refusal(path, "acc")


# Mistakes


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", "holds no mapping"),
        ("- a\n- b", "holds no mapping"),
        ("application: [", "is not YAML at line 1"),
        ({}, "configures nothing"),
        ({"application": None, "environments": None}, "configures nothing"),
        ({"applications": {"port": 1}}, "unknown keys: applications"),
        ({"environments": {"production": {"port": 1}}}, "unknown keys: production"),
        ({"environments": ["dev"]}, "`environments` in"),
        ({"application": "text"}, "is not valid"),
        ({"application": {"prot": 1}}, "application.prot: there is no such key; did you mean port"),
        ({"application": {"port": 0}}, "application.port: "),
        ({"application": {"api_path": "/a b"}}, "application.api_path: "),
        ({"application": {"api_path": "http://a"}}, "application.api_path: "),
        ({"environments": {"dev": {"logging": {"level": "LOUD"}}}}, "dev.logging.level: "),
        ({"application": {"password_policy": {"max_failed_attempts": 0}}}, "max_failed_attempts"),
        ({"application": {"allow_drop_all": "maybe"}}, "allow_drop_all"),
        ({"application": {"token_expires_hours": 0.1}}, "token_expires_hours"),
    ],
)
def test_a_mistake_is_told_with_its_place(write, content: Any, text: str):
    assert text in refusal(write(content))


def test_every_mistake_is_told(write):
    message = refusal(write({"application": {"port": "x", "threads": 0, "strange": 1}}))
    assert all(name in message for name in ("port", "threads", "strange"))


def test_a_missing_file_and_one_that_is_no_text(tmp_path: Path):
    assert "No such file" in refusal(tmp_path / "none.yaml")
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"application: {description: caf\xe9}")
    assert "is not UTF-8" in refusal(path)


@pytest.mark.parametrize(
    "content",
    [
        {"application": {"broker": ["secret-password"]}},
        {"application": {"jwt_secret_key": {"key": "secret-password"}}},
        "application:\n  broker: redis://a:secret-password@host: x: [",
        "application:\n  jwt_secret_key: 'secret-password\n",
    ],
)
def test_a_refusal_quotes_no_secret(write, content: Any):
    with pytest.raises(ConfigurationError) as caught:
        load(write(content), ServerConfig)
    assert "secret-password" not in caught.value.message
    assert caught.value.__suppress_context__ or "secret" not in str(caught.value.__cause__)


def test_secrets_do_not_show(write):
    values = {"broker": "redis://a:secret@host/0", "jwt_secret_key": "secret" * 6}
    config = load(write({"application": values}), ServerConfig)
    assert "secret@" not in repr(config)
    assert config.broker is not None
    assert config.broker.get_secret_value() == values["broker"]


@pytest.mark.parametrize("kind", [None, "dev", "acc", "prod"])
def test_a_key_that_may_be_guessed_signs_no_tokens(write, kind: str | None):
    def loaded(secret: str, kind: str | None) -> ServerConfig:
        return load(write({"application": {"jwt_secret_key": secret, "type": kind}}), ServerConfig)

    for secret in ("super-secret-key!", "x" * 31, ""):
        with pytest.raises(ConfigurationError, match=r"application\.jwt_secret_key: .* 32 bytes"):
            loaded(secret, kind)
        assert loaded(secret, "test").type == "test"
    assert loaded("x" * 32, kind).jwt_secret_key
    # What counts is what the signature is made with.
    assert loaded("é" * 16, kind).jwt_secret_key


def test_a_configuration_does_not_change(write):
    config = load(write({"application": {"port": 1}}), ServerConfig)
    with pytest.raises(ValueError, match="frozen"):
        config.port = 2  # type: ignore[misc]


@pytest.mark.parametrize("level", ["debug", "NOTSET", "Warning"])
def test_levels_may_be_written_in_any_case(write, level: str):
    config = load(write({"application": {"logging": {"level": level}}}), ServerConfig)
    assert config.logging.level == level.upper()


def test_the_defaults_are_safe(write):
    config = load(write({"application": {"description": "x"}}), ServerConfig)
    assert (config.ip, config.allow_drop_all) == ("127.0.0.1", False)
    assert config.password_policy.max_failed_attempts == 5


# Instances


def test_an_instance_is_named_after_its_file(write, tmp_path: Path):
    instance = Instance.load(write({"application": {"data_dir": str(tmp_path / "data")}}))
    assert (instance.name, instance.environment) == ("petronas", None)
    assert instance.folder == tmp_path / "data"
    assert instance.log_folder == tmp_path / "data" / "log"


def test_an_instance_has_a_folder_of_its_own_by_default(write, monkeypatch, tmp_path: Path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    instance = Instance.load(write({"application": {"port": 1}}))
    assert instance.folder == tmp_path / "vantage6" / "server" / "petronas"


def test_a_process_learns_its_instance_from_variables(write, monkeypatch):
    monkeypatch.delenv(FILE_VARIABLE, raising=False)
    with pytest.raises(ConfigurationError, match="names no configuration file"):
        Instance.from_environment()
    path = write({"environments": {"dev": {"port": 1}, "prod": {"port": 2}}})
    monkeypatch.setenv(FILE_VARIABLE, str(path))
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, "prod")
    assert Instance.from_environment().config.port == 2


def test_the_broker_is_the_configured_or_the_private_one(write, tmp_path: Path):
    values = {"data_dir": str(tmp_path / "data")}
    instance = Instance.load(write({"application": values}))
    with pytest.raises(ConfigurationError, match="made by `vserver start` only"):
        _ = instance.broker_url
    instance.folder.mkdir()
    instance.private_broker_file.write_text("redis://private\n")
    assert instance.broker_url == "redis://private"
    values["broker"] = "redis://configured"
    assert Instance.load(write({"application": values})).broker_url == "redis://configured"


def test_a_node_file_of_3_11_is_read_and_what_has_no_effect_is_named(tmp_path: Path) -> None:
    file = tmp_path / "node.yaml"
    file.write_text(
        """
application:
  api_key: 6c9c5a3e-6f3a-4f1c-b8a1-7f0e0f1d2c3b
  server_url: https://server.example
  port: 443
  api_path: ''
  task_dir: /tmp/tasks
  databases:
    default: /data/a.csv
    my_other_database: /data/b.csv
  encryption: {enabled: true, private_key: key.pem}
  policies: {allowed_algorithms: ["^a/b$"], allowed_users: [2], allowed_organizations: [6, x]}
  algorithm_env: {A: b}
  docker_registries: [{registry: r.example, username: u, password: p}]
  logging: {level: DEBUG, use_console: true, backup_count: 5, max_size: 1024, file: a.log,
            format: "%(message)s", datefmt: "%H", loggers: [{name: urllib3, level: warning}]}
  vpn_subnet: 10.76.0.0/16
  whitelist: {domains: [a.example], ports: [443]}
  images: {node: x, squid: y}
  alpine: z
"""
    )
    config = load(file, NodeConfig)
    assert [database.label for database in config.databases] == ["default", "my_other_database"]
    assert config.policies is not None
    assert config.policies.allowed_organizations == ("6", "x")
    assert config.without_effect == ("alpine", "images.node")
    assert config.services == ("whitelist", "vpn")


def test_a_misspelt_key_of_a_node_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "node.yaml"
    file.write_text(
        "application: {api_key: k, server_url: 'http://a', encryption: {enabled: no}, polices: {}}"
    )
    with pytest.raises(
        ConfigurationError,
        match=r"application\.polices: there is no such key; did you mean policies",
    ):
        load(file, NodeConfig)


def test_mail_settings_of_3_11_are_read(tmp_path: Path) -> None:
    file = tmp_path / "server.yaml"
    file.write_text(
        """
application:
  two_factor_auth: true
  smtp:
    server: smtp.yourmailserver.com
    port: 587
    username: your-username
    password: super-secret-password
    MAIL_USE_TLS: false
    MAIL_USE_SSL: true
    email_token_validity_minutes: 30
  support_email: your-support@email.com
"""
    )
    config = load(file, ServerConfig)
    assert config.smtp is not None
    assert (config.smtp.use_tls, config.smtp.use_ssl) == (False, True)
    assert config.recovery_minutes == 30
    assert "super-secret" not in repr(config)


@pytest.mark.parametrize(
    ("settings", "minutes"),
    [
        ("", 60),
        ("email_token_validity_minutes: 5", 5),
        ("smtp: {email_token_validity_minutes: 7}", 7),
        ("smtp: {email_token_validity_minutes: 7}, email_token_validity_minutes: 5", 5),
    ],
)
def test_the_life_of_a_token_is_read_at_both_places(
    tmp_path: Path, settings: str, minutes: int
) -> None:
    file = tmp_path / "server.yaml"
    file.write_text(f"application: {{port: 1, {settings}}}")
    assert load(file, ServerConfig).recovery_minutes == minutes


@pytest.mark.parametrize("settings", ["root_password: ''", "root_password: short1"])
def test_a_short_first_password_is_refused(tmp_path: Path, settings: str) -> None:
    file = tmp_path / "server.yaml"
    file.write_text(f"application: {{{settings}}}")
    with pytest.raises(ConfigurationError, match="root_password"):
        load(file, ServerConfig)


def test_algorithms_have_an_end_and_leave_a_processor_unless_a_file_says_otherwise() -> None:
    usual = LimitConfig()
    assert usual.seconds == 7 * 24 * 3600
    assert usual.cpus == max(1, (os.cpu_count() or 1) - 1)
    lifted = LimitConfig(cpus=None, seconds=None)
    assert lifted.cpus is lifted.seconds is None


def test_documented_keys_of_a_server_of_3_11_are_named_and_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "server.yaml"
    file.write_text(
        """
application:
  debug: {socketio: false, flask: false}
  images: {server: registry.example/server:3.11, ui: registry.example/ui:3.11}
  ui: {enabled: true, port: 3456}
  rabbitmq_uri: amqp://user:password@host/vhost
"""
    )
    config = load(file, ServerConfig)
    assert config.without_effect == ("debug", "images", "rabbitmq_uri", "ui")


@pytest.mark.parametrize("model", [ServerConfig, NodeConfig])
def test_every_section_without_a_value_is_as_if_it_were_left_out(
    tmp_path: Path, model: type[ServerConfig | NodeConfig]
) -> None:
    needed = {"api_key": "k", "server_url": "http://a", "encryption": {"enabled": False}}
    needed = needed if model is NodeConfig else {}
    empty = {
        field.alias or name: None
        for name, field in model.model_fields.items()
        if not field.is_required() and name not in ("flower", "metrics")
    }
    file = tmp_path / "some.yaml"
    file.write_text(yaml.safe_dump({"application": {**empty, **needed}, "environments": {}}))
    plain = tmp_path / "plain.yaml"
    plain.write_text(yaml.safe_dump({"application": needed or dict[str, Any](port=5000)}))
    given = load(file, model).model_dump(exclude={"limits", "keep_images_days"})
    assert given == load(plain, model).model_dump(exclude={"limits", "keep_images_days"})


def test_null_still_says_what_it_says(tmp_path: Path) -> None:
    file = tmp_path / "server.yaml"
    file.write_text("application: {flower: null, metrics: null}")
    config = load(file, ServerConfig)
    assert (config.flower, config.metrics) == (None, None)


def test_a_number_stands_for_the_text_that_is_written(tmp_path: Path) -> None:
    file = tmp_path / "node.yaml"
    file.write_text(
        """
application:
  api_key: 0123
  server_url: http://a
  port: 0x50
  encryption: {enabled: no}
  docker_registries: [{registry: r.example, username: 007, password: 1_000}]
  algorithm_env: {VERSION: 1.10, LIMIT: 5}
"""
    )
    config = load(file, NodeConfig)
    assert config.api_key.get_secret_value() == "0123"
    assert config.port == 80
    (registry,) = config.docker_registries
    assert (registry.username, registry.password.get_secret_value()) == ("007", "1_000")
    assert config.algorithm_env == {"VERSION": "1.10", "LIMIT": "5"}


def test_what_yaml_takes_for_something_else_is_said_to_need_quotation_marks(
    tmp_path: Path,
) -> None:
    file = tmp_path / "server.yaml"
    file.write_text("application: {description: no, smtp: {username: 2020-01-01}}")
    with pytest.raises(ConfigurationError) as refused:
        load(file, ServerConfig)
    lines = refused.value.message.splitlines()[1:]
    assert [line.split(":")[0].strip() for line in lines] == [
        "application.description",
        "application.smtp.username",
    ]
    assert all("quotation marks" in line for line in lines)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("server_ur", "did you mean server_url"),
        ("zzz", "there are: algorithm_device_requests, algorithm_env"),
        ("policies: {allowed_algoritms: x}, y", "policies.allowed_algoritms: there is no such key"),
        ("ssh-tunnels: [{ssh: {hots: x}}], y", "ssh-tunnels.0.ssh.hots: there is no such key; did"),
    ],
)
def test_a_wrong_key_is_told_with_those_that_there_are(tmp_path: Path, key: str, said: str) -> None:
    file = tmp_path / "node.yaml"
    file.write_text(f"application: {{{key}: 1}}")
    with pytest.raises(ConfigurationError) as refused:
        load(file, NodeConfig)
    assert said in refused.value.message
