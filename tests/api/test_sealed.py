"""The server keeps nothing readable in an encrypted collaboration, whoever sends it."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.api.client import Algorithm, Api
from tests.models.factories import (
    IMAGE,
    World,
    as_it_travels,
    make_task,
    make_user,
    result_of,
    sealed,
)
from vantage6.common.encoding import bytes_to_base64s
from vantage6.common.encryption import DummyCryptor, RSACryptor, is_sealed
from vantage6.models.store import results
from vantage6.models.tables import Result, Task, User

PLAIN = bytes_to_base64s(b'json.{"method": "average"}')


@pytest.fixture
def sender(world: World) -> User:
    """Give a researcher of Berlin, which is in the encrypted collaboration."""
    return make_user(world.berlin, "Researcher")


@pytest.fixture
def task(world: World, sender: User) -> Task:
    """Give a task in the encrypted collaboration."""
    return make_task(world.south, [world.berlin, world.cairo], user=sender)


def body(world: World, *inputs: str | None) -> dict[str, Any]:
    targets = zip((world.cairo, world.berlin), inputs, strict=False)
    return {
        "collaboration_id": world.south.id,
        "image": IMAGE,
        "organizations": [{"id": place.id, "input": text} for place, text in targets],
    }


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "readable",
        "a$b$c",
        f"{PLAIN}$AAECAwQFBgcICQoLDA0ODw==$",
        f"{sealed('x')}$",
        f"{sealed('x')}x",
        sealed("x").replace("$", "$ ", 1),
        sealed("x")[1:],
        "$$",
    ],
)
def test_a_readable_input_is_refused_with_the_next_step(
    api: Api, world: World, sender: User, text: str
):
    answer = api.post("/task", sender, body(world, text))
    assert answer.problem == (400, "not_sealed")
    assert f"Cairo ({world.cairo.id})" in answer.json["msg"]
    assert "setup_encryption" in answer.json["msg"]
    assert not Task.select().exists()


def test_one_readable_input_among_others_is_enough(api: Api, world: World, sender: User):
    assert api.post("/task", sender, body(world, sealed("x"), PLAIN)).status == 400
    assert api.post("/task", sender, body(world, sealed("x"), sealed("y"))).status == 201
    assert api.post("/task", sender, body(world, None, "")).status == 201


def test_a_sub_task_is_held_to_the_same(api: Api, world: World, task: Task):
    algorithm = Algorithm(world.berlin_south, task)
    assert api.post("/task", algorithm, body(world, PLAIN)).problem == (400, "not_sealed")
    assert api.post("/task", algorithm, body(world, sealed("x"))).status == 201


def test_without_encryption_anything_travels(api: Api, world: World):
    task = make_task(world.north, [world.amsterdam])
    path = f"/result/{result_of(task, world.amsterdam).id}"
    fields = {
        "result": PLAIN,
        "log": "readable",
        "status": "completed",
        "finished_at": "2026-01-01",
    }
    assert api.patch(path, world.amsterdam_north, fields).status == 200


@pytest.mark.parametrize("kind", ["result", "log"])
def test_a_readable_report_is_refused_and_nothing_of_it_kept(
    api: Api, world: World, task: Task, kind: str
):
    result = result_of(task, world.cairo)
    path = f"/result/{result.id}"
    end = {"status": "completed", "finished_at": "2026-01-02T03:04:05+00:00"}
    answer = api.patch(path, world.cairo_south, {**end, kind: PLAIN})
    assert answer.problem == (400, "not_sealed")
    assert kind in answer.json["msg"]
    assert kind not in results.payloads([result.id])[result.id]
    assert Result.get_by_id(result.id).finished_at is None
    text = as_it_travels("mine", world.south)
    assert api.patch(path, world.cairo_south, {**end, kind: text}).status == 200
    assert results.payloads([result.id])[result.id][kind] == text


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
@pytest.mark.parametrize("length", [0, 1, 200_000])
def test_what_the_cryptor_makes_is_sealed(tmp_path: Path, bits: int, length: int):
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    public = bytes_to_base64s(RSACryptor.create_public_key_bytes(key))
    RSACryptor.create_new_rsa_key(tmp_path / "own.pem")
    message = RSACryptor(tmp_path / "own.pem").encrypt_bytes_to_str(b"x" * length, public)
    assert is_sealed(message)
    assert not is_sealed(DummyCryptor().encrypt_bytes_to_str(b"x" * length, None))
