"""Which image an approval is for, where the image comes to the station after it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.node.conftest import MakeContext
from tests.node.factories import make_config
from tests.node.test_approval import ALWAYS, events, is_held, runs, with_policies
from tests.node.test_approval import ask as ask
from tests.node.test_approval import held as held
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.node.requests.grants import Grants
from vantage6.node.requests.held import HeldRequests
from vantage6.node.rules.registries import Registries
from vantage6.node.runtime.base import Image, Pulling
from vantage6.node.runtime.process import ProcessRuntime
from vantage6.node.work.scheduler import Scheduler


class Remote(ProcessRuntime):
    """A runtime whose images are elsewhere until they are fetched."""

    fetched = False

    def find_image(self, image: str) -> Image | None:
        """Return the image once it was fetched."""
        return super().find_image(image) if self.fetched else None

    def fetch(
        self,
        image: str,
        cancelled: Callable[[], bool],
        pulling: Pulling = lambda: None,  # type: ignore[assignment,return-value]
        registries: Registries | None = None,
    ) -> Image:
        """Return the image, which is here from then on."""
        self.fetched = True
        return super().fetch(image, cancelled, registries=registries)


def begin(make_context: MakeContext, tmp_path: Path, **values: Any) -> Scheduler:
    """Return a scheduler at which no image is."""
    config = make_config(**values)
    runtime = Remote(tmp_path / "remote", config.processes, config.limits)
    return Scheduler(make_context(runtime=runtime, **values))


def test_an_approval_of_a_name_fetches_and_asks_again_with_the_digest(
    wire: Wire, make_context: MakeContext, held: HeldRequests, ask: Any, tmp_path: Path
):
    ask()
    scheduler = begin(make_context, tmp_path, **ALWAYS)
    scheduler.accept(5)
    assert eventually(lambda: is_held(wire))
    assert held.get(5).digests == ()
    first = held.approve(5, "bob", held.get(5).code)
    scheduler.take_up()
    assert eventually(lambda: held.get(5).digests != ())
    assert eventually(lambda: is_held(wire))
    assert (held.get(5).approvals, runs(tmp_path)) == ((), "")
    assert held.get(5).code != first.code
    held.approve(5, "carol", held.get(5).code)
    scheduler.take_up()
    assert eventually(lambda: wire.ids("completed") == [5])
    assert runs(tmp_path) == "x"
    (line,) = events(tmp_path, "approval")
    assert line["by"] == ["carol"]
    scheduler.leave()


def test_a_first_use_is_remembered_for_the_digest_that_the_person_saw(
    wire: Wire, make_context: MakeContext, held: HeldRequests, ask: Any, tmp_path: Path
):
    ask()
    scheduler = begin(make_context, tmp_path, **with_policies(approval="first_use"))
    scheduler.accept(5)
    assert eventually(lambda: is_held(wire))
    held.approve(5, "bob", held.get(5).code)
    scheduler.take_up()
    assert eventually(lambda: held.get(5).digests != ())
    assert Grants(tmp_path / "data").list() == []
    assert eventually(lambda: is_held(wire))
    held.approve(5, "bob", held.get(5).code)
    scheduler.take_up()
    assert eventually(lambda: wire.ids("completed") == [5])
    (grant,) = Grants(tmp_path / "data").list()
    assert grant.digest.startswith("sha256:")
    scheduler.leave()
