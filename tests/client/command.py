"""The command `vantage6`, run against the real server."""

import json
from dataclasses import dataclass
from typing import Any

from click.testing import CliRunner, Result

from tests.client.conftest import Live
from tests.models.factories import finish, result_of
from vantage6.client.cli import main
from vantage6.common.encoding import bytes_to_base64s
from vantage6.common.serialization import serialize
from vantage6.common.task_status import TaskStatus
from vantage6.models.tables import Node, Organization, Task


@dataclass
class Command:
    """The command of somebody of Amsterdam."""

    live: Live

    def run(self, *words: object, answers: str | None = None) -> Result:
        """Run the command to its end; what the user types comes from a file, not a terminal."""
        return CliRunner().invoke(main, [str(word) for word in words], input=answers)

    def ok(self, *words: object, answers: str | None = None) -> str:
        """Run the command, which has to succeed, and return what it prints."""
        done = self.run(*words, answers=answers)
        assert done.exit_code == 0, done.output
        return done.stdout

    def json(self, *words: object, code: int = 0) -> Any:
        """Run the command, and return the one document that it prints."""
        done = self.run(*words, "--json")
        assert done.exit_code == code, done.output
        return json.loads(done.stdout)

    def log_in(self, *words: object) -> str:
        """Log in as somebody who may do everything."""
        return self.ok(
            "login", self.live.client.base_path, "--user", "ada", *words, answers="secret\n"
        )

    def send(self, *words: object) -> int:
        """Send a task to both organizations of the north, and return its id."""
        image = ("--image", "i", "--no-wait")
        return int(self.json("run", "average_partial", *image, *words)["task"])

    def answer(
        self,
        task: int,
        organization: Organization,
        node: Node,
        value: object = None,
        status: TaskStatus = TaskStatus.COMPLETED,
        log: str = "it fell over",
    ) -> None:
        """Let a node report the result of a task."""
        row = result_of(Task.get_by_id(task), organization)
        text = bytes_to_base64s(serialize(value, "json"))
        contents = {"result": text} if value is not None else {"log": log}
        finish(row, node, status, **contents)
