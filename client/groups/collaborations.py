"""Commands about collaborations."""

from collections.abc import Sequence
from typing import Any

from vantage6.client.filter import post_filtering
from vantage6.client.groups.group import Group, included
from vantage6.common.errors import Invalid


class Collaboration(Group):
    """Collaborations: organizations that agreed to analyse data together."""

    @post_filtering()
    def list(
        self,
        scope: str = "organization",
        name: str | None = None,
        encrypted: bool | None = None,
        organization: int | None = None,
        page: int = 1,
        per_page: int = 20,
        include_metadata: bool = True,
    ) -> Any:
        """List collaborations.

        Parameters
        ----------
        scope
            ``organization`` for the bare list of all collaborations of your own organization,
            which ignores the other parameters; ``global`` for all that you may see.
        name
            Text to look for; ``%`` stands for anything.
        encrypted
            Only those with, or only those without encryption.
        organization
            Id of an organization that takes part.
        page
            Page number.
        per_page
            Number of items on a page.
        include_metadata
            Return ``{"data": [...], "links": {...}}`` instead of the bare list.

        Returns
        -------
        dict or list
            The collaborations.
        """
        if scope == "organization":
            return self._get(f"organization/{self._own_organization}/collaboration")
        if scope != "global":
            raise Invalid(f"The scope is either 'organization' or 'global', not {scope!r}.")
        return self._get(
            "collaboration",
            {
                "name": name,
                # Numbers, because the original server does not understand words here.
                "encrypted": None if encrypted is None else int(encrypted),
                "organization_id": organization,
                "page": page,
                "per_page": per_page,
                "include": included(include_metadata),
            },
        )

    @post_filtering(iterable=False)
    def get(self, id_: int) -> Any:
        """Return one collaboration.

        Parameters
        ----------
        id_
            Id of the collaboration.
        """
        return self._get(f"collaboration/{id_}")

    @post_filtering(iterable=False)
    def create(self, name: str, organizations: Sequence[int], encrypted: bool = False) -> Any:
        """Create a collaboration.

        Parameters
        ----------
        name
            Name that people recognize; unique.
        organizations
            Ids of the organizations that take part.
        encrypted
            Encrypt inputs and results end to end.

        Returns
        -------
        dict
            The collaboration.
        """
        body = {"name": name, "organization_ids": organizations, "encrypted": encrypted}
        return self._send("post", "collaboration", body)

    @post_filtering(iterable=False)
    def update(
        self,
        id_: int,
        name: str | None = None,
        organizations: Sequence[int] | None = None,
        encrypted: bool | None = None,
    ) -> Any:
        """Change a collaboration.

        Parameters
        ----------
        id_
            Id of the collaboration.
        name
            New name; absent to keep it.
        organizations
            Ids of all organizations that take part from now on; absent to keep them.
        encrypted
            Encrypt from now on, or no longer; absent to keep it.

        Returns
        -------
        dict
            The collaboration.
        """
        body = {"name": name, "organization_ids": organizations, "encrypted": encrypted}
        given = {key: value for key, value in body.items() if value is not None}
        self.parent.sealer.forget(id_)
        return self._send("patch", f"collaboration/{id_}", given)

    def delete(self, id_: int) -> Any:
        """Delete a collaboration with its tasks and results; its nodes stay, without one.

        Parameters
        ----------
        id_
            Id of the collaboration.
        """
        return self._send("delete", f"collaboration/{id_}")

    def add_organization(self, id_: int, organization: int) -> Any:
        """Let an organization take part; returns all that do then.

        For those who may edit the organization; others call `invite`.

        Parameters
        ----------
        id_
            Id of the collaboration.
        organization
            Id of the organization.
        """
        return self._send("post", f"collaboration/{id_}/organization", {"id": organization})

    @post_filtering(iterable=False)
    def invite(self, id_: int, organization: int) -> Any:
        """Ask an organization to join; it takes part once one of its administrators accepts.

        Parameters
        ----------
        id_
            Id of the collaboration.
        organization
            Id of the organization.

        Returns
        -------
        dict
            The invitation.
        """
        body = {"collaboration_id": id_, "organization_id": organization}
        return self._send("post", "invitation", body)

    @post_filtering()
    def list_invitations(
        self,
        collaboration: int | None = None,
        organization: int | None = None,
        page: int = 1,
        per_page: int = 20,
        include_metadata: bool = True,
    ) -> Any:
        """List the open invitations of your own organization, and those to its collaborations.

        Parameters
        ----------
        collaboration
            Id of the collaboration that invites.
        organization
            Id of the organization that is invited.
        page
            Page number.
        per_page
            Number of items on a page.
        include_metadata
            Return ``{"data": [...], "links": {...}}`` instead of the bare list.

        Returns
        -------
        dict or list
            The invitations.
        """
        return self._get(
            "invitation",
            {
                "collaboration_id": collaboration,
                "organization_id": organization,
                "page": page,
                "per_page": per_page,
                "include": included(include_metadata),
            },
        )

    def accept_invitation(self, id_: int) -> Any:
        """Let your own organization join a collaboration; returns the collaboration.

        Parameters
        ----------
        id_
            Id of the invitation.
        """
        return self._send("post", f"invitation/{id_}/accept")

    def decline_invitation(self, id_: int) -> Any:
        """Decline an invitation of your own organization, or take back one of your collaboration.

        Parameters
        ----------
        id_
            Id of the invitation.
        """
        return self._send("delete", f"invitation/{id_}")

    def remove_organization(self, id_: int, organization: int) -> Any:
        """Let an organization leave, which ends what it computes here; returns who is left.

        Parameters
        ----------
        id_
            Id of the collaboration.
        organization
            Id of the organization.
        """
        return self._send("delete", f"collaboration/{id_}/organization", {"id": organization})

    def add_node(self, id_: int, node: int) -> Any:
        """Move a node of a member here; returns all nodes that are here then.

        Parameters
        ----------
        id_
            Id of the collaboration.
        node
            Id of the node.
        """
        return self._send("post", f"collaboration/{id_}/node", {"id": node})

    def remove_node(self, id_: int, node: int) -> Any:
        """Take a node out of a collaboration; it stays, without one.

        Parameters
        ----------
        id_
            Id of the collaboration.
        node
            Id of the node.
        """
        return self._send("delete", f"collaboration/{id_}/node", {"id": node})
