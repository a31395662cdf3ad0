"""A changed configuration file: its policies count for the next task, as a whole or not at all."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from tests.node.factories import COMMAND, IMAGE, write_database
from tests.node.wire import Wire
from tests.waiting import eventually
from vantage6.common.selection import Selection
from vantage6.node.cli import main
from vantage6.node.instance import Instance
from vantage6.node.rules import current_policy
from vantage6.node.rules.audit import FILE_NAME, Audit, entries
from vantage6.node.rules.current_policy import CurrentPolicy, read_followed, version_of
from vantage6.node.rules.findings import PolicyRequest, Verdict

ALLOWED = {"allowed_algorithms": [IMAGE]}


class Station:
    """A configuration file, and the policies that a node follows which started with it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "station.yaml"
        self.data = folder / "node"
        self.data.mkdir()
        self.write(policies=ALLOWED)
        self.instance = Instance.find(Selection(file=self.file))
        self.audit = Audit(self.data)
        self.policies = CurrentPolicy(
            self.instance.config,
            self.instance.reload,
            self.instance.file,
            self.audit,
            self.data,
        )

    def write(self, text: str | None = None, **values: Any) -> None:
        """Replace the file, as editors do; its change is older than the pause for half a file."""
        content = {
            "api_key": "key",
            "server_url": "http://127.0.0.1",
            "encryption": {"enabled": False},
            "task_dir": str(self.data),
            "runtime": "process",
            "processes": {IMAGE: list(COMMAND)},
            **values,
        }
        new = self.file.with_suffix(".new")
        new.write_text(yaml.safe_dump({"application": content}) if text is None else text)
        new.chmod(0o600)
        long_ago = 1_000_000_000 + self.file.stat().st_ino % 1000 if self.file.exists() else 10**9
        os.utime(new, (long_ago, long_ago))
        new.replace(self.file)

    def allows(self, image: str = IMAGE) -> bool:
        request = PolicyRequest(image=image, database="default", input_format="json")
        findings = list(self.policies.refresh().findings(request))
        return all(finding.verdict is not Verdict.REFUSED for finding in findings)

    def events(self) -> list[dict[str, Any]]:
        return list(entries(self.data / FILE_NAME))

    def vnode(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, [*arguments, "--config", str(self.file)])


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return Station(tmp_path)


def test_a_changed_file_counts_for_the_next_task_and_is_on_record(station: Station) -> None:
    assert station.allows()
    before = station.policies.version
    station.write(policies={"allowed_algorithms": ["another/image"]})
    assert not station.allows()
    assert station.allows("another/image")
    (event,) = station.events()
    assert event["event"] == "policy_changed"
    assert (event["before"], event["version"]) == (before, station.policies.version)
    assert event["policies"]["allowed_algorithms"] == ["another/image"]
    assert event["version"] != before


def test_a_changed_file_that_the_file_names_counts_too(station: Station) -> None:
    images = station.file.with_name("images.txt")
    images.write_text(IMAGE)
    os.utime(images, (1, 1))
    station.write(policies={"allowed_algorithms": ["here"]})
    text = station.file.read_text().replace("- here", "- !file images.txt")
    station.write(text)
    assert station.allows()
    images.write_text("another/image")
    os.utime(images, (2, 2))
    assert not station.allows()
    assert station.allows("another/image")
    assert [event["event"] for event in station.events()][-1] == "policy_changed"
    images.unlink()
    assert station.allows("another/image")
    assert station.events()[-1]["event"] == "policy_refused"


