"""Commands about tasks."""

from collections.abc import Iterable, Sequence
from operator import index
from typing import Any

from vantage6.client import preflight
from vantage6.client.filter import post_filtering
from vantage6.client.groups.group import Group, included
from vantage6.common.errors import Forbidden, Invalid, NotFound, Unauthenticated
from vantage6.common.serialization import LEGACY, serialize


def _ids(organizations: object) -> list[int]:
    """Return the ids of organizations as a list.

    Raises
    ------
    Invalid
        If they are something else.
    """
    if isinstance(organizations, str | bytes | dict) or not isinstance(organizations, Iterable):
        raise Invalid(
            "organizations has to be a list of ids, such as organizations=[2], not "
            f"{organizations!r}."
        )
    try:
        return [index(id_) for id_ in organizations]
    except TypeError as error:
        raise Invalid(
            "organizations has to be a list of ids, which are numbers, such as "
            f"organizations=[2], not {organizations!r}."
        ) from error


class Task(Group):
    """Tasks: an image and an input, sent to organizations."""

    @post_filtering(iterable=False)
    def get(self, id_: int, include_results: bool = False) -> Any:
        """Return one task.

        Parameters
        ----------
        id_
            Id of the task.
        include_results
            Put the results, as they travel, into the task instead of links to them.

        Returns
        -------
        dict
            The task; ``complete`` tells whether all its results are in.
        """
        return self._get(f"task/{id_}", {"include": "results" if include_results else None})

    @post_filtering()
    def list(
        self,
        initiator: int | None = None,
        initiating_user: int | None = None,
        collaboration: int | None = None,
        image: str | None = None,
        parent: int | None = None,
        run: int | None = None,
        name: str | None = None,
        include_results: bool = False,
        description: str | None = None,
        database: str | None = None,
        result: int | None = None,
        status: str | None = None,
        page: int = 1,
        per_page: int = 20,
        include_metadata: bool = True,
    ) -> Any:
        """List the tasks that you may see, newest first.

        Parameters
        ----------
        initiator
            Id of the organization that created the task.
        initiating_user
            Id of the user who created the task.
        collaboration
            Id of the collaboration.
        image, name, description, database
            Text to look for; ``%`` stands for anything.
        parent
            Id of the task that created the task.
        run
            Number that a task shares with its sub-tasks.
        include_results
            Put the results, as they travel, into the tasks instead of links to them.
        result
            Id of a result of the task.
        status
            Status of the task, such as ``completed``.
        page
            Page number.
        per_page
            Number of items on a page.
        include_metadata
            Return ``{"data": [...], "links": {...}}`` instead of the bare list.

        Returns
        -------
        dict or list
            The tasks.
        """
        return self._get(
            "task",
            {
                "initiator_id": initiator,
                "init_user_id": initiating_user,
                "collaboration_id": collaboration,
                "image": image,
                "parent_id": parent,
                "run_id": run,
                "name": name,
                "description": description,
                "database": database,
                "result_id": result,
                "status": status,
                "page": page,
                "per_page": per_page,
                "include": included(include_metadata, *(["results"] if include_results else [])),
            },
        )

    @post_filtering(iterable=False)
    def create(
        self,
        collaboration: int,
        organizations: Sequence[int],
        name: str,
        image: str,
        description: str,
        input: dict[str, Any],
        data_format: str = LEGACY,
        database: str = "default",
    ) -> Any:
        """Create a new task.

        Parameters
        ----------
        collaboration
            Id of the collaboration to which this task belongs.
        organizations
            Organization ids (within the collaboration) which need to execute this task.
        name
            Human readable name.
        image
            Docker image name which contains the algorithm.
        description
            Human readable description.
        input
            Algorithm input.
        data_format
            IO data format used, by default ``legacy``, a Python pickle, which images made for
            vantage6 3 read; ``json`` is the better choice where the image reads it.
        database
            Name of the database to use. This should match the key in the node configuration
            files. If not specified the default database will be tried.

        Returns
        -------
        dict
            Containing the task information.

        Raises
        ------
        vantage6.common.errors.Invalid
            If the encryption of the collaboration and of this client do not fit, or an
            organization has no public key where it needs one. Nothing is sent then. Where the
            client was made with ``raise_errors``, also if an organization is not in the
            collaboration or has no node there, the input does not fit the reviewed function
            card of the image, or that card is retired; otherwise that is returned as
            ``{"msg": ...}``.

        Warns
        -----
        Of each node that is offline, with since when, in the log. The task is sent all the same,
        and the node computes its part when it is back.
        """
        content = {"name": name, "image": image, "description": description, "database": database}
        return self._create(
            collaboration, _ids(organizations), serialize(input, data_format), content
        )

    @post_filtering(iterable=False)
    def repeat(self, id_: int) -> Any:
        """Send a task again: the same image and input to the same organizations.

        In an encrypted collaboration your own organization must have been among the receivers,
        since its input is the only one that can be read.

        Parameters
        ----------
        id_
            Id of the task.

        Returns
        -------
        dict
            The new task.

        Raises
        ------
        vantage6.common.errors.Invalid
            If the input cannot be read; and as `create` does.
        """
        client = self.parent
        try:
            task = client.call("get", f"task/{id_}")
            results = client.reader.decoded(client.call("get", "result", params={"task_id": id_}))
        except (Unauthenticated, Forbidden, NotFound) as error:
            return client.refused(error)
        readable = (one["input"] for one in results if isinstance(one["input"], bytes))
        payload = next(readable, None)
        if payload is None or task["collaboration"] is None:
            raise Invalid(
                f"The input of task {id_} cannot be read: it was encrypted for other "
                "organizations, or the collaboration is gone. Send the task anew."
            )
        keys = ("name", "image", "description", "database")
        content = {key: task[key] or "" for key in keys}
        receivers = sorted(one["organization"]["id"] for one in results)
        return self._create(task["collaboration"]["id"], receivers, payload, content)

    def status(self, id_: int) -> Any:
        """Return how far a task is at each organization, without anything large.

        Parameters
        ----------
        id_
            Id of the task.

        Returns
        -------
        dict
            ``id``, ``status``, ``complete``, and ``results`` with id, organization and status, and
            in ``waits_for`` the code of the reason for which a data station holds one back.
        """
        try:
            return self.parent.call("get", f"task/{id_}/status")
        except NotFound:  # the original server only has the whole task
            return self.parent.call("get", f"task/{id_}")

    def _create(
        self, collaboration: int, receivers: Sequence[int], payload: bytes, content: dict[str, Any]
    ) -> Any:
        client = self.parent
        try:
            if receivers:
                # First, since the other one warns of stations that a task has to wait for.
                client.card_checks.check(content["image"], collaboration, payload)
            preflight.check(client, collaboration, receivers)
            inputs = client.sealer.seal(payload, collaboration, [*receivers])
        except (Unauthenticated, Forbidden, NotFound, preflight.CannotCompute) as error:
            return client.refused(error)
        body = {
            **content,
            "collaboration_id": collaboration,
            "organizations": [
                {"id": id_, "input": text} for id_, text in zip(receivers, inputs, strict=True)
            ],
        }
        return self._send("post", "task", body)

    def delete(self, id_: int) -> Any:
        """Delete a task and its results; stop it first if it runs.

        Parameters
        ----------
        id_
            Id of the task.
        """
        return self._send("delete", f"task/{id_}")

    def kill(self, id_: int) -> Any:
        """Stop a task and its sub-tasks.

        Parameters
        ----------
        id_
            Id of the task.
        """
        return self._send("post", "kill/task", {"id": id_})
