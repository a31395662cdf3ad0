"""Where the private key is while it is used, and that nothing is left of it afterwards."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.web.browsing import PATIENCE
from tests.web.people import PEOPLE
from vantage6.client import Client, RSACryptor
from vantage6.sandbox.federation import Federation

pytestmark = pytest.mark.slow
expect.set_options(timeout=PATIENCE)

OpenPage = Callable[..., Page]
#: All that a page can keep beyond a reload, as one text.
_STORED = """async () => {
    const found = [{...localStorage}, {...sessionStorage}, document.cookie];
    for (const {name} of await indexedDB.databases()) found.push(name);
    for (const name of await caches.keys()) found.push(name);
    return JSON.stringify(found);
}"""


@pytest.fixture
def client(federation: Federation) -> Iterator[Client]:
    """Give a client with the key of the organization."""
    with closing(federation.client()) as made:
        yield made


@pytest.fixture
def key(federation: Federation) -> Path:
    """Give the file with the private key of the organization."""
    return federation.key_file(next(iter(federation.ids)))


def test_nothing_is_left_of_the_key_and_the_session(
    signed_in: OpenPage, client: Client, federation: Federation, key: Path
) -> None:
    tokens: list[str] = []
    page = signed_in("researcher", "key")
    page.on("request", lambda request: tokens.append(request.headers.get("authorization", "")))
    _load(page, key)
    fingerprint = RSACryptor.fingerprint(RSACryptor(key).public_key_str)
    expect(page.get_by_text(fingerprint)).to_be_visible()
    assert len(page.workers) == 1
    # The key decrypts the input of a task that was sent before.
    _go(page, f"new?task={_create(client, federation)}")
    expect(page.get_by_label("Input")).to_have_value('{\n  "method": "secret-of-the-input"\n}')
    secrets = {line for line in key.read_text().splitlines() if len(line) == 64}
    token = tokens[-1].removeprefix("Bearer ")
    assert len(secrets) > 30
    assert len(token) > 100
    heap = _heap(page)
    assert token in heap  # so that the search can find something
    assert not [line for line in secrets if line in heap], "the key is in the page itself"
    assert not [line for line in secrets if line in page.evaluate(_STORED)]
    assert token not in page.evaluate(_STORED)

    _go(page, "key")
    page.get_by_role("button", name="Forget the key").click()
    expect(page.get_by_label("File with the private key")).to_be_visible()
    assert not page.workers  # its memory went with it
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("User name").wait_for()
    heap = _heap(page)
    assert PEOPLE["researcher"].password not in heap
    assert token not in heap
    assert not [line for line in secrets if line in heap]
    assert token not in page.evaluate(_STORED)


def test_repeating_an_encrypted_task_asks_for_the_key_there(
    signed_in: OpenPage, client: Client, federation: Federation, key: Path
) -> None:
    page = signed_in("researcher", "me")
    page.get_by_role("link", name="Load or forget the private key").click()
    expect(page.get_by_label("File with the private key")).to_be_visible()
    _go(page, f"new?task={_create(client, federation)}")
    expect(page.get_by_text("is not loaded")).to_be_visible()
    _load(page, federation.key_file([*federation.ids][1]), "This is not the key of your")
    expect(page.get_by_text("encrypted for another key")).to_be_visible()
    page.get_by_role("button", name="Forget the key").click()
    page.get_by_label("File with the private key").set_input_files(key)
    expect(page.get_by_label("Input")).to_have_value('{\n  "method": "secret-of-the-input"\n}')


def test_signing_out_forgets_the_key(signed_in: OpenPage, key: Path) -> None:
    page = signed_in("researcher", "key")
    _load(page, key)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("User name").wait_for()
    assert not page.workers


def test_an_idle_key_is_forgotten(signed_in: OpenPage, key: Path) -> None:
    page = signed_in("researcher", "key")
    page.clock.install()
    _load(page, key)
    page.clock.fast_forward("29:00")
    expect(page.get_by_text("The private key is loaded")).to_be_visible()
    page.clock.fast_forward("01:01")
    expect(page.get_by_label("File with the private key")).to_be_visible()
    assert not page.workers


def test_a_wrong_file_is_answered_by_a_sentence(
    signed_in: OpenPage, federation: Federation, tmp_path: Path
) -> None:
    page = signed_in("researcher", "key")
    (tmp_path / "key.pem").write_text("no key")
    page.get_by_label("File with the private key").set_input_files(tmp_path / "key.pem")
    expect(page.get_by_text("This is not an RSA key in PEM.")).to_be_visible()
    _load(page, federation.key_file([*federation.ids][1]), "This is not the key of your")


def _load(page: Page, key: Path, answer: str = "The private key is loaded") -> None:
    page.get_by_label("File with the private key").set_input_files(key)
    page.get_by_text(answer).wait_for()


def _go(page: Page, address: str) -> None:
    """Go to another address without a reload, which would forget the key."""
    page.evaluate(
        """(address) => {
            history.pushState(null, '', `/app/${address}`);
            dispatchEvent(new PopStateEvent('popstate'));
        }""",
        address,
    )


def _create(client: Client, federation: Federation) -> int:
    task = client.task.create(
        collaboration=federation.collaboration,
        organizations=[next(iter(federation.ids.values()))],
        name="",
        image="example.org/without/card",
        description="",
        input={"method": "secret-of-the-input"},
        data_format="json",
    )
    id_: int = task["id"]
    return id_


def _heap(page: Page) -> str:
    """Return all that lives in the memory of the page, after what is unused was thrown away."""
    session = page.context.new_cdp_session(page)
    pieces: list[str] = []

    def note(event: dict[str, Any]) -> None:
        pieces.append(event["chunk"])

    session.on("HeapProfiler.addHeapSnapshotChunk", note)
    session.send("HeapProfiler.collectGarbage")
    session.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    session.detach()
    return "".join(pieces)