@pytest.mark.parametrize(
    "wrong",
    [
        {"policies": {"allowed_algorithms": ["("]}},
        {"policies": {"allowed_algorithm": [".*"]}},
        {"policies": {"allowed_algorithms": [".*"]}, "parallel": -1},
    ],
)
def test_a_wrong_file_changes_nothing_and_that_is_said(
    station: Station, wrong: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    version = station.policies.version
    station.write(**wrong)
    assert station.allows()
    assert not station.allows("another/image")
    (event,) = station.events()
    assert (event["event"], event["version"]) == ("policy_refused", version)
    assert "the policies from before it stay" in capsys.readouterr().err
    told = read_followed(station.data)
    assert told is not None
    assert told.refused is not None
    station.write(policies={"allowed_algorithms": ["another/image"]})
    assert station.allows("another/image")
    assert len(station.events()) == 2


def test_a_file_without_end_or_without_a_file_changes_nothing(station: Station) -> None:
    station.write("application: {policies: {allowed_algorithms: [")
    assert station.allows()
    station.file.unlink()
    assert station.allows()


def test_a_file_that_is_being_written_is_waited_for(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    station.write(policies={})
    station.file.touch()
    whole = yaml.safe_load(station.file.read_text())
    whole["application"]["policies"] = ALLOWED

    def go_on(_: float) -> None:
        station.file.write_text(yaml.safe_dump(whole))
        os.utime(station.file, (1, 1))

    monkeypatch.setattr(current_policy.time, "sleep", go_on)
    assert station.allows()
    assert station.events() == []


def test_a_change_that_cannot_be_written_down_does_not_count(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(station.audit, "record_whole", full)
        station.write(policies={"allowed_algorithms": ["another/image"]})
        with pytest.raises(OSError, match="no space"):
            station.policies.refresh()
        assert station.policies.rules is not None
        assert not _allows_now(station, "another/image")
    assert station.allows("another/image")


def _allows_now(station: Station, image: str) -> bool:
    request = PolicyRequest(image=image, database="default", input_format="json")
    rules = station.policies.rules
    return all(one.verdict is not Verdict.REFUSED for one in rules.findings(request))


def test_commands_say_which_version_counts(station: Station) -> None:
    test = ("policy", "test", "--image", IMAGE)
    said = station.vnode(*test).output
    assert f"The node does not run. It will follow {station.file}, version" in said
    lock = station.instance.lock()
    try:
        said = station.vnode(*test).output
        assert f"The running node follows this version, {station.policies.version}" in said
        station.write(policies={"allowed_algorithms": ["another/image"]}, parallel=3)
        done = station.vnode(*test)
        assert done.exit_code == 1
        new = version_of(station.instance.reload())
        assert f"The running node follows version {station.policies.version}" in done.output
        assert f"takes up this file, version {new}, for its next task" in done.output
        assert "Changed settings that count after a restart: parallel." in done.output
        assert "follows version" in station.vnode("doctor").output
    finally:
        os.close(lock)


def test_what_commands_read_holds_no_secret(station: Station) -> None:
    assert (station.data / "policy.json").stat().st_mode & 0o777 == 0o600
    written = (station.data / "policy.json").read_text()
    assert '"databases"' in written
    # A guess of a short password cannot be tried.
    for value in station.instance.config.model_dump(mode="json").values():
        guess = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
        assert guess[:12] not in written


def test_a_changed_key_is_named_and_no_other_setting(station: Station) -> None:
    told = read_followed(station.data)
    assert told is not None
    assert told.changed_settings(station.instance.config) == []
    station.write(api_key="another")
    assert told.changed_settings(station.instance.reload()) == ["api_key"]


def test_a_running_station_follows_its_file(
    wire: Wire, tmp_path: Path, make_scheduler: Callable[..., Any], make_context: Callable[..., Any]
) -> None:
    write_database(tmp_path)
    context = make_context(policies={**ALLOWED, "allow_pickle": True})
    scheduler = make_scheduler(context)
    wire.add(1, "open(os.environ['OUTPUT_FILE'], 'w').write('done')")
    scheduler.accept(1)
    eventually(lambda: wire.ids("completed") == [1])
    tighter = context.config.model_copy(
        update={"policies": context.config.policies.model_copy(update={"allowed_algorithms": ()})}
    )
    file = tmp_path / "changed.yaml"
    file.write_text("")
    os.utime(file, (1, 1))
    context.policies._file, context.policies._files = file, (file,)
    context.policies._load = lambda: tighter
    wire.add(2, "open(os.environ['OUTPUT_FILE'], 'w').write('done')")
    scheduler.accept(2)
    eventually(lambda: wire.ids("not allowed") == [2])
    assert wire.results[2]["reason"]["code"] == "image_not_allowed"
