"""Commands about results."""

from typing import Any

from vantage6.client.filter import post_filtering
from vantage6.client.groups.group import Group, included

#: First and last day, as ``yyyy-mm-dd``; either may be absent.
Days = tuple[str | None, str | None]


class Result(Group):
    """Results: what each organization answered to a task."""

    @post_filtering(iterable=False)
    def get(self, id_: int, include_task: bool = False) -> Any:
        """Return one result, decrypted and decoded.

        Parameters
        ----------
        id_
            Id of the result.
        include_task
            Put the task into the result instead of a link to it.

        Returns
        -------
        dict
            The result. Its ``result`` stays bytes where it cannot be decoded.
        """
        reply = self._get(f"result/{id_}", {"include": "task" if include_task else None})
        return self.parent.reader.decoded(reply)

    @post_filtering()
    def list(
        self,
        task: int | None = None,
        organization: int | None = None,
        state: str | None = None,
        node: int | None = None,
        include_task: bool = False,
        started: Days | None = None,
        assigned: Days | None = None,
        finished: Days | None = None,
        port: int | None = None,
        page: int | None = None,
        per_page: int | None = None,
        include_metadata: bool = True,
        *,
        payload: bool = True,
    ) -> Any:
        """List results, decrypted and decoded, newest first.

        Parameters
        ----------
        task
            Id of the task.
        organization
            Id of the organization that computes.
        state
            ``open`` for those that are not finished.
        node
            Id of the node that computes.
        include_task
            Put the task into each result instead of a link to it.
        started, assigned, finished
            Pair of first and last day, as ``yyyy-mm-dd``; either may be None.
        port
            Port of the algorithm in the virtual private network.
        page
            Page number; all pages when absent.
        per_page
            Number of items on a page.
        include_metadata
            Return ``{"data": [...], "links": {...}}`` instead of the bare list.
        payload
            Get ``input``, ``result`` and ``log`` too, which may be large; they are None otherwise.

        Returns
        -------
        dict or list
            The results. A ``result`` stays bytes where it cannot be decoded.

        Examples
        --------
        One row per result, then one row per answer, as a table of pandas:

        >>> pandas.DataFrame(client.result.list(task=3)["data"])
        >>> pandas.DataFrame(row["result"] for row in client.result.from_task(3))
        """
        started_from, started_till = started or (None, None)
        assigned_from, assigned_till = assigned or (None, None)
        finished_from, finished_till = finished or (None, None)
        reply = self._get(
            "result",
            {
                "task_id": task,
                "organization_id": organization,
                "state": state,
                "node_id": node,
                "port": port,
                "payload": None if payload else False,
                "started_from": started_from,
                "started_till": started_till,
                "assigned_from": assigned_from,
                "assigned_till": assigned_till,
                "finished_from": finished_from,
                "finished_till": finished_till,
                "page": page,
                "per_page": per_page,
                "include": included(include_metadata, *(["task"] if include_task else [])),
            },
        )
        return self.parent.reader.decoded(reply)

    def from_task(self, task_id: int, include_task: bool = False) -> Any:
        """Return the bare list of all results of a task, decrypted and decoded.

        Parameters
        ----------
        task_id
            Id of the task.
        include_task
            Put the task into each result instead of a link to it.

        Returns
        -------
        list
            The results.
        """
        params = {"task_id": task_id, "include": "task" if include_task else None}
        return self.parent.reader.decoded(self._get("result", params))
