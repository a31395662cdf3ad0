"""Arguments that do not fit the card of an image: refused before anything starts, on record."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.node.conftest import MakeContext, MakeScheduler
from tests.node.factories import IMAGE, make_config
from tests.node.test_functions import DONE, RULES, Labelled, payload
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.common import cards
from vantage6.common.encoding import bytes_to_base64s
from vantage6.common.encryption import RSACryptor
from vantage6.node.rules.encryption import Agreement

CARD = cards.parse(
    {
        "card": 1,
        "name": "statistics",
        "version": "1.0.0",
        "functions": [
            {
                "name": "glm",
                "kind": "central",
                "arguments": {
                    "type": "object",
                    "properties": {"family": {"enum": ["poisson"]}},
                    "required": ["family"],
                    "additionalProperties": False,
                },
            }
        ],
    }
)
SECRET = "what-the-researcher-wrote"
SENTENCE = 'The argument family of glm has to be one of: "poisson".'


def asked(family: str) -> bytes:
    return payload({"method": "glm", "master": True, "kwargs": {"family": family}})


@pytest.fixture
def ended(
    wire: Wire,
    make_scheduler: MakeScheduler,
    make_context: MakeContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., dict[str, Any]]:
    """Give a function that computes a task of an image with the card, and returns its result."""

    def end(input_: bytes, cryptor: RSACryptor | None = None, **values: Any) -> dict[str, Any]:
        monkeypatch.setattr("tests.node.test_functions.CARD", CARD)
        config = make_config(processes={IMAGE: DONE})
        runtime = Labelled(tmp_path / "labelled", config.processes, config.limits)
        context = make_context(policies=RULES | {"allow_pickle": True}, runtime=runtime, **values)
        wire.add(5)
        wire.results[5]["input"] = bytes_to_base64s(input_)
        if cryptor is not None:
            wire.encrypted = True
            context = replace(context, agreement=Agreement(cryptor, encrypted=True))
            wire.public_keys[1] = cryptor.public_key_str
            wire.results[5]["input"] = cryptor.encrypt_bytes_to_str(input_, cryptor.public_key_str)
        make_scheduler(context).accept(5)
        eventually(lambda: wire.ids("completed", "not allowed", "crashed", "failed") == [5])
        return wire.results[5]

    return end


def test_right_arguments_are_computed(ended: Any) -> None:
    assert ended(asked("poisson"))["status"] == "completed"


def test_wrong_arguments_are_refused_with_the_sentence_of_client_and_server(
    ended: Any, tmp_path: Path
) -> None:
    result = ended(asked(SECRET))
    assert result["status"] == "not allowed"
    assert result["reason"] == {"code": "bad_arguments", "msg": SENTENCE}
    assert cards.find_faults(CARD, asked(SECRET)) == (SENTENCE,)
    lines = (tmp_path / "data/audit.jsonl").read_text().splitlines()
    events = {entry["event"]: entry for entry in map(json.loads, lines)}
    assert (events["refused"]["code"], events["refused"]["message"]) == ("bad_arguments", SENTENCE)
    assert "started" not in events


def test_a_pickle_is_refused_for_an_image_with_a_card(ended: Any) -> None:
    # The rules of the station would let it in.
    result = ended(b"pickle.\x80\x04}\x94.")
    assert result["status"] == "not allowed"
    assert "json" in result["reason"]["msg"]


@pytest.mark.parametrize("share_logs", [True, False])
def test_the_server_does_not_read_what_is_wrong_with_an_encrypted_input(
    ended: Any, tmp_path: Path, share_logs: bool
) -> None:
    RSACryptor.create_new_rsa_key(tmp_path / "key.pem")
    cryptor = RSACryptor(tmp_path / "key.pem")
    result = ended(asked(SECRET), cryptor, share_logs=share_logs)
    assert result["reason"]["code"] == "bad_arguments"
    for word in ("glm", "family", SECRET):
        assert word not in json.dumps(result["reason"])
        assert word not in result["log"]
    log = cryptor.decrypt_str_to_bytes(result["log"]).decode()
    assert SENTENCE in log
    assert SECRET not in log
