"""A station with a past, and a person at its console."""

import json
import re
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml
from falcon import testing

from tests.node.factories import make_claim
from vantage6.common import clock
from vantage6.common.disclosure.verdicts import Finding, Verdict
from vantage6.common.selection import Selection
from vantage6.node.console.app import FOLDER, create_app
from vantage6.node.console.guard import COOKIE
from vantage6.node.console.server import Console
from vantage6.node.console.sessions import Links, Person, Role, Sessions
from vantage6.node.console.station import Station
from vantage6.node.instance import Instance
from vantage6.node.proxy.tokens import Tokens
from vantage6.node.release.judge import Question, judge
from vantage6.node.release.judgements import write_judgement
from vantage6.node.requests.grants import Grant, Grants
from vantage6.node.requests.held import HeldRequests
from vantage6.node.requests.held_request import HeldRequest, Requester, Rule
from vantage6.node.rules.audit import Audit, hash_of
from vantage6.node.rules.kept_outputs import KeptOutputs
from vantage6.node.spool.spool import Spool

OWNER, AUDITOR = Person("olivia", Role.OWNER), Person("amir", Role.AUDITOR)
HOST = "127.0.0.1:8700"
ORIGIN = f"http://{HOST}"
#: A name that would be a script, or turn the text after it, where a page believed it.
HOSTILE = "<script>alert(1)</script>\u202eevil\x1b[2J"
OUTPUT, LOG = b'json.{"n": 120, "mean": 61.4}', b"read 120 rows\n"
HELD_OUTPUT = b'json.{"groups": [{"name": "I", "n": 80}, {"name": "II", "n": 2}], "x<y": 1}'
DIGEST = f"sha256:{'a' * 64}"
IMAGE = "harbor.example.org/stats/average:1"


def make_station(folder: Path, **settings: Any) -> Instance:
    """Return a node that did some work; it does not run."""
    (folder / "patients.csv").write_text("patient,age,<b>sex</b>\n1,40,f\n2,50,m\n")
    values: dict[str, Any] = {
        "api_key": "key",
        "server_url": "http://127.0.0.1",
        "encryption": {"enabled": False},
        "task_dir": str(folder / "data"),
        "keep_outputs_days": 30,
        "databases": [
            {"label": "default", "uri": "patients.csv", "type": "csv"},
            {"label": "registry", "uri": "postgresql://reader:secret@db.example.org/x"},
        ],
        "policies": {
            "allowed_algorithms": [r"harbor\.example\.org/stats/.*"],
            "databases": {"default": [r"harbor\.example\.org/stats/.*"]},
        },
        **settings,
    }
    file = folder / "station.yaml"
    file.write_text(yaml.safe_dump({"application": values}))
    instance = Instance.find(Selection(file=file))
    instance.prepare()
    return instance


def write_past(instance: Instance, name: str = HOSTILE) -> None:
    """Write a record: one result that left, one refused, and one whose names are given."""
    audit = Audit(instance.data)
    asked = {"organization": "Hospital West", "user": "rosa", "image": IMAGE, "method": "mean"}
    audit.record("node_started", version="1", node_id=1)
    audit.record("asked", result_id=1, task_id=11, database="default", **asked)
    audit.record("started", result_id=1, image=IMAGE)
    facts = {"output_hash": hash_of(OUTPUT), "log_hash": hash_of(LOG), "fingerprint": "ab:cd"}
    lengths = {"output_bytes": len(OUTPUT), "log_bytes": len(LOG)}
    audit.record("released", result_id=1, status="completed", **lengths, **facts)
    audit.record("asked", result_id=2, task_id=12, database="default", **asked)
    audit.record("refused", result_id=2, code="image_not_allowed", message="The image is not.")
    audit.record("released", result_id=2, status="not allowed", output_bytes=0, log_bytes=0)
    hostile = dict.fromkeys(("organization", "user", "image", "method"), name)
    audit.record("asked", result_id=3, task_id=13, database="default", **hostile)
    audit.close()
    KeptOutputs(instance.config, instance.data).keep(1, OUTPUT, LOG)


