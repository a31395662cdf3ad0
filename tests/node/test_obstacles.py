"""A start that says online means that tasks will run."""

from pathlib import Path
from typing import Any

import pytest

from vantage6.common.config import NodeConfig
from vantage6.common.encryption import DummyCryptor
from vantage6.common.task_status import TaskStatus
from vantage6.node.outcomes import Reason, RefusalError
from vantage6.node.rules import obstacles
from vantage6.node.rules.encryption import Agreement
from vantage6.node.runtime.images import Images

EXACT = r"^registry\.example/demo/average:1\.0$"
DIGEST = "registry.example/a@sha256:" + "0" * 64


def _config(**values: Any) -> NodeConfig:
    needed = {"api_key": "k", "server_url": "http://a", "encryption": {"enabled": False}}
    return NodeConfig.model_validate(needed | values)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, None),
        ({"policies": {"allowed_algorithms": EXACT}}, None),
        ({"policies": {}, "allowed_images": [EXACT]}, None),
        ({"policies": {}}, "policies.allowed_algorithms names no image"),
        (
            {"policies": {"allowed_algorithms": EXACT, "databases": {}}},
            "policies.databases names no database",
        ),
        ({"runtime": "process"}, "processes names no program"),
        ({"runtime": "process", "processes": {"a": ["b"]}}, None),
    ],
)
def test_what_keeps_every_task_from_running_is_found(
    tmp_path: Path, values: dict[str, Any], words: str | None
) -> None:
    found = obstacles.find(_config(**values), tmp_path).of_all
    assert len(found) == (0 if words is None else 1)
    assert words is None or words in found[0]


def test_disagreement_on_encryption_comes_first(tmp_path: Path) -> None:
    reason = Reason("encryption_mismatch", "The collaboration is encrypted.")
    agreement = Agreement(DummyCryptor(), encrypted=True, refusal=reason)
    found = obstacles.find(_config(policies={}), tmp_path, agreement).of_all
    assert found[0] == reason.message
    assert len(found) == 2


def test_database_that_is_not_there_is_named_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "there.csv").touch()
    config = _config(databases={"one": "there.csv", "two": "missing.csv", "three": "sql://host/x"})
    (line,) = obstacles.find(config, tmp_path).of_some
    assert str(tmp_path / "missing.csv") in line
    assert "database two is missing" in line


@pytest.mark.parametrize(
    ("entry", "begun"),
    [
        ("^registry.example/[a-zA-Z]+/[a-zA-Z]+", True),
        (r"^registry\.example/starter/*", True),
        ("registry.example/starter/*", True),
        ("^registry.example/average", True),
        (EXACT, False),
        ("^registry.example/.*", False),
        ("(^registry.example/.*)", False),
        (r"harbor2\.vantage6\.ai/demo/average", False),
        (DIGEST, False),
        (".*", False),
    ],
)
def test_expression_whose_beginning_was_enough_in_3_11_is_named(entry: str, begun: bool) -> None:
    for values in ({"policies": {"allowed_algorithms": [entry]}}, {"allowed_images": [entry]}):
        lines = list(obstacles.begin_only(_config(**values)))
        assert bool(lines) == begun
        assert all("whole" in line and entry in line for line in lines)


def test_expression_that_an_image_only_begins_to_match_is_found() -> None:
    entries = ["registry.example/average", EXACT, "x*", DIGEST]
    assert obstacles.fitting_begin(entries, "registry.example/average:2") == entries[:1]
    assert obstacles.fitting_begin(entries, "registry.example/average") == []


@pytest.mark.parametrize(
    ("image", "advice"),
    [
        ("https://registry.example/demo/average", "as in registry.example/demo/average."),
        ("http://127.0.0.1:5055/a/", "as in 127.0.0.1:5055/a."),
        ("docker://", "leave out docker://."),
    ],
)
def test_image_written_as_an_address_is_said_to_be_none(image: str, advice: str) -> None:
    # Whatever the engine: it is not asked.
    images = Images(None, _config())  # type: ignore[arg-type]
    with pytest.raises(RefusalError) as refused:
        images.fetch(image, lambda: False)
    assert refused.value.status == TaskStatus.NO_DOCKER_IMAGE
    assert refused.value.reason.code == "image_not_found"
    assert advice in refused.value.reason.message
