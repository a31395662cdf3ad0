"""The input of a task is held against the card of its image before it is encrypted and sent."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.client.conftest import Live, Peer
from tests.docs.markdown import DOCS, blocks
from tests.models.cards import card, shelve
from tests.models.factories import IMAGE, make_user
from vantage6.api.identity import passwords
from vantage6.client import Client
from vantage6.client.encryption import RSACryptor
from vantage6.common import cards
from vantage6.common.errors import Conflict, Forbidden, Invalid

GOOD = {"method": "master", "master": True, "kwargs": {"column_name": "age"}}
WRONG = {"method": "master", "master": True, "kwargs": {"column": "age"}}


def create(client: Client, input_: Any, **changes: Any) -> Any:
    given = {
        "collaboration": 1,
        "organizations": [2],
        "name": "n",
        "image": IMAGE,
        "description": "",
        "input": input_,
        "data_format": "json",
    }
    return client.task.create(**{**given, **changes})


@pytest.fixture
def shelf(peer: Peer) -> Peer:
    """Give a server with a card of the image, in a collaboration without encryption."""
    found = {"cards": [{"id": 3, "sha256": "0" * 64, "card": card()}], "refusal": None}
    peer.answers |= {
        "GET collaboration/1": (200, {"id": 1, "encrypted": False}),
        "GET algorithm/match": (200, found),
        "POST task": (201, {"id": 5}),
    }
    return peer


def test_an_input_that_does_not_fit_is_not_sent(shelf, client) -> None:
    said = create(client, WRONG)
    assert said["code"] == "bad_arguments"
    assert "It takes: column_name." in said["msg"]
    assert "POST task" not in shelf.calls()
    client.raise_errors = True
    with pytest.raises(Invalid, match="column_name"):
        create(client, WRONG)
    assert create(client, GOOD) == {"id": 5}


@pytest.mark.parametrize("data_format", ["json", "legacy", "pickle"])
def test_it_is_refused_before_anything_is_encrypted(shelf, client, tmp_path, data_format) -> None:
    RSACryptor.create_new_rsa_key(tmp_path / "own.pem")
    client.cryptor = RSACryptor(tmp_path / "own.pem")
    shelf.answers["GET collaboration/1"] = (200, {"id": 1, "encrypted": True})
    assert create(client, WRONG, data_format=data_format)["code"] == "bad_arguments"
    # The keys of the receivers were not asked for.
    assert shelf.calls()[-1] == "GET algorithm/match"


def test_the_shelf_is_asked_once_for_an_image(shelf, client) -> None:
    for _ in range(3):
        create(client, GOOD)
    asked = [one for one in shelf.asked if one.path == "algorithm/match"]
    assert [one.query for one in asked] == [{"image": IMAGE, "collaboration_id": "1"}]
    create(client, GOOD, image="another")
    assert shelf.calls().count("GET algorithm/match") == 2


def test_a_card_that_was_corrected_counts_at_the_next_try(shelf, client) -> None:
    assert create(client, WRONG)["code"] == "bad_arguments"
    shelf.answers["GET algorithm/match"] = (200, {"cards": [], "refusal": None})
    assert create(client, WRONG) == {"id": 5}


def test_a_retired_image_is_refused_as_the_server_says(shelf, client) -> None:
    refusal = "Image x must not be used any more."
    # The words of a reviewer do not command a terminal.
    shelf.answers["GET algorithm/match"] = (
        200,
        {"cards": [], "refusal": f"{refusal}\x1b[2J\nAll is well."},
    )
    said = create(client, GOOD)
    assert (said["code"], "\x1b" in said["msg"], "\n" in said["msg"]) == (
        "card_retired",
        False,
        False,
    )
    assert said["msg"].startswith(refusal)
    assert "POST task" not in shelf.calls()


@pytest.mark.parametrize(
    "answer",
    [
        (404, {"msg": "no such route"}),
        (404, "<html>of the original server</html>"),
        (401, {"msg": "no", "code": "forbidden"}),
        (200, {"cards": [], "refusal": None}),
    ],
)
def test_an_image_without_a_card_is_not_checked(shelf, client, answer) -> None:
    shelf.answers["GET algorithm/match"] = answer
    assert create(client, WRONG) == {"id": 5}


def test_no_more_cards_are_checked_than_a_server_has_of_an_image(shelf, client) -> None:
    found = {"id": 3, "sha256": "0" * 64}
    other = card(functions=[card()["functions"][1]])
    many = [found | {"card": each} for each in [other] * 5 + [card()]]
    shelf.answers["GET algorithm/match"] = (200, {"cards": many, "refusal": None})
    assert create(client, GOOD)["code"] == "bad_arguments"


def test_a_card_that_this_client_cannot_read_is_said_and_not_checked(shelf, client, caplog) -> None:
    later = {"cards": [{"id": 3, "sha256": "", "card": card(card=2)}], "refusal": None}
    shelf.answers["GET algorithm/match"] = (200, later)
    assert create(client, WRONG) == {"id": 5}
    assert "cannot read" in caplog.text


@pytest.mark.parametrize("data_format", ["legacy", "pickle"])
def test_a_pickle_is_checked_by_its_content_and_left_to_the_stations(
    shelf, client, data_format
) -> None:
    """Scripts of 3.11 name no format, and the image of the user documentation has a card."""
    assert create(client, GOOD, data_format=data_format) == {"id": 5}
    assert create(client, WRONG, data_format=data_format)["code"] == "bad_arguments"


def test_what_json_has_no_form_for_is_left_to_the_node(shelf, client) -> None:
    odd = WRONG | {"kwargs": {"column": {1, 2}}}
    assert create(client, odd, data_format="legacy") == {"id": 5}


# With the real server


def login(live: Live, name: str) -> Client:
    """Return the client of another user, of Berlin."""
    hashed = passwords.hash_password("secret")
    make_user(live.world.berlin, "Organization Admin", username=name, password=hashed)
    client = Client("http://127.0.0.1", live.client.port, raise_errors=True)
    client.authenticate(name, "secret")
    return client


def test_a_card_is_put_read_reviewed_and_retired(live: Live, tmp_path: Path) -> None:
    file = tmp_path / "card.json"
    file.write_text(cards.write(cards.parse(card()), indent=1))
    group, north = live.client.algorithm, live.world.north.id
    live.client.raise_errors = True
    made = group.create(file, collaboration=north)
    assert (made["state"], made["name"]) == ("draft", "average")
    assert create(live.client, WRONG, organizations=[live.world.amsterdam.id])["id"]
    with pytest.raises(Forbidden, match="Another user that may edit it has to"):
        group.review(made["id"], made["sha256"])
    reviewer = login(live, "bea")
    read = reviewer.algorithm.get(made["id"])
    group.update(made["id"], card(version="1.1.0"))
    with pytest.raises(Conflict, match="it has changed"):
        reviewer.algorithm.review(made["id"], read["sha256"])
    read = reviewer.algorithm.get(made["id"])
    shown = reviewer.algorithm.review(made["id"], read["sha256"], note="Read it.")
    assert (shown["state"], shown["reviews"][0]["note"]) == ("reviewed", "Read it.")
    listed = group.list(state="reviewed", image=IMAGE, fields=["id", "version"])
    assert listed == [{"id": made["id"], "version": "1.1.0"}]
    with pytest.raises(Invalid, match="column_name"):
        create(reviewer, WRONG, organizations=[live.world.amsterdam.id])
    retired = reviewer.algorithm.update(made["id"], state="retired", note="Use 2.0.")
    assert (retired["state"], retired["reason"]) == ("retired", "Use 2.0.")
    with pytest.raises(Invalid, match=r"average 1.1.0 was retired. Use 2.0."):
        create(login(live, "bob"), GOOD, organizations=[live.world.amsterdam.id])
    assert "removed" in group.delete(made["id"])["msg"]
    assert group.list(include_metadata=False) == []
    reviewer.close()


def test_client_and_server_refuse_an_input_with_the_same_sentence(live: Live) -> None:
    shelve(live.world.north)
    client, here = live.client, [live.world.amsterdam.id]
    first = create(client, WRONG, organizations=here, data_format="json")
    client.card_checks.check = lambda *_: None  # type: ignore[method-assign]
    second = create(client, WRONG, organizations=here, data_format="json")
    assert first["code"] == second["code"] == "bad_arguments"
    assert first["msg"] == second["msg"]


def test_the_code_of_the_page_about_the_shelf_runs(
    live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = DOCS / "shelf.md"
    (tmp_path / "card.json").write_text(cards.write(cards.parse(card())))
    monkeypatch.chdir(tmp_path)
    reviewer = login(live, "bea")
    code = "".join(block.text for block in blocks(page) if block.language == "python")
    exec(compile(code, page.name, "exec"), {"client": live.client, "reviewer": reviewer})
    assert reviewer.algorithm.get(1)["reason"].startswith("Wrong for ties.")
    reviewer.close()


def test_an_entry_of_a_store_becomes_a_draft(live: Live, tmp_path: Path, caplog) -> None:
    entry = {
        "name": "Average",
        "image": "registry.example.org/average",
        "functions": [
            {
                "name": "central_average",
                "type": "central",
                "databases": [{"name": "Database"}],
                "arguments": [{"name": "column_name", "type": "column"}],
            },
            {"name": "prepare", "type": "preprocessing"},
        ],
    }
    file = tmp_path / "algorithm_store.json"
    file.write_text(json.dumps(entry))
    made = live.client.algorithm.import_(file, live.world.north.id, version="1.0.0")
    assert (made["state"], made["name"], made["version"]) == ("draft", "average", "1.0.0")
    assert made["functions"] == ["central_average"]
    assert made["images"] == [{"reference": "registry.example.org/average", "digest": None}]
    assert "prepare was left out" in caplog.text
    for content, words in (("[]", "a JSON object"), ("{", "not valid JSON"), ("{}", "no entry")):
        file.write_text(content)
        with pytest.raises(Invalid, match=words):
            live.client.algorithm.import_(file)