class Browser:
    """A person at the console of a node, in a browser that keeps to the rules."""

    def __init__(self, instance: Instance, sessions: Sessions | None = None) -> None:
        self.instance = instance
        self._client = testing.TestClient(create_app(Station(instance), sessions))
        #: First part of the addresses of the session; empty before there is one.
        self.base = ""
        self._cookie = ""

    def enter(self, person: Person = OWNER) -> testing.Result:
        """Open a new link."""
        link = Links(self.instance.data / FOLDER / "links").make(person)
        return self.follow(self.send("/open", link=link))

    def follow(self, answer: testing.Result) -> testing.Result:
        """Keep the cookie of an answer that opens a session."""
        with suppress(KeyError):
            cookie = answer.cookies[COOKIE]
            self._cookie = cookie.value
            self.base = str(cookie.path).rstrip("/")
        return answer

    def get(self, path: str, headers: dict[str, str] | None = None) -> testing.Result:
        """Load a page of the session."""
        return self.request("GET", self.base + path, headers)

    def post(self, path: str, **fields: str) -> testing.Result:
        """Send a form of the session, with its secret."""
        return self.send(self.base + path, **{"form_secret": self.form_secret, **fields})

    @property
    def form_secret(self) -> str:
        """The secret in the forms of the session."""
        found = re.search('name="form_secret" value="([^"]+)"', self.get("/now").text)
        assert found is not None
        return found[1]

    def send(
        self, path: str, headers: dict[str, str] | None = None, **fields: str
    ) -> testing.Result:
        """Send a form as a page of the console does."""
        usual = {"Origin": ORIGIN, "Content-Type": "application/x-www-form-urlencoded"}
        return self.request("POST", path, {**usual, **(headers or {})}, urlencode(fields))

    def request(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: str | None = None
    ) -> testing.Result:
        """Send a request with the cookie of the session."""
        sent = {"Host": HOST, **(headers or {})}
        if self._cookie:
            sent = {"Cookie": f"{COOKIE}={self._cookie}", **sent}
        sent = {name: value for name, value in sent.items() if value}
        return self._client.simulate_request(method, path, headers=sent, body=body)


class serve:  # noqa: N801
    """Serves the console of a node."""

    def __init__(self, instance: Instance, path: Path | None = None) -> None:
        self._console, self._path = Console(instance), path

    def __enter__(self) -> tuple[Console, str]:
        address = self._console.listen(path=self._path)
        self._thread = threading.Thread(target=self._console.run, daemon=True)
        self._thread.start()
        return self._console, address

    def __exit__(self, *error: object) -> None:
        self._console.stop()
        self._thread.join()


def write_waiting(folder: Path, name: str = HOSTILE) -> None:
    """Hold a request and an output, and give a grant."""
    now = clock.now()
    until = (now + timedelta(days=14)).isoformat()
    request = HeldRequest(
        result_id=21,
        task_id=31,
        run_id=9,
        since=now.isoformat(),
        until=until,
        requester=Requester(4, "University Hospital Example", 7, "rosa", "ab:cd:ef"),
        image=IMAGE,
        digests=(DIGEST,),
        function="kaplan_meier",
        is_central=True,
        arguments=json.dumps({"time": "days", "groups": ["stage", name]}),
        input_bytes=80,
        input_hash=hash_of(b"the input"),
        databases=("default",),
        findings=(Rule("policies.allowed_algorithms", "allowed", "The image is listed."),),
        why="policies.approval",
    )
    HeldRequests(folder).hold(request)
    grant = Grant(DIGEST, "mean", is_central=True, organization_id=4, database="default", by="ann")
    Grants(folder).add(grant)
    entry = Spool(folder).create(make_claim(22))
    entry.prepare(b"", Tokens("a", "b"))
    (entry.io / "output").write_bytes(HELD_OUTPUT)
    finding = Finding("count_below_cell", "/groups/1/n", Verdict.HELD, "Merge the groups.")
    judgement = judge(entry.io / "output", Question(is_strict=True), [lambda *_: [finding]])
    write_judgement(entry.folder, replace(judgement, until=until))
