"""Commands about nodes."""

from typing import Any

from vantage6.client.filter import post_filtering
from vantage6.client.groups.group import Group, included


class Node(Group):
    """Nodes: the data station of an organization in a collaboration."""

    @post_filtering(iterable=False)
    def get(self, id_: int) -> Any:
        """Return one node.

        Parameters
        ----------
        id_
            Id of the node.
        """
        return self._get(f"node/{id_}")

    @post_filtering()
    def list(
        self,
        name: str | None = None,
        organization: int | None = None,
        collaboration: int | None = None,
        is_online: bool | None = None,
        ip: str | None = None,
        last_seen_from: str | None = None,
        last_seen_till: str | None = None,
        page: int = 1,
        per_page: int = 20,
        include_metadata: bool = True,
    ) -> Any:
        """List the nodes that you may see.

        Parameters
        ----------
        name
            Text to look for; ``%`` stands for anything.
        organization
            Id of the organization that owns the node.
        collaboration
            Id of the collaboration that the node serves.
        is_online
            Only those that are online, or only those that are not.
        ip
            Address of the node in the virtual private network.
        last_seen_from, last_seen_till
            Days, as ``yyyy-mm-dd``.
        page
            Page number.
        per_page
            Number of items on a page.
        include_metadata
            Return ``{"data": [...], "links": {...}}`` instead of the bare list.

        Returns
        -------
        dict or list
            The nodes.
        """
        status = None if is_online is None else "online" if is_online else "offline"
        return self._get(
            "node",
            {
                "name": name,
                "organization_id": organization,
                "collaboration_id": collaboration,
                "status": status,
                "ip": ip,
                "last_seen_from": last_seen_from,
                "last_seen_till": last_seen_till,
                "page": page,
                "per_page": per_page,
                "include": included(include_metadata),
            },
        )

    @post_filtering(iterable=False)
    def create(
        self, collaboration: int, organization: int | None = None, name: str | None = None
    ) -> Any:
        """Register a node.

        Parameters
        ----------
        collaboration
            Id of the collaboration that the node serves.
        organization
            Id of the organization that owns the node; your own when absent.
        name
            Name of the node; the server makes one up when absent.

        Returns
        -------
        dict
            The node. Its ``api_key`` is shown here and never again.
        """
        body = {
            "organization_id": organization or self._own_organization,
            "collaboration_id": collaboration,
            "name": name,
        }
        return self._send("post", "node", body)

    @post_filtering(iterable=False)
    def update(
        self,
        id_: int,
        name: str | None = None,
        organization: int | None = None,
        collaboration: int | None = None,
    ) -> Any:
        """Change a node.

        Parameters
        ----------
        id_
            Id of the node.
        name
            New name; absent to keep it.
        organization
            Id of the new owner; absent to keep it.
        collaboration
            Id of the new collaboration; absent to keep it.

        Returns
        -------
        dict
            The node.
        """
        body = {"organization_id": organization, "collaboration_id": collaboration}
        # The original server stores an absent name as no name.
        return self._send("patch", f"node/{id_}", body if name is None else {**body, "name": name})

    def reset_api_key(self, id_: int) -> Any:
        """Give a node a new API key, which is shown here and never again; the old one is void.

        Parameters
        ----------
        id_
            Id of the node.
        """
        return self._send("post", "recover/node", {"id": id_})

    def delete(self, id_: int) -> Any:
        """Delete a node.

        Parameters
        ----------
        id_
            Id of the node.
        """
        return self._send("delete", f"node/{id_}")

    def kill_tasks(self, id_: int) -> Any:
        """Stop every task that runs at a node.

        Parameters
        ----------
        id_
            Id of the node.
        """
        return self._send("post", "kill/node/tasks", {"id": id_})
